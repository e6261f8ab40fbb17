-- Filters, groups, middleware, commands: which handler an update finds.
local t = require "moonlet.test"

local HEAD = [[
local bot = require "moonlet.bot"
local filter = require "moonlet.filter"
local function say(text) return function(ctx) ctx:reply(text) end end
]]

-- Scripts that do not load, with a part of the sentence that says why.
local function refused(script, part)
  t.write("main.lua", HEAD .. script)
  local ok, why = pcall(t.reload)
  assert(not ok, script .. " has loaded")
  assert(tostring(why):find(part, 1, true), tostring(why))
  assert(tostring(why):find("main.lua:4", 1, true), tostring(why))
end

local function answers(person, rows)
  for _, row in ipairs(rows) do
    person:send(row[1])
    local said = person:expect(t.any).text
    assert(said == row[2], said .. " instead of " .. row[2])
  end
end

t.case("filters name kinds, fields and parts of fields", { main = HEAD .. [[
bot.on("message:entities:url", say "url")
bot.on("message::hashtag", say "hashtag")
bot.on("message:caption_entities:bold", say "bold caption")
bot.on("message:forward_origin:user", say "of a user")
bot.on(":sticker", say "sticker")
bot.on("message:from:is_premium", say "premium")
bot.on({ "message:voice", ":media" }, say "media or voice")
bot.on(":file", say "file")
bot.on("message:new_chat_members:me", say "here I am")
bot.on("chat_member:new_chat_member:left", function(ctx)
  ctx:reply("bye") end)
bot.on("edited_message:text", say "edited")
bot.on(":text", say "text")
]] }, function()
  local ann = t.user { first_name = "Ann" }
  local function update(fields, kind)
    local message = { message_id = 500, date = 1767600000,
      chat = { id = ann.id, type = "private", first_name = "Ann" },
      from = { id = ann.id, is_bot = false, first_name = "Ann" } }
    for name, value in pairs(fields) do message[name] = value end
    t.update { [kind or "message"] = message }
  end
  local function entity(kind)
    return { { type = kind, offset = 0, length = 3 } }
  end
  update { text = "a.b", entities = entity "url" }
  ann:expect("url")
  update { photo = { { file_id = "p" } }, caption = "#ab",
    caption_entities = entity "hashtag" }
  ann:expect("hashtag")
  update { video = { file_id = "p" }, caption = "abc",
    caption_entities = entity "bold" }
  ann:expect("bold caption")
  update { text = "x", forward_origin = { type = "user", date = 1 } }
  ann:expect("of a user")
  update { text = "x", forward_origin = { type = "hidden_user", date = 1 } }
  ann:expect { pattern = "^text$" }
  update({ sticker = { file_id = "s" } }, "channel_post")
  ann:expect("sticker")
  update { text = "x", from = { id = ann.id, first_name = "Ann",
    is_bot = false, is_premium = true } }
  ann:expect("premium")
  update { voice = { file_id = "v" } }
  ann:expect("media or voice")
  update { video = { file_id = "v" } }
  ann:expect("media or voice")
  update { document = { file_id = "d" } }
  ann:expect("file")
  update({ text = "x" }, "edited_message")
  ann:expect("edited")
  update { new_chat_members = { { id = 5, is_bot = false, first_name = "B" },
    t.calls("getMe")[1].result } }
  ann:expect("here I am")
  t.update { chat_member = { date = 1, chat = { id = ann.id,
    type = "private" }, from = { id = 5, is_bot = false, first_name = "B" },
    old_chat_member = { status = "member" },
    new_chat_member = { status = "left" } } }
  ann:expect("bye")
end)

t.case("filters are composed, and functions are filters", { main = HEAD .. [[
local function long(ctx) return #ctx.text > 20 end
bot.on(filter.all(":text", long, filter.no("message:entities")), say "long")
bot.on(filter.all("message", filter.chat_type("group", "supergroup")),
  say "group")
bot.on(filter.any("message:photo", filter.all("message:text", function(ctx)
  return ctx.text == "photo" end)), say "photo")
bot.on("message", say "else", { allow = filter.no(function(ctx)
  return ctx.text == "secret" end) })
bot.on("message", say "last")
]] }, function()
  local ann = t.user { first_name = "Ann" }
  answers(ann, { { ("x"):rep(21), "long" }, { "photo", "photo" },
    { "short", "else" }, { "secret", "last" } })
  ann:send { photo = true }
  ann:expect { pattern = "^photo$" }
  local team = t.group { members = { ann } }
  ann:send("hello", team)
  team:expect("group")
end)

t.case("a filter that the Bot API does not know is told at load", { main = "" },
  function()
    refused('bot.on("mesage", say "")',
      'there is no update kind "mesage"; did you mean "message"?')
    refused('bot.on("message:foto", say "")',
      'a message has no field "foto"; did you mean "photo"?')
    refused('bot.on("message:entities:ulr", say "")',
      'there is no entity type "ulr"; did you mean "url"?')
    refused('bot.on("message:from:is_premum", say "")',
      'from has no part "is_premum"; did you mean "is_premium"?')
    refused('bot.on("callback_query::url", say "")', "no entity type")
    refused('bot.on("message:", say "")', "is no filter")
    refused('bot.on("", say "")', "is no filter")
    refused('bot.on({}, say "")', "an empty table")
    refused('bot.on(5, say "")', "got number")
    refused('bot.on(function() end, say "")', "names no kind of update")
    refused('filter.all("message", "poll")', "no update is of all these")
    refused('filter.all()', "needs a filter")
    refused('filter.chat_type("privat")', 'no type "privat"')
    refused('filter.chat_type()', "needs a type")
    refused('bot.on("message", say "", { alow = true })', 'no option "alow"')
    refused('bot.hears("x", say "", { allow = 5 })', "bot.hears: allow needs")
    refused('filter.every("message")', 'no function "every"')
  end)

local GROUPS = HEAD .. [[
bot.command("first", say "outside")
bot.group(filter.chat_type("private"), function(group)
  group.use(function(ctx, next)
    ctx.trail = (ctx.trail or "") .. "<"
    next()
    ctx:reply(ctx.trail .. ">")
  end)
  group.command("first", say "never")
  group.hears("^pass", function(ctx)
    ctx.trail = ctx.trail .. "a"
    return bot.pass
  end)
  group.group("message:text", function(inner)
    inner.use(function(ctx, next)
      ctx.trail = ctx.trail .. "("
      next()
      ctx.trail = ctx.trail .. ")"
    end)
    inner.hears("^pass", function(ctx)
      ctx.trail = ctx.trail .. "b"
      return group.pass
    end)
    inner.hears("^pass on", function(ctx)
      ctx.trail = ctx.trail .. "c"
      return bot.pass
    end)
  end)
  group.hears("^pass in", function(ctx) ctx.trail = ctx.trail .. "d" end)
  group.callback("^x$", function() end)
end)
bot.hears("^pass", say "behind")
bot.on("message", say "rest")
]]

t.case("groups keep the order, and their middleware is theirs",
  { main = GROUPS }, function()
    local ann = t.user { first_name = "Ann" }
    answers(ann, { { "/first", "outside" }, { "other", "rest" },
      { "pass in", "<a(b)d>" }, { "pass on", "<a(bc)>" } })
    ann:expect { pattern = "^behind$" }
    local team = t.group { members = { ann } }
    ann:send("pass in", team)
    team:expect { pattern = "^behind$" }
    assert(#team:messages() == 2)
  end)

t.case("a group's middleware may end the update", { main = HEAD .. [[
local asked = 0
bot.group(function(ctx) asked = asked + 1 return ctx.from ~= nil end,
  function(group)
    group.use(function(ctx, next)
      if ctx.text == "in" then return next() end
      ctx:reply("stop " .. asked)
    end)
    group.on("message", say "one")
    group.on("message", say "two")
  end)
bot.on("message", say "rest")
]] }, function()
  answers(t.user { first_name = "Ann" },
    { { "in", "one" }, { "x", "stop 2" } })
end)

t.case("a group is filled while it is made", { main = "" }, function()
  refused('bot.group("poll", function(g) g.hears("x", say "") end)',
    "no message fits the filter of this group")
  refused('bot.group("message", function(g) g.album(say "") end) error("x")',
    "x") -- an album is of messages
  refused('bot.group("poll", function(g) g.album(say "") end)', "no message")
  refused('bot.group("poll", function(g) g.group("message", print) end)',
    "no update fits this filter and that of the group around it")
  refused('local k bot.group("message", function(g) k = g end) '
    .. 'k.hears("x", say "")', "register within the function")
  refused('bot.group("message", function(g) g.catch(print) end)',
    'a group has no function "catch"')
  refused('bot.group("message")', "needs a function")
end)

t.case("a handler may wait inside middleware, and errors come through it",
  { main = HEAD .. [[
local task = require "moonlet.task"
bot.use(function(ctx, next)
  task.sleep("1s")
  local ok, err = pcall(next)
  task.sleep("1s")
  ctx:reply(ok and "fine" or err.kind .. " " .. err.code)
end)
bot.hears("^bad", function(ctx)
  task.sleep("1s")
  ctx.api.sendMessage { chat_id = 99, text = "x" }
end)
bot.on("message", function() end)
]] }, function()
    answers(t.user { first_name = "Ann" },
      { { "good", "fine" }, { "bad", "api 400" } })
  end)

t.case("next is called once, while its middleware runs", { main = HEAD .. [[
local task = require "moonlet.task"
bot.catch(function(ctx, err) ctx:reply(err.line .. " " .. err.message) end)
bot.use(function(ctx, next)
  if ctx.text == "twice" then next() end
  if ctx.text == "late" then
    return task.detach(function()
      local _, err = pcall(next)
      ctx:reply(err.kind .. " " .. err.message)
    end)
  end
  next()
end)
bot.on("message", function() end)
]] }, function()
  answers(t.user { first_name = "Ann" }, {
    { "twice", "14 next() is called twice by one middleware" },
    { "late", "misuse next() is called after its middleware has ended" } })
end)

t.case("admins have commands of their own",
  { config = { admin_ids = { 7001 } }, main = HEAD .. [[
bot.admin("stats", say "secret")
bot.admin("both", say "never", { allow = filter.chat_type("group") })
bot.group(filter.admin, function(group)
  group.hears("^who$", say "an admin")
end)
bot.command("both", say "for all")
bot.on("message", say "unknown")
]] }, function()
    local boss = t.user { first_name = "Boss", id = 7001 }
    local ann = t.user { first_name = "Ann" }
    answers(boss, { { "/STATS", "secret" }, { "who", "an admin" },
      { "/both", "for all" } })
    answers(ann, { { "/stats", "unknown" }, { "who", "unknown" } })
  end)

t.case("many registrations keep their order", { main = HEAD .. [[
for i = 1, 300 do
  bot.hears("^item " .. i .. "$", say("item " .. i))
  bot.command("c" .. i, say("command " .. i))
  if i == 150 then bot.hears("^%a+ 2", say "open") end
  if i == 150 then bot.hears("^/c29", say "c29") end
end
bot.hears("^i?tem", say "optional")
bot.hears("^(tem)", say "group")
bot.on("message", say "rest")
]] }, function()
  answers(t.user { first_name = "Ann" }, {
    { "item 7", "item 7" }, { "item 200", "open" }, { "item 301", "optional" },
    { "tem", "optional" }, { "/c29", "command 29" }, { "/c299", "c29" },
    { "/c300", "command 300" }, { "xtem", "rest" }, { "/c301", "rest" } })
end)

t.case("what nothing handles is said once, with a hint", { main = HEAD .. [[
bot.command({ "start", "strap" }, say "")
bot.hears("^hello", say "")
bot.callback("^page:", say "")
]] }, function()
  local ann = t.user { first_name = "Ann" }
  for _ = 1, 3 do
    for _, text in ipairs { "/strat", "/quux", "my password", "/other@x_bot" }
    do
      ann:send(text)
    end
    ann:send { photo = true }
  end
  t.update { callback_query = { id = "1", data = "order:17 password",
    chat_instance = "1", from = { id = ann.id, is_bot = false,
      first_name = "Ann" } } }
  ann:block() -- which the engine alone wants to know
  t.advance("5s")
  local log = ""
  for line in t.log():gmatch("[^\n]+") do
    if line:find('"event":"update.unhandled"', 1, true) then
      log = log .. line .. "\n"
    end
  end
  local function once(part)
    local at = log:find(part, 1, true)
    assert(at, part .. " is not in the log")
    assert(not log:find(part, at + 1, true), part .. " is there twice")
  end
  once [[no handler for kind message (text \"/strat\"): did you mean /start?]]
  once [[no handler for kind message (text \"/quux\"); registered: /start, ]]
  once "no handler for kind message (with text); registered: /start, /strap, "
  assert(not log:find("no handler for kind my_chat_member", 1, true))
  once [[no handler for kind callback_query (data \"order...\"); registered: ]]
  assert(not log:find("password", 1, true), log)
end)

t.case("a context has the calls that are wanted often", { main = HEAD .. [[
bot.command("quote", function(ctx) ctx:reply("quoted", { quote = true }) end)
bot.command("delete", function(ctx) ctx:delete() end)
bot.command("copy", function(ctx) ctx:copy(ctx.chat.id) end)
bot.command("forward", function(ctx) ctx:forward(ctx.chat.id) end)
bot.command("react", function(ctx) ctx:react("👍") end)
bot.command("calm", function(ctx) ctx:react() end)
bot.on("message:photo", function(ctx) ctx:reply("text " .. ctx.text) end)
bot.on("poll", function(ctx) ctx:delete() end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  local asked = ann:send("/quote")
  local said = ann:expect("quoted")
  assert(said.reply_to_message.message_id == asked.message_id)
  ann:send("/delete")
  ann:expect { deleted = "/delete" }
  ann:send("/copy me")
  ann:expect("/copy me")
  ann:send("/forward me")
  assert(ann:expect("/forward me").forward_origin.sender_user.id == ann.id)
  local liked = ann:send("/react")
  t.expect_call("setMessageReaction", { message_id = liked.message_id,
    reaction = { { type = "emoji", emoji = "👍" } } })
  ann:send("/calm")
  t.expect_call("setMessageReaction")
  assert(#t.calls("setMessageReaction")[2].params.reaction == 0)
  ann:send { photo = true, caption = "me" }
  ann:expect("text me")
  t.update { poll = { id = "1", question = "?", options = {},
    total_voter_count = 0, is_closed = true, is_anonymous = true,
    type = "regular", allows_multiple_answers = false } }
  t.await(function() return #t.errors() == 1 end)
  assert(t.errors()[1].message:find("ctx:delete: a poll update has no message"))
end)

t.case("a filter may wait, and with an order it is told that it cannot there",
  { copy = true }, function()
    local function load(opts)
      t.write("main.lua", [[
local bot = require "moonlet.bot"
local filter = require "moonlet.filter"
bot.fsm("note", { initial = "idle", states = {
  idle = { on = { ask = "text" } }, text = { on = { said = "idle" } } } })
bot.command("write", function(ctx) ctx:fsm("note"):fire("ask") end)
bot.on(filter.all("message:text", function(ctx)
  return ctx:fsm("note").state == "text"
end), function(ctx)
  ctx:fsm("note"):fire("said")
  ctx:reply("written down")
end)
bot.on("message:text", function(ctx) ctx:reply("said") end]] .. opts .. ")")
      t.reload()
    end
    local ann = t.user { first_name = "Ann" }
    local function works()
      ann:send("one")
      ann:expect("said")
      ann:send("/write")
      ann:send("two")
      ann:expect("written down")
      ann:send("three")
      ann:expect("said")
    end
    load ""
    works()
    assert(not t.log():find("order.failed", 1, true))
    load ', { order = "none" }'
    works()
    assert(t.log():find("order.failed", 1, true))
    assert(#t.errors() == 0)
  end)
