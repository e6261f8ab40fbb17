--- Specs of bots, for files that `moonlet test` runs: people and groups in a
-- simulated Telegram, and what they see. Each case has an empty world with a
-- clock of its own that jumps over every wait, and the bot freshly loaded.
-- Durations are seconds or texts such as "5m". What does not hold ends the
-- case with file and line. In the examples ann and bob are people, and team is
-- a group of theirs.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"
local people = require "moonlet.test_people"
local state = require "moonlet.test_state"
local web = require "moonlet.test_http"

local t = {}

--- t.any: fits every message.
t.any = expect.any

-- --- cases

local option_types = {
  bot = "string", main = "string", config = "table", webhook = "boolean",
  copy = "boolean", start = "boolean",
}

local function outside(what)
  if state.in_case then
    expect.misuse(what .. " belongs outside of cases: the file says what "
      .. "there is before the first one runs")
  end
end

local function check_functions(what, fn)
  outside(what)
  if type(fn) ~= "function" then
    expect.misuse(what .. " takes a function, got " .. type(fn))
  end
end

local function check_options(what, opts)
  for name, value in pairs(opts) do
    local wanted = option_types[name]
    if not wanted then
      expect.misuse(("%s has no option %q"):format(what, tostring(name)))
    elseif type(value) ~= wanted then
      expect.misuse(("%s: %s must be a %s, got %s"):format(what, name, wanted,
        type(value)))
    end
  end
end

--- t.case(name [, opts], fn): one case. opts: bot, a folder with main.lua,
-- relative to the spec, or main, the text of a whole bot; config, settings by
-- their names in config.lua; webhook = true, updates come by webhook; copy =
-- true, the bot is a copy for t.write; start = false, the bot runs only from
-- t.start() on.
function t.case(name, opts, fn)
  if fn == nil then opts, fn = {}, opts end
  if type(name) ~= "string" or type(opts) ~= "table"
    or type(fn) ~= "function" then
    expect.misuse("t.case takes a name, options if need be, and a function")
  end
  check_options("t.case", opts)
  outside("t.case")
  table.insert(state.cases, { name = name, opts = opts, fn = fn })
end

--- t.each(rows, name [, opts], fn): a case for each row of the list, with
-- fn(row). In the name "%s" stands for the row, or its field `name`.
function t.each(rows, name, opts, fn)
  if fn == nil then opts, fn = {}, opts end
  if type(rows) ~= "table" or #rows == 0 or type(name) ~= "string"
    or type(fn) ~= "function" then
    expect.misuse("t.each takes a list that is not empty, a name, options if "
      .. "need be, and a function")
  end
  for _, row in ipairs(rows) do
    local title = type(row) == "table" and (row.name or row[1]) or row
    local words = tostring(title):gsub("%%", "%%%%")
    t.case(name:gsub("%%s", words), opts, function() fn(row) end)
  end
end

--- t.before(fn): runs at the start of each case of this file, after the bot
-- has started.
function t.before(fn)
  check_functions("t.before", fn)
  table.insert(state.before, fn)
end

--- t.after(fn): runs at the end of each case of this file, however it went.
function t.after(fn)
  check_functions("t.after", fn)
  table.insert(state.after, fn)
end

--- t.use(opts): options for all cases of this file.
function t.use(opts)
  if type(opts) ~= "table" then
    expect.misuse("t.use takes a table of options, got " .. type(opts))
  end
  check_options("t.use", opts)
  outside("t.use")
  for name, value in pairs(opts) do state.defaults[name] = value end
end

-- --- the simulator

local function sim(method, path, body)
  local status, answer = core.request("sim", method, path, body)
  if status ~= 200 then
    expect.misuse(type(answer) == "table" and answer.error or tostring(answer))
  end
  return answer
end

-- --- chats

local Chat = {}
Chat.__index = Chat

--- chat:expect(what [, opts]): waits for the next message of the bot that
-- fits, behind the last one expected, and returns it. what: a part of its
-- text, t.any, or a table of text, pattern (Lua's), buttons (texts that it
-- has; false: none), content ("photo"), document, photo, poll, invoice, ...
-- (true, or a part of the file's name or of the title), edited, deleted, alert,
-- toast, action (true, or a part of its text), method and params (an API call
-- to this chat instead). opts: within, 60 s of virtual time unless it is said.
function Chat:expect(what, opts)
  return expect.see(self.name, self.chat_id, what, opts)
end

--- chat:expect_nothing([within]): the bot says nothing for 10 s, or within.
function Chat:expect_nothing(within)
  expect.silence(self.name, self.chat_id, within)
end

--- chat:messages(): what the chat shows now, oldest first.
function Chat:messages()
  return sim("GET", ("/sim/chats/%d/messages"):format(self.chat_id))
end

-- --- people

local User = setmetatable({}, { __index = Chat })
User.__index = User

--- t.user{ first_name =, username =, id =, language_code =, started = }: a
-- person, whose chat with the bot they are too.
function t.user(fields)
  local user = sim("POST", "/sim/users", fields or { first_name = "Ann" })
  user.name = user.first_name
  user.chat_id = user.id
  return setmetatable(user, User)
end

local function chat_of(group)
  group.name = group.title
  group.chat_id = group.id
  return setmetatable(group, Chat)
end

local function ids_of(users)
  local ids = core.array {}
  for i, user in ipairs(users or {}) do
    ids[i] = type(user) == "table" and user.id or user
  end
  return ids
end

--- t.group{ title =, username =, members = { ann, ... }, admins = { bob, ... },
-- type = "supergroup" }: several people. Admins are members with all rights.
function t.group(fields)
  fields = fields or {}
  local body = { type = fields.type or "supergroup", username = fields.username,
    title = fields.title or "Group", id = fields.id,
    members = ids_of(fields.members), admins = ids_of(fields.admins) }
  return chat_of(sim("POST", "/sim/chats", body))
end

-- A chat, its id, or a table with a field chat of either kind.
local function place_of(self, where)
  local extra = {}
  if type(where) == "table" and getmetatable(where) == nil then
    for name, value in pairs(where) do extra[name] = value end
    where = extra.chat
  end
  extra.chat = type(where) == "table" and where.chat_id or where
  extra.from = self.id
  return extra
end

-- What people do.
local function act(path, body)
  chat.act()
  return sim("POST", path, body)
end

--- user:send(what [, where]): sends a text, or a table such as
-- { photo = true, caption = "me" } or { document = { name = "a.csv",
-- text = "1,2" } }, to the bot, or to a group: where is a chat, or a table of
-- chat, reply_to and message_thread_id (a topic). A file's bytes are its text
-- or base64, else made up to its size. Returns the message.
function User:send(what, where)
  local body = place_of(self, where)
  if type(what) ~= "table" then what = { text = tostring(what) } end
  for name, value in pairs(what) do body[name] = value end
  return act("/sim/send", body)
end

local albums = 0

--- user:send_album(items [, where]): sends several photos or files together,
-- each a table as user:send takes it. Returns the list of messages.
function User:send_album(items, where)
  if type(items) ~= "table" or type(items[1]) ~= "table" then
    expect.misuse("user:send_album takes a list of tables such as "
      .. "{ photo = true }")
  end
  albums = albums + 1
  local sent = {}
  for i, item in ipairs(items) do
    local part = { media_group_id = "album" .. albums }
    for name, value in pairs(item) do part[name] = value end
    sent[i] = self:send(part, where)
  end
  return sent
end

--- user:reply(message, what): the same as an answer that quotes a message.
function User:reply(message, what)
  return self:send(what, { chat = message.chat.id,
    reply_to = message.message_id })
end

--- user:forward(message [, where]): sends a message on.
function User:forward(message, where)
  local body = place_of(self, where)
  body.forward = { chat = message.chat.id, message_id = message.message_id }
  return act("/sim/send", body)
end

--- user:click(button [, where]): presses the button with that text or data of
-- the last message with buttons, or of where.message. Waits up to 60 s for
-- it.
function User:click(button, where)
  local body = place_of(self, where)
  body.message_id = body.message and body.message.message_id
  body.message = nil
  chat.act()
  local why
  local pressed = chat.wait(core.uptime() + 60, function()
    for _, by in ipairs { "text", "data" } do
      body.text, body.data = nil, nil
      body[by] = button
      local status, answer = core.request("sim", "POST", "/sim/click", body)
      if status == 200 then return answer end
      why = answer
    end
  end)
  if pressed then return pressed end
  local lines = { ("%s cannot press %q: %s"):format(self.name,
    tostring(button),
    type(why) == "table" and why.error or tostring(why)), "  The chat:" }
  chat.print(lines, body.chat or self.chat_id)
  expect.fail(lines)
end

--- user:join(group [, by]): enters a group, which says so; brought in by that
-- person if one is given. Returns the message with new_chat_members.
function User:join(group, by)
  return act("/sim/join", { chat = group.id, user = self.id,
    from = by and by.id })
end

--- user:vote(message, ...): votes in a poll of the bot that is not anonymous:
-- the texts of options, none to take the vote back. The bot gets a
-- poll_answer.
function User:vote(message, ...)
  return act("/sim/update", people.vote(self, message, { ... }))
end

--- user:inline(query [, offset]): writes the bot's name and a query into a text
-- field. Waits up to 60 s for the bot's answer and returns its results, a
-- list, and the offset of the next page.
function User:inline(query, offset)
  local update = people.inline(self, query, offset)
  act("/sim/update", update)
  local params = expect.see("the bot", nil, { method = "answerInlineQuery",
    params = { inline_query_id = update.inline_query.id } }).params
  return params.results, params.next_offset
end

--- user:pay(message): pays an invoice. The bot is asked by a
-- pre_checkout_query and has 10 seconds to answer. Returns true once the
-- payment is on its way to the bot; false and what the bot said if it refused.
function User:pay(message)
  local query, payment = people.checkout(self, message)
  act("/sim/update", query)
  local call = expect.see("the bot", nil, { method = "answerPreCheckoutQuery",
    params = { pre_checkout_query_id = query.pre_checkout_query.id },
    within = 10 })
  if not call.params.ok then return false, call.params.error_message end
  sim("POST", "/sim/update",
    people.paid(self, message, payment, math.floor(core.now())))
  return true
end

--- user:block([blocked]): blocks the bot, or with false lets it in again.
function User:block(blocked)
  return act("/sim/block", { user = self.id,
    blocked = blocked ~= false })
end

--- user:init_data([fields]): what a Web App of the bot that they have opened
-- sends as initData, for moonlet.webapp. fields: more of it, such as
-- start_param, or others than auth_date, the time now, and user.
function User:init_data(fields) return people.init_data(self, fields) end

-- --- the world

--- t.update{ kind = { ... } }: a raw update of any kind. Returns it with its
-- update_id.
function t.update(update) return act("/sim/update", update) end

--- t.fault{ mode =, method =, chat =, count =, retry_after =, seconds = }:
-- the next call that fits goes wrong; as /sim/faults, once unless count says
-- more. The method "file" is the download of a file.
function t.fault(fault)
  local body = {}
  for name, value in pairs(fault) do body[name] = value end
  body.count = body.count or 1
  if type(body.chat) == "table" then body.chat = body.chat.chat_id end
  return sim("POST", "/sim/faults", body)
end

--- t.limits{ per_second =, per_chat =, per_group_minute =, latent =,
-- upload_max =, download_max = }: what Telegram allows from now on
-- (/sim/limits).
function t.limits(limits) return sim("POST", "/sim/limits", limits) end

--- t.kick(group): the bot is thrown out.
function t.kick(group) return sim("POST", "/sim/kick", { chat = group.id }) end

--- t.migrate(group): the group becomes a supergroup, which has another id.
-- Returns it as t.group does.
function t.migrate(group)
  return chat_of(sim("POST", "/sim/migrate", { chat = group.id }))
end

local function file_id_of(what)
  if type(what) ~= "table" then return what end
  if what.file_id then return what.file_id end
  for _, kind in ipairs(chat.media) do
    local file = what[kind]
    if type(file) == "table" then
      return file.file_id or file[#file] and file[#file].file_id
    end
  end
end

--- t.file(what): the bytes of a file: of a message, of its document or the
-- like, or of a file_id.
function t.file(what)
  local id = file_id_of(what)
  if type(id) ~= "string" then
    expect.misuse("t.file takes a message with a file, a file, or its file_id")
  end
  local status, bytes = core.bytes("/sim/files/" .. id)
  return status == 200 and bytes or sim("GET", "/sim/files/" .. id)
end

--- t.calls([method]): the API calls so far, but for getUpdates: method ("file"
-- is a download), params (of an upload name and size), status, chat_id,
-- result.
function t.calls(method)
  chat.absorb()
  local found = {}
  for _, call in ipairs(chat.calls) do
    if not method or call.method:lower() == method:lower() then
      table.insert(found, call)
    end
  end
  return found
end

--- t.expect_call(method [, params [, within]]): waits for a call of that method
-- whose parameters hold those that are given, and returns it: among those made
-- since somebody last did something (sent, pressed ...), behind the last call
-- that was expected.
function t.expect_call(method, params, within)
  if type(method) ~= "string" then
    expect.misuse("t.expect_call takes the name of a method, got "
      .. type(method))
  end
  return expect.see("the bot", nil, { method = method, params = params,
    within = within })
end

--- t.http(address, answer): what a server other than Telegram says when the
-- bot asks it by moonlet.http; without it connections are refused. address:
-- "GET https://shop.example/x", without a method for any, "*" stands for
-- anything; the query counts only if the address has one. answer: a text; a
-- table of status (200), body or json, headers, delay (before it comes), or
-- fail ("cut": the request arrives, no answer does; "refused"); or a function
-- that returns one of these and gets the request: method, url, path, query,
-- headers (names in lower case), body and json. The newest that fits counts.
function t.http(address, answer) web.add(address, answer) end

--- t.http_calls([address]): the requests to other servers so far, as the
-- functions of t.http get them.
function t.http_calls(address) return web.asked(address) end

--- t.errors(): the errors of handlers so far, and those that errors.capture
-- was given: kind, message, script, line.
function t.errors()
  chat.absorb()
  local found = {}
  for _, notice in ipairs(chat.notices) do
    if notice.kind == "error" then
      table.insert(found, { kind = notice.error_kind, message = notice.message,
        script = notice.script, line = notice.line,
        update_id = notice.update_id, chat_id = notice.chat_id })
    end
  end
  return found
end

--- t.await(fn [, within]): goes on until fn() returns something, which is
-- returned; asked after everything that happens. Fails after 60 s, or within.
function t.await(fn, within)
  if type(fn) ~= "function" then
    expect.misuse("t.await takes a function, got " .. type(fn))
  end
  local seconds = expect.duration(within or 60, "within")
  local found = chat.wait(core.uptime() + seconds, fn)
  if not found then
    expect.fail { ("what t.await waits for does not come within %g s")
      :format(seconds) }
  end
  return found
end

--- t.log(): the newest lines of the engine's log, as text.
function t.log() return core.log() end

--- t.api(method, path [, body]): a request to the engine's /api, as the
-- commands of an operator make it. Returns the status and the answer.
function t.api(method, path, body)
  return core.request("engine", method, path, body)
end

local request_fields = {
  method = "string", path = "string", headers = "table", body = "string",
  json = "any",
}

local function check_request(what)
  for name, value in pairs(what) do
    local wanted = request_fields[name]
    if not wanted then
      expect.misuse(("t.request has no field %q"):format(tostring(name)))
    elseif wanted ~= "any" and type(value) ~= wanted then
      expect.misuse(("t.request: %s must be a %s, got %s"):format(name,
        wanted, type(value)))
    end
  end
  if not what.path or what.path:sub(1, 1) ~= "/" then
    expect.misuse("t.request needs a path that begins with /")
  end
end

-- A flat list, in order.
local function flat(headers)
  local names, list = {}, {}
  for name in pairs(headers) do table.insert(names, tostring(name)) end
  table.sort(names)
  for _, name in ipairs(names) do
    table.insert(list, name)
    table.insert(list, tostring(headers[name]))
  end
  return list
end

local function read_head(head)
  local headers = {}
  for name, value in head:gmatch("([^:\r\n]+): ([^\r\n]*)\r\n") do
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

--- t.request{ path =, method =, headers =, body =, json = }: a request to the
-- engine's HTTP port, as anybody could make it: { path = "/x/feed/7" }. The
-- method is GET, or POST with a body, unless it is said; json is a value that
-- is sent as JSON. Returns { status, headers (by their names in lower case),
-- body, json (the value, if the body is JSON) } once the answer is there.
function t.request(what)
  if type(what) ~= "table" then
    expect.misuse("t.request takes a table, got " .. type(what))
  end
  check_request(what)
  local headers, body = flat(what.headers or {}), what.body
  if what.json ~= nil then
    body = core.encode(what.json)
    table.insert(headers, "Content-Type")
    table.insert(headers, "application/json")
  end
  local status, head, text, value = core.http(
    what.method or body and "POST" or "GET", what.path, headers, body)
  chat.absorb()
  if not status then
    expect.fail { ("t.request: no answer from %s: %s"):format(what.path,
      head) }
  end
  return { status = status, headers = read_head(head), body = text,
    json = value }
end

-- --- time

--- t.now(): virtual Unix time in seconds.
function t.now() return core.now() end

--- t.advance(duration): lets that much time go by.
function t.advance(duration)
  core.advance(core.uptime() + expect.duration(duration, "t.advance"))
  chat.absorb()
end

-- Refuses what os.time would carry over, such as a 13th month.
local function exact(text, fields)
  local given = {}
  for name, value in pairs(fields) do given[name] = tonumber(value) end
  local at = os.time(fields) -- changes its argument
  local back = os.date("*t", at)
  for name, value in pairs(given) do
    if back[name] ~= value then
      expect.misuse(("t.at: there is no time %q"):format(text))
    end
  end
  return at
end

local function parse_time(text)
  text = tostring(text)
  local y, mo, d, h, mi, s =
    text:match("^(%d+)-(%d+)-(%d+)[ T](%d+):(%d+):?(%d*)$")
  local now = os.date("*t", math.floor(core.now()))
  if y then
    return exact(text, { year = y, month = mo, day = d, hour = h, min = mi,
      sec = tonumber(s) or 0 })
  end
  h, mi, s = text:match("^(%d+):(%d+):?(%d*)$")
  if not h then
    expect.misuse(('t.at takes "09:30" or "2026-01-06 09:30", got %q')
      :format(text))
  end
  local at = exact(text, { year = now.year, month = now.month,
    day = now.day, hour = h, min = mi, sec = tonumber(s) or 0 })
  if at > core.now() then return at end
  return os.time { year = now.year, month = now.month, day = now.day + 1,
    hour = h, min = mi, sec = tonumber(s) or 0 }
end

--- t.at(time): lets time go by until then: "09:30", the next time that it is
-- so late, or "2026-01-06 09:30"; in the zone of TZ, else UTC. A year of an
-- idle bot takes seconds of real time.
function t.at(time)
  local seconds = parse_time(time) - core.now()
  if seconds < 0 then expect.misuse("t.at: " .. time .. " is over") end
  core.advance(core.uptime() + seconds)
  chat.absorb()
end

-- --- the engine

local function start()
  local ok, why = core.start()
  if not ok then expect.fail { "the bot does not start: " .. why } end
  state.running = true
end

--- t.start(): the bot runs; after t.stop, t.kill or start = false.
function t.start() start() end

--- t.stop(): an orderly end, as by SIGTERM.
function t.stop()
  core.stop()
  state.running = false
  chat.absorb()
end

--- t.kill(): the engine dies: what it had not stored is lost.
function t.kill()
  core.kill()
  state.running = false
  chat.absorb()
end

--- t.crash(): the engine dies and starts again.
function t.crash()
  t.kill()
  start()
end

--- t.restart(): an orderly end and a new start.
function t.restart()
  t.stop()
  start()
end

--- t.write(name, text): a file of the bot, which must be a copy (the case's
-- option copy).
function t.write(name, text)
  local ok, why = core.write(name, text)
  if not ok then expect.misuse("t.write: " .. why) end
end

--- t.reload(): loads the scripts anew, as `moonlet reload`. Fails with the
-- place if they do not load.
function t.reload()
  local status, answer = core.request("engine", "POST", "/api/reload")
  chat.absorb()
  if status == 200 then return end
  local why = type(answer) == "table" and answer.error
    or { message = tostring(answer) }
  expect.fail { ("the scripts do not load: %s:%s: %s"):format(
    why.script or "?", why.line or "?", why.message) }
end

return setmetatable(t, {
  __index = function(_, name)
    expect.misuse(("t has no function %q"):format(tostring(name)))
  end,
})
