--- Albums: what the engine has collected becomes one context. Not for scripts
-- of authors.
local context = require "moonlet.ctx"
local core = require "moonlet.core"
local router = require "moonlet.router"

local album = {}

--- The context of the first of the updates, with the messages of all.
function album.context(updates, redelivered)
  local ctx = context.new(updates[1], redelivered)
  ctx.album, ctx.updates = { ctx.event }, updates
  for i = 2, #updates do
    ctx.album[i] = context.new(updates[i], redelivered).event
  end
  return ctx
end

--- The context of one message of an album that nobody took, with what
-- middleware has added to that of the album.
local function part_of(ctx, update)
  local part = context.new(update, update.redelivered)
  for name, value in pairs(ctx) do
    if part[name] == nil and name ~= "album" and name ~= "updates" then
      part[name] = value
    end
  end
  return part
end

--- Runs the handlers of an album; rest(ctx) gets each of its messages if
-- there is none.
function album.route(ctx, rest)
  if router.route(ctx, "album") ~= router.pass then return end
  for _, update in ipairs(ctx.updates) do rest(part_of(ctx, update)) end
end

local handle -- see album.on_collected

--- handle(ctx) shall run for each album.
function album.on_collected(fn) handle = fn end

--- From now on the engine collects albums.
function album.begin()
  core.on_album(function(updates, _, redelivered)
    return handle(album.context(updates, redelivered))
  end)
end

return album
