-- Sends or fetches one file, as each message says.
local api = require "moonlet.api"
local bot = require "moonlet.bot"

bot.on("message:text", function(ctx)
  if ctx.message.text == "upload" then
    api.sendDocument({ chat_id = ctx.chat.id, document = { path = "big.bin" } },
      { action = false })
  else
    ctx:download("F", { name = "fetched.bin" })
  end
end)
