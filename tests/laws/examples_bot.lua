--- The bot of the examples of moonlet.test (docs/examples/test.lua).
local bot = require "moonlet.bot"
local http = require "moonlet.http"
local inline = require "moonlet.inline"
local keyboard = require "moonlet.keyboard"
local stars = require "moonlet.stars"
local task = require "moonlet.task"
local webapp = require "moonlet.webapp"

local greeting = require "greeting"

bot.command("start", function(ctx)
  ctx:reply(greeting .. ctx.from.first_name)
end)

bot.command("menu", function(ctx)
  ctx:reply("What will it be?", { reply_markup = keyboard.inline()
    :text("Tea", "drink:tea"):text("Water", "drink:water") })
end)

bot.callback("^drink:(%a+)$", function(ctx, what)
  ctx:edit("A cup of " .. what)
  ctx:answer_callback("Coming")
end)

bot.command("wait", function(ctx)
  task.sleep("30s")
  ctx:reply("Waited")
end)

bot.album(function(ctx) ctx:reply("An album of " .. #ctx.album) end)

bot.inline_query("^tea", function(ctx)
  ctx:answer_inline { inline.article { id = 1, title = "Green tea",
    text = "Green, please" } }
end)

bot.command("boom", function() error("no tea") end)

bot.command("date", function(ctx) ctx:reply(os.date("!%F")) end)

bot.command("weather", function(ctx)
  local answer = http.get("https://weather.example/today")
  ctx:reply(answer.status == 200 and "The sky is " .. answer:json().sky
    or "Nobody knows")
end)

local function given_up(ctx) ctx:reply("The order is given up") end

bot.fsm("order", { initial = "idle", states = {
  idle = { on = { begin = "open", cancel = "idle" } },
  open = { enter = function(ctx) ctx:reply("How many?") end,
    on = { cancel = "given_up" },
    timeout = { after = "10m", to = "given_up" } },
  given_up = { enter = given_up, on = { begin = "open" } },
} })
bot.command("order", function(ctx) ctx:fsm("order"):fire("begin") end)
bot.command("cancel", function(ctx) ctx:fsm("order"):fire("cancel") end)

bot.command("ask", function(ctx)
  ctx.api.sendPoll { chat_id = ctx.chat.id, question = "Which?",
    options = { { text = "A" }, { text = "B" } }, is_anonymous = false }
end)
bot.on("poll_answer", function(ctx)
  ctx.api.sendMessage { chat_id = ctx.from.id,
    text = "Your vote: " .. ctx.event.option_ids[1] + 1 }
end)

bot.command("buy", function(ctx)
  stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
    payload = "tea", amount = 5 })
end)
bot.on("pre_checkout_query", function(ctx) ctx:answer_pre_checkout(true) end)
bot.on("message:successful_payment", function(ctx)
  ctx:reply("Thanks for " .. ctx.message.successful_payment.total_amount)
end)

bot.on("message_reaction", function(ctx)
  ctx.api.sendMessage { chat_id = ctx.chat.id, text = "You like it" }
end)
bot.on("message:new_chat_members", function(ctx)
  ctx:reply("Welcome, " .. ctx.message.new_chat_members[1].first_name)
end)
bot.on("message:left_chat_member", function(ctx)
  ctx:reply("Bye, " .. ctx.message.left_chat_member.first_name)
end)
bot.on("chat_join_request", function(ctx)
  ctx.api.approveChatJoinRequest { chat_id = ctx.chat.id,
    user_id = ctx.from.id }
end)
bot.on("chosen_inline_result", function(ctx)
  ctx.api.sendMessage { chat_id = ctx.from.id,
    text = "You chose " .. ctx.event.result_id }
end)
bot.on("message:document", function(ctx)
  ctx.api.sendDocument { chat_id = ctx.chat.id,
    document = ctx.message.document.file_id }
end)
bot.on("message:reply_to_message", function(ctx)
  ctx:reply("An answer to: " .. ctx.message.reply_to_message.text)
end)

bot.http("GET /health", function() return "fine" end)
bot.http("POST /me", function(request)
  local data = webapp.check(request.body)
  return data and data.user.first_name or { status = 401 }
end)
