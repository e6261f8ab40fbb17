-- What people do besides writing: they edit, react, come and go, open topics,
-- choose results, pay links; and how a spec sees what the bot makes of it.
local t = require "moonlet.test"

t.use { main = [[
local bot = require "moonlet.bot"
local api = require "moonlet.api"
local inline = require "moonlet.inline"
local keyboard = require "moonlet.keyboard"
local stars = require "moonlet.stars"

bot.on({ "edited_message:text", "edited_message:caption" }, function(ctx)
  local m = ctx.event
  ctx:reply(("edited %d: %s"):format(m.message_id, ctx.text))
end)
bot.on("message_reaction", function(ctx)
  local function shown(list) return list[1] and list[1].emoji or "none" end
  ctx:reply(("%s: %s to %s"):format(ctx.from.first_name,
    shown(ctx.event.old_reaction), shown(ctx.event.new_reaction)))
end)
bot.on("chat_member", function(ctx)
  local old, new = ctx.event.old_chat_member, ctx.event.new_chat_member
  api.sendMessage{ chat_id = ctx.from.id, text = ("%s: %s to %s"):format(
    new.user.first_name, old.status, new.status) }
end)
bot.on("message:new_chat_members", function(ctx)
  ctx:reply("welcome " .. ctx.message.new_chat_members[1].first_name)
end)
bot.on("message:left_chat_member", function(ctx)
  ctx:reply("bye " .. ctx.message.left_chat_member.first_name)
end)
bot.on("chat_join_request", function(ctx)
  local r = ctx.event
  local who = { chat_id = r.chat.id, user_id = r.from.id }
  api.sendMessage{ chat_id = r.user_chat_id, text = "looking at "
    .. (r.invite_link and r.invite_link.invite_link or "you") }
  if r.from.first_name == "Ann" then
    api.approveChatJoinRequest(who)
  else
    api.declineChatJoinRequest(who)
  end
  local ok, err = pcall(api.approveChatJoinRequest, who)
  api.sendMessage{ chat_id = r.user_chat_id, text = ok and "twice"
    or err.message }
end)
bot.on("message:forum_topic_created", function(ctx)
  ctx:reply("a topic: " .. ctx.message.forum_topic_created.name)
end)
bot.command("who", function(ctx)
  ctx:reply(("%s, %s, forum: %s"):format(ctx.from.first_name,
    ctx.message.sender_chat and ctx.message.sender_chat.title or "nobody",
    ctx.chat.is_forum), { quote = true,
    reply_markup = keyboard.inline():text("Press", "press") })
end)
bot.callback("^press$", function(ctx)
  if ctx.callback_query.inline_message_id then
    return ctx:edit("pressed inline",
      { reply_markup = keyboard.inline():text("Again", "press") })
  end
  ctx:edit("pressed")
end)
bot.command("like", function(ctx) ctx:react("👍") end)
bot.on("my_chat_member", function(ctx)
  local me = ctx.event.new_chat_member
  ctx:reply(me.status .. " " .. tostring(me.can_delete_messages))
end)
bot.inline_query("", function(ctx, _)
  ctx:answer_inline({ inline.article{ id = "7", title = "Tea", text = "Tea",
    reply_markup = keyboard.inline():text("Press", "press") },
    inline.article{ id = 8, title = "Milk", text = "Milk" } },
    { button = { text = "Help", start_parameter = "help" } })
end)
bot.on("chosen_inline_result", function(ctx)
  api.sendMessage{ chat_id = ctx.from.id, text = ("chosen %s %s %s"):format(
    ctx.event.result_id, ctx.event.query, ctx.event.inline_message_id ~= nil) }
end)
bot.command("sell", function(ctx)
  ctx:reply("Buy: " .. stars.link{ title = "Club", description = "Tea",
    payload = "club", amount = 50, subscription_period = 2592000 })
end)
bot.on("pre_checkout_query", function(ctx)
  ctx:answer_pre_checkout(ctx.from.first_name == "Ann", "Not you")
end)
bot.on("message:successful_payment", function(ctx)
  local p = ctx.message.successful_payment
  ctx:reply(("%d for %s, %s"):format(p.total_amount, p.invoice_payload,
    p.subscription_expiration_date - math.floor(os.time())))
end)
]] }

local function equal(have, want)
  assert(have == want, ("%s, not %s"):format(tostring(have), tostring(want)))
end

local function refuses(words, fn, ...)
  local ok, report = pcall(fn, ...)
  assert(not ok and tostring(report):find(words, 1, true), tostring(report))
end

local ann, bob, team
t.before(function()
  ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  team = t.group { title = "Team", members = { bob }, admins = { ann } }
end)

t.case("edits", function()
  local message = ann:send("one")
  ann:edit(message, "two")
  ann:expect(("edited %d: two"):format(message.message_id))
  equal(ann:messages()[1].text, "two")
  local photo = bob:send({ photo = true, caption = "me" }, team)
  bob:edit(photo, { caption = "#tag" })
  team:expect("#tag")
  equal(team:messages()[1].caption_entities[1].type, "hashtag")
  refuses("another one has written it", ann.edit, ann, photo, { caption = "x" })
  refuses("caption: is required", bob.edit, bob, photo, "text")
end)

t.case("reactions of people", function()
  local message = bob:send("/like", team)
  ann:react(message, "🔥")
  team:expect("Ann: none to 🔥")
  bob:react(message, "👎")
  team:expect("Bob: none to 👎")
  ann:react(message)
  team:expect("Ann: 🔥 to none")
  refuses("has no message 99", ann.react, ann, { message_id = 99,
    chat = { id = team.id } }, "👍")
end)

t.case("a reaction of the bot", function()
  local message = bob:send("/like", team)
  equal(team:expect({ reaction = "👍" }).message_id, message.message_id)
  bob:send("/like", team)
  team:expect { reaction = true }
  refuses("nothing within 10 s fits: reaction", team.expect, team,
    { reaction = true }, { within = "10s" })
end)

t.case("coming and going", function()
  local carl = t.user { first_name = "Carl" }
  carl:join(team)
  carl:expect("Carl: left to member")
  team:expect("welcome Carl")
  carl:leave(team)
  carl:expect("Carl: member to left")
  team:expect("bye Carl")
  refuses("is not in chat", carl.leave, carl, team)
  refuses("is no member of chat", carl.send, carl, "hi", team)
end)

t.case("asking to be let in", function()
  local club = t.group { title = "Club", members = { bob } }
  local eve = t.user { first_name = "Eve", started = false }
  ann:ask_to_join(club, "https://t.me/+abc")
  ann:expect("looking at https://t.me/+abc")
  club:expect("welcome Ann")
  ann:expect("USER_ALREADY_PARTICIPANT")
  t.expect_call("sendMessage", { chat_id = ann.id,
    text = "Ann: left to member" })
  ann:send("/who", club)
  club:expect("Ann")
  eve:ask_to_join(club)
  eve:expect("looking at you")
  eve:expect("HIDE_REQUESTER_MISSING")
  refuses("is no member of chat", eve.send, eve, "hi", club)
end)

t.case("topics are chats of their own", function()
  local green = t.topic(team, "Green", ann)
  local black = t.topic(team, "Black")
  green:expect("a topic: Green")
  ann:send("/who", green)
  bob:send("/who", black)
  bob:send("/who", team)
  black:expect("a topic: Black")
  local message = black:expect { text = "Bob, nobody, forum: true",
    message_thread_id = black.message_thread_id }
  equal(message.message_thread_id, black.message_thread_id)
  green:expect("Ann, nobody")
  green:expect_nothing()
  bob:click("Press", black)
  black:expect { edited = "pressed" }
  green:expect_nothing("1s")
  team:expect { text = "a topic: Green" }
end)

t.case("topics of a private chat", function()
  local tea = t.topic(ann, "Tea")
  ann:send("/who", tea)
  tea:expect("Ann")
end)

t.case("an answer that quotes", function()
  local first = ann:send("/who", team)
  local second = bob:send("/who", team)
  team:expect { reply_to = second, text = "Bob" }
  refuses("nothing within", team.expect, team, { reply_to = first },
    { within = "5s" })
end)

t.case("an admin who does not show who it is", function()
  ann:send("/who", { chat = team, anonymous = true })
  team:expect("Group, Team")
  equal(#t.calls("sendMessage"), 1)
  refuses("is no admin", bob.send, bob, "/who",
    { chat = team, anonymous = true })
end)

t.case("the bot becomes an admin, and loses a right", function()
  t.rights(team, { administrator = true })
  team:expect("administrator true")
  t.rights(team, { can_delete_messages = false })
  team:expect("administrator false")
  t.rights(team, { administrator = false, can_delete_messages = true })
  team:expect("member nil")
end)

t.case("a result is chosen and its button pressed", function()
  local results, _, params = ann:inline("te")
  equal(params.button.start_parameter, "help")
  t.expect_call("answerInlineQuery", { button = { text = "Help" } })
  local sent = ann:choose(results[1], "te")
  ann:expect("chosen 7 te true")
  bob:click("Press", sent)
  t.expect_call("editMessageText", { text = "pressed inline",
    inline_message_id = sent.inline_message_id })
  refuses("what was sent has: Again", bob.click, bob, "Press", sent)
  bob:click("Again", sent)
  t.expect_call("editMessageText")
  ann:choose(results[2])
  ann:expect("chosen 8  false")
end)

t.case("the link of an invoice is paid", function()
  ann:send("/sell")
  local url = ann:expect("Buy: ").text:match("https://%S+")
  local ok, why = bob:pay(url)
  assert(not ok and why == "Not you")
  assert(ann:pay(url))
  ann:expect("50 for club, 2592000")
  refuses("has not made the link", ann.pay, ann, "https://t.me/$other")
end)

t.case("what nobody can do is named", function()
  refuses('a person has no function "edti"', function() return ann.edti end)
  refuses('a chat has no function "send"', function() return team.send end)
  refuses('t.group has no field "forum"', t.group, { forum = true })
  equal(ann.username, nil)
end)

t.case("a button of a reply keyboard sends its text", { main = [[
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
bot.command("start", function(ctx)
  ctx:reply("Well?", { reply_markup = keyboard.reply():text("Tea")
    :contact("Call me") })
  ctx:reply("Or", { reply_markup = keyboard.inline():text("Milk", "milk") })
end)
bot.hears("^Tea$", function(ctx)
  ctx:reply("A cup", { reply_markup = keyboard.remove() })
end)
bot.callback("^milk$", function(ctx) ctx:edit("Milk it is") end)]] },
  function()
    ann:send("/start")
    ann:click("Tea")
    ann:expect("A cup")
    ann:click("Milk")
    ann:expect { edited = "Milk it is" }
    refuses('Ann cannot press "Tea"', ann.click, ann, "Tea")
  end)

t.case("a report leaves out what a bot asks as it starts", { main = [[
local bot = require "moonlet.bot"
bot.command("start", function(ctx) ctx:reply("Hello") end,
  { description = "Begin" })]] }, function()
  ann:send("/start")
  local _, report = pcall(ann.expect, ann, "Hi", { within = "5s" })
  report = tostring(report)
  assert(report:find("sendMessage 200", 1, true), report)
  assert(not report:find("MyCommands", 1, true), report)
  _, report = pcall(t.expect_call, "setMyCommands", { scope = 7 }, "5s")
  assert(tostring(report):find("setMyCommands 200", 1, true), tostring(report))
end)

t.case("what keys of a reply keyboard and Web Apps send", { main = [[
local bot = require "moonlet.bot"
bot.on("message:users_shared", function(ctx)
  local shared = ctx.message.users_shared
  ctx:reply(("users %d of %d"):format(#shared.users, shared.request_id))
end)
bot.on("message:chat_shared", function(ctx)
  ctx:reply("chat " .. ctx.message.chat_shared.chat_id)
end)
bot.on("message:web_app_data", function(ctx)
  ctx:reply("data " .. ctx.message.web_app_data.data)
end)]] }, function()
  ann:send { users_shared = { request_id = 3,
    users = { { user_id = bob.id } } } }
  ann:expect("users 1 of 3")
  ann:send { chat_shared = { request_id = 4, chat_id = team.id } }
  ann:expect("chat " .. team.id)
  ann:send { web_app_data = { data = "{}", button_text = "Open" } }
  ann:expect("data {}")
end)
