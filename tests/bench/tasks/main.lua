-- What the task bench runs; it calls each entry for another purpose than the
-- engine does.
local core = require "bench.core"
local task = require "moonlet.task"

local function wait_once() task.sleep(0) end

-- A task of the engine with one await.
core.on_start(wait_once)

-- Child tasks of a script with one await, `count` hundreds of them.
core.on_update(function(_, count)
  local handles = {}
  for _ = 1, tonumber(count) do
    for i = 1, 100 do handles[i] = task.spawn(wait_once) end
    for i = 1, 100 do handles[i]:join() end
  end
end)

-- A task that waits for long.
core.on_failed(function() task.sleep("1h") end)
