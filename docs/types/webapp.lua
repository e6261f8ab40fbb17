---@meta moonlet.webapp
-- Made by docs/luacats.py; see there.

---What a Web App sends with its requests: who uses it, signed by Telegram.
---@class moonlet.webapp
local webapp = {}

---The fields of Telegram.WebApp.initData, with user, receiver and chat as
---tables and auth_date as a number, if they are from Telegram, for this bot
---and not too old. Else nil and why: "malformed", "no hash", "wrong hash" or
---"too old". opts: max_age, a duration, 24 hours unless said. Trust no id of a
---request that has not come through here. Raises "misuse" unless init_data is
---a text.
---@param init_data any
---@param opts? table
---@return any ...
function webapp.check(init_data, opts) end

return webapp
