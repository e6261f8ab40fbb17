---@meta
-- Made by docs/luacats.py; see there.

---State machines that bot.fsm has declared. A handler gets one by ctx:fsm. Its
---state and its data are stored together, and last through restarts, edits and
---deaths.
---@class moonlet.fsm
local fsm = {}

---@class moonlet.fsm.machine
---@field state string
---@field data table
local fsm_machine = {}

---Moves on. The guards are asked, the state's leave runs, state and data are
---stored, and the next state's enter runs; all get what stands behind the
---event. Returns false if every guard said no, else true. Raises "misuse" for
---an event that the state does not take, and "conflict" if another update has
---changed the machine meanwhile.
---@param event string
---@param ... any
---@return any ...
function fsm_machine:fire(event, ...) end

---Whether its state takes the event; asks no guard.
---@param event string
---@return any ...
function fsm_machine:can(event) end

---Back to the initial state with empty data, and no enter.
---@return any ...
function fsm_machine:reset() end

---The machine of the update's person and chat (bot.fsm); with a User that of
---another person in the chat. Of an update without a chat, as a
---pre_checkout_query, it is that of their private chat. It has state, the name
---of its state; data, a table that is stored with each fire and when the
---handler ends without an error; and fire, can and reset.
---@param name string
---@param user? any
---@return any ...
function fsm:fsm(name, user) end

return fsm
