local t = require "moonlet.test"

local rows = {}
for i = 1, 1000 do rows[i] = "no. " .. i end

t.each(rows, "greets, %s", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Hi, Ann")
end)
