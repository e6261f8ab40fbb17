local json = require "moonlet.json"
local t = require "moonlet.test"

local ann
t.before(function() ann = t.user { first_name = "Ann" } end)

local function send(name, text)
  ann:send { document = { name = name, text = text } }
end

t.case("makes JSON of CSV", function()
  ann:send("/start")
  ann:expect("Send me a CSV file")
  send("tea.csv", 'name,cups\nGreen,2\r\n"Black, strong","a ""lot"""\n')
  local rows = json.decode(t.file(ann:expect { document = "tea.json" }))
  assert(#rows == 2 and rows[1].name == "Green" and rows[1].cups == "2")
  assert(rows[2].name == "Black, strong" and rows[2].cups == 'a "lot"')
end)

t.case("puts other texts into capitals, and says how far it is", function()
  send("note.txt", "tea\n" .. ("x"):rep(5000))
  ann:expect("Uploading")
  ann:expect { edited = "Uploading: 100 %" }
  send("note.txt", "tea")
  assert(t.file(ann:expect { document = "note.txt" }) == "TEA")
end)

t.case("refuses what is large or no text", function()
  ann:send { document = { name = "film.txt", size = 2 << 20 } }
  ann:expect("At most 1 MB, please.")
  ann:send { document = { name = "a.bin", base64 = "//79" } }
  ann:expect("That is no text in UTF-8.")
end)

t.case("goes on after a broken download, and after a death", function()
  t.fault { method = "file", mode = "cut_after" }
  send("note.txt", ("tea "):rep(100))
  t.crash()
  ann:expect { document = "note.txt" }
end)

t.case("says that it failed", function()
  t.fault { method = "file", mode = "500", count = 9 }
  send("note.txt", "tea")
  ann:expect("That went wrong. Please send it again.", { within = "5m" })
end)
