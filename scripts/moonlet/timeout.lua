--- A limit around anything that waits.
local core = require "moonlet.core"
local tasks = require "moonlet.core.task"

local function pass_on(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- timeout(limit, fn, ...): runs fn(...) as a child task and returns its
-- results; when the limit (a duration) is over, ends it and raises kind
-- "timeout", which pcall can catch. Errors of fn are raised as they are.
return function(limit, fn, ...)
  if type(fn) ~= "function" then
    core.misuse("timeout needs a function, got " .. type(fn))
  end
  tasks.check_limit(limit)
  local handle = tasks.spawn(fn, ...)
  if not tasks.wait(limit, handle) then
    tasks.cancel(handle)
    core.raise("timeout", "not done within " .. tostring(limit)
      .. (tonumber(limit) and " s" or ""))
  end
  return pass_on(tasks.result(handle))
end
