---@meta moonlet.json
-- Made by docs/luacats.py; see there.

---JSON with exact integers: those up to 2^53 stay integers both ways.
---@class moonlet.json
---JSON's null, where nil would leave a field out.
---@field null any
local json = {}

---Returns the value; null becomes json.null; an empty array stays one when it
---is encoded again. Raises a text if it is not JSON.
---@param text string
---@return any ...
function json.decode(text) end

---Returns its JSON text. A table is an array if its keys are 1..n; an empty
---one is an object unless json.array made it. Raises "misuse" for what JSON
---cannot hold and beyond 16 MiB.
---@param value any
---@return string
function json.encode(value) end

---Marks the table (or a new one) as an array, so that it is written as [] when
---empty; returns it.
---@param table? any
---@return any ...
function json.array(table) end

return json
