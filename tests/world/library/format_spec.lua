local t = require "moonlet.test"

local function entities_are(message, wanted)
  local got = {}
  for i, entity in ipairs(message.entities or message.caption_entities) do
    got[i] = ("%s %d %d"):format(entity.type, entity.offset, entity.length)
  end
  got = table.concat(got, ", ")
  assert(got == wanted, got)
end

t.case("a piece is sent with its entities", function()
  local ann = t.user { first_name = "Ann <b>" }
  ann:send("/bold")
  entities_are(ann:expect("Hi 😀 Ann <b>!"), "bold 6 7")
  ann:click("Again")
  local message = ann:expect { edited = "edited" }
  entities_are(message, "italic 0 6")
  ann:expect { toast = "seen" } -- which cannot be marked
  assert(not t.calls("answerCallbackQuery")[1].params.entities)
end)

t.case("pieces stand wherever a call takes a text", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/caption")
  local call = t.expect_call("sendPhoto", { caption = "a b" })
  assert(call.params.caption_entities[1].type == "bold")
  call = t.expect_call("sendMediaGroup")
  local item = call.params.media[1]
  assert(item.caption == "first" and item.caption_entities[1].length == 5)
  assert(call.params.media[2].caption == "plain")
  call = t.expect_call("sendPoll", { question = "which?" })
  assert(call.params.question_entities[1].type == "italic")
  assert(call.params.options[1].text_entities[1].type == "bold")
  call = t.expect_call("sendGift", { text = "for you" })
  assert(call.params.text_entities[1].offset == 4)
  ann:expect("done")
end)

-- What the server makes of HTML is what we send without it.
t.case("templates agree with the server's own HTML", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/same")
  ann:expect("the same")
end)

t.case("a long text is sent in parts", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/long")
  local first, second = ann:expect("word"), ann:expect("word")
  assert(#first.text == 4094 and #second.text > 500, #first.text)
  entities_are(second, "bold 0 " .. #second.text)
end)

t.case("wish 25b: an entity error has its offset and the line", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/broken")
  ann:expect { pattern = "^main%.lua:%d+: sendMessage: .*byte offset 3" }
  ann:expect { pattern = "^main%.lua:%d+: format.html: byte 4 of the templ" }
end)
