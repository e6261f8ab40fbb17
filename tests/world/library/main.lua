--- The bot of the shipped library's specs. What needs no chat is a function in
-- cases/NAME.lua, and /cases NAME runs them all; the rest are commands.
local bot = require "moonlet.bot"

local lists = {}
for _, name in ipairs { "format" } do
  lists[name] = require("cases." .. name)
end

-- In the order of their names; the first failures are what is said.
bot.command("cases", function(ctx)
  local names, failed = {}, {}
  for name in pairs(lists[ctx.args[1]]) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    local ok, err = pcall(lists[ctx.args[1]][name], ctx)
    if not ok then failed[#failed + 1] = name .. ": " .. tostring(err) end
  end
  ctx:reply(#failed == 0 and #names .. " cases are fine"
    or table.concat(failed, "\n"):sub(1, 4000))
end)
