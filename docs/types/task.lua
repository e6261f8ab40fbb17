---@meta moonlet.task
-- Made by docs/luacats.py; see there.

---Waiting, and work beside the handler. A handler may start child tasks; they
---run while it waits, and end with it at the latest.
---@class moonlet.task
local task = {}

---Lets other handlers run for that long (seconds, or a text such as "500ms",
---"5m"). The duration is the wait's own limit.
---@param duration number|string
---@return any ...
function task.sleep(duration) end

---Runs fn(...) as a task of its own that outlives the handler. Its error is
---logged.
---@param fn function
---@param ... any
---@return any ...
function task.detach(fn, ...) end

---Runs fn(...) as a child task beside the caller and returns its handle.
---Children end with the task that made them.
---@param fn function
---@param ... any
---@return any ...
function task.spawn(fn, ...) end

---Waits for a task and returns its results; raises its error, kind
---"cancelled", or kind "timeout" when the limit (a duration) is over and the
---task goes on. The same as handle:join(limit).
---@param handle any
---@param limit? number|string
---@return any ...
function task.join(handle, limit) end

---Ends a task: its <close> variables run, pcall in it sees nothing. The same
---as handle:cancel().
---@param handle any
---@return any ...
function task.cancel(handle) end

---Runs all of them at the same time and returns the list of their first
---results, in their order. If one raises, the others are cancelled and its
---error is raised.
---@param functions any
---@return any ...
function task.all(functions) end

---Runs all of them at the same time, returns the results of the one that ends
---first (or raises its error) and cancels the others.
---@param functions any
---@return any ...
function task.race(functions) end

return task
