-- Sends back whatever it gets, texts with their formatting.
local bot = require "moonlet.bot"
local format = require "moonlet.format"

bot.command("start", function(ctx)
  ctx:reply("Hello, " .. ctx.from.first_name .. ". Send me anything.")
end, { description = "Begin" })

bot.on("message:text", function(ctx)
  ctx:reply(format.message(ctx.message), { quote = true })
end)

bot.on("edited_message:text", function(ctx)
  ctx:reply("You changed it to: " .. ctx.text, { quote = true })
end)

bot.on({ ":file", "message:location", "message:contact" }, function(ctx)
  ctx:copy(ctx.chat.id)
end)
