--- People and groups of specs: what they see, and what they do. Not for
-- scripts of authors.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local expect = require "moonlet.test_expect"
local people = require "moonlet.test_people"

local user = {}

--- A request to the simulator, whose answer it returns.
function user.sim(method, path, body)
  local status, answer = core.request("sim", method, path, body)
  if status ~= 200 then
    expect.misuse(type(answer) == "table" and answer.error or tostring(answer))
  end
  return answer
end

local sim = user.sim

--- The same for what people do.
function user.act(path, body)
  chat.act()
  return sim("POST", path, body)
end

local act = user.act

-- A name that nothing has is a mistake of the spec, but for what a User or a
-- Chat may have or not.
local absent = { last_name = true, username = true, language_code = true,
  title = true, is_forum = true, members = true, message_thread_id = true,
  first_name = true, type = true, started = true, is_bot = true }

local function index(what, functions, parent)
  return function(_, name)
    local found = functions[name] or parent and parent[name]
    if not found and not absent[name] then
      expect.misuse(("%s has no function %q"):format(what, tostring(name)))
    end
    return found
  end
end

-- --- chats

local Chat = {}
local chat_meta = { __index = index("a chat", Chat) }

--- chat:expect(what [, opts]): waits for the next message of the bot that
-- fits, behind the last one expected, and returns it. what: a part of its
-- text, t.any, or a table of text, pattern (Lua's), buttons (texts that it
-- has; false: none), content ("photo"), document, photo, poll, invoice, ...
-- (true, or a part of the file's name or of the title), edited, deleted, alert,
-- toast, action (true, or a part of its text), reaction (that of the bot: true
-- or an emoji), reply_to (the message that it answers, or its id),
-- message_thread_id (its topic), method and params (an API call to this chat
-- instead). opts: within, 60 s of virtual time unless it is said.
function Chat:expect(what, opts)
  return expect.see(self.name, self.chat_id, what, opts,
    self.message_thread_id)
end

--- chat:expect_nothing([within]): the bot says nothing for 10 s, or within.
function Chat:expect_nothing(within)
  expect.silence(self.name, self.chat_id, within, self.message_thread_id)
end

--- chat:messages(): what the chat shows now, oldest first.
function Chat:messages()
  return sim("GET", ("/sim/chats/%d/messages"):format(self.chat_id))
end

-- --- people

local User = {}
local user_meta = { __index = index("a person", User, Chat) }

--- A person, for t.user.
function user.user(fields)
  local made = sim("POST", "/sim/users", fields or { first_name = "Ann" })
  made.name = made.first_name
  made.chat_id = made.id
  return setmetatable(made, user_meta)
end

--- A group as the simulator tells it, for specs.
function user.chat_of(group)
  group.name = group.title
  group.chat_id = group.id
  return setmetatable(group, chat_meta)
end

local function ids_of(users)
  local ids = core.array {}
  for i, each in ipairs(users or {}) do
    ids[i] = type(each) == "table" and each.id or each
  end
  return ids
end

local group_fields = { title = true, username = true, members = true,
  admins = true, type = true, id = true }

--- Several people, for t.group.
function user.group(fields)
  fields = fields or {}
  for name in pairs(fields) do
    if not group_fields[name] then
      expect.misuse(("t.group has no field %q"):format(tostring(name)))
    end
  end
  local body = { type = fields.type or "supergroup", username = fields.username,
    title = fields.title or "Group", id = fields.id,
    members = ids_of(fields.members), admins = ids_of(fields.admins) }
  return user.chat_of(sim("POST", "/sim/chats", body))
end

--- A topic of a chat, for t.topic.
function user.topic(where, name, by)
  if getmetatable(where) ~= chat_meta and getmetatable(where) ~= user_meta then
    expect.misuse("t.topic takes a group or a person, a name, and who opens it")
  end
  local opener = by and by.id or where.members and where.members[1] or where.id
  local message = act("/sim/topic", { chat = where.chat_id, from = opener,
    name = name })
  return setmetatable({ id = where.id, chat_id = where.chat_id,
    name = where.name .. ": " .. name,
    message_thread_id = message.message_thread_id }, chat_meta)
end

-- A chat, its id, or a table with a field chat of either kind.
local function place_of(self, where)
  local extra = {}
  if type(where) == "table" and getmetatable(where) == nil then
    for name, value in pairs(where) do extra[name] = value end
    where = extra.chat
  end
  if type(where) == "table" then
    extra.message_thread_id = where.message_thread_id
      or extra.message_thread_id
    where = where.chat_id
  end
  extra.chat = where
  extra.from = self.id
  return extra
end

--- user:send(what [, where]): sends a text, or a table such as
-- { photo = true, caption = "me" } or { document = { name = "a.csv",
-- text = "1,2" } }, to the bot, or to a group: where is a chat, or a table of
-- chat, reply_to, message_thread_id (a topic) and anonymous (true: an admin who
-- does not show who it is). A file's bytes are its text or base64, else made up
-- to its size. Returns the message.
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

--- user:edit(message, what): changes what they have written: a text, or a
-- table with caption.
function User:edit(message, what)
  if type(message) ~= "table" or not message.message_id then
    expect.misuse("user:edit takes a message and its new text")
  end
  local body = { from = self.id, chat = message.chat.id,
    message_id = message.message_id }
  if type(what) ~= "table" then what = { text = tostring(what) } end
  for name, value in pairs(what) do body[name] = value end
  return act("/sim/edit", body)
end

--- user:react(message [, emoji]): puts a reaction on a message, or without an
-- emoji takes it back. The bot gets a message_reaction.
function User:react(message, emoji)
  if type(message) ~= "table" or not message.message_id then
    expect.misuse("user:react takes a message and an emoji")
  end
  if not (chat.wanted() or {}).message_reaction then
    expect.misuse("user:react: the bot has not asked for message_reaction: "
      .. "no bot.on takes it")
  end
  return act("/sim/react", { from = self.id, chat = message.chat.id,
    message_id = message.message_id, emoji = emoji })
end

-- The last message of a topic that has buttons.
local function last_in_topic(id, thread)
  local found
  for _, message in ipairs(sim("GET", ("/sim/chats/%d/messages"):format(id))) do
    if message.message_thread_id == thread and message.buttons then
      found = message.message_id
    end
  end
  return found
end

-- Whether the reply keyboard that is shown has a button of that text, which
-- asks for nothing else.
local function is_key(id, text)
  local shown
  for _, message in ipairs(sim("GET", ("/sim/chats/%d/messages"):format(id))) do
    local markup = message.reply_markup or {}
    if markup.keyboard then shown = markup.keyboard end
    if markup.remove_keyboard then shown = nil end
  end
  for _, row in ipairs(shown or {}) do
    for _, each in ipairs(row) do
      if each == text or type(each) == "table" and each.text == text
        and next(each, next(each)) == nil then
        return true
      end
    end
  end
end

--- user:click(button [, where]): presses the button with that text or data of
-- the last message with buttons, or of where.message, or of what user:choose
-- has sent; a button of a reply keyboard sends its text. Waits up to 60 s for
-- it.
function User:click(button, where)
  if type(where) == "table" and rawget(where, "inline_message_id") then
    return act("/sim/update", people.press(self, where, button))
  end
  local body = place_of(self, where)
  local thread = body.message_thread_id
  body.message_id = body.message and body.message.message_id
  body.message, body.message_thread_id = nil, nil
  chat.act()
  local why
  local pressed = chat.wait(core.uptime() + 60, function()
    if thread and not body.message then
      body.message_id = last_in_topic(body.chat, thread)
      if not body.message_id then return end
    end
    for _, by in ipairs { "text", "data" } do
      body.text, body.data = nil, nil
      body[by] = button
      local status, answer = core.request("sim", "POST", "/sim/click", body)
      if status == 200 then return answer end
      why = answer
    end
    if not body.message_id and is_key(body.chat or self.chat_id, button) then
      return self:send(button, where)
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
  chat.wanted()
  return act("/sim/join", { chat = group.chat_id, user = self.id,
    from = by and by.id })
end

--- user:leave(group): goes, which the group says. Returns the message with
-- left_chat_member.
function User:leave(group)
  chat.wanted()
  return act("/sim/leave", { chat = group.chat_id, user = self.id })
end

--- user:ask_to_join(group [, link]): asks to be let in, by an invite link of
-- the bot if one is given. The bot gets a chat_join_request; if it approves,
-- the group says who has come. Returns the request.
function User:ask_to_join(group, link)
  chat.wanted()
  return act("/sim/ask", { chat = group.chat_id, user = self.id,
    invite_link = link })
end

--- user:vote(message, ...): votes in a poll of the bot that is not anonymous:
-- the texts of options, none to take the vote back. The bot gets a
-- poll_answer.
function User:vote(message, ...)
  return act("/sim/update", people.vote(self, message, { ... }))
end

--- user:inline(query [, offset]): writes the bot's name and a query into a text
-- field. Waits up to 60 s for the bot's answer and returns its results, a
-- list, the offset of the next page, and the parameters of answerInlineQuery.
function User:inline(query, offset)
  local update = people.inline(self, query, offset)
  act("/sim/update", update)
  local before = chat.calls_cursor
  local params = expect.see("the bot", nil, { method = "answerInlineQuery",
    params = { inline_query_id = update.inline_query.id } }).params
  chat.calls_cursor = before -- t.expect_call may want it, too
  return params.results, params.next_offset, params
end

--- user:choose(result [, query]): sends one of the results of user:inline. The
-- bot gets a chosen_inline_result, and can edit what was sent if it has
-- buttons. Returns a table with inline_message_id, for user:click.
function User:choose(result, query)
  local update, sent = people.choose(self, result, query)
  act("/sim/update", update)
  return sent
end

--- user:pay(what): pays an invoice: a message, or the link of one. The bot is
-- asked by a pre_checkout_query and has 10 seconds to answer. Returns true once
-- the payment is on its way to the bot; false and what the bot said if it
-- refused.
function User:pay(what)
  local query, payment = people.checkout(self, what)
  act("/sim/update", query)
  local call = expect.see("the bot", nil, { method = "answerPreCheckoutQuery",
    params = { pre_checkout_query_id = query.pre_checkout_query.id },
    within = 10 })
  if not call.params.ok then return false, call.params.error_message end
  sim("POST", "/sim/update",
    people.paid(self, what, payment, math.floor(core.now())))
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

return user
