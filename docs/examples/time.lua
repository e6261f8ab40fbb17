-- time.now
local began = time.now()
task.sleep(2)
assert(time.now() - began >= 2)
-- time.duration
assert(time.duration("5m") == 300)
-- time.format
ctx:reply(time.format(time.now(), "%Y-%m-%d"))
-- time.parse
local at = time.parse("2026-01-31 09:30", "+01:00")
assert(time.format(at, "%H:%M", "UTC") == "08:30")
