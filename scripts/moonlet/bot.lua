--- Registration and routing of handlers. Registrations are tried in the
-- order in which they were made; the first that matches wins, unless its
-- handler returns bot.pass. They are made while scripts load; later, and with
-- a wrong argument, they raise kind "misuse". opts is a table of options:
-- auto_answer (bot.callback), description, which is kept for later and
-- changes nothing yet, and order, which updates wait for each other: "chat",
-- those of one chat, "user", those of one user, "none", nobody waits. Without
-- it updates of a chat wait for each other, and queries that belong to no chat
-- for those of their user. The order is that of the first registration that
-- fits, found when the update arrives, before any middleware.
local answers = require "moonlet.answers"
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local fsm = require "moonlet.fsm"
local log = require "moonlet.log"
local web = require "moonlet.web"
require "moonlet.ctx_actions"
require "moonlet.ctx_files"

local bot = {}

--- bot.pass: returned by a handler to let the next registration try.
bot.pass = setmetatable({}, { __name = "bot.pass", __metatable = false })
local pass = bot.pass

local middleware, catchers, starters = {}, {}, {}
local routes = {} -- kind -> list of registrations { match, fn, order }

core.want("my_chat_member") -- tells that a person has blocked the bot

local own_name -- the bot's username in lower case, once it is known
local function username()
  if not own_name then
    local me = core.me()
    own_name = me and me.username and me.username:lower()
  end
  return own_name
end

local function check_handler(what, fn)
  if not core.loading() then
    core.misuse(what .. ": register handlers while main.lua loads, not later")
  end
  if type(fn) ~= "function" then
    core.misuse(what .. " needs a function, got " .. type(fn))
  end
end

local known_options = {
  auto_answer = true, description = true, order = true,
}
local orders = { chat = true, user = true, none = true }
local function check_options(what, opts)
  if opts == nil then return {} end
  if type(opts) ~= "table" then
    core.misuse(what .. ": the options must be a table")
  end
  for name in pairs(opts) do
    if not known_options[name] then
      core.misuse(("%s has no option %q"):format(what, tostring(name)))
    end
  end
  if opts.order ~= nil and not orders[opts.order] then
    core.misuse(('%s: order must be "chat", "user" or "none", got %q'):format(
      what, tostring(opts.order)))
  end
  return opts
end

-- Defined below; the engine asks for it only once some registration needs it.
local order_of

-- Tells the tests of the bot which registrations have run; without them it
-- gives fn itself.
local function counted(what, fn)
  local number = core.cover(what)
  if not number then return fn end
  return function(...)
    core.covered(number)
    return fn(...)
  end
end

local function words(pattern)
  return type(pattern) == "string" and pattern or "(re)"
end

-- match(ctx) returns what string.find does, or true for a match without
-- captures.
local function add(kind, match, fn, opts)
  if not routes[kind] then routes[kind] = { ordered = false } end
  table.insert(routes[kind], { match = match, fn = fn, order = opts.order })
  if opts.order then
    routes[kind].ordered = true
    core.on_order(order_of)
  end
  core.want(kind)
end

-- Calls fn with the captures of a match: the arguments from the third on are
-- what string.find returned.
local function call_matched(fn, ctx, from, _, ...)
  if not from then return pass end
  return fn(ctx, ...)
end

--- bot.use(fn [, opts]): middleware, in the order of registration.
-- fn(ctx, next) runs for every update; next() runs the rest, which is the
-- next middleware and at last the handler. Without it the update ends there.
function bot.use(fn, opts)
  check_handler("bot.use", fn)
  check_options("bot.use", opts)
  table.insert(middleware, fn)
end

local function parsed_command(ctx)
  if ctx.command == nil then
    local text = ctx.event.text
    local name, target, args
    if text then name, target, args = context.parse_command(text) end
    if name and (target == "" or target == username()) then
      ctx.command, ctx.args = name, args
    else
      ctx.command = false
    end
  end
  return ctx.command
end

--- bot.command(name, fn [, opts]): a message "/name ...", in any letter case
-- and, with "@", only for this bot. ctx.args is the list of words behind it,
-- ctx.command the name in lower case. name (letters, digits, underscores; at
-- most 32) may be a list of names.
function bot.command(name, fn, opts)
  check_handler("bot.command", fn)
  opts = check_options("bot.command", opts)
  local names = type(name) == "table" and name or { name }
  for _, each in ipairs(names) do
    if type(each) ~= "string" or not each:find("^/?[%w_]+$")
      or #each > 33 then
      core.misuse(("bot.command: %q is no name of a command (letters, "
        .. "digits, underscores; at most 32)"):format(tostring(each)))
    end
    local wanted = each:gsub("^/", ""):lower()
    add("message", function(ctx)
      return parsed_command(ctx) == wanted
    end, counted("/" .. wanted, fn), opts)
  end
end

--- bot.hears(pattern, fn [, opts]): a message whose text fits the Lua
-- pattern, or the re (moonlet.re); its captures are further arguments:
-- fn(ctx, ...). Captions are no texts. A text on which the pattern would take
-- too long ends the update with kind "limit" at the line of bot.hears.
function bot.hears(pattern, fn, opts)
  check_handler("bot.hears", fn)
  opts = check_options("bot.hears", opts)
  local find = core.matcher("bot.hears", pattern)
  add("message", function(ctx)
    local text = ctx.event.text
    if text then return find(text) end
  end, counted("hears " .. words(pattern), fn), opts)
end

--- bot.on(filter, fn [, opts]): updates of a kind, "edited_message", or of a
-- kind and content, "message:photo", where the content is a field of that
-- kind's object (Bot API Update). filter may be a list of filters. Telegram
-- is asked for the kinds that are registered, and for my_chat_member.
function bot.on(filter, fn, opts)
  check_handler("bot.on", fn)
  opts = check_options("bot.on", opts)
  local filters = type(filter) == "table" and filter or { filter }
  for _, each in ipairs(filters) do
    local kind, content = tostring(each):match("^([%l_]+):?([%l_]*)$")
    if not context.kinds[kind] then
      core.misuse(("bot.on: there is no update kind %q"):format(
        tostring(kind or each)))
    end
    add(kind, function(ctx)
      return content == "" or ctx.event[content] ~= nil
    end, counted("on " .. each, fn), opts)
  end
end

--- bot.callback(pattern, fn [, opts]): a press of an inline button whose data
-- fits the Lua pattern, or the re, as in bot.hears. The press is answered
-- by itself when the handler ends, at the latest after 5 seconds, unless
-- opts.auto_answer is false.
function bot.callback(pattern, fn, opts)
  check_handler("bot.callback", fn)
  opts = check_options("bot.callback", opts)
  local find = core.matcher("bot.callback", pattern)
  local function matched(ctx, ...)
    if opts.auto_answer == false then ctx.callback_answered = true end
    return fn(ctx, ...)
  end
  add("callback_query", function(ctx)
    local data = ctx.event.data
    if data then return find(data) end
  end, counted("callback " .. words(pattern), matched), opts)
end

--- bot.http(route, fn [, opts]): serves requests over HTTP below /x/ of the
-- engine's port, which needs no token and is open to everybody. route:
-- "METHOD /path", where a segment ":name" stands for any one: "GET /feed/:id"
-- is /x/feed/7, which request.params.id is "7" of; a GET takes HEAD too.
-- fn(request) may wait, and returns nothing (204), a text (200), or a table:
-- status, headers (a list of texts for one that comes several times) and one
-- of body (a text, any bytes), json (any value), html, redirect (a URL; 302).
-- bot.pass leaves the request to the next that fits. Without one it is 404, or
-- 405 if only the method does not fit. An error is 500, more time than
-- HANDLER_TIMEOUT 504, more than 256 requests at once 503, a body over 1 MiB
-- 413. bot.catch hears nothing of it.
function bot.http(route, fn, opts)
  check_handler("bot.http", fn)
  check_options("bot.http", opts)
  web.add(route, counted(tostring(route), fn), pass)
end

--- bot.catch(fn [, opts]): fn(ctx, err) hears of every error of a handler or
-- a middleware, and of one that a limit has ended; err is the error table.
-- For a value that the script itself raised, other than a text, it has kind
-- "script" and the value as err.value; of a table it carries the message,
-- code and retry_after. The error is logged in any case.
function bot.catch(fn, opts)
  check_handler("bot.catch", fn)
  check_options("bot.catch", opts)
  table.insert(catchers, fn)
end

--- bot.on_start(fn [, opts]): fn(reason) runs when these scripts take over;
-- reason is "start" or "reload". Here scripts may wait and call the API;
-- updates do not wait for it.
function bot.on_start(fn, opts)
  check_handler("bot.on_start", fn)
  check_options("bot.on_start", opts)
  table.insert(starters, fn)
end

--- bot.fsm(name, definition): declares a state machine, which a handler gets
-- by ctx:fsm(name). definition: initial, the state that it begins in; states,
-- a table { name = state }; key, whose machine it is, "user" (of a person in a
-- chat, the default), "chat" or "topic"; migrate(state, data), which names the
-- state for one that an edit has removed, in place of the initial one. A state
-- is a table of on, enter(ctx, ...), leave(ctx, ...) and timeout, { after =
-- duration, to = "state" }. on is a table { event = "state" }; in place of the
-- name may stand { to = "state", guard = fn }, or a list of such tables: the
-- first counts whose guard(ctx, data, ...) says true. Raises "misuse" for
-- what leads nowhere and for a state that nothing leads to.
bot.fsm = fsm.declare

local function route(ctx)
  for _, each in ipairs(routes[ctx.kind] or {}) do
    if call_matched(each.fn, ctx, each.match(ctx)) ~= pass then return end
  end
  log.debug("update.unhandled", { kind = ctx.kind })
end

function order_of(update)
  local ctx = context.new(update)
  local registered = routes[ctx.kind]
  if not registered or not registered.ordered then return nil end
  for _, each in ipairs(registered) do
    if each.match(ctx) then return each.order end
  end
end

local function run(ctx, index)
  local layer = middleware[index]
  if not layer then return route(ctx) end
  return layer(ctx, function() return run(ctx, index + 1) end)
end

-- A catcher that fails itself must not hide what it was told of.
local function tell_catchers(ctx, err)
  for _, fn in ipairs(catchers) do
    local ok, second = xpcall(fn, core.error_of, ctx, err)
    if not ok then log.error("catch.error", { error = second }) end
  end
end

-- What handles the update, whoever it is for.
local function handle(ctx)
  if ctx.kind == "due" then
    fsm.due(ctx)
  else
    run(ctx, 1)
  end
  fsm.finish(ctx)
end

core.on_update(function(update, lane, redelivered)
  local ctx = context.new(update, redelivered, lane)
  local is_press = ctx.kind == "callback_query"
  if is_press then answers.begin(ctx) end
  local ok, err = xpcall(handle, core.error_of, ctx)
  -- Out of memory is a plain text: on_failed will tell of it.
  if not ok and type(err) ~= "table" then error(err, 0) end
  if not ok then tell_catchers(ctx, err) end
  if is_press then answers.finish(ctx) end
  if not ok then error(err, 0) end
end)

-- The handler was ended by a limit, which nothing in it could catch.
core.on_failed(function(update, err, redelivered)
  local ctx = context.new(update, redelivered)
  tell_catchers(ctx, err)
  if ctx.kind == "callback_query" then answers.finish(ctx) end
end)

core.on_start(function(_, reason)
  fsm.started()
  for _, fn in ipairs(starters) do fn(reason) end
end)

-- What the commands ask of the scripts, by the name of the request.
local descriptions = { graph = fsm.graph }
core.on_describe(function(request)
  return descriptions[request.what](request)
end)

local not_built = {
  admin = true, album = true, conversation = true, cron = true, every = true,
  group = true, inline_query = true,
}

return setmetatable(bot, {
  __index = function(_, name)
    if not_built[name] then core.misuse("not built yet: bot." .. name) end
    core.misuse(("bot has no function %q"):format(tostring(name)))
  end,
})
