-- What nothing else wanted. In a group people talk to each other.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local filter = require "moonlet.filter"
local preferences = require "preferences"

bot.on("message", function(ctx)
  local text = ctx.text or ""
  if text:find("^/") then
    local name = text:match("^%S+"):sub(1, 40)
    return ctx:reply(ctx:t("unknown.command", { name = name }))
  end
  if preferences.of(ctx).plain then return ctx:reply(ctx:t("unknown.plain")) end
  ctx:reply(ctx:t("unknown.text"), { reply_markup = keyboard.inline()
    :text(ctx:t("start.add"), "add:begin"):text(ctx:t("start.help"), "help") })
end, { allow = filter.chat_type("private") })
