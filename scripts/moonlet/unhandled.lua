--- Says in the log that nothing handled an update, and what could have. Not
-- for scripts of authors.
local context = require "moonlet.ctx"
local log = require "moonlet.log"
local router = require "moonlet.router"

local unhandled = {}

local TOLD_MAX = 50  -- different ones; further ones have level debug
local SHOWN_MAX = 5  -- registrations in a hint

local told, told_count = {}, 0

local contents = {
  "text", "photo", "video", "document", "audio", "voice", "video_note",
  "animation", "sticker", "location", "contact", "poll", "dice",
}

-- What the update is about, without what a person has written.
local function subject(ctx)
  local name = ctx.kind == "message" and context.command_of(ctx)
  if name then return (" (text %q)"):format("/" .. name), name end
  for _, field in ipairs(ctx.message and contents or {}) do
    if ctx.event[field] ~= nil then return (" (with %s)"):format(field) end
  end
  local data = ctx.callback_query and ctx.event.data
  local word = data and data:match("^[%a_]+")
  return word and #word <= 32 and (" (data %q)"):format(word .. "...") or ""
end

local function known_commands()
  local names = {}
  for _, each in ipairs(router.all("message")) do
    if each.name then table.insert(names, each.name) end
  end
  return names
end

local function registered(kind)
  local all, shown = router.all(kind), {}
  if #all == 0 then return "; nothing is registered for this kind" end
  for i = 1, math.min(#all, SHOWN_MAX) do shown[i] = all[i].what end
  if #all > SHOWN_MAX then
    table.insert(shown, ("%d more"):format(#all - SHOWN_MAX))
  end
  return "; registered: " .. table.concat(shown, ", ")
end

local function hint_of(ctx, about, name)
  local near = name and require "moonlet.nearest".of(name, known_commands())
  local head = ("no handler for kind %s%s"):format(ctx.kind, about)
  if near and near ~= name then
    return head .. ": did you mean /" .. near .. "?"
  end
  return head .. registered(ctx.kind)
end

--- Nothing handled this update. It is told once for its kind, for a command
-- once for its name.
function unhandled.tell(ctx)
  local about, name = subject(ctx)
  local key = ctx.kind .. (name and " " .. name or "")
  -- The engine asks for my_chat_member itself.
  local is_ours = ctx.kind == "my_chat_member" and #router.all(ctx.kind) == 0
  if told[key] or told_count >= TOLD_MAX or is_ours then
    return log.debug("update.unhandled", { kind = ctx.kind })
  end
  told[key], told_count = true, told_count + 1
  log.info("update.unhandled", { kind = ctx.kind,
    message = hint_of(ctx, about, name) })
end

return unhandled
