-- task.sleep
task.sleep("2s")
-- task.detach
task.detach(function() ctx:reply("later") end)
-- task.spawn
local handle = task.spawn(function(n) return n * 2 end, 21)
assert(handle:join() == 42)
-- task.join
local handle = task.spawn(function() return "done" end)
assert(task.join(handle, "5s") == "done")
-- task.cancel
local handle = task.spawn(task.sleep, "1h")
task.cancel(handle)
-- task.all
local results = task.all {
  function() return 1 end,
  function() task.sleep(1) return 2 end,
}
assert(results[1] + results[2] == 3)
-- task.race
local first = task.race {
  function() task.sleep("1m") return "slow" end,
  function() return "fast" end,
}
assert(first == "fast")
