-- What a person has chosen, kept as the data of a machine with one state: it
-- lasts through restarts and edits. Any handler reads and sets its fields.
local bot = require "moonlet.bot"
local i18n = require "moonlet.i18n"

bot.fsm("preferences", { initial = "kept", states = { kept = {} } })

local preferences = {}

-- { language = "de", plain = true, preview = true, invited_by = id }
function preferences.of(ctx) return ctx:fsm("preferences").data end

i18n.choose(function(ctx)
  return ctx.chat and ctx.from and preferences.of(ctx).language
end)

return preferences
