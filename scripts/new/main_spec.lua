-- Run it by `moonlet test`: no token, no network, and no waiting.
local t = require "moonlet.test"

t.case("greets, and waves back", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect { text = "Hello, Ann", buttons = { "Wave" } }
  ann:click("Wave")
  ann:expect { edited = "You waved once." }
  ann:click("Wave")
  ann:expect { edited = "You waved 2 times." }
end)

t.case("speaks German", function()
  local eva = t.user { first_name = "Eva", language_code = "de" }
  eva:send("/start")
  eva:expect { text = "Hallo, Eva", buttons = { "Winken" } }
end)

t.case("remembers the form over a crash", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/form")
  ann:expect("What is your name?")
  ann:send("Ann Lee")
  ann:expect("Where do you live?")
  t.crash()
  ann:send("Paris")
  ann:expect("Ann Lee from Paris")
end)

t.case("leaves the form when asked, and after an hour", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/cancel")
  ann:expect("There is nothing to leave.")
  ann:send("/form")
  ann:send("/form")
  ann:expect("What is your name?")
  ann:send("/cancel")
  ann:expect("As you like.")
  ann:send("/form")
  ann:expect("What is your name?")
  t.advance("2h")
  ann:send("Ann Lee")
  ann:expect("/start")
end)
