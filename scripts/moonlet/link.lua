--- Links that open the bot (deep links). What stands behind the name of the
-- command arrives as ctx.args[1] of /start.
local core = require "moonlet.core"

local link = {}

local PAYLOAD_MAX = 64

local function username(what)
  local me = core.me()
  if not me then
    core.misuse(what .. ": the bot's name is not known while scripts load")
  end
  return me.username
end

local function made(what, kind, payload)
  if payload == nil then return ("https://t.me/%s"):format(username(what)) end
  payload = type(payload) == "number" and tostring(payload) or payload
  if type(payload) ~= "string" or #payload > PAYLOAD_MAX
    or not payload:find("^[%w_-]+$") then
    core.misuse(("%s: a payload is 1 to %d of A-Z, a-z, 0-9, _ and -; "
      .. "link.encode makes one of any text of up to 48 bytes"):format(what,
      PAYLOAD_MAX))
  end
  return ("https://t.me/%s?%s=%s"):format(username(what), kind, payload)
end

--- link.start([payload]): opens the chat with the bot; a press on Start sends
-- "/start PAYLOAD".
function link.start(payload) return made("link.start", "start", payload) end

--- link.group(payload): lets the person add the bot to a group, which sends
-- "/start PAYLOAD" there.
function link.group(payload)
  return made("link.group", "startgroup", payload)
end

--- link.app(payload [, name]): opens the bot's main Web App, or the one of
-- that short name, with start_param set to the payload.
function link.app(payload, name)
  local url = made("link.app", "startapp", payload)
  if name == nil then return url end
  if type(name) ~= "string" or not name:find("^[%w_]+$") then
    core.misuse("link.app: the name of an app is of letters, digits and _")
  end
  return (url:gsub("%?", "/" .. name .. "?", 1))
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
  .. "0123456789-_"
local digits = {}
for i = 1, 64 do digits[ALPHABET:sub(i, i)] = i - 1 end

local function check_text(what, text)
  if type(text) ~= "string" then
    core.misuse(what .. " needs a text, got " .. type(text))
  end
end

--- link.encode(text): any text as a payload (base64url), which is a third
-- longer: up to 48 bytes fit.
function link.encode(text)
  check_text("link.encode", text)
  local out, bits, n = {}, 0, 0
  for i = 1, #text do
    bits, n = (bits << 8 | text:byte(i)) & 0xFFFF, n + 8
    while n >= 6 do
      n = n - 6
      local digit = bits >> n & 63
      out[#out + 1] = ALPHABET:sub(digit + 1, digit + 1)
    end
  end
  if n > 0 then
    local digit = bits << 6 - n & 63
    out[#out + 1] = ALPHABET:sub(digit + 1, digit + 1)
  end
  return table.concat(out)
end

--- link.decode(payload): the text that was encoded; nil for what link.encode
-- does not make, such as a payload that somebody has typed.
function link.decode(payload)
  check_text("link.decode", payload)
  local out, bits, n = {}, 0, 0
  for c in payload:gmatch(".") do
    local digit = digits[c]
    if not digit then return nil end
    bits, n = (bits << 6 | digit) & 0xFFFF, n + 6
    if n >= 8 then
      n = n - 8
      out[#out + 1] = string.char(bits >> n & 255)
    end
  end
  if n >= 6 or bits & (1 << n) - 1 ~= 0 then return nil end
  return table.concat(out)
end

return setmetatable(link, {
  __index = function(_, name)
    core.misuse(("link has no function %q"):format(tostring(name)))
  end,
})
