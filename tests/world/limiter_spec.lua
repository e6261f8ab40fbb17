-- What waits for Telegram's limits, and what does not.
local t = require "moonlet.test"

t.use { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local task = require "moonlet.task"

local function flood(chat, first, last)
  for i = first, last do
    task.spawn(api.sendMessage, { chat_id = chat, text = "no " .. i })
  end
end

-- "/flood 5": so many replies at once.
bot.command("flood", function(ctx)
  flood(ctx.chat.id, 1, tonumber(ctx.args[1]))
  task.sleep("10m")
end)

-- "/spread 5 ID...": so many messages to each, on nobody's behalf.
bot.command("spread", function(ctx)
  task.detach(function()
    for i = 1, tonumber(ctx.args[1]) do
      for at = 2, #ctx.args do
        task.spawn(api.sendMessage,
          { chat_id = tonumber(ctx.args[at]), text = "job " .. i })
      end
    end
    task.sleep("10m")
  end)
end)

-- "/both @name": 20 by its id and as many by its name, which one answer has
-- told before.
bot.command("both", function(ctx)
  local name = ctx.args[1]
  api.sendMessage { chat_id = name, text = "first" }
  for i = 1, 20 do
    task.spawn(api.sendMessage, { chat_id = ctx.chat.id, text = "id " .. i })
    task.spawn(api.sendMessage, { chat_id = name, text = "name " .. i })
  end
  task.sleep("10m")
end)

bot.command("echo", function(ctx) ctx:reply(ctx.args[1]) end)

-- Its own limit is over before its turn comes.
bot.command("impatient", function(ctx)
  local began = os.time()
  local ok, err = pcall(api.sendMessage,
    { chat_id = tonumber(ctx.args[1]), text = "never" }, { timeout = "5s" })
  ctx:reply(("%s after %d s"):format(ok and "sent" or err.kind,
    os.time() - began))
end)

bot.command("try", function(ctx)
  local began = os.time()
  local ok, err = pcall(api.sendMessage,
    { chat_id = tonumber(ctx.args[1]), text = "tried" })
  ctx:reply(("%s after %d s, wait %d"):format(ok and "sent" or err.kind .. " "
    .. tostring(err.code), os.time() - began, err.retry_after or 0))
end)
]] }

local function statuses(method)
  local refused, sent = 0, {}
  for _, call in ipairs(t.calls(method or "sendMessage")) do
    if call.status == 200 then
      sent[#sent + 1] = call
    else
      refused = refused + 1
    end
  end
  return refused, sent
end

local function sent_count(count, within)
  return t.await(function()
    local _, sent = statuses()
    return #sent >= count and sent
  end, within)
end

local function limiter()
  local _, status = t.api("GET", "/api/status")
  return status.limiter
end

t.case("replies go at once, however many", function()
  t.limits { per_second = 0, per_chat = 0, per_group_minute = 0 }
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  ann:send("/flood 100")
  sent_count(100)
  assert(t.now() - began < 3, t.now() - began)
end)

t.case("40 messages to a group take two windows and no 429", function()
  t.limits { per_second = 30, per_chat = 0, per_group_minute = 20 }
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  local began = t.now()
  ann:send("/flood 40", team)
  sent_count(20)
  assert(t.now() - began < 3)
  sent_count(40, "5m")
  local refused, sent = statuses()
  assert(refused == 0, refused)
  assert(#sent == 40)
  local took = t.now() - began
  assert(took >= 60 and took < 65, took)
end)

t.case("a group that gets another id loses nothing of what waits", function()
  t.limits { per_second = 30, per_chat = 0, per_group_minute = 20 }
  local ann = t.user { first_name = "Ann" }
  local team = t.group { type = "group", title = "Team", members = { ann } }
  ann:send("/flood 40", team)
  sent_count(20)
  t.migrate(team)
  sent_count(40, "90s")
  local refused, sent = statuses()
  assert(refused == 20 and #sent == 40, refused .. " " .. #sent)
end)

t.case("what shows that a file is sent does not go on in vain", { main = [[
local bot = require "moonlet.bot"
bot.command("send", function(ctx)
  ctx:upload_document("a.txt", { data = "a" })
  ctx:reply("sent")
end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { type = "group", title = "Team", members = { ann } }
  t.fault { method = "sendDocument", mode = "slow", seconds = 25 }
  ann:send("/send", team)
  t.await(function() return #t.calls("sendChatAction") == 1 end)
  t.migrate(team)
  t.await(function() return #t.calls("sendMessage") > 0 end)
  local refused, shown = statuses("sendChatAction")
  assert(#shown == 1 and refused == 1, refused)
end)

t.case("by its name or by its id, a group has one window", function()
  t.limits { per_second = 30, per_chat = 0, per_group_minute = 20 }
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann }, username = "team" }
  ann:send("/both @Team", team)
  local sent = sent_count(40, "5m")
  assert(statuses() == 0, statuses())
  t.advance("2m")
  assert(sent[40].at - sent[1].at < 65, sent[40].at - sent[1].at)
  assert(#t.calls("sendMessage") == 40) -- the 41st would have waited 120 s
end)

t.case("a reply that its group would hold up too long is raised", function()
  t.limits { per_second = 30, per_chat = 0, per_group_minute = 20 }
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  ann:send("/flood 40", team)
  sent_count(20)
  ann:send("/try " .. team.id)
  local said = ann:expect("after 0 s").text
  local wait = tonumber(said:match("^limit nil after 0 s, wait (%d+)$"))
  assert(wait and wait > 100 and wait <= 120, said)
end)

t.case("a 429 of one chat delays no other", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  t.fault { method = "sendMessage", chat = ann, mode = "429", retry_after = 60 }
  ann:send("/echo late")
  t.await(function() return #t.calls("sendMessage") == 1 end)
  local began = t.now()
  bob:send("/echo early")
  bob:expect("early")
  assert(t.now() - began < 2)
  local blocked = t.await(function()
    local now = limiter()
    return now.blocked == 1 and now
  end)
  assert(blocked.blocked_soonest[1].chat == tostring(ann.id))
  local left = blocked.blocked_soonest[1]["until"] - t.now()
  assert(left > 0 and left <= 60, left)
  ann:expect("late", { within = "61s" })
  assert(limiter().blocked == 0, limiter().blocked)
end)

t.case("a call that waits for its turn ends by its own timeout", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  t.fault { method = "sendMessage", chat = bob, mode = "429", retry_after = 60 }
  ann:send("/impatient " .. bob.id)
  ann:expect("timeout after 5 s")
  ann:send("/impatient " .. bob.id)
  ann:expect("timeout after 5 s")
  bob:expect_nothing("2m")
  assert(#t.calls("sendMessage") == 3)
end)

t.case("what a 429 holds up goes out later, one by one", function()
  t.limits { per_second = 30, per_chat = 1 }
  local ann = t.user { first_name = "Ann" }
  ann:send("/flood 12")
  local sent = sent_count(12, "2m")
  local waits, refused = {}, 0
  for _, call in ipairs(t.calls("sendMessage")) do
    if call.status == 429 then
      refused = refused + 1
      waits[#waits + 1] = call.at
    end
  end
  assert(#sent == 12 and refused == 9, refused)
  assert(waits[#waits] - waits[1] < 1, "all were on their way together")
end)

t.case("jobs keep to a message a second in a chat", function()
  t.limits { per_second = 30, per_chat = 1 }
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send(("/spread 10 %d"):format(bob.id))
  local sent = sent_count(10)
  assert(statuses() == 0)
  local took = sent[10].at - sent[1].at
  assert(took >= 6 and took < 9, took)
end)

t.case("what on_start sends keeps to it too", { start = false, main = [[
local api = require "moonlet.api"
require("moonlet.bot").on_start(function()
  for i = 1, 6 do api.sendMessage { chat_id = 1001, text = "up " .. i } end
end)
]] }, function()
  t.limits { per_second = 30, per_chat = 1 }
  t.user { first_name = "Ann", id = 1001 }
  t.start()
  local sent = sent_count(6)
  assert(statuses() == 0)
  assert(sent[6].at - sent[1].at > 2.5, sent[6].at - sent[1].at)
end)

t.case("what bot.catch says is a reply, after a limit too", { main = [[
local bot, task = require "moonlet.bot", require "moonlet.task"
bot.command("loop", function() while true do end end)
bot.catch(function(ctx)
  for i = 1, 9 do task.spawn(ctx.reply, ctx, "sorry " .. i) end
  task.sleep("1m")
end)
]] }, function()
  t.limits { per_second = 0, per_chat = 0 }
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  ann:send("/loop")
  sent_count(9)
  assert(t.now() - began < 3, t.now() - began)
end)

t.case("jobs keep to 30 a second over all, replies pass them by", function()
  local people, ids = {}, {}
  for i = 1, 90 do
    people[i] = t.user { first_name = "P" .. i }
    ids[i] = people[i].id
  end
  local ann = t.user { first_name = "Ann" }
  t.limits { per_second = 30, per_chat = 1 }
  local began = t.now()
  ann:send("/spread 1 " .. table.concat(ids, " "))
  sent_count(10)
  local asked = t.now()
  ann:send("/echo between")
  ann:expect("between")
  assert(t.now() - asked < 1, t.now() - asked)
  local sent = sent_count(91)
  assert(statuses() == 0)
  local took = sent[91].at - began
  assert(took > 2.8 and took < 4.5, took)
end)

t.case("two chats that are refused stop the jobs", function()
  local people, ids = {}, {}
  for i = 1, 6 do
    people[i] = t.user { first_name = "P" .. i }
    ids[i] = people[i].id
  end
  for i = 1, 2 do
    t.fault { method = "sendMessage", chat = people[i], mode = "429",
      retry_after = 20 }
  end
  local ann = t.user { first_name = "Ann" }
  ann:send("/spread 2 " .. table.concat(ids, " "))
  t.await(function() return statuses() == 2 end)
  t.advance("1s")
  local stopped = limiter()
  assert(stopped.bulk_rate == 15, stopped.bulk_rate)
  assert(stopped.bulk_blocked_until > t.now() + 10)
  local _, before = statuses()
  t.advance("10s")
  local _, after = statuses()
  assert(#before == #after)
  ann:send("/echo on")
  ann:expect("on")
  sent_count(13, "2m")
  t.advance("5m")
  assert(limiter().bulk_rate == 30)
end)

t.case("nothing is kept of chats that are quiet", function()
  local ann = t.user { first_name = "Ann" }
  local team = t.group { title = "Team", members = { ann } }
  ann:send("/echo one")
  ann:send("/echo two", team)
  team:expect("two")
  assert(limiter().chats >= 2)
  t.advance("2m")
  assert(limiter().chats <= 1, limiter().chats) -- getUpdates is under way
end)
