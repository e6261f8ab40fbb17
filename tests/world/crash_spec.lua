local t = require "moonlet.test"

local function count(wanted)
  local n = 0
  for _, call in ipairs(t.calls("sendMessage")) do
    if call.params.text:find(wanted, 1, true) then n = n + 1 end
  end
  return n
end

t.case("a crash before the update has arrived marks nothing", function()
  local ann = t.user { first_name = "Ann" }
  t.kill()
  ann:send("/echo hello")
  t.start()
  ann:expect { pattern = "^hello$" }
end)

t.case("a crash between update and answer repeats it, marked", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 1m")
  t.advance("10s")
  t.crash()
  ann:expect { pattern = "^slept 1m again$", within = "2m" }
  ann:expect_nothing("2m")
end)

t.case("what a __gc tries while the engine dies comes to nothing", { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local log = require "moonlet.log"
local task = require "moonlet.task"
kept = setmetatable({}, { __gc = function()
  local sent = pcall(api.sendMessage, { chat_id = 1001, text = "late" })
  local wrote = pcall(fs.write, "late.txt", "late")
  local spawned = pcall(task.spawn, print)
  log.info("dying", { did = sent or wrote or spawned })
end })
bot.command("there", function(ctx)
  ctx:reply(tostring(pcall(fs.read, "late.txt")))
end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  t.kill()
  assert(t.log():find('"event":"dying","did":"false"', 1, true), t.log())
  t.start()
  ann:send("/there")
  ann:expect("false")
  assert(count("late") == 0)
end)

t.case("what was said before the crash is said again, marked", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/two")
  ann:expect { pattern = "^first$" }
  t.crash()
  ann:expect { pattern = "^first again$" }
  ann:expect { pattern = "^second again$" }
end)

t.case("what has ended is not repeated", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  for i = 1, 20 do ann:send("/echo n" .. i .. ".") end
  for i = 1, 20 do ann:expect("n" .. i .. ".") end
  t.advance("1s")
  bob:send("/echo later")
  bob:expect("later")
  t.crash()
  t.advance("2m")
  for i = 1, 20 do assert(count("n" .. i .. ".") == 1) end
end)

t.case("waiting updates of a chat keep their order over a crash", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 1m")
  for i = 1, 5 do ann:send("/echo n" .. i) end
  t.advance("10s")
  t.crash()
  ann:expect("slept 1m again", { within = "2m" })
  for i = 1, 5 do ann:expect { pattern = "^n" .. i .. "$" } end
end)

t.case("an orderly end lets handlers end", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 5s")
  t.advance("1s")
  t.stop()
  ann:expect { pattern = "^slept 5s$" }
  t.start()
  ann:expect_nothing("1m")
end)

t.case("a handler that SHUTDOWN_TIMEOUT cuts off runs again", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/sleep 1m")
  t.advance("1s")
  local began = t.now()
  t.stop()
  assert(t.now() - began >= 10 and t.now() - began < 11)
  t.start()
  ann:expect { pattern = "^slept 1m again$", within = "2m" }
end)

t.case("memory is lost with the process, files are not", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/note remember me")
  ann:expect("noted")
  ann:send("/visits")
  ann:expect("visits: 2")
  t.crash()
  ann:send("/visits")
  ann:expect("visits: 1")
  ann:send("/read")
  ann:expect("remember me")
end)

t.case("a bot that dies again and again ends all the same", function()
  local people = {}
  for i = 1, 5 do people[i] = t.user { first_name = "P" .. i } end
  for i = 1, 20 do
    for _, person in ipairs(people) do person:send("/echo n" .. i .. ".") end
    t.advance(0.007 * i)
    t.crash()
  end
  t.advance("5m")
  for _, person in ipairs(people) do
    local seen = {}
    for _, call in ipairs(t.calls("sendMessage")) do
      local n = call.params.text:match("^n(%d+)%.")
      if call.chat_id == person.id and not seen[n] then
        table.insert(seen, n)
        seen[n] = true
      end
    end
    for i = 1, 20 do assert(seen[i] == tostring(i), "order or loss") end
  end
end)

t.case("an update on which the process dies is told apart", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("/boom")
  bob:send("/echo fine")
  bob:expect("fine")
  t.advance("1s")
  local _, dead = t.api("GET", "/api/dead")
  assert(#dead.dead == 1 and dead.dead[1].reason == "error")
  assert(dead.dead[1].script == "main.lua")
  t.crash()
  t.advance("1m")
  _, dead = t.api("GET", "/api/dead")
  assert(#dead.dead == 1, "it is kept once")
end)
