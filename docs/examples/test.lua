-- t.any
ann:send("/start")
local message = ann:expect(t.any)
assert(message.text:find("Hello"))
-- t.case
t.case("says hello", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/start")
  ann:expect("Hello, Ann")
end)
-- t.each
t.each({ "Ann", "Bob" }, "says hello to %s", function(name)
  local who = t.user { first_name = name }
  who:send("/start")
  who:expect("Hello, " .. name)
end)
-- t.before
local eve
t.before(function() eve = t.user { first_name = "Eve" } end)
t.case("knows Eve", function()
  eve:send("/start")
  eve:expect("Hello, Eve")
end)
-- t.after
t.after(function() assert(not t.log():find("secret")) end)
-- t.use
t.use { copy = true, config = { HANDLER_TIMEOUT = "2m" } }
-- chat:expect
ann:send("/menu")
ann:expect { text = "What", buttons = { "Tea", "Water" } }
ann:click("Tea")
ann:expect { text = "A cup of tea", edited = true }
-- chat:expect_nothing
ann:send("/wait")
ann:expect_nothing("29s")
-- chat:messages
ann:send("/start")
ann:expect("Hello")
assert(#ann:messages() == 2)
-- t.user
local carl = t.user { first_name = "Carl", language_code = "de" }
carl:send("/start")
carl:expect("Hello, Carl")
-- t.group
local club = t.group { title = "Club", members = { ann }, admins = { bob } }
ann:send("/start", club)
club:expect("Hello, Ann")
-- user:send
ann:send { document = { name = "a.csv", text = "1,2" }, caption = "mine" }
ann:expect { document = "a.csv" }
-- user:reply
ann:send("/start")
ann:reply(ann:expect("Hello"), "Hello yourself")
ann:expect("An answer to: Hello, Ann")
-- user:forward
local message = bob:send("/start")
ann:forward(message, team)
team:expect("Hello, Ann")
-- user:click
ann:send("/menu")
ann:click("Water")
ann:expect { text = "A cup of water", edited = true }
-- user:join
local club = t.group { title = "Club", members = { ann } }
bob:join(club, ann)
club:expect("Welcome, Bob")
-- user:vote
ann:send("/ask")
ann:vote(ann:expect { poll = "Which?" }, "B")
ann:expect("Your vote: 2")
-- user:pay
ann:send("/buy")
assert(ann:pay(ann:expect { invoice = "Tea" }))
ann:expect("Thanks for 5")
-- user:block
ann:block()
t.advance("1h")
ann:block(false)
-- user:init_data
local answer = t.request { path = "/x/me", body = ann:init_data() }
assert(answer.body == "Ann")
-- t.update
t.update { message_reaction = { chat = { id = ann.id, type = "private" },
  user = { id = ann.id, is_bot = false, first_name = "Ann" }, message_id = 1,
  date = t.now(), old_reaction = {},
  new_reaction = { { type = "emoji", emoji = "👍" } } } }
ann:expect("You like it")
-- t.fault
t.fault { method = "sendMessage", mode = "429", retry_after = 5 }
ann:send("/start")
ann:expect("Hello")
-- t.limits
t.limits { per_chat = 0, per_group_minute = 1 }
ann:send("/start", team)
ann:send("/start", team)
team:expect("Hello")
team:expect("Hello", { within = "2m" })
-- t.kick
t.kick(team)
team:expect_nothing()
-- t.migrate
local super = t.migrate(t.group { members = { ann }, type = "group" })
ann:send("/start", super)
super:expect("Hello")
-- t.file
ann:send { document = { name = "a.csv", text = "1,2" } }
assert(t.file(ann:expect { document = true }) == "1,2")
-- t.calls
ann:send("/start")
ann:expect("Hello")
assert(t.calls("sendMessage")[1].params.text == "Hello, Ann")
-- t.expect_call
ann:send("/menu")
ann:click("Tea")
t.expect_call("answerCallbackQuery", { text = "Coming" })
-- t.http
t.http("GET https://weather.example/today", { json = { sky = "blue" } })
ann:send("/weather")
ann:expect("The sky is blue")
-- t.http_calls
t.http("https://weather.example/*", { status = 503 })
ann:send("/weather")
ann:expect("Nobody knows")
assert(t.http_calls()[1].path == "/today")
-- t.errors
ann:send("/boom")
t.await(function() return #t.errors() == 1 end)
assert(t.errors()[1].message:find("no tea"))
-- t.await
ann:send("/menu")
local call = t.await(function() return t.calls("sendMessage")[1] end)
assert(call.status == 200)
-- t.log
ann:send("/boom")
t.await(function() return t.log():find("no tea", 1, true) end)
-- t.api
local status, answer = t.api("GET", "/api/errors")
assert(status == 200 and #answer.errors == 0)
-- t.request
local answer = t.request { path = "/x/health" }
assert(answer.status == 200 and answer.body == "fine")
-- t.now
local began = t.now()
ann:send("/wait")
ann:expect("Waited")
assert(t.now() - began >= 30)
-- t.advance
ann:send("/order")
ann:expect("How many?")
t.advance("10m")
ann:expect("The order is given up")
-- t.at
t.at("2026-02-01 09:30")
ann:send("/date")
ann:expect("2026-02-01")
-- t.start
t.stop()
ann:send("/start")
t.start()
ann:expect("Hello")
-- t.stop
t.stop()
ann:send("/start")
ann:expect_nothing("1h")
-- t.kill
ann:send("/wait")
t.advance("10s")
t.kill()
t.start()
ann:expect("Waited", { within = "2m" })
-- t.crash
ann:send("/order")
ann:expect("How many?")
t.crash()
ann:expect("The order is given up", { within = "11m" })
-- t.restart
ann:send("/order")
ann:expect("How many?")
t.restart()
ann:send("/cancel")
ann:expect("The order is given up")
-- t.write
t.write("greeting.lua", 'return "Good day, "')
t.reload()
ann:send("/start")
ann:expect("Good day, Ann")
-- t.reload
t.reload()
ann:send("/start")
ann:expect("Hello")
-- user:send_album
ann:send_album { { photo = true, caption = "two" }, { photo = true } }
ann:expect("An album of 2")
-- user:inline
local results = ann:inline("tea")
assert(results[1].title == "Green tea")
-- user:edit
local message = ann:send("/start")
ann:edit(message, "/START")
-- user:react
ann:send("/start")
ann:react(ann:expect("Hello"), "👍")
ann:expect("You like it")
-- user:leave
bob:leave(team)
team:expect("Bye, Bob")
-- user:ask_to_join
local club = t.group { title = "Club", members = { bob } }
ann:ask_to_join(club)
club:expect("Welcome, Ann")
-- user:choose
local results = ann:inline("tea")
ann:choose(results[1], "tea")
ann:expect("You chose 1")
-- t.topic
local green = t.topic(team, "Green tea")
ann:send("/start", green)
green:expect("Hello, Ann")
-- t.rights
t.rights(team, { can_send_messages = false })
ann:send("/start", team)
team:expect_nothing()
