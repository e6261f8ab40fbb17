--- The context of one update: what handlers get as their argument. Not for
-- scripts to require. Fields: update (the raw Update; update.redelivered is
-- true if its handler may have begun before: in an earlier process, or because
-- it failed and is replayed), kind ("message"), event (the raw object of that
-- kind), message (of any message kind; of a button its message), chat, from,
-- callback_query, inline_query, text (of a message, or its caption), args,
-- rest and command (of a command: the list of words behind it, the same as it
-- was written, its name), album (bot.album), api (moonlet.api). Those that an
-- update lacks are nil. A handler may set fields of its own.
local api = require "moonlet.api"
local core = require "moonlet.core"
local json = require "moonlet.json"

local kinds = {} -- the set of all update kinds of the Bot API
for _, kind in ipairs(core.kinds()) do kinds[kind] = true end
local context = { kinds = kinds }
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

-- What adds a method, required when one of its is first asked for; false: not
-- built.
local elsewhere = { download = "moonlet.ctx_files", fsm = "moonlet.fsm",
  send_album = "moonlet.ctx_files" }
for name in pairs(not_built) do elsewhere[name] = false end
for _, name in ipairs { "action", "answer_pre_checkout", "is_chat_admin",
  "set_language", "show_menu", "t", "t_html", "while_action",
  "while_typing" } do
  elsewhere[name] = "moonlet.ctx_actions"
end
for _, kind in ipairs { "animation", "audio", "document", "photo", "sticker",
  "video", "video_note", "voice" } do
  elsewhere["upload_" .. kind] = "moonlet.ctx_files"
end

local meta = { __metatable = false } -- else a script could change all contexts
function meta.__index(_, name)
  local method = methods[name]
  if method then return method end
  local module = elsewhere[name]
  if module == nil then return nil end
  if not module then core.misuse("not built yet: ctx:" .. name) end
  require(module)
  return methods[name]
end

-- Splits "/start@bot a b" into the name in lower case, the bot, the list of
-- words behind it and what they stand in; nil if the text is no command.
local function parse_command(text)
  local name, bot, rest = text:match("^/([%w_]+)@?([%w_]*)(.*)$")
  if not name or not (rest == "" or rest:find("^%s")) then return nil end
  local args = {}
  for word in rest:gmatch("%S+") do args[#args + 1] = word end
  return name:lower(), bot:lower(), args, rest
end

local own_user -- once it is known
--- This bot as a User, nil before getMe has answered.
function context.me()
  own_user = own_user or core.me()
  return own_user
end

local own_name -- the bot's username in lower case, once it is known
local function username()
  if not own_name then
    local me = context.me()
    own_name = me and me.username and me.username:lower()
  end
  return own_name
end

--- The name of the command for this bot that the update is, in lower case, or
-- false. Sets ctx.command, ctx.args and ctx.rest.
function context.command_of(ctx)
  if ctx.command == nil then
    local text = ctx.event.text
    local name, target, args, rest
    if text then name, target, args, rest = parse_command(text) end
    if name and (target == "" or target == username()) then
      ctx.command, ctx.args = name, args
      ctx.rest = #args > 0 and rest:match("^%s+(.-)%s*$") or ""
    else
      ctx.command = false
    end
  end
  return ctx.command
end

-- The kind and its object: a known kind if there is one, whatever a newer
-- server has put beside it.
local function find_event(update)
  local kind, event
  for key, value in pairs(update) do
    if type(value) == "table" then
      if kinds[key] then return key, value end
      kind, event = key, value
    end
  end
  return kind, event
end

--- Makes the context of a raw update.
function context.new(update, redelivered, lane)
  local kind, event = find_event(update)
  local message, chat = nil, event.chat
  if message_kinds[kind] then
    message = event
  elseif kind == "callback_query" then
    message = event.message
    chat = message and message.chat
  end
  if redelivered then update.redelivered = true end
  return setmetatable({
    update = update,
    lane = lane,
    kind = kind,
    event = event,
    message = message,
    text = message == event and (event.text or event.caption) or nil,
    chat = chat,
    from = event.from or event.user,
    callback_query = kind == "callback_query" and event or nil,
    inline_query = kind == "inline_query" and event or nil,
    command = nil, -- so that the table does not grow when they are set
    rest = nil,
    args = {},
    api = api,
  }, meta)
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
  if type(text) == "table" and require "moonlet.pieces".is(text) then
    return text
  end
  if type(text) ~= "string" and type(text) ~= "number" then
    core.misuse(("ctx:%s needs a text, got %s"):format(name, type(text)))
  end
  return tostring(text)
end

local call_options = {
  action = true, on_unknown = true, progress = true, timeout = true,
  unchecked = true,
}
--- What is said of a call itself (moonlet.api), not of its parameters.
context.call_options = call_options

--- part(name, params, opts): what opts says goes into params, but for what is
-- said of the call itself, which is returned; nil if that is nothing.
function context.part(name, params, opts)
  if opts == nil then return nil end
  if type(opts) ~= "table" then
    core.misuse(("ctx:%s: the options must be a table, got %s")
      :format(name, type(opts)))
  end
  local options
  for key, value in pairs(opts) do
    if call_options[key] then
      options = options or {}
      options[key] = value
    else
      params[key] = value
    end
  end
  return options
end
local part = context.part

local function check_chat(name, ctx)
  if not ctx.chat then
    core.misuse(("ctx:%s: a %s update has no chat"):format(name, ctx.kind))
  end
end

-- The chat and id of the update's message.
local function message_of(name, ctx)
  check(name, ctx)
  local message = ctx.message
  if not message or not message.message_id then
    core.misuse(("ctx:%s: a %s update has no message"):format(name, ctx.kind))
  end
  return message.chat.id, message.message_id
end

--- ctx:reply(text [, opts]): sends a text or a piece (moonlet.format) to the
-- update's chat, and to its topic or business connection, without quoting, or
-- with opts.quote = true as an answer to the update's message. opts:
-- sendMessage's parameters and those of an API call: timeout, on_unknown and
-- the like. Returns the Message; raises as moonlet.api does, and "misuse" if
-- the update has no chat (Bot API sendMessage).
function methods.reply(ctx, text, opts)
  check("reply", ctx)
  text = check_text("reply", text)
  check_chat("reply", ctx)
  local message = ctx.message or {}
  local params = {
    chat_id = ctx.chat.id,
    text = text,
    message_thread_id = message.is_topic_message and message.message_thread_id
      or nil,
    business_connection_id = message.business_connection_id,
  }
  local options = part("reply", params, opts)
  if params.quote then
    params.reply_parameters = params.reply_parameters
      or { message_id = message.message_id }
  end
  params.quote = nil
  return api.sendMessage(params, options)
end

-- Which message ctx:edit means, as parameters, and the Message if it is known.
local function edited(ctx, message)
  local query = ctx.callback_query
  local is_message = type(message) == "table" and message.message_id
  if message ~= nil and not is_message then
    core.misuse("ctx:edit: opts.message is a Message, as ctx:reply returns "
      .. "it, got " .. type(message))
  elseif not message and not query then
    core.misuse("ctx:edit is for button presses; this is a " .. ctx.kind
      .. ": say which message by opts.message")
  elseif not message and query.inline_message_id then
    return { inline_message_id = query.inline_message_id }
  end
  message = message or query.message
  return { chat_id = message.chat.id, message_id = message.message_id,
    business_connection_id = message.business_connection_id }, message
end

local captioned = { "photo", "video", "animation", "document", "audio", "voice",
  "paid_media", "live_photo" }

-- A picture or a file has a caption in place of a text.
local function has_caption(message)
  for _, kind in ipairs(captioned) do
    if message[kind] then return true end
  end
end

--- ctx:edit(text [, opts]): replaces the text of the message whose button was
-- pressed, or of opts.message, a Message that the bot has sent; and its
-- buttons: without opts.reply_markup they go. Of a picture or a file it
-- replaces the caption. opts: editMessageText's parameters, or
-- editMessageCaption's, and those of an API call. Returns the Message (true for
-- an inline message), or false and the error if nothing would change; raises as
-- moonlet.api does, and "misuse" outside a button press if there is no
-- opts.message (Bot API editMessageText, Bot API editMessageCaption).
function methods.edit(ctx, text, opts)
  check("edit", ctx)
  text = check_text("edit", text)
  local params = {}
  local options = part("edit", params, opts)
  local target, message = edited(ctx, params.message)
  params.message = nil
  for key, value in pairs(params) do target[key] = value end
  if message and has_caption(message) then
    target.caption = text
    return api.editMessageCaption(target, options)
  end
  target.text = text
  return api.editMessageText(target, options)
end

--- ctx:answer_callback([text [, opts]]): answers the button press, with a
-- text shown to the person if given. opts: answerCallbackQuery's parameters
-- and those of an API call. Without it the press is answered by itself when
-- the handler ends or after 5 seconds. Returns true, or false and the error if
-- the press is too old; raises as moonlet.api does, and "misuse" outside a
-- button press (Bot API answerCallbackQuery).
function methods.answer_callback(ctx, text, opts)
  check("answer_callback", ctx)
  if text ~= nil then text = check_text("answer_callback", text) end
  if not ctx.callback_query then
    core.misuse("ctx:answer_callback is for button presses; this is a "
      .. ctx.kind)
  end
  ctx.callback_answered = true
  local params = { callback_query_id = ctx.callback_query.id, text = text }
  local options = part("answer_callback", params, opts)
  return api.answerCallbackQuery(params, options)
end

--- ctx:answer_inline(results [, opts]): answers the inline query with a list
-- of results (moonlet.inline makes some). opts: answerInlineQuery's
-- parameters, those of an API call, and per_page, at most 50: the results are
-- all there are, and the client gets those of a page and asks for the next.
-- Returns true, or false and the error if the query is too old; raises as
-- moonlet.api does, and "misuse" outside an inline query (Bot API
-- answerInlineQuery).
function methods.answer_inline(ctx, results, opts)
  check("answer_inline", ctx)
  if not ctx.inline_query then
    core.misuse("ctx:answer_inline is for inline queries; this is a "
      .. ctx.kind)
  end
  if type(results) ~= "table" then
    core.misuse("ctx:answer_inline needs a list of results, got "
      .. type(results))
  end
  local params = { inline_query_id = ctx.inline_query.id }
  local options = part("answer_inline", params, opts)
  params.results = require "moonlet.inline"._page(ctx.inline_query, results,
    params)
  return api.answerInlineQuery(params, options)
end

--- ctx:delete([opts]): deletes the update's message; of a button its message.
-- opts: those of an API call. Returns true; raises as moonlet.api does (Bot API
-- deleteMessage).
function methods.delete(ctx, opts)
  local chat, id = message_of("delete", ctx)
  local params = { chat_id = chat, message_id = id }
  local options = part("delete", params, opts)
  return api.deleteMessage(params, options)
end

--- ctx:forward(chat_id [, opts]): forwards the update's message to a chat.
-- opts: forwardMessage's parameters and those of an API call. Returns the
-- Message; raises as moonlet.api does (Bot API forwardMessage).
function methods.forward(ctx, chat_id, opts)
  local chat, id = message_of("forward", ctx)
  local params = { chat_id = chat_id, from_chat_id = chat, message_id = id }
  local options = part("forward", params, opts)
  return api.forwardMessage(params, options)
end

--- ctx:copy(chat_id [, opts]): the same without its author. opts:
-- copyMessage's parameters and those of an API call. Returns the MessageId;
-- raises as moonlet.api does (Bot API copyMessage).
function methods.copy(ctx, chat_id, opts)
  local chat, id = message_of("copy", ctx)
  local params = { chat_id = chat_id, from_chat_id = chat, message_id = id }
  local options = part("copy", params, opts)
  return api.copyMessage(params, options)
end

--- ctx:react(emoji [, opts]): puts a reaction on the update's message; nil
-- takes it off. opts: setMessageReaction's parameters and those of an API call.
-- Returns true; raises as moonlet.api does (Bot API setMessageReaction).
function methods.react(ctx, emoji, opts)
  local chat, id = message_of("react", ctx)
  if emoji ~= nil then emoji = check_text("react", emoji) end
  local params = { chat_id = chat, message_id = id,
    reaction = json.array(emoji and { { type = "emoji", emoji = emoji } }
      or {}) }
  local options = part("react", params, opts)
  return api.setMessageReaction(params, options)
end

return context
