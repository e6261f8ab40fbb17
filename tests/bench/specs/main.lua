local bot = require "moonlet.bot"

bot.command("start", function(ctx) ctx:reply("Hi, " .. ctx.from.first_name) end)
