-- A link of one's own; handlers/start.lua meets those who follow it.
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local link = require "moonlet.link"
local commands = require "commands"

bot.command("invite", function(ctx)
  local url = link.start("ref_" .. ctx.from.id)
  ctx:reply(ctx:t("invite.text", { link = url }), {
    link_preview_options = { is_disabled = true },
    reply_markup = keyboard.inline():copy_text(ctx:t("invite.copy"), url) })
end, commands.described("invite"))
