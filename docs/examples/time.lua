-- time.now
local began = time.now()
task.sleep(2)
assert(time.now() - began >= 2)
-- time.duration
assert(time.duration("5m") == 300)
-- time.format
ctx:reply(time.format(time.now(), "%Y-%m-%d"))
