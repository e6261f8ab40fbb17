local t = require "moonlet.test"

local ann, bob, cid, team
t.before(function()
  ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  cid = t.user { first_name = "Cid" }
  team = t.group { title = "Team", members = { bob }, admins = { ann } }
end)

t.case("greets, and deletes links of a person's first day", function()
  cid:join(team, bob)
  team:expect("Welcome, Cid.")
  cid:send("buy at https://spam.example", team)
  t.expect_call("deleteMessage")
  bob:send("https://lua.org is fine", team)
  team:expect_nothing()
  t.crash()
  t.advance("23h")
  cid:send("https://spam.example again", team)
  t.expect_call("deleteMessage")
  t.advance("1h")
  cid:send("https://lua.org indeed", team)
  team:expect_nothing()
  assert(#t.calls("deleteMessage") == 2)
end)

t.case("three warnings mute for a day, over a death too", function()
  local rude = bob:send("grr", team)
  ann:reply(rude, "/warn")
  team:expect("Bob, this is warning 1 of 3.")
  t.crash()
  ann:reply(rude, "/warn")
  team:expect("warning 2 of 3")
  ann:reply(rude, "/warn")
  t.expect_call("restrictChatMember", { user_id = bob.id })
  team:expect("Bob is muted")
end)

t.case("mutes for as long as an admin says", function()
  local rude = bob:send("grr", team)
  ann:reply(rude, "/mute 30m")
  local call = t.expect_call("restrictChatMember")
  assert(math.abs(call.params.until_date - t.now() - 1800) < 60)
  ann:reply(rude, "/mute forever")
  team:expect("Say how long")
  ann:send("/mute", team)
  team:expect("Answer to a message")
end)

t.case("only admins may, and only if the bot may", function()
  local said = ann:send("hello", team)
  bob:reply(said, "/mute")
  team:expect("That is for admins.")
  ann:reply(said, "/mute")
  team:expect("That failed: Bad Request")
end)

t.case("who floods is muted", function()
  for i = 1, 10 do bob:send("spam " .. i, team) end
  t.expect_call("restrictChatMember", { user_id = bob.id })
  team:expect("Bob is muted")
  team:expect_nothing()
end)

t.case("says in private what it is for", function()
  bob:send("/start")
  bob:expect("Make me admin")
end)
