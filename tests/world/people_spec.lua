-- What people do besides writing: they join, vote, pay and have rights.
local t = require "moonlet.test"

t.use { main = [[
local bot = require "moonlet.bot"
local stars = require "moonlet.stars"
bot.on("message:new_chat_members", function(ctx)
  local new = ctx.message.new_chat_members[1]
  ctx:reply(new.first_name .. " came with " .. ctx.from.first_name)
end)
bot.command("rights", function(ctx)
  local member = ctx.api.getChatMember { chat_id = ctx.chat.id,
    user_id = ctx.from.id }
  ctx:reply(member.status .. " " .. tostring(member.can_restrict_members)
    .. " " .. #ctx.api.getChatAdministrators { chat_id = ctx.chat.id })
end)
bot.command("ask", function(ctx)
  ctx.api.sendPoll { chat_id = ctx.chat.id, question = "Which?",
    options = { { text = "A" }, { text = "B" } },
    is_anonymous = ctx.args[1] == "anonymous",
    allows_multiple_answers = true }
end)
bot.on("poll_answer", function(ctx)
  local vote = ctx.event
  ctx.api.sendMessage { chat_id = ctx.from.id,
    text = ctx.from.first_name .. " " .. table.concat(vote.option_ids, "+") }
end)
bot.command("sell", function(ctx)
  stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
    payload = ctx.args[1], amount = 5 })
end)
bot.on("pre_checkout_query", function(ctx)
  local there = ctx.event.invoice_payload == "tea"
  ctx:answer_pre_checkout(there, not there and "Sold out" or nil)
end)
bot.on("message:successful_payment", function(ctx)
  local payment = ctx.message.successful_payment
  ctx:reply(payment.invoice_payload .. " for " .. payment.total_amount)
end)
bot.album(function(ctx)
  local names = {}
  for i, message in ipairs(ctx.album) do
    names[i] = message.document.file_name .. "="
      .. require "moonlet.fs".read(ctx:download(message).path)
  end
  ctx:reply("album " .. table.concat(names, " "))
end)
bot.inline_query("^n(%d)$", function(ctx, n)
  ctx:answer_inline({ { type = "article", id = n, title = ctx.from.first_name,
    input_message_content = { message_text = n } } }, { next_offset = "9" })
end)
bot.hears("^where$", function(ctx)
  ctx:reply("topic " .. tostring(ctx.message.message_thread_id))
end)
bot.command("out", function(ctx)
  ctx.api.banChatMember { chat_id = ctx.chat.id, user_id = ctx.from.id }
  ctx:reply("out")
  ctx.api.unbanChatMember { chat_id = ctx.chat.id, user_id = ctx.from.id }
end)
bot.command("say", function(ctx) ctx:reply("<" .. ctx.rest .. ">") end)
bot.command("later", function(ctx)
  local sent = ctx:reply("0 %")
  ctx:edit("100 %", { message = sent })
end)
bot.command("edit", function(ctx)
  if ctx.args[1] then ctx:edit("x", { message = 7 }) end
  ctx:edit("x")
end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. ": " .. err.message) end)
]] }

local ann, bob
t.before(function()
  ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
end)

t.case("a person joins, alone or brought in", function()
  local cid = t.user { first_name = "Cid" }
  local team = t.group { title = "Team", members = { ann } }
  assert(bob:join(team).new_chat_members[1].id == bob.id)
  team:expect("Bob came with Bob")
  cid:join(team, ann)
  team:expect("Cid came with Ann")
  local ok, why = pcall(bob.join, bob, team)
  assert(not ok and tostring(why):find("is in chat", 1, true))
end)

t.case("admins of a group have all rights", function()
  local team = t.group { title = "Team", members = { bob }, admins = { ann } }
  ann:send("/rights", team)
  team:expect("administrator true 1")
  bob:send("/rights", team)
  team:expect("member nil 1")
end)

t.case("votes reach the bot", function()
  ann:send("/ask")
  local poll = ann:expect { poll = "Which?" }
  ann:vote(poll, "B")
  ann:expect("Ann 1")
  assert(not pcall(bob.expect, bob, { poll = "Who?" }))
  bob:vote(poll, "A", "B")
  bob:expect("Bob 0+1")
  bob:vote(poll)
  bob:expect { pattern = "^Bob$" }
  local ok, why = pcall(ann.vote, ann, poll, "C")
  assert(not ok and tostring(why):find('no option "C"', 1, true))
end)

t.case("nobody hears of anonymous votes", function()
  ann:send("/ask anonymous")
  local poll = ann:expect { poll = true }
  local ok, why = pcall(ann.vote, ann, poll, "A")
  assert(not ok and tostring(why):find("is_anonymous = false", 1, true))
end)

t.case("an invoice is paid, or refused", function()
  ann:send("/sell tea")
  assert(ann:pay(ann:expect { invoice = true }))
  ann:expect("tea for 5")
  ann:send("/sell gold")
  local paid, why = ann:pay(ann:expect { invoice = "Tea" })
  assert(paid == false and why == "Sold out")
  ann:expect_nothing()
end)

t.case("what stands behind a command, as it was written", function()
  ann:send("/say  two  words\nand a line ")
  ann:expect("<two  words\nand a line>")
  ann:send("/say")
  ann:expect("<>")
end)

t.case("a message that was sent is edited", function()
  ann:send("/later")
  ann:expect("0 %")
  ann:expect { edited = "100 %" }
  ann:send("/edit")
  ann:expect("misuse: ctx:edit is for button presses; this is a message: say "
    .. "which message by opts.message")
  ann:send("/edit 7")
  ann:expect("misuse: ctx:edit: opts.message is a Message")
end)

t.case("an album is sent as one, and its files have bytes", function()
  local sent = ann:send_album {
    { document = { name = "a.txt", text = "1" }, caption = "two" },
    { document = { name = "b.txt", text = "2" } } }
  assert(#sent == 2 and sent[1].media_group_id == sent[2].media_group_id)
  assert(sent[1].caption == "two")
  ann:expect("album a.txt=1 b.txt=2")
  ann:send_album { { document = { name = "c.txt", text = "3" } } }
  ann:expect("album c.txt=3")
  local ok, why = pcall(ann.send_album, ann, { photo = true })
  assert(not ok and tostring(why):find("takes a list of tables", 1, true))
end)

t.case("a message is sent into a topic", function()
  local team = t.group { title = "Team", members = { ann } }
  local sent = ann:send("where", { chat = team, message_thread_id = 7 })
  assert(sent.message_thread_id == 7 and sent.is_topic_message)
  team:expect("topic 7")
  ann:send("where", team)
  team:expect("topic nil")
end)

t.case("an inline query returns what the bot answers", function()
  for n = 1, 2 do
    local results, offset = ann:inline("n" .. n)
    assert(#results == 1 and results[1].title == "Ann" and offset == "9")
    assert(results[1].input_message_content.message_text == tostring(n))
  end
end)

t.case("calls are expected since somebody did something", function()
  local team = t.group { title = "Team", members = { ann } }
  for _ = 1, 2 do
    ann:send("/out", team)
    team:expect("out")
    t.expect_call("banChatMember", { user_id = ann.id }) -- before the text
    t.expect_call("unbanChatMember")
    local ok = pcall(t.expect_call, "banChatMember", nil, "5s") -- once only
    assert(not ok)
    ann:join(team)
    team:expect("Ann came with Ann")
    ok = pcall(t.expect_call, "banChatMember", nil, "5s") -- is past
    assert(not ok)
  end
end)

t.case("who is an admin of the chat", { main = [[
local bot = require "moonlet.bot"
bot.command("am", function(ctx)
  local answered = ctx.message.reply_to_message
  local ok, result = pcall(ctx.is_chat_admin, ctx, ctx.args[1],
    answered and answered.from)
  ctx:reply(ok and tostring(result) or result.kind .. " " .. result.message)
end)
bot.callback("^am$", function(ctx)
  ctx:reply("pressed by an admin: " .. tostring(ctx:is_chat_admin()))
end)
bot.command("button", function(ctx)
  ctx:reply("Well?", { reply_markup = { inline_keyboard = { {
    { text = "Am I?", callback_data = "am" } } } } })
end)
bot.inline_query("", function(ctx)
  local ok, err = pcall(ctx.is_chat_admin, ctx)
  ctx:answer_inline({}, { button = { start_parameter = "x",
    text = ok and "no" or err.message } })
end)
]] }, function()
  local team = t.group { title = "Team", admins = { ann }, members = { bob } }
  local first = ann:send("/am", team)
  team:expect("true")
  ann:send("/am can_restrict_members", team)
  team:expect("true")
  ann:send("/am can_fly", team)
  team:expect("false")
  ann:send("/am fly", team)
  team:expect('misuse ctx:is_chat_admin takes a right such as '
    .. '"can_delete_messages", got fly')
  bob:send("/am", team)
  team:expect("false")
  bob:reply(first, "/am")
  team:expect("true")
  ann:send("/am", { chat = team, anonymous = true })
  team:expect("true")
  t.update { message = { message_id = 900, date = 1, text = "/am",
    chat = { id = team.id, type = "supergroup", title = "Team" },
    from = { id = 136817688, is_bot = true, first_name = "Channel" },
    sender_chat = { id = -100999, type = "channel", title = "News" },
    entities = { { type = "bot_command", offset = 0, length = 3 } } } }
  team:expect("false")
  ann:send("/button", team)
  bob:click("Am I?", team)
  team:expect("pressed by an admin: false")
  ann:click("Am I?", team)
  team:expect("pressed by an admin: true")
  bob:send("/am")
  bob:expect("true")
  local _, _, params = bob:inline("x")
  assert(params.button.text == "ctx:is_chat_admin: a inline_query update is of "
    .. "no person in a chat", params.button.text)
end)
