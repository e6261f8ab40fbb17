--- Data of buttons beyond Telegram's 64 bytes: it stands in bot.db, and the
-- button carries the key. Not for scripts of authors.
local api = require "moonlet.api"
local core = require "moonlet.core"
local log = require "moonlet.log"
local rows = require "moonlet.core.state"

local payload = {}

local KIND = "payload"
local BYTES_MAX = 8192
local KEPT = 90 * 86400  -- seconds from when it was last packed
local FRESH = 86400      -- one that is younger is not written again
local KNOWN_MAX = 1000
local OUTDATED = "This button is outdated."

local known, known_count = {}, 0 -- key -> when it was written
local expired = 0

local function remember(key, now)
  if known_count >= KNOWN_MAX then known, known_count = {}, 0 end
  if not known[key] then known_count = known_count + 1 end
  known[key] = now
end

--- Stores the text and returns what the button carries in its place; the same
-- for the same text. Waits. what: of which to speak in an error.
function payload.store(text, what)
  if #text > BYTES_MAX then
    core.misuse(("%s has %d bytes, more than %d are not stored: give an id "
      .. "instead"):format(what, #text, BYTES_MAX))
  end
  if not utf8.len(text) then
    core.misuse(what .. " is no UTF-8, which Telegram wants")
  end
  local key, now = rows.hash(text), os.time()
  if (known[key] or 0) + FRESH <= now then
    rows.put(KIND, key, text, -1, { expires = now + KEPT })
    remember(key, now)
  end
  return "~" .. key
end

--- The press of a button with such a key gets its text. False if that is
-- gone, and the press has been answered so.
function payload.restore(ctx)
  local key = ctx.event.data:match("^~(%x+)$")
  if not key or #key ~= 32 then return true end
  local text = rows.get(KIND, key)
  if text then
    ctx.event.data = text
    return true
  end
  expired = expired + 1
  log.info("callback.expired", { count = expired })
  ctx.callback_answered = true
  api.answerCallbackQuery {
    callback_query_id = ctx.callback_query.id, text = OUTDATED }
  return false
end

return payload
