--- What has been seen in the world of a case: the messages of each chat in
-- the order in which they were shown, the API calls, the errors of scripts.
-- Not for scripts of authors.
local core = require "moonlet.test.core"

local chat = {}

local CALLS_KEPT = 10000

--- A new world: nothing has been seen.
function chat.reset()
  chat.shown = {}  -- chat id -> list of { what, message, at }
  chat.cursor = {} -- chat id, or that of a topic -> how many are behind us
  chat.reactions = {} -- chat id:message id -> the bot's
  chat.calls = {}
  chat.calls_cursor = 0
  chat.expected = false -- anything since somebody last did something
  chat.notices = {}
  chat.allowed = nil -- kinds of updates that the bot has asked for
end
chat.reset()

local function shown_in(id)
  if not chat.shown[id] then chat.shown[id] = {} end
  return chat.shown[id]
end

local ANONYMOUS = 1087968824 -- an admin who does not show who it is

local function is_from_bot(message)
  if message.from then
    return message.from.is_bot and message.from.id ~= ANONYMOUS
  end
  return message.sender_chat ~= nil
end

local heard = {}

function heard.message(event)
  if not event.deleted and not is_from_bot(event.message) then return end
  table.insert(shown_in(event.chat_id), {
    what = event.deleted and "deleted" or event.edited and "edited" or "new",
    message = event.message,
  })
end

-- Of votes, too, the chat is told by this.
function heard.marks(event)
  local message = event.message
  local key = event.chat_id .. ":" .. message.message_id
  local reaction = message.reactions and message.reactions[1]
  local emoji = reaction and (reaction.emoji or reaction.type)
  if chat.reactions[key] == emoji then return end
  chat.reactions[key] = emoji
  if not emoji then return end
  table.insert(shown_in(event.chat_id), { what = "reaction",
    message = { text = emoji, message_id = message.message_id,
      message_thread_id = message.message_thread_id, chat = message.chat } })
end

function heard.callback(event)
  if not event.text then return end
  table.insert(shown_in(event.chat_id), {
    what = event.show_alert and "alert" or "toast",
    message = { text = event.text },
  })
end

function heard.action(event)
  table.insert(shown_in(event.chat_id), {
    what = "action", message = { text = event.action },
  })
end

-- An upload is a table of name and size, too.
local function name_uploads(params)
  for _, value in pairs(params) do
    if type(value) == "table" and value.file_name and value.size then
      value.name = value.file_name
    end
  end
end

function heard.call(call)
  if call.method == "getUpdates" then return end
  name_uploads(call.params)
  if #chat.calls >= CALLS_KEPT then
    table.remove(chat.calls, 1)
    chat.calls_cursor = math.max(0, chat.calls_cursor - 1)
  end
  table.insert(chat.calls, call)
end

function heard.allowed(kinds)
  chat.allowed = {}
  for _, kind in ipairs(kinds) do chat.allowed[kind] = true end
end

function heard.notice(notice)
  table.insert(chat.notices, notice)
end

--- Takes in what has happened. True if there was anything.
function chat.absorb()
  local events = core.events()
  for _, event in ipairs(events) do heard[event[1]](event[2]) end
  return #events > 0
end

--- The buttons below a message that was sent inline, as the bot has last set
-- them; nil if it has not.
function chat.inline_buttons(id)
  chat.absorb()
  local rows
  for _, call in ipairs(chat.calls) do
    if call.status == 200 and call.params.inline_message_id == id
      and call.method:find("^editMessage") then
      rows = (call.params.reply_markup or {}).inline_keyboard or {}
    end
  end
  return rows
end

--- Somebody does something: the calls before it are behind us. Several who
-- do something one after the other, with nothing expected between, are one.
function chat.act()
  chat.absorb()
  if chat.expected then chat.calls_cursor = #chat.calls end
  chat.expected = false
end

--- Goes on until fits() returns something, which is returned; nil when the
-- uptime of the world reaches the deadline. log: fits() looks at the log.
function chat.wait(deadline, fits, log)
  while true do
    chat.absorb()
    local found = fits()
    if found then return found end
    if not core.step(deadline, log) then return nil end
  end
end

--- Waits until the bot has said which kinds of updates it wants: before that
-- Telegram keeps only those of most bots for it. Returns them; nil if no bot
-- says anything.
function chat.wanted()
  if chat.allowed then return chat.allowed end
  return chat.wait(core.uptime() + 10, function() return chat.allowed end)
end

-- --- as a person sees it

local function clock(seconds)
  return os.date("%H:%M:%S", math.floor(seconds))
end

--- What a message may hold in place of a text.
chat.media = {
  "photo", "document", "video", "audio", "voice", "animation", "video_note",
  "sticker", "contact", "location", "venue", "dice", "poll", "game",
  "invoice", "new_chat_members", "left_chat_member", "migrate_to_chat_id",
}

--- What kind of message it is, if it is no text.
function chat.content(message)
  for _, kind in ipairs(chat.media) do
    if message[kind] ~= nil then return kind end
  end
end

--- The texts of a message's buttons, row by row.
function chat.buttons(message)
  local markup = message.reply_markup or {}
  local rows = {}
  for _, row in ipairs(markup.inline_keyboard or markup.keyboard or {}) do
    local texts = {}
    for _, button in ipairs(row) do
      table.insert(texts, type(button) == "table" and button.text or button)
    end
    table.insert(rows, texts)
  end
  return rows
end

local function author(message)
  local from = message.from or message.sender_chat or {}
  return from.first_name or from.title or "?"
end

local function add_lines(out, head, text)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    table.insert(out, head .. line)
    head = (" "):rep(#head)
  end
end

local function add_message(out, message)
  local head = ("    %-10s %s  "):format(author(message):sub(1, 10),
    clock(message.date))
  local kind = chat.content(message)
  local text = message.text or message.caption or ""
  local name = kind and type(message[kind]) == "table"
    and message[kind].file_name
  if kind then
    text = "(" .. kind .. (name and " " .. name or "") .. ") " .. text
  end
  if message.edit_date then text = text .. " (edited)" end
  add_lines(out, head, text)
  for _, row in ipairs(chat.buttons(message)) do
    table.insert(out, ("%s[%s]"):format((" "):rep(#head),
      table.concat(row, "] [")))
  end
end

local SHOWN = 12

--- Appends the last messages of a chat.
function chat.print(out, id)
  local _, messages = core.request("sim", "GET",
    ("/sim/chats/%d/messages"):format(id))
  if type(messages) ~= "table" or #messages == 0 then
    table.insert(out, "    (it is empty)")
    return
  end
  if #messages > SHOWN then table.insert(out, "    ...") end
  for i = math.max(1, #messages - SHOWN + 1), #messages do
    add_message(out, messages[i])
  end
end

-- What a bot asks as it starts.
local startup = { getMe = true, getWebhookInfo = true, deleteWebhook = true,
  getMyCommands = true, setMyCommands = true }

--- Appends the calls among which the next one is expected; of what a bot does
-- at each start only the one that was wished.
function chat.print_calls(out, wished)
  local calls = {}
  for i = chat.calls_cursor + 1, #chat.calls do
    local method = chat.calls[i].method
    if not startup[method] or method == wished then
      table.insert(calls, chat.calls[i])
    end
  end
  if #calls == 0 then table.insert(out, "    (none)") end
  for i = math.max(1, #calls - SHOWN + 1), #calls do
    local call = calls[i]
    local params = core.encode(call.params)
    if #params > 160 then params = params:sub(1, 157) .. "..." end
    table.insert(out, ("    %s %s %s"):format(call.method,
      call.status == 0 and "no answer" or call.status, params))
  end
end

return chat
