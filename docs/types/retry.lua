---@meta moonlet.retry
-- Made by docs/luacats.py; see there.

---Trying again what may succeed later.
---@class moonlet.retry
---@overload fun(fn: function, opts?: table): any
local retry = {}

return retry
