-- errors.capture
local ok, err = pcall(error, "no stock")
if not ok then errors.capture(err, { item = "tea" }) end
