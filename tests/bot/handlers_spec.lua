--- What a bot author sees: registrations, context, errors, buttons.
local t = require "moonlet.test"

-- What the bot says next.
local function reply_to(person, text)
  person:send(text)
  return person:expect(t.any).text
end

t.case("commands, hears and on, in order of registration", { main = [[
local bot = require "moonlet.bot"
bot.command("Start", function(ctx)
  ctx:reply("args " .. #ctx.args .. " " .. tostring(ctx.args[1]))
end)
bot.command({ "one", "two" }, function(ctx) ctx:reply("cmd " .. ctx.command)
end)
bot.hears("^order (%d+) (%a+)$", function(ctx, id, what)
  ctx:reply(id .. "/" .. what)
end)
bot.hears("^skip", function() return bot.pass end)
bot.on("message:photo", function(ctx) ctx:reply("photo") end)
bot.on({ "message:contact", "message:text" }, function(ctx)
  ctx:reply("text " .. ctx.message.text)
end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  for _, row in ipairs {
    { "/start", "args 0 nil" },
    { "/START ref-1 x", "args 2 ref-1" },
    { "/two", "cmd two" },
    { "order 12 tea", "12/tea" },
    { "skip this", "text skip this" },
    { "/start@other_bot", "text /start@other_bot" },
    { "/starting", "text /starting" },
  } do
    local said = reply_to(ann, row[1])
    assert(said == row[2], said)
  end
  local me = t.calls("getMe")[1].result.username
  assert(reply_to(ann, "/start@" .. me:upper() .. " a") == "args 1 a")
  ann:send { photo = true }
  ann:expect("photo")
end)

t.case("middleware runs around handlers in order", { main = [[
local bot = require "moonlet.bot"
bot.use(function(ctx, next)
  ctx.trail = "a"
  next()
  ctx:reply(ctx.trail .. "d")
end)
bot.use(function(ctx, next) ctx.trail = ctx.trail .. "b" next() end)
bot.on("message", function(ctx) ctx.trail = ctx.trail .. "c" end)
]] }, function()
  assert(reply_to(t.user { first_name = "Ann" }, "x") == "abcd")
end)

-- 52 bits and a supergroup's id: update, Lua, text, API call.
t.case("large ids survive both ways", { main = [[
local bot = require "moonlet.bot"
local json = require "moonlet.json"
bot.on("message:text", function(ctx)
  ctx:reply(tostring(ctx.chat.id) .. " " .. ctx.from.id .. " "
    .. json.encode({ ctx.from.id }), { reply_markup = { inline_keyboard = { {
      { text = "id", callback_data = "u" .. ctx.from.id } } } } })
end)
]] }, function()
  local user, chat = 4503599627370495, -1001234567890123
  local big = t.user { first_name = "Big", id = user }
  local group = t.group { title = "Big", members = { big }, id = chat }
  big:send("ids", group)
  group:expect(("%d %d [%d]"):format(chat, user, user))
  local call = t.calls("sendMessage")[1]
  assert(call.params.chat_id == chat)
  local button = call.params.reply_markup.inline_keyboard[1][1]
  assert(button.callback_data == "u" .. user)
end)

t.case("an error is told with its place and hurts nobody", { main = [[
local bot = require "moonlet.bot"
bot.command("boom", function(ctx) return ctx.nothing.here end)
bot.command("table", function() error({ reason = "odd" }) end)
bot.catch(function(ctx, err)
  ctx:reply(err.kind .. " " .. err.script .. ":" .. err.line)
end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
]] }, function()
  local ann, bob = t.user { first_name = "Ann" }, t.user { first_name = "Bob" }
  assert(reply_to(ann, "/boom") == "script main.lua:2")
  assert(reply_to(ann, "/table") == "script main.lua:3")
  assert(reply_to(ann, "hi") == "fine" and reply_to(bob, "hi") == "fine")
  local errors = t.errors()
  assert(#errors == 2 and errors[1].message:find("nil value", 1, true))
end)

t.case("errors of API calls are tables", { main = [[
local bot = require "moonlet.bot"
local json = require "moonlet.json"
bot.command("bad", function(ctx)
  local ok, err = pcall(ctx.api.sendMessage, { chat_id = 99, text = "x" })
  ctx:reply(json.encode({ ok, err.kind, err.code, err.message, err.retryable,
    err.script, err.line, tostring(err) }))
end)
bot.command("misuse", function(ctx)
  local _, err = pcall(ctx.api.sendMessage, "text")
  ctx:reply(json.encode({ err.kind, err.line }))
end)
bot.command("raise", function(ctx)
  ctx.api.noSuchMethod({ a = 1 }, { unchecked = true })
end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. " " .. err.code) end)
]] }, function()
  local ann = t.user { first_name = "Ann" }
  local said = reply_to(ann, "/bad")
  assert(said == '[false,"api",400,"Bad Request: chat not found",false,'
    .. '"main.lua",4,"main.lua:4: sendMessage: Bad Request: chat not found"]',
    said)
  assert(reply_to(ann, "/misuse") == '["misuse",9]')
  assert(reply_to(ann, "/raise") == "api 404")
end)

local BUTTONS = [[
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("menu", function(ctx)
  ctx:reply("menu", { reply_markup = { inline_keyboard = { {
    { text = "edit", callback_data = "edit:7" },
    { text = "say", callback_data = "say" },
    { text = "late", callback_data = "late" },
    { text = "same", callback_data = "same" } } } } })
end)
bot.callback("^edit:(%d+)$", function(ctx, n) ctx:edit("page " .. n) end)
bot.callback("^say$", function(ctx)
  ctx:answer_callback("said", { show_alert = true })
end)
bot.callback("^late$", function(ctx) task.sleep(7) ctx:reply("late") end)
bot.callback("^same$", function(ctx)
  local done, err = ctx:edit("menu", { reply_markup =
    ctx.message.reply_markup })
  ctx:reply(tostring(done) .. " " .. err.kind)
end)
]]

t.case("a button press is answered once", { main = BUTTONS }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/menu")
  local ids = {}
  for _, row in ipairs {
    { "say", { alert = "said" } },
    { "same", "false api" },
    { "edit", { edited = "page 7" } },
  } do
    ids[#ids + 1] = ann:click(row[1]).id
    ann:expect(row[2])
  end
  t.advance("10s")
  local answered = t.calls("answerCallbackQuery")
  assert(#answered == #ids)
  for i, call in ipairs(answered) do
    assert(call.params.callback_query_id == ids[i])
  end
end)

t.case("a slow press is answered before its handler ends", { main = BUTTONS },
  function()
    local ann = t.user { first_name = "Ann" }
    ann:send("/menu")
    ann:click("late")
    ann:expect("late")
    t.advance("10s")
    local answers, last = t.calls("answerCallbackQuery"), t.calls()
    assert(#answers == 1 and answers[1].n < last[#last].n)
    assert(last[#last].method == "sendMessage")
  end)
