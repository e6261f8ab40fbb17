-- The ways in: /start with its links, /help, /invite, and what nobody wants.
local t = require "moonlet.test"

t.case("greets, with buttons that lead on", function()
  local ann = t.user { first_name = "A<b>" }
  ann:send("/start")
  ann:expect { text = "Hello, A<b>.",
    buttons = { { "Add a file" }, { "Settings", "Help" } } }
  ann:click("Help")
  ann:expect("/settings: Change the settings")
  ann:send("/help")
  ann:expect("/add: Add a file")
end)

t.case("speaks the language of the app", function()
  local dora = t.user { first_name = "Dora", language_code = "de" }
  dora:send("/start")
  dora:expect { text = "Hallo, Dora.", buttons = { "Datei ablegen" } }
end)

t.case("a friend's link counts once and not for oneself", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("/invite")
  local told = ann:expect { text = "Send this to a friend",
    buttons = { "Copy the link" } }
  local payload = told.text:match("start=(%S+)")
  ann:send("/start " .. payload)
  ann:expect("your own link")
  bob:send("/start " .. payload)
  bob:expect("A friend has sent you here")
end)

t.case("a link that means nothing is said to", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start letter")
  ann:expect("I do not know what that link means")
  ann:send("/start file_12")
  ann:expect("no file behind this link")
end)

t.case("what it does not understand is answered, but not in a group", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  ann:send("what now?")
  ann:expect { text = "I did not understand",
    buttons = { "Add a file", "Help" } }
  ann:send("/dance now")
  ann:expect("I know no command /dance")
  ann:send("what now?", team)
  team:expect_nothing()
end)

t.case("the menu of commands has both languages", function()
  t.user { first_name = "Ann" }
  t.advance("5s")
  local texts = {}
  for _, call in ipairs(t.calls("setMyCommands")) do
    for _, command in ipairs(call.params.commands) do
      texts[command.description] = command.command
    end
  end
  assert(texts["Add a file"] == "add")
  assert(texts["Eine Datei ablegen"] == "add")
end)

local function compare(one, other, path)
  for key, value in pairs(one) do
    local at = path .. "." .. key
    assert(type(other[key]) == type(value), "there is no " .. at)
    if type(value) == "table" then
      compare(value, other[key], at)
    else
      for place in value:gmatch("{%w+}") do
        assert(other[key]:find(place, 1, true), at .. " has no " .. place)
      end
    end
  end
end

t.case("every text is there in both languages", function()
  compare(require "locales.en", require "locales.de", "de")
  compare(require "locales.de", require "locales.en", "en")
end)
