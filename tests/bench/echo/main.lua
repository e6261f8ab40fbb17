-- The bot of the echo bench: one sendMessage an update.
local bot = require "moonlet.bot"

bot.on("message", function(ctx) ctx:reply(ctx.message.text) end)
