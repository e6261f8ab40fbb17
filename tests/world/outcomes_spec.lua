-- What becomes of a call that fails on its way, and of one that is wrong.
local t = require "moonlet.test"

t.use { main = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"

-- "/say MODE": a send to the chat "other" with that on_unknown.
bot.command("say", function(ctx)
  local mode = ctx.args[2]
  local ok, one, two = pcall(api.sendMessage, { chat_id = tonumber(ctx.args[1]),
    text = "said" }, mode and { on_unknown = mode })
  ctx:reply(("%s: %s %s"):format(ok and "done" or "raised",
    type(one) == "table" and (one.kind or "message") or tostring(one),
    two and two.kind or ""))
end)

bot.command("chat", function(ctx)
  local ok, err = pcall(api.getChat, { chat_id = ctx.chat.id })
  ctx:reply("chat: " .. (ok and "known" or err.kind))
end)

local wrong = {
  method = function() api.sendMesage { chat_id = 1, text = "x" } end,
  case = function() api.sendmessage { chat_id = 1, text = "x" } end,
  param = function() api.sendMessage { chat_id = 1, txt = "x" } end,
  missing = function() api.sendMessage { parse_mode = "HTML" } end,
  type = function()
    api.editMessageText { chat_id = 1, message_id = { 1 }, text = "x" }
  end,
  boolean = function() api.sendMessage { chat_id = true, text = "x" } end,
  mode = function()
    api.sendMessage({ chat_id = 1, text = "x" }, { on_unknown = "maybe" })
  end,
  colon = function() api:sendMessage { chat_id = 1, text = "x" } end,
  nothing = function() api:getMe() end,
  key = function() return api[nil] end,
  table = function() return api[{}] end,
  number = function() return api[1] end,
}
bot.command("wrong", function(ctx)
  local _, err = pcall(wrong[ctx.args[1] ])
  ctx:reply(("%s %d %s"):format(err.kind, err.line, err.message))
end)

bot.command("null", function(ctx)
  local null = require "moonlet.json".null
  ctx.api.sendMessage{ reply_markup = null, text = "bare",
    chat_id = ctx.chat.id, link_preview_options = null }
  ctx.api.sendDocument{ chat_id = ctx.chat.id, document = { data = "x" },
    caption = null, reply_markup = null }
end)

bot.command("newer", function(ctx)
  ctx.api.sendMessage({ chat_id = ctx.chat.id, text = "sent", sparkle = true },
    { unchecked = true })
end)
]] }

local function people()
  return t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
end

local function repeats(method)
  local _, status = t.api("GET", "/api/status")
  local found = {}
  for _, row in ipairs(status.limiter.repeats) do
    if row.method == method then found[row.reason] = row.count end
  end
  return found
end

for mode, row in pairs {
  error = { "raised: unknown", 1 }, resend = { "done: message", 2 },
  skip = { "done: false unknown", 1 },
} do
  t.case("on_unknown = " .. mode, function()
    local ann, bob = people()
    t.fault { method = "sendMessage", chat = bob, mode = "cut_after" }
    ann:send(("/say %d %s"):format(bob.id, mode))
    ann:expect(row[1])
    for _ = 1, row[2] do bob:expect("said") end
    bob:expect_nothing()
  end)
end

t.case("an unknown reply is an error", function()
  local ann, bob = people()
  t.fault { method = "sendMessage", chat = bob, mode = "cut_before" }
  ann:send("/say " .. bob.id)
  ann:expect("raised: unknown")
  bob:expect_nothing()
end)

t.case("what nobody sees twice is repeated", function()
  local ann = people()
  t.fault { method = "getChat", mode = "cut_after", count = 3 }
  ann:send("/chat")
  ann:expect("chat: known")
  assert(repeats("getChat").unknown == 3)
end)

t.case("but not without end", function()
  local ann = people()
  t.fault { method = "getChat", mode = "cut_before", count = 9 }
  ann:send("/chat")
  ann:expect("chat: unknown", { within = "2m" })
  assert(#t.calls("getChat") == 4)
end)

t.each({ "500", "502html" }, "a %s is repeated", function(mode)
  local ann, bob = people()
  t.fault { method = "sendMessage", chat = bob, mode = mode, count = 3 }
  ann:send("/say " .. bob.id)
  ann:expect("done: message")
  bob:expect("said")
  assert(repeats("sendMessage")["5xx"] == 3)
end)

t.case("a server that stays broken is an error", function()
  local ann, bob = people()
  t.fault { method = "sendMessage", chat = bob, mode = "500", count = 4 }
  ann:send("/say " .. bob.id)
  ann:expect("raised: api")
  bob:expect_nothing()
end)

local unchecked = { method = true, case = true, param = true, missing = true,
  type = true, boolean = true } -- what passes with that option

for what, text in pairs {
  method = 'there is no Bot API method "sendMesage": did you mean '
    .. "sendMessage?",
  case = 'there is no Bot API method "sendmessage": did you mean '
    .. "sendMessage?",
  param = 'sendMessage has no parameter "txt": did you mean text?',
  missing = "sendMessage needs chat_id and text",
  type = "editMessageText: message_id must be Integer, got a list",
  boolean = "sendMessage: chat_id must be Integer or String, got the boolean "
    .. "true",
  mode = 'on_unknown must be "error", "resend" or "skip"',
  colon = "sendMessage is called with a dot, not with a colon: "
    .. "api.sendMessage{...}",
  nothing = "getMe is called with a dot",
  key = "a nil is no name of a Bot API method",
  table = "a table is no name of a Bot API method",
  number = "a number is no name of a Bot API method",
} do
  t.case("misuse is told before anything is sent: " .. what, function()
    local ann = people()
    ann:send("/wrong " .. what)
    local said = ann:expect("misuse").text
    assert(said:find(text, 1, true), said)
    assert(tonumber(said:match("^misuse (%d+) ")) >= 20, said)
    assert(not unchecked[what] == not said:find("unchecked = true", 1, true),
      said)
    assert(#t.calls("sendMessage") == 1)
  end)
end

t.case("null is as if it were not there", function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/null")
  ann:expect("bare")
  local sent = ann:expect { method = "sendDocument" }
  assert(not sent.caption, sent.caption)
end)

t.case("what is newer than the tables can be sent", function()
  local ann = people()
  ann:send("/newer")
  ann:expect("sent")
end)

t.case("a chat that is closed to the bot is no error of its handler",
  { main = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("late", function(ctx)
  task.sleep("5s")
  ctx:reply("late")
end)
bot.command("tell", function(ctx)
  ctx.api.sendMessage { chat_id = tonumber(ctx.args[1]), text = "told" }
end)
bot.catch(function(ctx, err)
  ctx:reply(err.code .. " " .. err.chat)
end)
]] }, function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  for _ = 1, 2 do
    ann:send("/late")
    ann:block()
    t.advance("6s")
    ann:block(false)
  end
  assert(#t.calls("sendMessage") == 2 and #t.errors() == 0)
  local _, said = t.log():gsub('"info","event":"chat.unreachable"', "")
  assert(said == 1, t.log())
  ann:block()
  bob:send("/tell " .. ann.id) -- another chat is the author's to think of
  bob:expect("403 " .. ann.id)
  t.await(function() return #t.errors() == 1 end)
end)
