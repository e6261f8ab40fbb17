---@meta moonlet.timeout
-- Made by docs/luacats.py; see there.

---A limit around anything that waits.
---@class moonlet.timeout
---@overload fun(limit: number|string, fn: function, ...: any): any
local timeout = {}

return timeout
