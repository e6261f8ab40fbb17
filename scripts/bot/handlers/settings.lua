-- A menu in one message: a press changes a value and draws the menu again.
local bot = require "moonlet.bot"
local i18n = require "moonlet.i18n"
local keyboard = require "moonlet.keyboard"
local commands = require "commands"
local preferences = require "preferences"

local switches = { "preview", "plain" }

local function menu(ctx)
  local mine = preferences.of(ctx)
  local keys = keyboard.inline()
  for _, name in ipairs(switches) do
    local mark = mine[name] and "☑ " or "☐ "
    keys:text(mark .. ctx:t("settings." .. name), "settings:" .. name):row()
  end
  keys:text(ctx:t("settings.language"), "language")
  local own = i18n.t(i18n.language(ctx), "language.name")
  return ctx:t_html("settings.title", { language = own }),
    { reply_markup = keys }
end

bot.command("settings", function(ctx) ctx:reply(menu(ctx)) end,
  commands.described("settings"))

bot.callback("^settings$", function(ctx) ctx:edit(menu(ctx)) end)

bot.callback("^settings:(%l+)$", function(ctx, name)
  local mine = preferences.of(ctx)
  mine[name] = not mine[name] or nil
  ctx:edit(menu(ctx))
  ctx:answer_callback(ctx:t(mine[name] and "settings.on" or "settings.off"))
end)
