--- What a Web App sends with its requests: who uses it, signed by Telegram.
local core = require "moonlet.core"
local json = require "moonlet.json"

local webapp = {}

local SIZE_MAX = 16384 -- bytes of init data; Telegram's has about 1000
local MAX_AGE = "24h"

local function decoded(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- The fields of "a=1&b=2", or nil if one comes twice or has no name.
local function fields_of(data)
  local fields = {}
  for pair in data:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]+)=(.*)$")
    name = name and decoded(name)
    if not name or fields[name] then return nil end
    fields[name] = decoded(value)
  end
  return fields
end

-- What Telegram has signed: the fields in the order of their names.
local function signed_text(fields)
  local lines = {}
  for name, value in pairs(fields) do
    if name ~= "hash" then lines[#lines + 1] = name .. "=" .. value end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function values_of(fields)
  local values = {}
  for name, value in pairs(fields) do
    values[name] = value
    if value:find("^[{%[]") then
      local ok, object = pcall(json.decode, value)
      if ok then values[name] = object end
    end
  end
  values.auth_date = math.tointeger(tonumber(fields.auth_date))
  return values
end

--- webapp.check(init_data [, opts]): the fields of Telegram.WebApp.initData,
-- with user, receiver and chat as tables and auth_date as a number, if they
-- are from Telegram, for this bot and not too old. Else nil and why:
-- "malformed", "no hash", "wrong hash" or "too old". opts: max_age, a
-- duration, 24 hours unless said. Trust no id of a request that has not come
-- through here. Raises "misuse" unless init_data is a text.
function webapp.check(init_data, opts)
  if type(init_data) ~= "string" then
    core.misuse("webapp.check needs the text of initData, got "
      .. type(init_data))
  end
  local age = core.seconds(opts and opts.max_age or MAX_AGE,
    "webapp.check: max_age")
  local fields = #init_data <= SIZE_MAX and fields_of(init_data)
  if not fields then return nil, "malformed" end
  if not fields.hash then return nil, "no hash" end
  if not core.webapp_is_genuine(signed_text(fields), fields.hash) then
    return nil, "wrong hash"
  end
  local values = values_of(fields)
  if not values.auth_date then return nil, "malformed" end
  if core.now() - values.auth_date > age then return nil, "too old" end
  return values
end

return setmetatable(webapp, {
  __index = function(_, name)
    core.misuse(("webapp has no function %q"):format(tostring(name)))
  end,
})
