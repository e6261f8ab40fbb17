local bot = require "moonlet.bot"
local commands = require "commands"

local function help(ctx)
  ctx:reply(ctx:t_html("help", { commands = commands.list(ctx) }))
end

bot.command("help", help, commands.described("help"))
bot.callback("^help$", help)
