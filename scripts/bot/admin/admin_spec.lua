local t = require "moonlet.test"

t.use { config = { admin_ids = { 7001 } } }

t.case("admins see what was handled; others know no such command", function()
  local root = t.user { id = 7001, first_name = "Root" }
  local bob = t.user { first_name = "Bob" }
  bob:send("/stats")
  bob:expect("I know no command /stats")
  root:send("/stats")
  root:expect("message: 2")
end)

t.case("admins say things as the bot", function()
  local root = t.user { id = 7001, first_name = "Root" }
  local bob = t.user { first_name = "Bob" }
  root:send("/say")
  root:expect("Usage: /say TEXT")
  root:send("/say good\nmorning")
  root:expect("good\nmorning")
  root:send("/say " .. bob.id .. " tea is ready")
  bob:expect("tea is ready")
  root:expect("Said.")
  root:send("/say 999999 hello")
  root:expect("Not said: ")
end)
