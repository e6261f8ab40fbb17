--- The table of registrations, in which an update finds its handler. They are
-- tried in the order in which they were made, over all groups; indexes by
-- kind, by command and by the letters that a pattern begins with only leave
-- out what cannot fit. Not for scripts of authors.
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local filter = require "moonlet.filter"

local router = {}

local pass = setmetatable({}, { __name = "bot.pass", __metatable = false })
--- What a handler returns to let the next one try.
router.pass = pass

-- What of an event a pattern is about.
local text_of = {
  message = "text", callback_query = "data", inline_query = "query",
}
local BEGINNING_MAX = 16 -- bytes of a text's beginning that are looked up

local command_of = context.command_of
local byte, sub = string.byte, string.sub
local SLASH = byte("/")

local indexes = {} -- kind -> index
local last = 0     -- number of the newest registration

-- A group of registrations: those with numbers from first to last, without
-- gaps. layers: its middleware.
local function new_group(parent, given)
  return { parent = parent, filter = given, layers = {}, last = math.huge,
    kinds = given and filter._common(parent.kinds, given.kinds) }
end

--- The group of all registrations.
router.root = new_group()
local root = router.root

--- A group within another, for what fits the filter as well. It is closed
-- by router.close.
function router.group(parent, given)
  return new_group(parent, given)
end

--- Nothing further belongs to the group.
function router.close(group)
  group.last = last
end

--- False for a group that router.close has closed.
function router.is_open(group)
  return group.last == math.huge
end

local ask_order -- see router.on_order

--- fn(update) shall be asked once some registration has an order.
function router.on_order(fn) ask_order = fn end

local function index_of(kind)
  if not indexes[kind] then
    indexes[kind] = { all = {}, open = {}, names = {}, sizes = {},
      beginnings = {}, text = text_of[kind] }
  end
  return indexes[kind]
end

local function append(lists, key, entry)
  if not lists[key] then lists[key] = {} end
  table.insert(lists[key], entry)
end

local function put(index, entry)
  table.insert(index.all, entry)
  if entry.name then
    index.has_names = true
    return append(index.names, entry.name, entry)
  end
  local beginning = (entry.beginning or ""):sub(1, BEGINNING_MAX)
  local size = #beginning
  if size == 0 then return table.insert(index.open, entry) end
  if not index.beginnings[size] then
    index.beginnings[size] = {}
    table.insert(index.sizes, size)
  end
  append(index.beginnings[size], beginning, entry)
end

--- The number that the next registration has in all its kinds.
function router.number()
  last = last + 1
  return last
end

--- Adds a registration for one kind. entry: number, what (for people), fn,
-- match(ctx) (nil: always) that returns what string.find does or true, allow
-- (a filter), order, and what it is found by: name, of a command, or
-- beginning, of the text.
function router.add(group, kind, entry)
  entry.group = group
  local index = index_of(kind)
  put(index, entry)
  if entry.order then
    index.ordered = true
    core.on_order(ask_order)
  end
end

--- The plain letters that each text begins with that fits a Lua pattern.
function router.beginning(pattern)
  if type(pattern) ~= "string" then return "" end
  local plain, behind = pattern:match(
    "^%^([^%^%$%(%)%%%.%[%]%*%+%-%?]*)(.?)")
  if not plain then return "" end
  return behind:find("[%*%+%-%?]") and plain:sub(1, -2) or plain
end

-- --- candidates

-- Those registrations that may fit: n lists, each in order, at 1, 3, ..., and
-- behind each the place of its next one. fits: whether the update fits the
-- group, the last one that was asked. ctx: whose they are. Making such a table
-- takes longer than all the rest, so that a few that are not used are kept.
local SPARE_MAX = 16
local spare, spare_count = {}, 0

local function take_spare()
  local cursor = spare[spare_count]
  if not cursor then return {} end
  spare_count = spare_count - 1
  cursor.group = false
  return cursor
end

-- A child task that still runs sees that they are not its update's any more.
local function give_back(cursor)
  cursor.ctx = nil
  if spare_count == SPARE_MAX then return end
  spare_count = spare_count + 1
  spare[spare_count] = cursor
end

local function candidates(ctx, index)
  local n = 1
  local cursor = take_spare()
  cursor[1], cursor[2], cursor.ctx = index.open, 1, ctx
  local text = index.text and ctx.event[index.text]
  if text then
    if index.has_names and byte(text) == SLASH then
      local list = index.names[command_of(ctx)]
      if list then
        cursor[2 * n + 1], cursor[2 * n + 2] = list, 1
        n = n + 1
      end
    end
    local sizes, beginnings = index.sizes, index.beginnings
    for i = 1, #sizes do
      local list = beginnings[sizes[i]][sub(text, 1, sizes[i])]
      if list then
        cursor[2 * n + 1], cursor[2 * n + 2] = list, 1
        n = n + 1
      end
    end
  end
  cursor.n = n
  return cursor
end

-- The next one, if its number is at most `bound`.
local function take(cursor, bound)
  local found, from
  for i = 1, 2 * cursor.n, 2 do
    local each = cursor[i][cursor[i + 1]]
    if each and (not found or each.number < found.number) then
      found, from = each, i + 1
    end
  end
  if not found or found.number > bound then return nil end
  cursor[from] = cursor[from] + 1
  return found
end

-- Outer groups first: an inner filter may rely on them.
local function is_inside(ctx, cursor, group)
  if not group.parent or cursor.group == group then
    return not group.parent or cursor.fits
  end
  local fits = is_inside(ctx, cursor, group.parent) and group.filter.fits(ctx)
  cursor.group, cursor.fits = group, fits
  return fits
end

local function may_run(ctx, cursor, entry)
  return is_inside(ctx, cursor, entry.group)
    and (not entry.allow or entry.allow.fits(ctx))
end

-- --- running

-- Runs fn(ctx) within the layers of middleware from `index` on.
local function within(layers, index, ctx, fn)
  local layer = layers[index]
  if not layer then return fn(ctx) end
  local called, over = false, false
  layer(ctx, function()
    if called then core.misuse("next() is called twice by one middleware") end
    if over then
      core.misuse("next() is called after its middleware has ended")
    end
    called = true
    within(layers, index + 1, ctx, fn)
  end)
  over = true
end

--- Runs fn(ctx) within the middleware of the group, which may leave it out.
function router.within(group, ctx, fn)
  within(group.layers, 1, ctx, fn)
end

-- The outermost group below `group` that holds the entry and has middleware.
local function gate_of(entry, group)
  local gate
  local each = entry.group
  while each ~= group do
    if #each.layers > 0 then gate = each end
    each = each.parent
  end
  return gate
end

local advance

-- from is what match gave: nil if the entry does not fit.
local function attempt(ctx, cursor, group, entry, from, to, ...)
  if not from then return pass end
  local gate = entry.group ~= group and gate_of(entry, group)
  if not gate then return entry.fn(ctx, ...) end
  local result
  local captures = table.pack(...)
  within(gate.layers, 1, ctx, function()
    result = attempt(ctx, cursor, gate, entry, from, to,
      table.unpack(captures, 1, captures.n))
    if result == pass then result = advance(ctx, cursor, gate) end
  end)
  return result
end

-- Runs the registrations of the group that are left until one does not pass;
-- pass if none is left.
function advance(ctx, cursor, group)
  while true do
    local entry = cursor.ctx == ctx and take(cursor, group.last)
    if not entry then return pass end
    if may_run(ctx, cursor, entry) then
      local match = entry.match
      local result
      if match then
        result = attempt(ctx, cursor, group, entry, match(ctx))
      else
        result = attempt(ctx, cursor, group, entry, true)
      end
      if result ~= pass then return result end
    end
  end
end

--- Runs the handlers that fit until one does not return bot.pass; pass if
-- there is none. kind: whose registrations are meant.
function router.route(ctx, kind)
  local index = indexes[kind]
  if not index then return pass end
  local cursor = candidates(ctx, index)
  local result = advance(ctx, cursor, root)
  give_back(cursor) -- if nothing was raised
  return result
end

--- The first registration that fits an update, before any middleware.
function router.find(ctx, kind)
  local index = indexes[kind]
  if not index then return nil end
  local cursor = candidates(ctx, index)
  while true do
    local entry = take(cursor, math.huge)
    if not entry then
      give_back(cursor)
      return nil
    end
    if may_run(ctx, cursor, entry)
      and (not entry.match or entry.match(ctx)) then
      give_back(cursor)
      return entry
    end
  end
end

--- The order that the first registration has that fits an update.
function router.order_of(ctx, kind)
  local index = indexes[kind]
  if not index or not index.ordered then return nil end
  local entry = router.find(ctx, kind)
  if entry then return entry.order, true end
end

--- All registrations of a kind, in order.
function router.all(kind)
  return indexes[kind] and indexes[kind].all or {}
end

return router
