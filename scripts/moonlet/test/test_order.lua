--- What specs themselves leave to chance or to the machine, so that one seed
-- gives one history: pairs has an order, math.random the seed, and the time of
-- os is the world's. Not for scripts of authors.
local core = require "moonlet.test.core"

local order = {}

local EPOCH = 1767603600 -- as in cli/world.c

local next, type, rawget = next, type, rawget
local ranks = { number = 1, string = 2, boolean = 3 }

-- Numbers, texts, false and true, then people and groups by their ids; what
-- else there is keeps Lua's order, which is none.
local function rank_of(key)
  local kind = type(key)
  if kind == "boolean" then return ranks[kind], key and 1 or 0 end
  if ranks[kind] then return ranks[kind], key end
  local id = kind == "table" and rawget(key, "chat_id")
  if type(id) == "number" then return 4, id end
  return 5, 0
end

local function sorted_keys(of)
  local keys, ranked = {}, {}
  for key in next, of do
    local rank, by = rank_of(key)
    keys[#keys + 1] = key
    ranked[key] = { rank, by, #keys }
  end
  table.sort(keys, function(a, b)
    local x, y = ranked[a], ranked[b]
    if x[1] ~= y[1] then return x[1] < y[1] end
    if x[2] ~= y[2] then return x[2] < y[2] end
    return x[3] < y[3]
  end)
  return keys
end

local function sorted_pairs(of)
  local meta = getmetatable(of)
  if type(of) ~= "table" or (type(meta) == "table" and meta.__pairs) then
    return order.lua_pairs(of)
  end
  local keys, at = sorted_keys(of), 0
  return function()
    while true do
      at = at + 1
      local key = keys[at]
      if key == nil then return nil end
      local value = rawget(of, key)
      if value ~= nil then return key, value end
    end
  end, of, nil
end

-- Outside of cases no world is there: then it is when they all begin.
local function now()
  local ok, seconds = pcall(core.now)
  return ok and math.floor(seconds) or EPOCH
end

local function world_time(fields)
  return fields == nil and now() or order.os_time(fields)
end

local function world_date(format, at)
  return order.os_date(format or "%c", at or now())
end

--- Replaces the functions of Lua; once.
function order.open()
  order.lua_pairs, order.os_time, order.os_date = pairs, os.time, os.date
  rawset(_G, "pairs", sorted_pairs)
  rawset(os, "time", world_time)
  rawset(os, "date", world_date)
end

return order
