--- Waiting, and work beside the handler. A handler may start child tasks;
-- they run while it waits, and end with it at the latest.
local core = require "moonlet.core"
local tasks = require "moonlet.core.task"

local task = {
  sleep = tasks.sleep,
  detach = tasks.detach,
  spawn = tasks.spawn,
}

local function pass_on(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- task.join(handle [, limit]): waits for a task and returns its results;
-- raises its error, kind "cancelled", or kind "timeout" when the limit (a
-- duration) is over and the task goes on. The same as handle:join(limit).
function task.join(handle, limit)
  if not tasks.wait(limit, handle) then
    core.raise("timeout", "the task has not ended within " .. tostring(limit)
      .. (tonumber(limit) and " s" or ""))
  end
  return pass_on(tasks.result(handle))
end

--- task.cancel(handle): ends a task: its <close> variables run, pcall in it
-- sees nothing. The same as handle:cancel().
function task.cancel(handle)
  tasks.cancel(handle)
end

tasks.handles { join = task.join, cancel = task.cancel }

local function spawn_all(what, functions)
  if type(functions) ~= "table" then
    core.misuse(what .. " takes a list of functions")
  end
  local handles = {}
  for i, fn in ipairs(functions) do
    if type(fn) ~= "function" then
      core.misuse(("%s: item %d is a %s, not a function")
        :format(what, i, type(fn)))
    end
  end
  for i, fn in ipairs(functions) do handles[i] = tasks.spawn(fn) end
  return handles
end

--- task.all(functions): runs all of them at the same time and returns the
-- list of their first results, in their order. If one raises, the others are
-- cancelled and its error is raised.
function task.all(functions)
  local waiting = spawn_all("task.all", functions)
  local places, results = {}, {}
  for i in ipairs(waiting) do places[i] = i end
  while #waiting > 0 do
    local at = tasks.wait(nil, table.unpack(waiting))
    local ok, value = tasks.result(table.remove(waiting, at))
    if not ok then
      for _, handle in ipairs(waiting) do tasks.cancel(handle) end
      error(value, 0)
    end
    results[table.remove(places, at)] = value
  end
  return results
end

--- task.race(functions): runs all of them at the same time, returns the
-- results of the one that ends first (or raises its error) and cancels the
-- others.
function task.race(functions)
  local handles = spawn_all("task.race", functions)
  if #handles == 0 then core.misuse("task.race needs at least one function") end
  local at = tasks.wait(nil, table.unpack(handles))
  for i, handle in ipairs(handles) do
    if i ~= at then tasks.cancel(handle) end
  end
  return pass_on(tasks.result(handles[at]))
end

return setmetatable(task, {
  __index = function(_, name)
    core.misuse(("task has no function %q"):format(tostring(name)))
  end,
})
