-- What these scripts have done since they were loaded. Numbers that last come
-- with storage.
local bot = require "moonlet.bot"

local began = os.time()
local updates = {}

bot.use(function(ctx, next)
  updates[ctx.kind] = (updates[ctx.kind] or 0) + 1
  next()
end)

bot.admin("stats", function(ctx)
  local lines = {}
  for kind, count in pairs(updates) do
    lines[#lines + 1] = ("%s: %d"):format(kind, count)
  end
  table.sort(lines)
  ctx:reply(ctx:t("admin.stats", { minutes = (os.time() - began) // 60,
    updates = table.concat(lines, "\n") }))
end, { description = "What was handled since the last load" })
