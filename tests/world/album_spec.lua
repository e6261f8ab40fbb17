-- Albums, handed over whole.
local t = require "moonlet.test"

local BOT = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.album(function(ctx)
  if ctx.text == "not this one" then return bot.pass end
  if ctx.text == "bad" then error("bad album") end
  local seen = {}
  for i, message in ipairs(ctx.album) do seen[i] = message.photo[1].file_id end
  ctx:reply("album " .. table.concat(seen, " ")
    .. (ctx.update.redelivered and " again" or ""))
  if ctx.text == "slow" then
    task.sleep("30s")
    ctx:reply("album done")
  end
end)
bot.catch(function(ctx, err)
  ctx:reply(#ctx.album .. " in " .. err.message)
end)
bot.on("message:photo", function(ctx)
  ctx:reply("photo " .. ctx.event.photo[1].file_id)
end)
bot.on("edited_message:photo", function(ctx) ctx:reply("edited") end)
bot.command("wait", function(ctx)
  task.sleep("20s")
  ctx:reply("waited")
end)
bot.on("message:text", function(ctx) ctx:reply("text " .. ctx.text) end)
]]

t.use { main = BOT }

local next_id = 100

-- One part of the album, as Telegram sends it.
local function part(person, album, name, caption, kind)
  next_id = next_id + 1
  t.update { [kind or "message"] = { message_id = next_id, date = 1767600000,
    media_group_id = album, caption = caption, photo = { { file_id = name } },
    chat = { id = person.id, type = "private", first_name = "Ann" },
    from = { id = person.id, is_bot = false, first_name = "Ann" } } }
end

local function parts(person, album, names, caption)
  for name in names:gmatch("%S+") do
    part(person, album, name, caption)
    caption = nil
  end
end

local function says(person, text, opts)
  local said = person:expect(t.any, opts).text
  assert(said == text, said .. " instead of " .. text)
end

t.case("24: the parts of an album come together, in order", function()
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  parts(ann, "a", "1 2 3")
  says(ann, "album 1 2 3")
  assert(t.now() - began >= 1 and t.now() - began < 2)
  ann:expect_nothing()
end)

t.case("parts that come slowly are waited for", function()
  local ann = t.user { first_name = "Ann" }
  for i = 1, 4 do
    part(ann, "a", tostring(i))
    t.advance("900ms")
  end
  says(ann, "album 1 2 3 4")
  part(ann, "a", "5")
  says(ann, "album 5") -- too late
end)

t.case("albums come together by webhook too", { webhook = true }, function()
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2 3")
  ann:send("behind")
  says(ann, "album 1 2 3")
  says(ann, "text behind")
end)

t.case("ten parts are complete at once", function()
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  parts(ann, "a", "1 2 3 4 5 6 7 8 9 10 11")
  says(ann, "album 1 2 3 4 5 6 7 8 9 10")
  assert(t.now() - began < 0.9)
  says(ann, "album 11")
end)

t.case("a single photo with a media group is an album too", function()
  local ann = t.user { first_name = "Ann" }
  part(ann, "a", "1")
  says(ann, "album 1")
  ann:send { photo = { file_id = "2" } }
  assert(ann:expect("photo").text:find("^photo "))
end)

t.case("what follows waits, and other chats do not", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  ann:send("first")
  parts(ann, "a", "1 2")
  ann:send("between")
  part(ann, "a", "3")
  ann:send("behind")
  bob:send("other")
  local began = t.now()
  says(bob, "text other")
  assert(t.now() - began < 0.9)
  says(ann, "text first")
  says(ann, "album 1 2 3")
  says(ann, "text between")
  says(ann, "text behind")
end)

t.case("two albums of a chat, and of two chats, stay apart", function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  for i = 1, 3 do
    part(ann, "a", "a" .. i)
    part(ann, "b", "b" .. i)
    part(bob, "a", "c" .. i)
  end
  says(ann, "album a1 a2 a3")
  says(ann, "album b1 b2 b3")
  says(bob, "album c1 c2 c3")
  assert(#t.calls("sendMessage") == 3)
end)

t.case("an album behind a slow handler has no further wait", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/wait")
  parts(ann, "a", "1 2")
  says(ann, "waited")
  local began = t.now()
  says(ann, "album 1 2")
  assert(t.now() - began < 0.9)
end)

t.case("an album behind many messages is whole", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/wait")
  for i = 1, 60 do ann:send("n" .. i) end
  parts(ann, "a", "1 2 3 4 5 6 7 8")
  for i = 1, 60 do ann:send("m" .. i) end
  says(ann, "waited")
  for i = 1, 60 do says(ann, "text n" .. i) end
  says(ann, "album 1 2 3 4 5 6 7 8")
  for i = 1, 60 do says(ann, "text m" .. i) end
end)

t.each({ 0.1, 0.5, 0.9 }, "24: a crash after %s s loses no part", function(at)
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2 3")
  ann:send("behind")
  t.advance(at)
  t.crash()
  says(ann, "album 1 2 3")
  says(ann, "text behind")
  assert(#t.calls("sendMessage") == 2)
end)

t.case("a crash before the last part loses none", function()
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2")
  t.advance("500ms")
  t.kill()
  part(ann, "a", "3")
  t.start()
  says(ann, "album 1 2 3")
end)

t.case("an album whose handler had begun comes again, marked", function()
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2 3", "slow")
  says(ann, "album 1 2 3")
  t.crash()
  says(ann, "album 1 2 3 again")
  says(ann, "album done")
  t.advance("1s")
  t.crash()
  ann:expect_nothing("1m")
end)

t.case("an orderly end in the window loses nothing", function()
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2 3")
  t.advance("500ms")
  t.stop()
  t.start()
  says(ann, "album 1 2 3")
end)

t.case("an album that fails is told once, each part is a dead letter",
  function()
    local ann = t.user { first_name = "Ann" }
    parts(ann, "a", "1 2 3", "bad")
    says(ann, "3 in bad album")
    t.advance("1s")
    assert(#t.errors() == 1)
    local _, dead = t.api("GET", "/api/dead")
    assert(#dead.dead == 3)
  end)

t.case("what no album takes comes one by one", function()
  local ann = t.user { first_name = "Ann" }
  parts(ann, "a", "1 2", "not this one")
  says(ann, "photo 1")
  says(ann, "photo 2")
  part(ann, "a", "2", nil, "edited_message")
  says(ann, "edited")
end)

t.case("a reload in the window changes who gets the parts", { copy = true },
  function()
    local ann = t.user { first_name = "Ann" }
    parts(ann, "a", "1 2 3")
    ann:send("behind")
    t.advance("500ms")
    t.write("main.lua", (BOT:gsub("bot.album", "local _ = (nil or print)")))
    t.reload()
    says(ann, "photo 1")
    says(ann, "photo 2")
    says(ann, "photo 3")
    says(ann, "text behind")
  end)

t.case("without bot.album nothing is collected", { main = [[
local bot = require "moonlet.bot"
bot.on("message:photo", function(ctx) ctx:reply("photo") end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  local began = t.now()
  parts(ann, "a", "1 2")
  says(ann, "photo")
  says(ann, "photo")
  assert(t.now() - began < 0.9)
end)

t.case("an album's order is its own", { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:photo", function(ctx) ctx:reply("never") end,
  { order = "none" })
bot.command("wait", function(ctx) task.sleep("20s") ctx:reply("waited") end)
bot.album(function(ctx) ctx:reply("album " .. #ctx.album) end,
  { order = "user" })
]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/wait")
  parts(ann, "a", "1 2 3")
  says(ann, "album 3")
  says(ann, "waited")
end)

t.case("what shares no lane cannot be collected", { copy = true }, function()
  t.write("main.lua", [[
require "moonlet.bot".album(print, { order = "none" })]])
  local ok, why = pcall(t.reload)
  assert(not ok and tostring(why):find("shares no lane", 1, true))
end)
