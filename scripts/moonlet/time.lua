--- Time: now, durations, and dates as people write them. A zone is "UTC", or
-- an offset such as "+02:00"; without one it is that of the machine (TZ).
-- Zones by name, as "Europe/Berlin", are not known.
local core = require "moonlet.core"

local time = {}

--- time.now(): Unix time in seconds with a fraction; in specs that of the
-- world.
function time.now() return core.now() end

--- time.duration(duration): its seconds: 300 for "5m".
function time.duration(duration)
  return core.seconds(duration, "time.duration")
end

-- Seconds east of UTC; nil for the machine's own.
local function offset_of(what, zone)
  if zone == nil then return nil end
  if zone == "UTC" then return 0 end
  local sign, hours, minutes = tostring(zone):match("^([+-])(%d%d):(%d%d)$")
  if not sign or tonumber(hours) > 14 or tonumber(minutes) > 59 then
    core.misuse(('%s: a zone is "UTC" or as "+02:00", got %q'):format(what,
      tostring(zone)))
  end
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return math.tointeger(sign == "-" and -seconds or seconds)
end

--- time.format(unix [, pattern [, zone]]): a date; the pattern is that of
-- os.date, "%Y-%m-%d %H:%M" unless said.
function time.format(unix, pattern, zone)
  local whole = math.type(unix) and math.floor(unix)
  if math.type(whole) ~= "integer" then
    core.misuse("time.format needs Unix time, got " .. type(unix))
  end
  pattern = pattern or "%Y-%m-%d %H:%M"
  if type(pattern) ~= "string" or pattern:find("^[!*]") then
    core.misuse("time.format: the pattern is one of os.date without \"!\"")
  end
  local offset = offset_of("time.format", zone)
  if not offset then return os.date(pattern, whole) end
  return os.date("!" .. pattern, whole + offset)
end

-- Days from 1970 to a date of the Gregorian calendar.
local function days_to(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + year // 4 - year // 100 + year // 400
    + (153 * (month - 3) + 2) // 5 + day - 719469
end

local function parsed(text)
  local numbers = { text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)$") }
  if #numbers == 0 then
    numbers = { text:match(
      "^(%d%d%d%d)%-(%d%d)%-(%d%d)[ T](%d%d):(%d%d):?(%d?%d?)$") }
  end
  for i, digits in ipairs(numbers) do
    numbers[i] = math.tointeger(tonumber(digits)) or 0
  end
  return table.unpack(numbers)
end

--- time.parse(text [, zone]): the Unix time of "2026-01-31 09:30",
-- "2026-01-31 09:30:15" or "2026-01-31"; nil if the text is none of them or
-- there is no such day.
function time.parse(text, zone)
  local offset = offset_of("time.parse", zone)
  if type(text) ~= "string" then
    core.misuse("time.parse needs a text, got " .. type(text))
  end
  local year, month, day, hour, minute, second = parsed(text)
  hour, minute, second = hour or 0, minute or 0, second or 0
  if not year or hour > 23 or minute > 59 or second > 59 then return nil end
  local utc = days_to(year, month, day) * 86400 + hour * 3600 + minute * 60
    + second
  local back = os.date("!*t", utc)
  if back.month ~= month or back.day ~= day then return nil end
  if offset then return utc - offset end
  return os.time { year = year, month = month, day = day, hour = hour,
    min = minute, sec = second }
end

return setmetatable(time, {
  __index = function(_, name)
    core.misuse(("time has no function %q"):format(tostring(name)))
  end,
})
