---@meta
-- Made by docs/luacats.py; see there.

---A request over HTTP, as the handlers of bot.http are given it: method, path
---(behind /x), params (what the named segments of the path stand for), query
---(its fields, the last one of a name), headers (by their names in lower case)
---and body.
---@class moonlet.request
---@field method string
---@field path string
---@field params table<string, string>
---@field query table<string, string>
---@field headers table<string, string>
---@field body string
local request = {}

---The body as JSON; nil and why, if it is none.
---@return any ...
function request:json() end

---The fields of a form that was sent (application/x-www-form-urlencoded); nil
---and why, if the body is none.
---@return any ...
function request:form() end

return request
