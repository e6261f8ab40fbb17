local t = require "moonlet.test"

local tidied = 0
t.after(function() tidied = tidied + 1 end)

t.case("texts, patterns and buttons", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/menu")
  local menu = ann:expect { text = "What will", pattern = "be%?$",
    buttons = { "Tea", "Water" } }
  assert(menu.from.is_bot and #ann:messages() == 2)
  ann:send("/echo plain")
  ann:expect { text = "plain", buttons = false }
end)

t.case("a press edits the message and shows an alert", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/menu")
  ann:click("Tea")
  ann:expect { edited = "A cup of tea" }
  ann:expect { alert = "Coming" }
end)

t.case("a button is pressed by its data, and toasts are no alerts", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/menu")
  ann:expect("What will it be?")
  ann:click("drink:water")
  ann:expect("A cup of water")
  ann:expect { toast = "Coming" }
end)

t.case("chat actions are seen", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/typing")
  ann:expect { action = "typing" }
  ann:expect("typed")
end)

t.case("photos, and answers that quote", function()
  local ann = t.user { first_name = "Ann" }
  ann:send { photo = true, caption = "me" }
  local answer = ann:expect("a photo")
  ann:reply(answer, "which?")
  ann:expect("about: a photo")
end)

t.case("a message is forwarded with its author", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  local team = t.group { members = { ann, bob } }
  local said = bob:send("something", team)
  local sent = ann:forward(said)
  assert(sent.text == "something" and sent.chat.id == ann.id)
  assert(sent.forward_origin.sender_user.id == bob.id)
end)

t.case("a bot is thrown out of a group, and another one grows", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  local small = t.group { title = "Small", members = { ann }, type = "group" }
  t.kick(team)
  ann:send("/try " .. team.id)
  ann:expect("api 403")
  t.migrate(small)
  ann:send("/try " .. small.id)
  ann:expect("sent")
end)

t.case("a group sees what its members make the bot say", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
  ann:send("/echo for all", team)
  team:expect("for all")
  bob:send("/menu", team)
  bob:click("Water", team)
  team:expect { edited = "A cup of water" }
  ann:expect_nothing()
end)

t.case("a blocked bot gets a 403, and hears of its return", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:block()
  bob:send("/try " .. ann.id)
  bob:expect("api 403")
  ann:block(false)
  ann:expect("welcome back")
end)

t.case("what is expected later passes over what is not", function()
  local ann = t.user { first_name = "Ann" }
  for i = 1, 5 do ann:send("/echo n" .. i) end
  ann:expect("n3")
  assert(not pcall(ann.expect, ann, "n2", { within = "5s" }))
  ann:expect("n5")
end)

t.case("any message fits t.any", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/echo whatever")
  assert(ann:expect(t.any).text == "whatever")
  assert(not pcall(ann.expect, ann, t.any))
end)

t.case("API calls are expected by method and parameters", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/echo one")
  ann:send("/echo two")
  ann:expect { method = "sendMessage", params = { text = "two" } }
  assert(#t.calls("SENDMESSAGE") == 2 and #t.calls() > 2)
end)

t.case("raw updates of every kind reach the bot", function()
  local ann = t.user { first_name = "Ann" }
  t.update { message = { message_id = 77, date = 1, text = "/echo raw",
    entities = { { type = "bot_command", offset = 0, length = 5 } },
    chat = { id = ann.id, type = "private", first_name = "Ann" },
    from = { id = ann.id, is_bot = false, first_name = "Ann" } } }
  ann:expect("raw")
  t.update { poll = { id = "1", question = "?", options = {},
    total_voter_count = 0, is_closed = true, is_anonymous = true,
    type = "regular", allows_multiple_answers = false } }
  ann:send("/echo still here")
  ann:expect("still here")
end)

local seen = {}
t.each({ "one", "two", { "three" } }, "a case for %s", function(row)
  local word = type(row) == "table" and row[1] or row
  local ann = t.user { first_name = "Ann" }
  ann:send("/visits") -- each begins with a fresh bot
  ann:expect("visits: 1")
  seen[#seen + 1] = word
end)

t.case("the cases before have run in order", function()
  assert(table.concat(seen, " ") == "one two three")
end)

t.case("mistakes of a spec are told with its line", function()
  local ann = t.user { first_name = "Ann" }
  local function refused(part, fn, ...)
    local ok, why = pcall(fn, ...)
    assert(not ok and tostring(why):find(part, 1, true), tostring(why))
    assert(tostring(why):find("chat_spec.lua:", 1, true))
  end
  refused("no field \"txet\"", ann.expect, ann, { txet = "x" })
  refused("no content", ann.expect, ann, { content = "foto" })
  refused("within must be", ann.expect, ann, "x", { within = "soon" })
  refused("mode", t.fault, { mode = "wild" })
  refused("only a copy", t.write, "main.lua", "")
  refused("no function \"expekt\"", function() return t.expekt end)
  refused("no option", t.case, "x", { copie = true }, print)
  refused("cannot press", ann.click, ann, "Nowhere")
  refused("it runs already", t.start)
  refused("webhook must be a boolean", t.case, "x", { webhook = 1 }, print)
  refused("a list that is not empty", t.each, { a = 1 }, "x", print)
  refused("t.each takes", t.each, {}, "x", print)
  refused("belongs outside of cases", t.case, "x", print)
  refused("belongs outside of cases", t.before, print)
  refused("belongs outside of cases", t.use, {})
  refused('no time "25:10"', t.at, "25:10")
  refused('no time "2026-13-01 10:00"', t.at, "2026-13-01 10:00")
  refused("t.at takes", t.at, 5)
  refused("t.await takes a function", t.await)
  refused("name of a method", t.expect_call)
end)

t.each({
  { "text must be a text", { text = 5 } },
  { "malformed pattern", { pattern = "[" } },
  { "list of their texts", { buttons = {} } },
  { "list of their texts", { buttons = true } },
  { "list of their texts", { buttons = { { 5 } } } },
  { "nothing within", { buttons = "Nowhere", within = 1 } },
  { "params belong to a method", { params = {} } },
  { "params must be a table", { method = "sendMessage", params = "x" } },
  { "a call has no pattern", { method = "sendMessage", pattern = "x" } },
  { "a call has no buttons", { method = "sendMessage", buttons = "x" } },
  { "two wishes", { edited = true, deleted = true } },
  { "alert says the text already", { alert = "Sure?", text = "No" } },
}, "no part of a wish is passed over: %s", function(row)
  local ann = t.user { first_name = "Ann" }
  ann:send("/echo anything")
  local ok, why = pcall(ann.expect, ann, row[2])
  assert(not ok and tostring(why):find(row[1], 1, true), tostring(why))
end)

t.case("a group may have nobody but the bot in it", function()
  local group = t.group { title = "Empty", type = "group" }
  assert(#group:messages() == 0)
  t.migrate(group)
end)

t.case("a failure says that the bot does not run", { start = false },
  function()
    local ann = t.user { first_name = "Ann" }
    local _, why = pcall(ann.expect, ann, t.any)
    assert(tostring(why):find("The bot does not run: t.start()", 1, true))
    t.start()
    _, why = pcall(ann.expect, ann, t.any)
    assert(not tostring(why):find("does not run", 1, true))
  end)

t.case("a bot may be a text", { main = [[
local bot = require "moonlet.bot"
bot.command("start", function(ctx) ctx:reply("from a text") end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("from a text")
  t.write("main.lua", 'require("moonlet.bot").on("message", function(ctx)'
    .. ' ctx:reply("written anew") end)')
  t.restart()
  ann:send("/start")
  ann:expect("written anew")
end)

t.case("what comes after a case has come after each", function()
  assert(tidied > 15)
end)

t.case("t.await sees a line of the log to which nothing else belongs", {
  webhook = true, main = [[
local bot = require "moonlet.bot"
local log = require "moonlet.log"
local task = require "moonlet.task"
bot.on_start(function()
  task.detach(function()
    task.sleep("20s")
    log.info("quietly")
  end)
end)
bot.command("start", function() end)
]] }, function()
  local began = t.now()
  t.await(function() return t.log():find("quietly", 1, true) end)
  assert(t.now() - began < 21)
end)
