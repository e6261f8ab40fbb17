-- The bot of the tests in a browser.
local bot = require "moonlet.bot"

bot.command("start", function(ctx)
  ctx:reply("Hello, " .. ctx.from.first_name, { reply_markup = {
    inline_keyboard = { {
      { text = "Order", callback_data = "order" },
      { text = "Rules", callback_data = "rules" },
    } },
  } })
end, { description = "Begin" })

bot.callback("^order$", function(ctx) ctx:answer_callback("Ordered") end)
bot.callback("^rules$", function(ctx)
  ctx:answer_callback("Be kind", { show_alert = true })
end)

bot.hears("^keyboard$", function(ctx)
  ctx:reply("Pick one", { reply_markup = {
    keyboard = { { { text = "Tea" }, { text = "Coffee" } } },
  } })
end)

bot.hears("^change$", function(ctx)
  local kept = ctx:reply("First words")
  local gone = ctx:reply("Short life")
  local chat = ctx.chat.id
  ctx.api.editMessageText{ chat_id = chat, message_id = kept.message_id,
    text = "Second words" }
  ctx.api.deleteMessage{ chat_id = chat, message_id = gone.message_id }
end)

bot.hears("^think$", function(ctx)
  ctx.api.sendChatAction{ chat_id = ctx.chat.id, action = "typing" }
end)

bot.hears("^fail$", function(ctx)
  local user = ctx.message.no_such_field
  ctx:reply(user.name) -- fails
end)

bot.hears("^bold$", function(ctx)
  ctx:reply("a <b>&</b> b", { entities = {
    { type = "bold", offset = 2, length = 3 } } })
end)

bot.on("message:document", function(ctx)
  ctx.api.sendDocument{ chat_id = ctx.chat.id,
    document = ctx.message.document.file_id, caption = "back" }
end)

bot.on("poll", function() end)

bot.hears(".+", function(ctx) ctx:reply("You said: " .. ctx.message.text) end)
