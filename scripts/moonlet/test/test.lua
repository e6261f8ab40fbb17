--- Specs of bots, for files that `moonlet test` runs: people and groups in a
-- simulated Telegram, and what they see. Each case has an empty world with a
-- clock of its own that jumps over every wait, and the bot freshly loaded.
-- Durations are seconds or texts such as "5m". What does not hold ends the
-- case with file and line. In the examples ann and bob are people, and team is
-- a group of theirs.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"
local people = require "moonlet.test_user"
local state = require "moonlet.test_state"
local web = require "moonlet.test_http"

local t = {}

local sim, act = people.sim, people.act

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

-- --- people and chats

--- t.user{ first_name =, username =, id =, language_code =, started = }: a
-- person, whose chat with the bot they are too.
function t.user(fields) return people.user(fields) end

--- t.group{ title =, username =, members = { ann, ... }, admins = { bob, ... },
-- type = "supergroup", id = }: several people. Admins are members with all
-- rights.
function t.group(fields) return people.group(fields) end

--- t.topic(group, name [, by]): a topic of a supergroup, or of the chat of a
-- person with the bot, opened by a member (the first one): a chat in which
-- people can send, and that expects what the bot says in this topic.
function t.topic(group, name, by) return people.topic(group, name, by) end

-- --- the world

--- t.update{ kind = { ... } }: a raw update of any kind. Returns it with its
-- update_id.
function t.update(update) return act("/sim/update", update) end

--- t.fault{ mode =, method =, chat =, count =, retry_after =, seconds =,
-- code =, description = }: the next call that fits goes wrong, once unless
-- count says more. mode: "429" (with retry_after), "500", "502html",
-- "cut_before" (not executed, no answer), "cut_after" (executed, no answer),
-- "slow" (answered seconds later), "duplicate" (an update comes twice), or
-- "refused", an error of your own: code, 400 unless said, and its description.
-- The method "file" is the download of a file.
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

--- t.rights(group, rights): what the bot may do there, by the names of the Bot
-- API: t.rights(team, { can_delete_messages = false }). It may do everything
-- unless this says otherwise, and is told of a change by my_chat_member.
-- administrator = true makes it one, false a member.
function t.rights(group, rights)
  local body = { chat = group.chat_id }
  for name, value in pairs(rights) do body[name] = value end
  return act("/sim/rights", body)
end

--- t.migrate(group): the group becomes a supergroup, which has another id.
-- Returns it as t.group does.
function t.migrate(group)
  return people.chat_of(sim("POST", "/sim/migrate", { chat = group.id }))
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
-- returned; asked after everything that happens and is logged. Fails after
-- 60 s, or within.
function t.await(fn, within)
  if type(fn) ~= "function" then
    expect.misuse("t.await takes a function, got " .. type(fn))
  end
  local seconds = expect.duration(within or 60, "within")
  local found = chat.wait(core.uptime() + seconds, fn, true)
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
