--- A request over HTTP, as the handlers of bot.http are given it: method,
-- path (behind /x), params (what the named segments of the path stand for),
-- query (its fields, the last one of a name), headers (by their names in lower
-- case) and body. Not for scripts of authors.
local json = require "moonlet.json"

local requests = {}

local function unescape(text)
  text = text:gsub("%+", " ")
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- Of a name that comes twice the last value counts.
local function fields(text)
  local found = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    found[unescape(name)] = unescape(value)
  end
  return found
end

local function headers_of(list)
  local found = {}
  for _, row in ipairs(list) do
    local name, value = row[1]:lower(), row[2]
    local glue = name == "cookie" and "; " or ", "
    found[name] = found[name] and found[name] .. glue .. value or value
  end
  return found
end

local methods = {}
local meta = { __index = methods }

--- request:json(): the body as JSON; nil and why, if it is none.
function methods:json()
  local ok, value = pcall(json.decode, self.body)
  if ok then return value end
  return nil, "the body is no JSON"
end

--- request:form(): the fields of a form that was sent
-- (application/x-www-form-urlencoded); nil and why, if the body is none.
function methods:form()
  local kind = self.headers["content-type"] or ""
  if kind:lower():find("^application/x%-www%-form%-urlencoded") then
    return fields(self.body)
  end
  return nil, "the body is no form"
end

--- Makes one of what the engine says and the body.
function requests.new(raw, body)
  return setmetatable({
    method = raw.method, path = raw.path, params = {},
    query = fields(raw.query), headers = headers_of(raw.headers), body = body,
  }, meta)
end

return requests
