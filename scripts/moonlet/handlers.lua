--- The functions that register handlers, for the bot and for groups. Not for
-- scripts of authors.
local core = require "moonlet.core"
local filter = require "moonlet.filter"
local register = require "moonlet.register"
local router = require "moonlet.router"

local handlers = {}

local common = { allow = true, order = true }
local callback_options = { allow = true, auto_answer = true, order = true }
local album_orders = { chat = true, user = true }

-- A registration in a group that never sees its kind is a mistake.
local function check_kinds(what, group, kinds)
  if not group.kinds then return end
  for _, kind in ipairs(kinds) do
    if group.kinds[kind] then return end
  end
  core.misuse(("%s: no %s fits the filter of this group"):format(what,
    kinds[1]))
end

--- bot.use(fn [, opts]): middleware, in the order of registration.
-- fn(ctx, next) runs for every update; next() runs the rest, which is the
-- next middleware and at last the handler, and raises what that raises. It
-- may be called once, before fn returns; without it the update ends there.
-- Both may wait. In a group it runs around the first of the group's handlers
-- that fits and those of them that follow it after bot.pass.
function handlers.use(group, fn, opts)
  register.check("bot.use", fn)
  register.options("bot.use", opts, { order = true })
  table.insert(group.layers, fn)
end

--- bot.on(filter, fn [, opts]): updates that fit a filter (moonlet.filter):
-- "edited_message", "message:photo", "message:entities:url", ":text", or a
-- list of which one has to fit. The filter names the kinds that Telegram is
-- asked for; my_chat_member always is.
function handlers.on(group, given, fn, opts)
  register.check("bot.on", fn)
  opts = register.options("bot.on", opts, common)
  local fit = filter._compile("bot.on", given)
  if not fit.kinds then
    core.misuse("bot.on: the filter names no kind of update; put one before "
      .. "it: filter.all(\"message\", ...)")
  end
  local kinds, number = {}, router.number()
  for _, kind in ipairs(core.kinds()) do
    if fit.kinds[kind] then table.insert(kinds, kind) end
  end
  check_kinds("bot.on", group, kinds)
  local words = type(given) == "table" and table.concat(kinds, ", ")
    or tostring(given)
  local run = register.counted("on " .. words, fn)
  for _, kind in ipairs(kinds) do
    router.add(group, kind, { number = number, what = "on " .. words,
      fn = run, match = fit.test, order = opts.order, allow = opts.allow })
    core.want(kind)
  end
end

-- A registration for a text of the events of a kind.
local function add_text(group, kind, field, pattern, spec)
  local find = core.matcher(spec.what, pattern)
  local words = spec.word .. " " .. register.words(pattern)
  check_kinds(spec.what, group, { kind })
  router.add(group, kind, {
    number = router.number(), what = words,
    beginning = router.beginning(pattern),
    match = function(ctx)
      local text = ctx.event[field]
      if text then return find(text) end
    end,
    fn = register.counted(words, spec.fn), silent = spec.silent,
    order = spec.order, allow = spec.allow,
  })
  core.want(kind)
end

--- bot.hears(pattern, fn [, opts]): a message whose text fits the Lua
-- pattern, or the re (moonlet.re); its captures are further arguments:
-- fn(ctx, ...). Captions are no texts. A text on which the pattern would take
-- too long ends the update with kind "limit" at the line of bot.hears.
function handlers.hears(group, pattern, fn, opts)
  register.check("bot.hears", fn)
  opts = register.options("bot.hears", opts, common)
  add_text(group, "message", "text", pattern, { what = "bot.hears",
    word = "hears", fn = fn, order = opts.order, allow = opts.allow })
end

--- bot.inline_query(pattern, fn [, opts]): an inline query whose text fits
-- the Lua pattern, or the re, as in bot.hears. ctx:answer_inline() answers it.
-- What was chosen comes by bot.on("chosen_inline_result", fn).
function handlers.inline_query(group, pattern, fn, opts)
  register.check("bot.inline_query", fn)
  opts = register.options("bot.inline_query", opts, common)
  add_text(group, "inline_query", "query", pattern, {
    what = "bot.inline_query", word = "inline_query", fn = fn,
    order = opts.order, allow = opts.allow })
end

local function add_data(group, data, fn, opts)
  local packed = require "moonlet.callback_data"
  check_kinds("bot.callback", group, { "callback_query" })
  router.add(group, "callback_query", {
    number = router.number(), what = "callback " .. data.name,
    beginning = data.beginning,
    match = function(ctx)
      local text = ctx.event.data
      if not text or text:sub(1, #data.beginning) ~= data.beginning then
        return nil
      end
      return 1, 1, packed.unpack(data, text)
    end,
    fn = register.counted("callback " .. data.name, function(ctx, values)
      if not values then return packed.answer_outdated(data, ctx) end
      return fn(ctx, values)
    end),
    silent = opts.auto_answer == false, order = opts.order,
    allow = opts.allow,
  })
  core.want("callback_query")
end

--- bot.callback(pattern, fn [, opts]): a press of an inline button whose data
-- fits the Lua pattern, or the re, as in bot.hears. In place of a pattern it
-- takes what bot.callback_data has declared: fn(ctx, values). The press is
-- answered by itself when the handler ends, at the latest after 5 seconds,
-- unless opts.auto_answer is false.
function handlers.callback(group, pattern, fn, opts)
  register.check("bot.callback", fn)
  opts = register.options("bot.callback", opts, callback_options)
  local function matched(ctx, ...)
    if opts.auto_answer == false then ctx.callback_answered = true end
    return fn(ctx, ...)
  end
  if type(pattern) == "table"
    and require "moonlet.callback_data".is(pattern) then
    return add_data(group, pattern, matched, opts)
  end
  add_text(group, "callback_query", "data", pattern, {
    what = "bot.callback", word = "callback", fn = matched,
    silent = opts.auto_answer == false, order = opts.order,
    allow = opts.allow })
end

--- bot.album(fn [, opts]): the messages of one media group, handed over
-- together as the list ctx.album, in order, after a second in which no
-- further one has come, or when there are ten; ctx.message is the first.
-- Later updates of the chat wait meanwhile, and nothing is lost if the process
-- dies. Other registrations see an album's messages, one by one, only if no
-- bot.album takes it. opts.order is "chat" or "user".
function handlers.album(group, fn, opts)
  register.check("bot.album", fn)
  opts = register.options("bot.album", opts, common)
  if opts.order and not album_orders[opts.order] then
    core.misuse("bot.album: order must be \"chat\" or \"user\": what shares "
      .. "no lane cannot be collected")
  end
  check_kinds("bot.album", group, filter._new_messages)
  router.add(group, "album", { number = router.number(), what = "album",
    fn = register.counted("album", fn), order = opts.order,
    allow = opts.allow })
  for _, kind in ipairs(filter._new_messages) do core.want(kind) end
  require "moonlet.album".begin()
end

--- bot.group(filter, fn): fn(group) registers by the same functions,
-- group.command and so on, group.use and group.group too, what is tried only
-- for updates that fit the filter (moonlet.filter). The order is that of all
-- registrations.
function handlers.group(parent, given, fn)
  register.check("bot.group", fn)
  local fit = filter._compile("bot.group", given)
  local group = router.group(parent, fit)
  if group.kinds and next(group.kinds) == nil then
    core.misuse("bot.group: no update fits this filter and that of the group "
      .. "around it")
  end
  fn(handlers.face(group))
  router.close(group)
end

local function missing(name)
  core.misuse(("a group has no function %q"):format(tostring(name)))
end

--- The functions above for one group, as its author calls them.
function handlers.face(group)
  local face = {}
  local function bind(name, fn)
    face[name] = function(...)
      if not router.is_open(group) then
        core.misuse("group." .. name .. ": register within the function that "
          .. "bot.group was given")
      end
      return fn(group, ...)
    end
  end
  local command = require "moonlet.command"
  for _, name in ipairs { "use", "on", "hears", "inline_query", "callback",
    "album", "group" } do
    bind(name, handlers[name])
  end
  bind("command", command.command)
  bind("admin", command.admin)
  face.pass = router.pass
  return setmetatable(face, { __index = function(_, name) missing(name) end })
end

return handlers
