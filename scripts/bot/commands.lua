-- What the menu of commands says, in every language that the bot speaks.
local i18n = require "moonlet.i18n"

local commands = { order = { "add", "invite", "language", "settings", "help" } }

-- The options of a registration, with its text from locales.
function commands.described(name)
  local key = "commands." .. name
  ---@type table<integer|string, string>
  local texts = { i18n.t("en", key) }
  for _, language in ipairs(i18n.languages()) do
    if language ~= "en" then texts[language] = i18n.t(language, key) end
  end
  return { description = texts }
end

-- The same as a list for /help.
function commands.list(ctx)
  local lines = {}
  for i, name in ipairs(commands.order) do
    lines[i] = ("/%s: %s"):format(name, ctx:t("commands." .. name))
  end
  return table.concat(lines, "\n")
end

return commands
