--- Registration and routing of handlers. Registrations are tried in the
-- order in which they were made; the first that matches wins, unless its
-- handler returns bot.pass. They are made while scripts load; later, and with
-- a wrong argument, they raise kind "misuse". opts is a table of options.
-- Those of every registration of a handler: allow, a filter (moonlet.filter)
-- that has to fit as well, and order, which updates wait for each other:
-- "chat", those of one chat, "user", those of one user, "none", nobody waits.
-- Without it updates of a chat wait for each other, and queries that belong to
-- no chat for those of their user. The order is that of the first registration
-- that fits, found when the update arrives, before any middleware. An update
-- that nothing handles is told in the log, with a hint, once for its kind.
local album = require "moonlet.album"
local answers = require "moonlet.answers"
local command = require "moonlet.command"
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local handlers = require "moonlet.handlers"
local log = require "moonlet.log"
local register = require "moonlet.register"
local router = require "moonlet.router"
local task = require "moonlet.task"

-- Of sealed modules, once for all updates.
local new_context = context.new
local error_of = core.error_of
local begin_press, finish_press = answers.begin, answers.finish
local route_through, within, root = router.route, router.within, router.root

local byte = string.byte

local STORED = byte("~") -- a button's data begins so, see moonlet.payload

local bot = {}

--- bot.pass: returned by a handler to let the next registration try.
bot.pass = router.pass
local pass = bot.pass

local no_options = { order = true } -- allowed everywhere
local catchers, starters = {}, {}
local machines -- moonlet.fsm, once there is one
local i18n -- if there are texts

-- Read while scripts load: a bad one has to be told of then.
if #core.locale_files() > 0 then i18n = require "moonlet.i18n" end

core.want("my_chat_member") -- tells that a person has blocked the bot

for name, fn in pairs(handlers.face(router.root)) do bot[name] = fn end

--- bot.callback_data(name, fields [, opts]): declares typed data of buttons.
-- fields: a list such as { "n:int", "tag:text", "on:bool" }. It has
-- data:pack{ n = 3, tag = "x", on = true }, the text for a button's
-- callback_data, which raises "misuse" for wrong values (beyond Telegram's 64
-- bytes it is stored for 90 days, and pack waits), and is given to
-- bot.callback, whose handler gets the values. A
-- button whose fields were others, or whose opts.version was, is answered by
-- opts.outdated ("This button is outdated.") instead and logged as
-- callback.outdated.
function bot.callback_data(name, fields, opts)
  return require "moonlet.callback_data".new(name, fields, opts)
end

--- bot.catch(fn [, opts]): fn(ctx, err) hears of every error of a handler or
-- a middleware, and of one that a limit has ended; err is the error table.
-- For a value that the script itself raised, other than a text, it has kind
-- "script" and the value as err.value; of a table it carries the message,
-- code, retry_after and retryable. The error is logged in any case.
function bot.catch(fn, opts)
  register.check("bot.catch", fn)
  register.options("bot.catch", opts, no_options)
  table.insert(catchers, fn)
end

--- bot.on_start(fn [, opts]): fn(reason) runs when these scripts take over;
-- reason is "start" or "reload". Here scripts may wait and call the API;
-- updates do not wait for it.
function bot.on_start(fn, opts)
  register.check("bot.on_start", fn)
  register.options("bot.on_start", opts, no_options)
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
function bot.fsm(name, definition)
  machines = require "moonlet.fsm"
  return machines.declare(name, definition)
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
  register.check("bot.http", fn)
  register.options("bot.http", opts, no_options)
  require "moonlet.web".add(route, register.counted(tostring(route), fn), pass)
end

local function route(ctx)
  if route_through(ctx, ctx.kind) == pass then
    require "moonlet.unhandled".tell(ctx)
  end
end

local function route_any(ctx)
  if ctx.album then return album.route(ctx, route) end
  return route(ctx)
end

-- The engine asks for it only once some registration has an order.
router.on_order(function(update)
  local ctx = new_context(update)
  if ctx.message and ctx.event.media_group_id then
    local order, found = router.order_of(ctx, "album")
    if found then return order end
  end
  return (router.order_of(ctx, ctx.kind))
end)

-- A catcher that fails itself must not hide what it was told of.
local function tell_catchers(ctx, err)
  for _, fn in ipairs(catchers) do
    local ok, second = xpcall(fn, core.error_of, ctx, err)
    if not ok then log.error("catch.error", { error = second }) end
  end
end

local function run(ctx)
  local event = ctx.event
  local data = ctx.callback_query and event.data
  if event.migrate_to_chat_id or event.migrate_from_chat_id then
    require "moonlet.fsm".chat_moved(event)
  end
  if ctx.kind == "due" then
    require "moonlet.fsm".due(ctx)
  elseif not data or byte(data) ~= STORED
    or require "moonlet.payload".restore(ctx) then
    within(root, ctx, route_any)
  end
  if ctx.machines then require "moonlet.fsm".finish(ctx) end
end

local function handle(ctx)
  if i18n then i18n._begin(ctx) end
  local is_press = ctx.kind == "callback_query"
  local place = is_press and begin_press(ctx)
  local ok, err = xpcall(run, error_of, ctx)
  -- Out of memory is a plain text: on_failed will tell of it.
  if not ok and type(err) ~= "table" then error(err, 0) end
  if not ok and err.code == 403 then
    ok = require "moonlet.unreachable".is(ctx, err)
  end
  if not ok then tell_catchers(ctx, err) end
  if is_press then finish_press(ctx, place) end
  if not ok then error(err, 0) end
end
album.on_collected(handle)

core.on_update(function(update, lane, redelivered)
  return handle(new_context(update, redelivered, lane))
end)

-- Its lane is busy: nobody else can answer it in time.
core.on_late_press(function(update)
  local ctx = new_context(update)
  local registered = router.find(ctx, "callback_query")
  if not registered or not registered.silent then answers.late(ctx) end
end)

-- The handler was ended by a limit, which nothing in it could catch.
core.on_failed(function(update, err, redelivered)
  local ctx = update[1] and album.context(update, redelivered)
    or new_context(update, redelivered)
  if i18n then i18n._begin(ctx) end
  tell_catchers(ctx, err)
  if ctx.kind == "callback_query" then finish_press(ctx) end
end)

local function set_menus()
  require "moonlet.menu_commands".apply()
end

core.on_start(function(_, reason)
  -- Slow ones do not hold up what authors begin with.
  if command.has_menu() then task.detach(set_menus) end
  if machines then machines.started() end
  for _, fn in ipairs(starters) do fn(reason) end
end)

-- What the commands ask of the scripts, by the name of the request.
local descriptions = {
  graph = function(request) return require "moonlet.fsm".graph(request) end,
}
function descriptions.check() return require "moonlet.check".run() end
core.on_describe(function(request)
  return descriptions[request.what](request)
end)

local not_built = { conversation = true, cron = true, every = true }

return setmetatable(bot, {
  __index = function(_, name)
    if not_built[name] then core.misuse("not built yet: bot." .. name) end
    local names = require "moonlet.sorted"(bot)
    core.misuse(("bot has no function %q%s"):format(tostring(name),
      require "moonlet.nearest".hint(tostring(name), names)))
  end,
})
