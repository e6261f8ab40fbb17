-- The bot of the row "fsm": the echo, with a machine that each update moves.
local bot = require "moonlet.bot"

bot.fsm("count", { initial = "even", states = {
  even = { on = { seen = "odd" } },
  odd = { on = { seen = "even" } },
} })

bot.on("message", function(ctx)
  local count = ctx:fsm("count")
  count.data.n = (count.data.n or 0) + 1
  count:fire("seen")
  ctx:reply(ctx.message.text)
end)
