--- Keyboards for opts.reply_markup. keyboard.inline makes one below a
-- message, keyboard.reply one in place of the person's own; both take rows of
-- buttons and have methods that add more, each of which returns the
-- keyboard. A button may also be a table of the Bot API's fields
-- (Bot API InlineKeyboardButton, Bot API KeyboardButton); opts of a method
-- are such fields, as style. What Telegram would refuse raises "misuse" that
-- names the button: more than 8 buttons in an inline row or 12 in another,
-- more than 100 or 300 in all. Callback data of more than 64 bytes is stored
-- for 90 days from when it was last used in a keyboard, and its handler gets
-- all of it; making such a keyboard waits, and more than 8192 bytes are
-- "misuse".
local core = require "moonlet.core"
local json = require "moonlet.json"
local pieces = require "moonlet.pieces"

local keyboard = {}

local DATA_MAX = 64 -- bytes
local COPY_MAX = 256 -- code points
local PLACEHOLDER_MAX = 64

local actions = {
  "url", "callback_data", "web_app", "login_url", "disabled",
  "switch_inline_query", "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
}

-- Of each keyboard whose next button begins a row.
local begins_row = setmetatable({}, { __mode = "k" })

local function fail(words, ...)
  core.misuse("keyboard: " .. words:format(...))
end

local function shown(text) return utf8.len(text) and text or "?" end

-- --- buttons

-- An inline button may be blank, as an empty place of a calendar is; one of a
-- reply keyboard would send nothing.
local function text_of(value, may_be_blank)
  if type(value) == "number" or pieces.is(value) then
    value = tostring(value)
  end
  if type(value) ~= "string"
    or not value:find(may_be_blank and "." or "%S") then
    fail("a button needs a text, got %s", type(value) == "string"
      and "an empty one" or type(value))
  end
  return value
end

local function fields_of(text, opts)
  if opts ~= nil and type(opts) ~= "table" then
    fail('the options of the button "%s" must be a table', shown(text))
  end
  local button = {}
  for name, value in pairs(opts or {}) do
    if type(name) == "string" then button[name] = value end
  end
  button.text = text
  return button
end

-- Data that does not fit into a button is stored.
local function data_of(text, data)
  if type(data) == "number" then data = tostring(data) end
  if type(data) ~= "string" or data == "" then
    fail('the data of the button "%s" must be a text, got %s', shown(text),
      data == "" and "an empty one" or type(data))
  end
  if #data > DATA_MAX then
    return require "moonlet.payload".store(data,
      ('keyboard: the data of the button "%s"'):format(shown(text)))
  end
  return data
end

local function checked_inline(button)
  local found = 0
  for _, name in ipairs(actions) do
    if button[name] ~= nil then found = found + 1 end
  end
  if found ~= 1 then
    fail('the button "%s" must do one thing, as callback_data or url; it has '
      .. "%d of them", shown(button.text), found)
  end
  if button.callback_data ~= nil then
    button.callback_data = data_of(button.text, button.callback_data)
  end
  local copy = button.copy_text and button.copy_text.text
  if button.copy_text and (type(copy) ~= "string" or copy == ""
    or (utf8.len(copy) or #copy) > COPY_MAX) then
    fail('the button "%s" copies 1 to %d signs', shown(button.text), COPY_MAX)
  end
  return button
end

-- { "Yes", "yes:1" }, { "Site", url = ... } or the Bot API's own fields.
local function inline_button(button)
  if type(button) ~= "table" or getmetatable(button) ~= nil then
    fail('an inline button is a table such as { "Yes", "yes:1" }, got %s',
      type(button))
  end
  local made = fields_of(text_of(button.text or button[1], true), button)
  if made.callback_data == nil then made.callback_data = button[2] end
  return checked_inline(made)
end

-- "Yes", { "Share", request_contact = true } or the Bot API's own fields.
local function reply_button(button)
  if type(button) ~= "table" or getmetatable(button) ~= nil then
    return { text = text_of(button) }
  end
  if button[2] ~= nil or button.callback_data ~= nil then
    fail('the button "%s" is of a reply keyboard, which has no callback data',
      shown(text_of(button.text or button[1])))
  end
  return fields_of(text_of(button.text or button[1]), button)
end

local inline_kind = { field = "inline_keyboard", button = inline_button,
  per_row = 8, in_all = 100 }
local reply_kind = { field = "keyboard", button = reply_button,
  per_row = 12, in_all = 300 }

-- --- rows

local function count(rows)
  local n = 0
  for _, row in ipairs(rows) do n = n + #row end
  return n
end

local function check_row(kind, rows, at)
  if #rows[at] > kind.per_row then
    fail("row %d has more than %d buttons, the last is \"%s\"", at,
      kind.per_row, shown(rows[at][#rows[at]].text))
  end
  if count(rows) > kind.in_all then
    fail("there are more than %d buttons", kind.in_all)
  end
end

-- Games and payments: the server looks for them at the first place alone.
local function check_first(button, is_first)
  if (button.pay or button.callback_game) and not is_first then
    fail('the button "%s" must be the first one', shown(button.text))
  end
end

local function append(self, kind, button)
  local rows = self[kind.field]
  check_first(button, #rows == 0)
  if #rows == 0 or begins_row[self] then
    begins_row[self] = nil
    rows[#rows + 1] = {}
  end
  local row = rows[#rows]
  row[#row + 1] = button
  check_row(kind, rows, #rows)
  return self
end

local function add_rows(self, kind, rows)
  if type(rows) ~= "table" then
    fail("the rows must be a list, got %s", type(rows))
  end
  for i, row in ipairs(rows) do
    if type(row) ~= "table" or kind == inline_kind and #row > 0
      and type(row[1]) ~= "table" or row.text ~= nil then
      fail("row %d must be a list of buttons", i)
    end
    begins_row[self] = true
    for _, button in ipairs(row) do append(self, kind, kind.button(button)) end
  end
  begins_row[self] = nil
  return self
end

local function lay_out(self, kind, n)
  local all = {}
  for _, row in ipairs(self[kind.field]) do
    table.move(row, 1, #row, #all + 1, all)
  end
  local rows = keyboard.columns(n, all)
  self[kind.field] = json.array(rows)
  for at in ipairs(rows) do check_row(kind, rows, at) end
  return self
end

--- keyboard.columns(n, items): a list of rows of n items each, of which the
-- last may be shorter.
function keyboard.columns(n, items)
  if math.type(n) ~= "integer" or n < 1 or type(items) ~= "table" then
    core.misuse("keyboard.columns takes a number from 1 on and a list")
  end
  local rows = {}
  for i, item in ipairs(items) do
    local at = (i - 1) // n + 1
    rows[at] = rows[at] or {}
    table.insert(rows[at], item)
  end
  return rows
end

-- --- below a message

local Inline = {}
local inline_meta = { __index = Inline, __metatable = false }

--- keyboard.inline([rows]): a keyboard below a message. A button in rows is
-- { text, data } or { text, url = ... } with any field of Bot API
-- InlineKeyboardButton.
function keyboard.inline(rows)
  local self = setmetatable({ inline_keyboard = json.array() }, inline_meta)
  return add_rows(self, inline_kind, rows or {})
end

local function add_inline(self, text, opts, name, value)
  local button = fields_of(text_of(text, true), opts)
  button[name] = value
  return append(self, inline_kind, checked_inline(button))
end

--- inline:text(text, data [, opts]): a button that bot.callback hears of.
function Inline:text(text, data, opts)
  return add_inline(self, text, opts, "callback_data",
    data_of(text_of(text, true), data))
end

--- inline:url(text, url [, opts]): a link.
function Inline:url(text, url, opts)
  return add_inline(self, text, opts, "url", url)
end

--- inline:web_app(text, url [, opts]): opens a Web App (private chats).
function Inline:web_app(text, url, opts)
  return add_inline(self, text, opts, "web_app", { url = url })
end

--- inline:login(text, url [, opts]): a link that logs the person in.
function Inline:login(text, url, opts)
  return add_inline(self, text, opts, "login_url", { url = url })
end

--- inline:switch_inline(text [, query [, opts]]): lets the person choose a
-- chat and puts the bot's name and the query into its text field.
function Inline:switch_inline(text, query, opts)
  return add_inline(self, text, opts, "switch_inline_query", query or "")
end

--- inline:switch_inline_here(text [, query [, opts]]): the same in this chat.
function Inline:switch_inline_here(text, query, opts)
  return add_inline(self, text, opts, "switch_inline_query_current_chat",
    query or "")
end

--- inline:switch_inline_chosen(text, chats [, opts]): the same in a chat of
-- the kinds that the table says (Bot API SwitchInlineQueryChosenChat).
function Inline:switch_inline_chosen(text, chats, opts)
  return add_inline(self, text, opts, "switch_inline_query_chosen_chat", chats)
end

--- inline:copy_text(text, copied [, opts]): copies up to 256 signs.
function Inline:copy_text(text, copied, opts)
  return add_inline(self, text, opts, "copy_text", { text = copied })
end

--- inline:pay(text [, opts]): pays an invoice; the first button of all.
function Inline:pay(text, opts)
  return add_inline(self, text, opts, "pay", true)
end

--- inline:game(text [, opts]): starts a game; the first button of all.
function Inline:game(text, opts)
  return add_inline(self, text, opts, "callback_game", {})
end

--- inline:row(): the next button begins a row.
function Inline:row()
  begins_row[self] = true
  return self
end

--- inline:rows(rows): adds rows, as keyboard.inline takes them.
function Inline:rows(rows) return add_rows(self, inline_kind, rows) end

--- inline:columns(n): lays all buttons so far out in rows of n.
function Inline:columns(n) return lay_out(self, inline_kind, n) end

-- --- in place of the person's own

local Reply = {}
local reply_meta = { __index = Reply, __metatable = false }

--- keyboard.reply([rows]): a keyboard in place of the person's own. A button
-- in rows is a text, which it sends, or { text, request_contact = true } with
-- any field of Bot API KeyboardButton.
function keyboard.reply(rows)
  local self = setmetatable({ keyboard = json.array() }, reply_meta)
  return add_rows(self, reply_kind, rows or {})
end

local function add_reply(self, text, opts, name, value)
  local button = fields_of(text_of(text), opts)
  if name then button[name] = value end
  return append(self, reply_kind, button)
end

--- reply:text(text [, opts]): a button that sends its text.
function Reply:text(text, opts) return add_reply(self, text, opts) end

--- reply:contact(text [, opts]): sends the person's phone number.
function Reply:contact(text, opts)
  return add_reply(self, text, opts, "request_contact", true)
end

--- reply:location(text [, opts]): sends where the person is.
function Reply:location(text, opts)
  return add_reply(self, text, opts, "request_location", true)
end

local function request(id, what)
  local fields = {}
  for name, value in pairs(what or {}) do fields[name] = value end
  if math.type(id) ~= "integer" then
    fail("a request has an integer as id, got %s", type(id))
  end
  fields.request_id = id
  return fields
end

--- reply:users(text, id [, wanted]): lets the person choose users; the
-- message users_shared has the id. wanted: the fields of Bot API
-- KeyboardButtonRequestUsers.
function Reply:users(text, id, wanted)
  return add_reply(self, text, nil, "request_users", request(id, wanted))
end

--- reply:chat(text, id [, wanted]): the same for a chat and chat_shared
-- (Bot API KeyboardButtonRequestChat); a group unless chat_is_channel is
-- true.
function Reply:chat(text, id, wanted)
  local fields = request(id, wanted)
  fields.chat_is_channel = fields.chat_is_channel or false
  return add_reply(self, text, nil, "request_chat", fields)
end

--- reply:poll(text [, kind]): lets the person make a poll; kind is "quiz",
-- "regular" or nothing for either.
function Reply:poll(text, kind)
  return add_reply(self, text, nil, "request_poll", { type = kind })
end

--- reply:web_app(text, url [, opts]): opens a Web App, which may answer.
function Reply:web_app(text, url, opts)
  return add_reply(self, text, opts, "web_app", { url = url })
end

--- reply:row(): the next button begins a row.
function Reply:row()
  begins_row[self] = true
  return self
end

--- reply:rows(rows): adds rows, as keyboard.reply takes them.
function Reply:rows(rows) return add_rows(self, reply_kind, rows) end

--- reply:columns(n): lays all buttons so far out in rows of n.
function Reply:columns(n) return lay_out(self, reply_kind, n) end

local function set(self, name, value)
  self[name] = value
  return self
end

--- reply:resize(): as high as its rows need.
function Reply:resize() return set(self, "resize_keyboard", true) end

--- reply:once(): goes after a press.
function Reply:once() return set(self, "one_time_keyboard", true) end

--- reply:persistent(): stays when the person's own is hidden.
function Reply:persistent() return set(self, "is_persistent", true) end

--- reply:selective(): only for those whom the message answers or names.
function Reply:selective() return set(self, "selective", true) end

local function placeholder(text)
  if type(text) ~= "string" or text == ""
    or (utf8.len(text) or #text) > PLACEHOLDER_MAX then
    fail("a placeholder has 1 to %d signs", PLACEHOLDER_MAX)
  end
  return text
end

--- reply:placeholder(text): shown in the empty text field, up to 64 signs.
function Reply:placeholder(text)
  return set(self, "input_field_placeholder", placeholder(text))
end

--- keyboard.remove([opts]): takes a reply keyboard away; opts: selective.
function keyboard.remove(opts)
  return { remove_keyboard = true, selective = opts and opts.selective }
end

--- keyboard.force_reply([text [, opts]]): asks for an answer that quotes the
-- message; text is a placeholder. opts: selective.
function keyboard.force_reply(text, opts)
  return { force_reply = true, selective = opts and opts.selective,
    input_field_placeholder = text and placeholder(text) or nil }
end

return setmetatable(keyboard, {
  __index = function(_, name)
    core.misuse(("keyboard has no function %q"):format(tostring(name)))
  end,
})
