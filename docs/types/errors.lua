---@meta moonlet.errors
-- Made by docs/luacats.py; see there.

---errors that a script has caught and wants people to see.
---@class moonlet.errors
local errors = {}

---Reports an error as if it had ended the handler, and goes on. err: an error
---table, a text, anything; fields: a table of what else is known.
---@param err any
---@param fields? table
---@return any ...
function errors.capture(err, fields) end

return errors
