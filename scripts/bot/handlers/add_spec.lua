local t = require "moonlet.test"

local function fill(who)
  who:send("/add")
  who:expect("What is it called?")
  who:send("Tea list")
  who:expect("Which tags")
  who:send("tea, shopping")
  return who:expect { text = "Tea list\nTags: tea, shopping",
    buttons = { { "Save" }, { "Once more", "Cancel" } } }
end

t.case("asks for title and tags, over a crash", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/add")
  ann:expect("What is it called?")
  t.crash()
  ann:send("Tea list")
  ann:expect("Which tags")
  ann:send("No tags")
  ann:expect("Tags: none")
  ann:click("Save")
  ann:expect("Saved.")
  ann:send("and now?")
  ann:expect("I did not understand")
end)

t.case("a file begins the form and comes back by its link", function()
  local ann = t.user { first_name = "Ann" }
  ann:send { document = { name = "list.csv", text = "tea,2" } }
  ann:expect("What shall this file be called?")
  ann:send("Tea list")
  ann:expect("Which tags")
  ann:send("tea")
  ann:expect("Tags: tea")
  ann:click("Save")
  local saved = ann:expect("Your link to it")
  ann:send("/start " .. saved.text:match("start=(%S+)"))
  local message = ann:expect { document = "list.csv", text = "Tea list" }
  assert(t.file(message) == "tea,2")
end)

t.case("a photo may come in the middle, and is shown if one likes", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/settings")
  ann:expect("Settings")
  ann:click("☐ Show the file before it is saved")
  ann:expect { toast = "Switched on" }
  ann:send("/add My cup")
  ann:expect("Which tags")
  ann:send { photo = true }
  ann:expect("I keep the file with it")
  ann:send("cups")
  ann:expect { photo = true }
  ann:expect("My cup\nTags: cups")
end)

t.case("a caption is the title", function()
  local ann = t.user { first_name = "Ann" }
  ann:send { photo = true, caption = "My cup" }
  ann:expect("Which tags")
end)

t.case("what is not right is asked again, or cancelled", function()
  local ann = t.user { first_name = "Ann" }
  fill(ann)
  ann:click("Once more")
  ann:expect("What is it called?")
  ann:send(("x"):rep(201))
  ann:expect("at most 200 characters")
  ann:send("/cancel")
  ann:expect("Cancelled")
  ann:send("/cancel")
  ann:expect("nothing to cancel")
end)

t.case("Cancel takes the buttons away; an old button says so", function()
  local ann = t.user { first_name = "Ann" }
  local card = fill(ann)
  ann:send("/cancel")
  ann:expect("Cancelled")
  ann:click("Save", { message = card })
  ann:expect { alert = "earlier form" }
  fill(ann)
  ann:click("Cancel")
  ann:expect { edited = "Tea list", buttons = false }
end)

t.case("who goes away for half an hour begins anew", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/add")
  ann:expect("What is it called?")
  ann:expect("half an hour", { within = "31m" })
  ann:send("Tea list")
  ann:expect("I did not understand")
end)
