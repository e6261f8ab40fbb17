---@meta moonlet.link
-- Made by docs/luacats.py; see there.

---Links that open the bot (deep links). What stands behind the name of the
---command arrives as ctx.args[1] of /start.
---@class moonlet.link
local link = {}

---Opens the chat with the bot; a press on Start sends "/start PAYLOAD".
---@param payload? string
---@return any ...
function link.start(payload) end

---Lets the person add the bot to a group, which sends "/start PAYLOAD" there.
---@param payload string
---@return any ...
function link.group(payload) end

---Opens the bot's main Web App, or the one of that short name, with
---start_param set to the payload.
---@param payload string
---@param name? string
---@return any ...
function link.app(payload, name) end

---Any text as a payload (base64url), which is a third longer: up to 48 bytes
---fit.
---@param text string|moonlet.piece
---@return any ...
function link.encode(text) end

---The text that was encoded; nil for what link.encode does not make, such as a
---payload that somebody has typed.
---@param payload string
---@return any ...
function link.decode(payload) end

return link
