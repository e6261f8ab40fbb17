---@meta moonlet.throttle
-- Made by docs/luacats.py; see there.

---A middleware against people who send too much.
---@class moonlet.throttle
---@overload fun(options: table): any
local throttle = {}

return throttle
