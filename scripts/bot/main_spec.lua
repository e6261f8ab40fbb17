local t = require "moonlet.test"

t.case("greets, and tells where a person came from", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect { text = "Hello, Ann.", buttons = { "Press me" } }
  ann:send("/start letter")
  ann:expect("You came through letter.")
  ann:send("hello there")
  ann:expect("Hello to you, Ann")
  ann:send("/help")
  ann:expect("/sum 1 2 3 adds numbers")
end)

t.case("counts presses in place, over a crash", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:click("Press me")
  ann:expect { edited = "You pressed it once." }
  t.crash()
  ann:click("Again")
  ann:expect { edited = "You pressed it 2 times.", buttons = { "Again" } }
  assert(#ann:messages() == 2)
end)

t.case("adds, repeats, and says the time", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sum 1 2 3.5")
  ann:expect("The sum is 6.5")
  ann:send("/sum one")
  ann:expect('"one" is not a number.')
  ann:send("an echo, please")
  ann:expect("an echo, please")
  ann:send("/start")
  ann:click("What time is it?")
  ann:expect { toast = "It is 09:00:" }
end)
