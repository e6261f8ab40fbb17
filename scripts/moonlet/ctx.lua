--- The context of one update: what handlers get as their argument. Not for
-- scripts to require. Fields: update (the raw Update; update.redelivered is
-- true if its handler may have begun before: in an earlier process, or because
-- it failed and is replayed), kind ("message"), event (the raw object of that
-- kind), message (of any message kind; of a button its message), chat, from,
-- callback_query, args and command (of a command), api (moonlet.api). Those
-- that an update lacks are nil. A handler may set fields of its own.
local api = require "moonlet.api"
local core = require "moonlet.core"
local pieces = require "moonlet.pieces"

-- kinds: the set of all update kinds of the Bot API.
local context = { kinds = {} }
for _, kind in ipairs(core.kinds()) do context.kinds[kind] = true end
local methods = {}
--- methods: what contexts can do; other files of the library add to it.
context.methods = methods

local message_kinds = {
  message = true,
  edited_message = true,
  channel_post = true,
  edited_channel_post = true,
  business_message = true,
  edited_business_message = true,
  guest_message = true,
}

local not_built = {
  ask = true, become = true, enter = true, step = true,
}

local meta = { __metatable = false } -- else a script could change all contexts
function meta.__index(_, name)
  if not_built[name] then
    core.misuse("not built yet: ctx:" .. name)
  end
  return methods[name]
end

--- Splits "/start@bot a b" into the name in lower case, the bot and the list
-- of words behind it; nil if the text is no command.
function context.parse_command(text)
  local name, bot, rest = text:match("^/([%w_]+)@?([%w_]*)(.*)$")
  if not name or not (rest == "" or rest:find("^%s")) then return nil end
  local args = {}
  for word in rest:gmatch("%S+") do args[#args + 1] = word end
  return name:lower(), bot:lower(), args
end

-- The kind and its object: a known kind if there is one, whatever a newer
-- server has put beside it.
local function find_event(update)
  local kind, event
  for key, value in pairs(update) do
    if type(value) == "table" then
      if context.kinds[key] then return key, value end
      kind, event = key, value
    end
  end
  return kind, event
end

--- Makes the context of a raw update.
function context.new(update, redelivered, lane)
  local kind, event = find_event(update)
  update.redelivered = redelivered
  local self = {
    update = update,
    lane = lane,
    kind = kind,
    event = event,
    api = api,
    args = {},
    from = event.from or event.user,
    chat = event.chat,
  }
  if message_kinds[kind] then
    self.message = event
  elseif kind == "callback_query" then
    self.callback_query = event
    self.message = event.message
    self.chat = event.message and event.message.chat
  end
  return setmetatable(self, meta)
end

--- check(name, ctx): a dot in place of the colon hands over something else
-- as ctx.
function context.check(name, ctx)
  if type(ctx) ~= "table" or type(ctx.update) ~= "table" then
    core.misuse(("ctx:%s is called with a colon"):format(name))
  end
end
local check = context.check

-- A piece is left to the API call, which takes it apart.
local function check_text(name, text)
  if pieces.is(text) then return text end
  if type(text) ~= "string" and type(text) ~= "number" then
    core.misuse(("ctx:%s needs a text, got %s"):format(name, type(text)))
  end
  return tostring(text)
end

local function merge(params, opts)
  if opts == nil then return params end
  if type(opts) ~= "table" then
    core.misuse("the options must be a table of the method's parameters")
  end
  for key, value in pairs(opts) do params[key] = value end
  return params
end

--- ctx:reply(text [, opts]): sends a text or a piece (moonlet.format) to the
-- update's chat, and to its topic or business connection, without quoting.
-- opts: sendMessage's parameters. Returns the Message; raises as moonlet.api
-- does, and "misuse" if the update has no chat (Bot API sendMessage).
function methods.reply(ctx, text, opts)
  check("reply", ctx)
  text = check_text("reply", text)
  if not ctx.chat then
    core.misuse("ctx:reply: a " .. ctx.kind .. " update has no chat")
  end
  local message = ctx.message or {}
  return api.sendMessage(merge({
    chat_id = ctx.chat.id,
    text = text,
    message_thread_id = message.is_topic_message and message.message_thread_id
      or nil,
    business_connection_id = message.business_connection_id,
  }, opts))
end

--- ctx:edit(text [, opts]): replaces the text of the message whose button was
-- pressed, and its buttons: without opts.reply_markup they go. opts:
-- editMessageText's parameters. Returns the Message (true for an inline
-- message), or false and the error if nothing would change; raises as
-- moonlet.api does, and "misuse" outside a button press (Bot API
-- editMessageText).
function methods.edit(ctx, text, opts)
  check("edit", ctx)
  text = check_text("edit", text)
  local query = ctx.callback_query
  if not query then
    core.misuse("ctx:edit is for button presses; this is a " .. ctx.kind)
  end
  local params = { text = text }
  if query.inline_message_id then
    params.inline_message_id = query.inline_message_id
  else
    params.chat_id = query.message.chat.id
    params.message_id = query.message.message_id
  end
  return api.editMessageText(merge(params, opts))
end

--- ctx:answer_callback([text [, opts]]): answers the button press, with a
-- text shown to the person if given. opts: answerCallbackQuery's parameters.
-- Without it the press is answered by itself when the handler ends or after 5
-- seconds. Returns true, or false and the error if the press is too old;
-- raises as moonlet.api does, and "misuse" outside a button press (Bot API
-- answerCallbackQuery).
function methods.answer_callback(ctx, text, opts)
  check("answer_callback", ctx)
  if text ~= nil then text = check_text("answer_callback", text) end
  if not ctx.callback_query then
    core.misuse("ctx:answer_callback is for button presses; this is a "
      .. ctx.kind)
  end
  ctx.callback_answered = true
  return api.answerCallbackQuery(merge({
    callback_query_id = ctx.callback_query.id,
    text = text,
  }, opts))
end

return context
