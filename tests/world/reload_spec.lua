local t = require "moonlet.test"

t.use { copy = true }

local function bot(text)
  return ([[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("slow", function(ctx) task.sleep("1m") ctx:reply(%q) end)
bot.command("who", function(ctx) ctx:reply(%q) end)
]]):format(text, text)
end

t.before(function()
  t.write("main.lua", bot("old"))
  t.reload()
end)

t.case("the next update meets the new script", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/who")
  ann:expect("old")
  t.write("main.lua", bot("new"))
  t.reload()
  ann:send("/who")
  ann:expect("new")
end)

t.case("a running handler ends on the script that it began with", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("/slow")
  t.advance("10s")
  t.write("main.lua", bot("new"))
  t.reload()
  bob:send("/who")
  bob:expect("new")
  ann:expect("old", { within = "2m" })
end)

t.case("a typo changes nothing and is told with its line", function()
  local ann = t.user { first_name = "Ann" }
  t.write("main.lua", bot("new") .. "bot.command(\n")
  local ok, why = pcall(t.reload)
  assert(not ok and tostring(why):find("main.lua:6", 1, true), tostring(why))
  ann:send("/who")
  ann:expect("old")
end)

t.case("after a crash the newest script runs", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/slow")
  t.advance("10s")
  t.write("main.lua", bot("new"))
  t.crash()
  ann:expect("new", { within = "2m" })
end)

t.case("a handler killed by a crash runs none of its close variables",
  function()
    local ann = t.user { first_name = "Ann" }
    t.write("main.lua", [[
local bot = require "moonlet.bot"
local log = require "moonlet.log"
local task = require "moonlet.task"
bot.on("message", function(ctx)
  local _ <close> = setmetatable({}, { __close = function()
    log.warn("closed.by.script") end })
  task.sleep("1m")
  ctx:reply("ended")
end)]])
    t.reload()
    ann:send("x")
    t.advance("10s")
    t.crash()
    assert(not t.log():find("closed.by.script", 1, true))
    ann:expect("ended", { within = "2m" })
    t.advance("1s")
    assert(t.log():find("closed.by.script", 1, true))
  end)
