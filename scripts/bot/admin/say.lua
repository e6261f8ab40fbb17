-- /say CHAT TEXT: the bot says it there; without a chat here.
local bot = require "moonlet.bot"
local api = require "moonlet.api"

bot.admin("say", function(ctx)
  local words = ctx.rest
  if words == "" then return ctx:reply(ctx:t("admin.say_what")) end
  local chat, rest = words:match("^(%-?%d+)%s+(.+)$")
  local ok, err = pcall(api.sendMessage, {
    chat_id = math.tointeger(chat) or ctx.chat.id, text = rest or words })
  if not ok then
    return ctx:reply(ctx:t("admin.refused", { why = err.message }))
  end
  if chat then ctx:reply(ctx:t("admin.said")) end
end, { description = "Say something as the bot" })
