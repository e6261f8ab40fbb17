--- What contexts can do beside answers: texts in the person's language,
-- actions, payments. Not for scripts of authors, who find it in the context.
local api = require "moonlet.api"
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local i18n = require "moonlet.i18n"
local log = require "moonlet.log"
local task = require "moonlet.task"

local methods, check = context.methods, context.check

local EVERY = 4.5 -- seconds; clients show an action for 5

--- ctx:t(key [, args]): the text of that key in the language of the update
-- (moonlet.i18n), with args.name for {name}, and the plural form for
-- args.count. An argument may be a piece, which makes the text one. Without
-- such a text it is the key, which is logged once.
function methods.t(ctx, key, args)
  check("t", ctx)
  return i18n.t(i18n.language(ctx), key, args)
end

--- ctx:t_html(key [, args]): the same of a text in HTML, as a piece
-- (moonlet.format): tags of the text count, those in arguments do not.
function methods.t_html(ctx, key, args)
  check("t_html", ctx)
  return i18n.html(i18n.language(ctx), key, args)
end

--- ctx:show_menu(menu [, arg]): sends a menu of moonlet.menu, or after a press
-- shows it in place of the message with the button; after that of a menu's
-- button, its m:back leads to that menu. arg: a text or an integer, the menu's
-- m.arg (else false). Returns the Message; raises as ctx:reply and ctx:edit do.
function methods.show_menu(ctx, menu, arg)
  check("show_menu", ctx)
  return require "moonlet.menu"._show(ctx, menu, arg)
end

-- An admin who stays anonymous writes as the chat; what else writes as a chat
-- is none.
local function hidden_sender(ctx)
  return not ctx.callback_query and ctx.message and ctx.message.sender_chat
end

--- ctx:is_chat_admin([right [, user]]): whether the person, or another User, is
-- an administrator of the chat, or its owner, with that right if one is given,
-- such as "can_restrict_members". An administrator who stays anonymous is one,
-- whose rights Telegram does not tell: any; in a private chat everybody is.
-- Asks Telegram each time; raises as moonlet.api does, and "misuse" if the
-- update has no chat (Bot API getChatMember).
function methods.is_chat_admin(ctx, right, user)
  check("is_chat_admin", ctx)
  if right ~= nil and (type(right) ~= "string" or not right:find("^can_")) then
    core.misuse("ctx:is_chat_admin takes a right such as "
      .. ("\"can_delete_messages\", got %s"):format(tostring(right)))
  end
  local who, sender = user or ctx.from, not user and hidden_sender(ctx)
  if not ctx.chat or type(who) ~= "table" and not sender then
    core.misuse(("ctx:is_chat_admin: a %s update is of no person in a chat")
      :format(ctx.kind))
  end
  if ctx.chat.type == "private" then return true end
  if sender then return sender.id == ctx.chat.id end
  local member = api.getChatMember { chat_id = ctx.chat.id, user_id = who.id }
  return member.status == "creator" or member.status == "administrator"
    and (right == nil or member[right] == true)
end

--- ctx:set_language(language): the same as i18n.set(ctx, language).
function methods.set_language(ctx, language)
  check("set_language", ctx)
  i18n.set(ctx, language)
end

local function params_of(name, ctx, action)
  check(name, ctx)
  if type(action) ~= "string" then
    core.misuse(("ctx:%s needs an action such as \"typing\", got %s"):format(
      name, type(action)))
  end
  if not ctx.chat then
    core.misuse(("ctx:%s: a %s update has no chat"):format(name, ctx.kind))
  end
  local message = ctx.message or {}
  return {
    chat_id = ctx.chat.id,
    action = action,
    message_thread_id = message.is_topic_message and message.message_thread_id
      or nil,
    business_connection_id = message.business_connection_id,
  }
end

--- ctx:action(action [, opts]): shows what the bot does, such as "typing" or
-- "upload_photo", for 5 seconds or until its next message. opts: those of an
-- API call. Returns true; raises as moonlet.api does (Bot API sendChatAction).
function methods.action(ctx, action, opts)
  local params = params_of("action", ctx, action)
  local options = context.part("action", params, opts)
  return api.sendChatAction(params, options)
end

-- A chat that takes no action must not end the work.
local function show(params)
  local ok, err = pcall(api.sendChatAction, params)
  if not ok then log.debug("action.not_shown", { error = err }) end
  return ok
end

local function show_on(params)
  repeat task.sleep(EVERY) until not show(params)
end

local function while_action(params, fn, ...)
  local showing <close> = setmetatable({ task = nil }, {
    __close = function(self) if self.task then self.task:cancel() end end,
  })
  if show(params) then showing.task = task.spawn(show_on, params) end
  return fn(...)
end

--- ctx:while_action(action, fn, ...): shows the action until fn(...) has
-- ended, however long it takes, and returns its results. That the action is
-- refused does not matter; an error of fn is raised.
function methods.while_action(ctx, action, fn, ...)
  local params = params_of("while_action", ctx, action)
  if type(fn) ~= "function" then
    core.misuse("ctx:while_action needs a function, got " .. type(fn))
  end
  return while_action(params, fn, ...)
end

--- ctx:while_typing(fn, ...): the same with "typing".
function methods.while_typing(ctx, fn, ...)
  local params = params_of("while_typing", ctx, "typing")
  if type(fn) ~= "function" then
    core.misuse("ctx:while_typing needs a function, got " .. type(fn))
  end
  return while_action(params, fn, ...)
end

--- ctx:answer_pre_checkout([ok [, why [, opts]]]): lets a payment go on, or
-- with false and a text for the person stops it. It must come within 10
-- seconds. opts: those of an API call. Returns true; raises as moonlet.api
-- does, and "misuse" outside a pre_checkout_query (Bot API
-- answerPreCheckoutQuery).
function methods.answer_pre_checkout(ctx, ok, why, opts)
  check("answer_pre_checkout", ctx)
  if ctx.kind ~= "pre_checkout_query" then
    core.misuse("ctx:answer_pre_checkout is for a pre_checkout_query; this "
      .. "is a " .. ctx.kind)
  end
  if ok == nil then ok = true end
  if type(ok) ~= "boolean" or not ok and type(why) ~= "string" then
    core.misuse("ctx:answer_pre_checkout takes true, or false and the reason")
  end
  local params = { pre_checkout_query_id = ctx.event.id,
    ok = ok, error_message = not ok and why or nil }
  local options = context.part("answer_pre_checkout", params, opts)
  return api.answerPreCheckoutQuery(params, options)
end

return { methods = methods }
