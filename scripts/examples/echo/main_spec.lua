local t = require "moonlet.test"

local ann
t.before(function() ann = t.user { first_name = "Ann" } end)

t.case("says back what it hears", function()
  ann:send("/start")
  ann:expect("Hello, Ann.")
  ann:send("good morning")
  ann:expect { text = "good morning" }
end)

t.case("keeps links, and sends files back", function()
  ann:send("see https://lua.org")
  assert(ann:expect("see").entities[1].type == "url")
  ann:send { photo = true, caption = "me" }
  ann:expect { photo = true, text = "me" }
  ann:send { document = { name = "a.txt", text = "tea" } }
  assert(t.file(ann:expect { document = "a.txt" }) == "tea")
end)

t.case("sees what was changed", function()
  local said = ann:send("tea")
  ann:expect("tea")
  said.text, said.edit_date = "coffee", said.date + 5
  t.update { edited_message = said }
  ann:expect("You changed it to: coffee")
end)

t.case("answers late rather than twice", function()
  t.fault { method = "sendMessage", mode = "429", retry_after = 5 }
  ann:send("one")
  t.crash()
  ann:send("two")
  ann:expect("one")
  ann:expect("two")
  ann:expect_nothing()
end)
