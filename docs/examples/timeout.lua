-- timeout
local ok, err = pcall(timeout, "1s", task.sleep, "1m")
assert(not ok and err.kind == "timeout")
