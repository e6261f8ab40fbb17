-- Telegram's limits and refusals, as a bot meets them.
local t = require "moonlet.test"

local function refused(calls)
  local count = 0
  for _, call in ipairs(calls) do
    if call.status == 429 then count = count + 1 end
  end
  return count
end

t.case("waits of a few seconds are only felt", function()
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  for i = 1, 8 do ann:send("/echo no " .. i) end
  for i = 1, 8 do ann:expect("no " .. i) end
  assert(t.now() - began >= 5)
  assert(refused(t.calls("sendMessage")) == 0)
end)

t.case("limits that are set are told, and nothing is lost", function()
  local ann = t.user { first_name = "Ann" }
  t.limits { per_chat = 1 }
  for i = 1, 8 do ann:send("/echo no " .. i) end
  for i = 1, 8 do ann:expect("no " .. i) end
  assert(refused(t.calls("sendMessage")) > 0)
end)

t.case("a group has its own limit for a minute", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  t.limits { per_chat = 0, per_group_minute = 2 }
  local began = t.now()
  for i = 1, 3 do ann:send("/echo no " .. i, team) end
  for i = 1, 3 do team:expect("no " .. i, { within = "2m" }) end
  assert(t.now() - began >= 59)
end)

t.case("who was thrown out is told so", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  t.kick(team)
  ann:send("/try " .. team.id)
  ann:expect("api 403")
end)

t.case("a group that became a supergroup has another id", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann }, type = "group" }
  local new = t.migrate(team)
  ann:send("/try " .. team.id)
  ann:expect("sent after 0 s")
  ann:send("/try " .. new.id)
  ann:expect("sent")
  assert(t.log():find("chat.migrated", 1, true))
end)
