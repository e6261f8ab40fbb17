--- The bot of the world's own specs: a command for everything that they try.
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"

local visits = 0 -- lost with the process, and with a reload

local function again(ctx)
  return ctx.update.redelivered and " again" or ""
end

bot.use(function(_, next)
  visits = visits + 1
  next()
end)

bot.command("sleep", function(ctx)
  task.sleep(ctx.args[1])
  ctx:reply("slept " .. ctx.args[1] .. again(ctx))
end)

-- Says something before and after a wait.
bot.command("two", function(ctx)
  ctx:reply("first" .. again(ctx))
  task.sleep("30s")
  ctx:reply("second" .. again(ctx))
end)

bot.command("echo", function(ctx)
  ctx:reply(table.concat(ctx.args, " ") .. again(ctx))
end)

bot.command("visits", function(ctx) ctx:reply("visits: " .. visits) end)

bot.command("boom", function(ctx) return ctx.nothing.here end)

bot.command("loop", function() while true do visits = visits + 0 end end)

bot.command("bomb", function()
  local all = {}
  while true do all[#all + 1] = ("x"):rep(100000) .. #all end
end)

bot.command("try", function(ctx)
  local began = os.time()
  local ok, err = pcall(api.sendMessage,
    { chat_id = tonumber(ctx.args[1]), text = "tried" })
  ctx:reply(("%s after %d s"):format(ok and "sent" or err.kind .. " "
    .. tostring(err.code), os.time() - began))
end)

bot.command("menu", function(ctx)
  ctx:reply("What will it be?", { reply_markup = { inline_keyboard = {
    { { text = "Tea", callback_data = "drink:tea" },
      { text = "Water", callback_data = "drink:water" } },
    { { text = "Nothing", callback_data = "nothing" } } } } })
end)

bot.callback("^drink:(%a+)$", function(ctx, what)
  ctx:edit("A cup of " .. what)
  ctx:answer_callback("Coming", { show_alert = what == "tea" })
end)

bot.callback("^nothing$", function(ctx)
  task.sleep("20s")
  ctx.api.deleteMessage { chat_id = ctx.chat.id,
    message_id = ctx.message.message_id }
end)

bot.command("typing", function(ctx)
  ctx.api.sendChatAction { chat_id = ctx.chat.id, action = "typing" }
  task.sleep("2s")
  ctx:reply("typed")
end)

bot.command("note", function(ctx)
  fs.write("note.txt", table.concat(ctx.args, " "))
  ctx:reply("noted")
end)

bot.command("read", function(ctx) ctx:reply(fs.read("note.txt")) end)

bot.command("children", function(ctx)
  local texts = task.all {
    function() task.sleep("2s") return "slow" end,
    function() task.sleep("1s") return "quick" end,
  }
  ctx:reply(table.concat(texts, " "))
end)

bot.command("open", function(ctx) ctx:reply("opened") end, { order = "none" })

bot.on("my_chat_member", function(ctx)
  if ctx.event.new_chat_member.status == "member" then
    ctx.api.sendMessage { chat_id = ctx.chat.id, text = "welcome back" }
  end
end)

bot.on("message:photo", function(ctx) ctx:reply("a photo") end)

bot.on("message:text", function(ctx)
  local quoted = ctx.message.reply_to_message
  if quoted then ctx:reply("about: " .. quoted.text) end
end)
