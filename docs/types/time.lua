---@meta moonlet.time
-- Made by docs/luacats.py; see there.

---Time: now, durations, and dates as people write them. A zone is "UTC", or an
---offset such as "+02:00"; without one it is that of the machine (TZ). Zones
---by name, as "Europe/Berlin", are not known.
---@class moonlet.time
local time = {}

---Unix time in seconds with a fraction; in specs that of the world.
---@return any ...
function time.now() end

---Its seconds: 300 for "5m".
---@param duration number|string
---@return any ...
function time.duration(duration) end

---A date; the pattern is that of os.date, "%Y-%m-%d %H:%M" unless said.
---@param unix any
---@param pattern? any
---@param zone? any
---@return any ...
function time.format(unix, pattern, zone) end

---The Unix time of "2026-01-31 09:30", "2026-01-31 09:30:15" or "2026-01-31";
---nil if the text is none of them or there is no such day.
---@param text string|moonlet.piece
---@param zone? any
---@return any ...
function time.parse(text, zone) end

return time
