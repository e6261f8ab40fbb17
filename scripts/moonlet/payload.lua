--- Data of buttons beyond Telegram's 64 bytes: it stands in bot.db, and the
-- button carries the key. Not for scripts of authors.
local api = require "moonlet.api"
local core = require "moonlet.core"
local log = require "moonlet.log"
local rows = require "moonlet.core.state"

local payload = {}

local KIND = "payload"
local DATA_MAX = 64 -- bytes that Telegram takes
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

local function copy(t)
  local made = {}
  for key, value in pairs(t) do made[key] = value end
  return made
end

local function each(list, fn, ...)
  local made = copy(list)
  for i, element in ipairs(list) do made[i] = fn(element, ...) end
  return made
end

local function button(given, method)
  local data = given.callback_data
  if type(data) ~= "string" or #data <= DATA_MAX then return given end
  local made, text = copy(given), tostring(given.text)
  made.callback_data = payload.store(data, ('%s: the data of the button "%s"')
    :format(method, utf8.len(text) and text or "?"))
  return made
end

-- What has a reply_markup, with keys in place of longer data.
local function packed(given, method)
  local markup = given.reply_markup
  local lines = type(markup) == "table" and markup.inline_keyboard
  if type(lines) ~= "table" then return given end
  local made = copy(given)
  made.reply_markup = copy(markup)
  made.reply_markup.inline_keyboard = each(lines, each, button, method)
  return made
end

--- The API call fn(params, options) with its longer data of buttons stored.
function payload.call(fn, method, params, options)
  local made = packed(params, method)
  if type(made.results) == "table" then
    made = copy(made)
    made.results = each(made.results, packed, method)
  elseif type(made.result) == "table" then
    made = copy(made)
    made.result = packed(made.result, method)
  end
  return fn(made, options)
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
