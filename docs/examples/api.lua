-- api.METHOD
local message = api.sendMessage({ chat_id = ctx.chat.id, text = "Tea?" })
api.pinChatMessage({ chat_id = ctx.chat.id, message_id = message.message_id },
  { timeout = "10s" })
