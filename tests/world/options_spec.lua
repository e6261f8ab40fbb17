-- The options of an API call, given to the methods of a context.
local t = require "moonlet.test"

t.use { main = [[
local bot = require "moonlet.bot"
local stars = require "moonlet.stars"

local skip = { on_unknown = "skip" }
local calls = {
  reply = function(ctx) return ctx:reply("said", skip) end,
  upload = function(ctx)
    return ctx:upload_document("a.txt", { data = "a" }, skip)
  end,
  forward = function(ctx) return ctx:forward(ctx.chat.id, skip) end,
  copy = function(ctx) return ctx:copy(ctx.chat.id, skip) end,
  stars = function(ctx)
    return stars.send(ctx.chat.id, { title = "Tea", description = "A cup",
      payload = "tea", amount = 1, on_unknown = "skip" })
  end,
}
bot.command("skip", function(ctx)
  local ok, err = calls[ctx.args[1] ](ctx)
  ctx:reply(tostring(ok) .. " " .. tostring(err and err.kind))
end)

local short = { timeout = "2s" }
local slow = {
  reply = function(ctx) ctx:reply("said", short) end,
  edit = function(ctx)
    ctx:edit("said", { message = ctx.message, timeout = "2s" })
  end,
  delete = function(ctx) ctx:delete(short) end,
  react = function(ctx) ctx:react("👍", short) end,
  action = function(ctx) ctx:action("typing", short) end,
}
bot.command("slow", function(ctx)
  local _, err = pcall(slow[ctx.args[1] ], ctx)
  ctx:reply(err.kind)
end)
bot.callback("^slow$", function(ctx)
  local _, err = pcall(ctx.answer_callback, ctx, "said", short)
  ctx:reply(err.kind)
end)
bot.command("button", function(ctx)
  ctx:reply("Press", { reply_markup = { inline_keyboard = {
    { { text = "Slow", callback_data = "slow" } } } } })
end)

bot.command("newer", function(ctx)
  ctx:reply("new", { sparkle = true, unchecked = true })
end)
bot.command("wrong", function(ctx)
  local _, err = pcall(ctx.reply, ctx, "x", 7)
  ctx:reply(err.kind .. " " .. err.message)
end)
]] }

t.each({
  { name = "reply", method = "sendMessage" },
  { name = "upload", method = "sendDocument" },
  { name = "forward", method = "forwardMessage" },
  { name = "copy", method = "copyMessage" },
  { name = "stars", method = "sendInvoice" },
}, "what became of a call is no error if it says so: %s", function(row)
  local ann = t.user { first_name = "Ann" }
  t.fault { method = row.method, mode = "cut_after" }
  ann:send("/skip " .. row.name)
  ann:expect("false unknown")
end)

t.each({
  { name = "reply", method = "sendMessage" },
  { name = "edit", method = "editMessageText" },
  { name = "delete", method = "deleteMessage" },
  { name = "react", method = "setMessageReaction" },
  { name = "action", method = "sendChatAction" },
}, "a call takes a time of its own: %s", function(row)
  local ann = t.user { first_name = "Ann" }
  t.fault { method = row.method, mode = "slow", seconds = 20 }
  ann:send("/slow " .. row.name)
  ann:expect("timeout", { within = "5s" })
end)

t.case("the answer to a press takes a time of its own", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/button")
  ann:expect("Press")
  t.fault { method = "answerCallbackQuery", mode = "slow", seconds = 20 }
  ann:click("Slow")
  ann:expect("timeout", { within = "5s" })
end)

t.case("a parameter of a newer Bot API passes", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/newer")
  ann:expect("new")
  assert(t.calls("sendMessage")[1].params.sparkle == true)
end)

t.case("options that are no table are misuse", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/wrong")
  ann:expect("misuse ctx:reply: the options must be a table, got number")
end)
