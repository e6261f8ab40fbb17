---@meta moonlet.log
-- Made by docs/luacats.py; see there.

---lines in the engine's log. event is a name such as "order.paid"; fields is a
---table of at most 16 texts, numbers or other values, which are written as
---tostring gives them, in the order of their names.
---@class moonlet.log
local log = {}

---Writes a line of this level if LOG_LEVEL allows it.
---@param event string
---@param fields? table
---@return any ...
function log.debug(event, fields) end

---The same for level info.
---@param event string
---@param fields? table
---@return any ...
function log.info(event, fields) end

---The same for level warn.
---@param event string
---@param fields? table
---@return any ...
function log.warn(event, fields) end

---The same for level error.
---@param event string
---@param fields? table
---@return any ...
function log.error(event, fields) end

return log
