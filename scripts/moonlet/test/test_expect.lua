--- What a spec expects of a chat, and how it fails. Not for scripts of authors.
local chat = require "moonlet.test_chat"
local core = require "moonlet.test.core"
local state = require "moonlet.test_state"

local expect = { any = setmetatable({}, { __name = "t.any" }) }

-- How a case ends: `report` is a list of lines.
local Report = {
  __tostring = function(self) return table.concat(self.report, "\n") end,
}

local WITHIN = 60 -- seconds

-- The innermost line of the spec.
local function place()
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.source:sub(1, 1) == "@" then
      return info.source:sub(2) .. ":" .. info.currentline
    end
    level = level + 1
  end
end

--- Ends the case with these lines, without a place.
function expect.stop(lines)
  error(setmetatable({ report = lines }, Report), 0)
end

--- Ends the case with a report: a list of lines.
function expect.fail(lines)
  local at = place()
  if at then lines[1] = at .. ": " .. lines[1] end
  expect.stop(lines)
end

--- Whatever ended a case as a report. A mistake found in this library is the
-- spec's.
function expect.to_report(value)
  if getmetatable(value) == Report then return value end
  local text, at = tostring(value), place()
  local inner = text:match("^moonlet/[%w_]+%.lua:%d+: (.*)")
  if inner and at then text = at .. ": " .. inner end
  return setmetatable({ report = { text },
    traceback = debug.traceback(nil, 2) }, Report)
end

--- Ends the case because it was written wrongly.
function expect.misuse(text)
  expect.fail { text }
end

--- A duration in seconds, or a mistake of the spec.
function expect.duration(value, what)
  local ok, seconds = pcall(core.duration, value, what)
  if not ok then expect.misuse(seconds) end
  return seconds
end

-- --- what fits

local contents = {
  photo = true, document = true, video = true, audio = true, voice = true,
  animation = true, sticker = true, contact = true, location = true,
  poll = true, dice = true, video_note = true, venue = true, game = true,
  invoice = true,
}
local fields = {
  text = true, pattern = true, buttons = true, method = true, params = true,
  edited = true, deleted = true, alert = true, toast = true, action = true,
  within = true, content = true, reaction = true, reply_to = true,
  message_thread_id = true,
}

-- What happens in a chat besides new messages.
local kinds = { "alert", "toast", "action", "reaction", "deleted", "edited" }

local texts = { text = true, pattern = true, method = true }

local function check_fields(read)
  for name, value in pairs(read) do
    if not fields[name] and not contents[name] then
      expect.misuse(("expect knows no field %q"):format(tostring(name)))
    end
    if contents[name] and value ~= true and type(value) ~= "string" then
      expect.misuse(("expect: %s must be true or a part of the file's name "
        .. "or of the title, got %s"):format(name, type(value)))
    end
    if texts[name] and type(value) ~= "string" then
      expect.misuse(("expect: %s must be a text, got %s"):format(name,
        type(value)))
    end
  end
  local ok, why = pcall(string.find, "", read.pattern or "")
  if not ok then expect.misuse("expect: pattern: " .. why) end
end

local function check_buttons(buttons)
  if type(buttons) == "string" then return { buttons } end
  if buttons == nil or buttons == false then return buttons end
  local count = 0
  for _, row in ipairs(type(buttons) == "table" and buttons or {}) do
    for _, text in ipairs(type(row) == "table" and row or { row }) do
      if type(text) ~= "string" then count = 0 break end
      count = count + 1
    end
  end
  if count == 0 then
    expect.misuse("expect: buttons must be a list of their texts, or false")
  end
  return buttons
end

-- What is said of a message does not fit what is said of a call, and so on:
-- nothing is passed over in silence.
local function check_together(read)
  local kind
  for _, name in ipairs(kinds) do
    if read[name] and kind then
      expect.misuse(("expect: %s and %s are two wishes"):format(kind, name))
    end
    if read[name] then kind = name end
  end
  if read.params ~= nil and not read.method then
    expect.misuse("expect: params belong to a method")
  end
  if type(read.params or {}) ~= "table" then
    expect.misuse("expect: params must be a table, got " .. type(read.params))
  end
  for name in pairs(read) do
    if read.method and name ~= "method" and name ~= "params"
      and name ~= "text" and name ~= "within" and read[name] then
      expect.misuse("expect: a call has no " .. name)
    end
  end
  if kind and type(read[kind]) == "string" and read.text then
    expect.misuse(("expect: %s says the text already"):format(kind))
  end
end

-- The wish as a table that has been checked.
local function read_wish(wish, opts)
  if type(wish) == "string" then wish = { text = wish } end
  if wish == expect.any then wish = {} end
  if type(wish) ~= "table" then
    expect.misuse("expect takes a text, t.any or a table, got " .. type(wish))
  end
  if type(opts or {}) ~= "table" then
    expect.misuse("expect: options are a table such as { within = \"5m\" }, "
      .. "got " .. type(opts))
  end
  local read = {}
  for _, from in ipairs { wish, opts or {} } do
    for name, value in pairs(from) do read[name] = value end
  end
  check_fields(read)
  read.buttons = check_buttons(read.buttons)
  check_together(read)
  if read.content and not contents[read.content] then
    expect.misuse(("expect: there is no content %q"):format(
      tostring(read.content)))
  end
  return read
end

local function has_buttons(message, wanted)
  local there = {}
  for _, row in ipairs(chat.buttons(message)) do
    for _, text in ipairs(row) do there[text] = true end
  end
  if wanted == false then return next(there) == nil end
  for _, each in ipairs(wanted) do
    for _, text in ipairs(type(each) == "table" and each or { each }) do
      if not there[text] then return false end
    end
  end
  return true
end

local function kind_of(wish)
  for _, kind in ipairs(kinds) do
    if wish[kind] then return kind end
  end
end

-- Whether it answers that message.
local function answers(message, wanted)
  local quoted = message.reply_to_message
  if type(wanted) == "table" then wanted = wanted.message_id end
  return quoted ~= nil and (wanted == true or quoted.message_id == wanted)
end

-- Whether the message holds what is wished of its files and such.
local function has_contents(wish, message)
  for kind in pairs(contents) do
    local wanted, is = wish[kind], message[kind]
    if wanted and is == nil then return false end
    if type(wanted) == "string"
      and not (is.file_name or is.title or is.question or ""):find(wanted, 1,
        true) then
      return false
    end
  end
  return true
end

local function fits(wish, entry)
  local kind = kind_of(wish)
  local message = entry.message
  local text = message.text or message.caption or ""
  if kind and entry.what ~= kind then return false end
  if not kind and entry.what ~= "new" and entry.what ~= "edited" then
    return false
  end
  local wanted = type(wish[kind]) == "string" and wish[kind] or wish.text
  return (not wanted or text:find(wanted, 1, true) ~= nil)
    and (not wish.pattern or text:find(wish.pattern) ~= nil)
    and (wish.buttons == nil or has_buttons(message, wish.buttons))
    and (not wish.reply_to or answers(message, wish.reply_to))
    and (not wish.message_thread_id
      or message.message_thread_id == wish.message_thread_id)
    and (not wish.content or message[wish.content] ~= nil)
    and has_contents(wish, message)
end

local function says(wish)
  local parts = {}
  local names = { "text", "pattern", "content", "alert", "toast", "action",
    "reaction", "edited", "deleted", "message_thread_id", "method", "params",
    "buttons" }
  for _, kind in ipairs(chat.media) do table.insert(names, kind) end
  for _, name in ipairs(names) do
    local value = wish[name]
    if value ~= nil then
      local ok, text = pcall(core.encode, value)
      table.insert(parts, name .. " " .. (ok and text or tostring(value)))
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "any message"
end

-- --- calls

local function subset(wanted, given)
  if type(wanted) ~= "table" then return wanted == given end
  if type(given) ~= "table" then return false end
  for key, value in pairs(wanted) do
    if not subset(value, given[key]) then return false end
  end
  return true
end

local function fits_call(wish, chat_id, call)
  return call.method:lower() == wish.method:lower()
    and (chat_id == nil or call.chat_id == chat_id)
    and (wish.params == nil or subset(wish.params, call.params))
    and (wish.text == nil
      or tostring(call.params.text or ""):find(wish.text, 1, true) ~= nil)
end

local function next_call(wish, chat_id)
  for i = chat.calls_cursor + 1, #chat.calls do
    if fits_call(wish, chat_id, chat.calls[i]) then
      chat.calls_cursor = i
      return chat.calls[i]
    end
  end
end

-- --- waiting

local function add_errors(lines)
  for _, notice in ipairs(chat.notices) do
    if notice.kind ~= "reload" then
      table.insert(lines, ("  The bot failed: %s:%d: %s"):format(
        notice.script, notice.line, notice.message))
    end
  end
end

local function fail_to_see(who, chat_id, wish, within)
  local lines = {
    ("%s: nothing within %g s fits: %s"):format(who, within, says(wish)),
  }
  if chat_id then
    table.insert(lines, "  The chat:")
    chat.print(lines, chat_id)
  end
  table.insert(lines, "  API calls since somebody did something:")
  chat.print_calls(lines, wish.method)
  add_errors(lines)
  if not state.running then
    table.insert(lines, "  The bot does not run: t.start() starts it.")
  end
  expect.fail(lines)
end

local function seconds_of(wish)
  if wish.within == nil then return WITHIN end
  return expect.duration(wish.within, "within")
end

-- Answers of buttons and actions belong to no topic.
local topicless = { alert = true, toast = true, action = true }

local function next_shown(wish, chat_id, thread)
  local shown = chat.shown[chat_id] or {}
  local cursor = thread and chat_id .. ":" .. thread or chat_id
  for i = (chat.cursor[cursor] or 0) + 1, #shown do
    local here = not thread or topicless[shown[i].what]
      or shown[i].message.message_thread_id == thread
    if here and fits(wish, shown[i]) then
      chat.cursor[cursor] = i
      return shown[i].message
    end
  end
end

--- Waits in virtual time for what fits, and returns it: the message, or the
-- call if the wish has a method. chat_id nil: a call to any chat. thread: only
-- in that topic.
function expect.see(who, chat_id, what, opts, thread)
  local wish = read_wish(what, opts)
  local within = seconds_of(wish)
  local deadline = core.uptime() + within
  local found = chat.wait(deadline, function()
    if wish.method then return next_call(wish, chat_id) end
    return next_shown(wish, chat_id, thread)
  end)
  if not found then fail_to_see(who, chat_id, wish, within) end
  chat.expected = true
  return found
end

--- Waits and fails if the chat shows anything new meanwhile.
function expect.silence(who, chat_id, within, thread)
  local seconds = expect.duration(within or "10s", "within")
  local message = chat.wait(core.uptime() + seconds, function()
    return next_shown({}, chat_id, thread)
  end)
  if not message then return end
  local lines = {
    ("%s: there should be nothing new, but there is: %s"):format(who,
      message.text or message.caption or chat.content(message) or "?"),
    "  The chat:",
  }
  chat.print(lines, chat_id)
  expect.fail(lines)
end

return expect
