-- The choice of a language: those of the folder locales, or the app's own.
local bot = require "moonlet.bot"
local i18n = require "moonlet.i18n"
local keyboard = require "moonlet.keyboard"
local commands = require "commands"
local preferences = require "preferences"

local APP = "app" -- as the person's app has it

local function menu(ctx)
  local chosen = preferences.of(ctx).language or APP
  local keys = keyboard.inline()
  local function add(text, value)
    keys:text((value == chosen and "✓ " or "") .. text, "language:" .. value)
  end
  for _, language in ipairs(i18n.languages()) do
    add(i18n.t(language, "language.name"), language)
  end
  keys:row()
  add(ctx:t("language.app"), APP)
  keys:row():text(ctx:t("back"), "settings")
  return ctx:t("language.title"), { reply_markup = keys }
end

bot.command("language", function(ctx) ctx:reply(menu(ctx)) end,
  commands.described("language"))

bot.callback("^language$", function(ctx) ctx:edit(menu(ctx)) end)

bot.callback("^language:(%l+)$", function(ctx, choice)
  preferences.of(ctx).language = choice ~= APP and choice or nil
  ctx.lang = nil -- is asked for anew
  ctx:edit(menu(ctx))
  ctx:answer_callback(ctx:t("language.done"))
end)
