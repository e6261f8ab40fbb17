local t = require "moonlet.test"

t.case("wish 20: callback data is counted in bytes", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/long_data 32") -- letters of two bytes
  ann:expect("Here")
  ann:click("Да")
  ann:expect("64 bytes came")
  ann:send("/long_data 33")
  ann:expect("Here")
  ann:click("Да")
  ann:expect("66 bytes came") -- it was stored
end)

t.case("a reply keyboard comes and goes", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/choose")
  ann:expect("Which?")
  local markup = t.calls("sendMessage")[1].params.reply_markup
  assert(markup.resize_keyboard and markup.keyboard[1][2].text == "Water")
  assert(markup.keyboard[1][3].request_contact)
  ann:send("Tea")
  ann:expect("Tea it is")
  assert(t.calls("sendMessage")[2].params.reply_markup.remove_keyboard)
end)
