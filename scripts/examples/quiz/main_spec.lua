local t = require "moonlet.test"

local ann
t.before(function()
  ann = t.user { first_name = "Ann" }
  ann:send("/quiz")
  ann:expect { text = "1/3 What is the capital", buttons = { "Lisbon" } }
end)

t.case("asks, judges and counts", function()
  ann:click("Lisbon")
  ann:expect { edited = "Right!" }
  ann:click("10")
  ann:expect { edited = "No, it is 8." }
  ann:expect("3/3 Who wrote Hamlet?")
  ann:click("Shakespeare")
  ann:expect("You have 2 of 3.")
end)

t.case("a question has 30 seconds", function()
  ann:click("Lisbon")
  ann:expect("2/3")
  t.advance("31s")
  ann:expect("Time is up.")
  ann:expect("You have 1 of 3.")
  ann:click("8")
  ann:expect { toast = "That question is over." }
end)

t.case("goes on after a death, and time goes on as well", function()
  ann:click("Lisbon")
  ann:expect("2/3")
  t.crash()
  ann:click("8")
  ann:expect("3/3")
  t.kill()
  t.advance("1h")
  t.start()
  ann:expect("You have 2 of 3.", { within = "5m" })
end)

t.case("each person has a quiz, also in a group", function()
  local bob = t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
  bob:send("/start", team)
  team:expect("1/3")
  ann:click("Lisbon", team)
  ann:expect_nothing("5s")
  team:expect { toast = "That question is over." }
end)
