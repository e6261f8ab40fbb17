---@meta moonlet.config
-- Made by docs/luacats.py; see there.

---the table `app` of config.lua, empty if there is none. It is read once, at
---start; a reload gives the scripts a fresh copy.
---@class moonlet.config
---@field [string] any
local config = {}

return config
