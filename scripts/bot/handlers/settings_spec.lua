local t = require "moonlet.test"

t.case("switches stay as they are over a crash", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/settings")
  ann:expect { text = "I speak English", buttons = {
    "☐ Show the file before it is saved",
    "☐ No buttons when I do not understand", "Language …" } }
  ann:click("☐ No buttons when I do not understand")
  ann:expect { toast = "Switched on" }
  t.crash()
  ann:send("hm")
  ann:expect { text = "/help says what I can do", buttons = false }
  ann:click("☑ No buttons when I do not understand")
  ann:expect { toast = "Switched off" }
  ann:send("hm")
  ann:expect { text = "I did not understand", buttons = { "Help" } }
end)

t.case("a chosen language lasts, and the app's comes back", function()
  local dora = t.user { first_name = "Dora", language_code = "de" }
  dora:send("/language")
  dora:expect { text = "Welche Sprache", buttons = {
    { "Deutsch", "English" }, { "✓ Wie in meiner App" }, { "« Zurück" } } }
  dora:click("English")
  dora:expect { edited = "Which language",
    buttons = { "Deutsch", "✓ English" } }
  t.restart()
  dora:send("/start")
  dora:expect("Hello, Dora.")
  dora:send("/settings")
  dora:expect("Settings")
  dora:click("Language …")
  dora:expect { edited = "Which language" }
  dora:click("As in my app")
  dora:expect { edited = "Welche Sprache" }
  dora:click("« Zurück")
  dora:expect { edited = "Ich spreche Deutsch" }
end)
