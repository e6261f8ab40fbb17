-- Typed data of buttons.
local t = require "moonlet.test"

t.use { copy = true }

local function bot(fields, opts)
  return ([[
local bot = require "moonlet.bot"
local page = bot.callback_data("page", %s, %s)
bot.command("go", function(ctx)
  ctx:reply("go", { reply_markup = { inline_keyboard = { { { text = "Next",
    callback_data = page:pack{ n = -3, tag = "a:b%%c", on = false } } } } } })
end)
bot.command("pack", function(ctx)
  local ok, err = pcall(page.pack, page, load("return " .. table.concat(
    ctx.args, " "))())
  ctx:reply(ok and "packed " .. #err or err.kind .. " " .. err.message)
end)
bot.callback(page, function(ctx, data)
  ctx:edit(data.n .. " " .. data.tag .. " " .. tostring(data.on))
end)
bot.callback("^page", function(ctx) ctx:edit("a pattern") end)
]]):format(fields, opts or "{}")
end

local FIELDS = '{ "n:int", "tag:text", "on:bool" }'

local function load(text)
  t.write("main.lua", text)
  t.reload()
end

t.case("values come back as they were packed", function()
  local ann = t.user { first_name = "Ann" }
  load(bot(FIELDS))
  ann:send("/go")
  ann:click("Next")
  ann:expect { edited = "-3 a:b%c false" }
  t.crash() -- the button carries all that it needs
  ann:send("/go")
  ann:click("Next")
  ann:expect { edited = "-3 a:b%c false" }
end)

t.case("18: an old button is answered politely, and is no error", function()
  local ann = t.user { first_name = "Ann" }
  load(bot(FIELDS))
  ann:send("/go")
  ann:expect("go")
  load(bot('{ "n:int", "tag:text", "on:bool", "more:int" }'))
  ann:click("Next")
  ann:expect { toast = "This button is outdated." }
  load(bot(FIELDS, '{ version = 2, outdated = "Ask again" }'))
  ann:click("Next")
  ann:expect { toast = "Ask again" }
  load(bot(FIELDS))
  ann:click("Next")
  ann:expect { edited = "-3 a:b%c false" }
  assert(#t.errors() == 0)
  local log = t.log()
  assert(log:find('"event":"callback.outdated"', 1, true), log)
end)

t.case("20: 64 bytes are counted as bytes", function()
  local ann = t.user { first_name = "Ann" }
  load(bot('{ "n:int", "tag:text" }'))
  local function says(values, part)
    ann:send("/pack " .. values)
    local said = ann:expect(t.any).text
    assert(said:find(part, 1, true), said)
  end
  says('{n=1,tag=("x"):rep(54)}', "packed 64")
  says('{n=1,tag=("x"):rep(55)}', "packed 33")
  says('{n=1,tag=("\u{416}"):rep(27)}', "packed 64")
  says('{n=1,tag=("\u{416}"):rep(28)}', "packed 33")
  says('{n=1,tag=("x"):rep(9000)}', 'misuse callback data "page" has 9010 '
    .. "bytes, more than 8192 are not stored")
  says('{n=1,tag=("\\xff"):rep(90)}', "is no UTF-8")
  says('{n=2.0,tag=""}', "packed 10")
  says('{n=2.5,tag=""}', "n must be of type int, got number")
  says('{n=1}', "tag must be of type text, got nil")
  says('{n=1,tag="",x=1}', 'has no field "x"')
  says('5', "needs a table of values")
end)

t.case("declarations are checked at load", function()
  local function refused(script, part)
    t.write("main.lua", 'local bot = require "moonlet.bot"\n' .. script)
    local ok, why = pcall(t.reload)
    assert(not ok and tostring(why):find(part, 1, true), tostring(why))
    assert(tostring(why):find("main.lua:2", 1, true), tostring(why))
  end
  refused('bot.callback_data("a b", {})', "is no name")
  refused('bot.callback_data("a", { "n" })', '"n" is no field')
  refused('bot.callback_data("a", { "n:float" })', "is no field")
  refused('bot.callback_data("a", { "n:int", "n:text" })', "is no field")
  refused('bot.callback_data("a", "n:int")', "needs a list of fields")
  refused('bot.callback_data("a", {}, { old = 1 })', 'no option "old"')
  refused('bot.callback_data("a", {}, 1)', "options must be a table")
  refused('bot.callback_data("a", {}) bot.callback_data("a", {})',
    "declared twice")
end)

local LONG = [[
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local note = bot.callback_data("note", { "text:text" })
local long = ("Ж"):rep(100)
bot.command("go", function(ctx)
  ctx:reply("go", { reply_markup = keyboard.inline {
    { { "Typed", note:pack{ text = long } }, { "Plain", "say:" .. long } } } })
end)
bot.callback(note, function(ctx, data) ctx:reply("typed " .. #data.text) end)
bot.callback("^say:(.+)$", function(ctx, text)
  ctx:reply("plain " .. #text .. " " .. #ctx.callback_query.data)
end)
]]

t.case("20: longer data is stored, and handlers see all of it", function()
  local ann = t.user { first_name = "Ann" }
  load(LONG)
  ann:send("/go")
  local first = ann:expect("go")
  ann:click("Typed")
  ann:expect("typed 200")
  t.crash()
  ann:click("Plain")
  ann:expect("plain 200 204")
  ann:send("/go")
  local second = ann:expect("go")
  for i = 1, 2 do
    local data = first.reply_markup.inline_keyboard[1][i].callback_data
    assert(#data <= 64 and data
      == second.reply_markup.inline_keyboard[1][i].callback_data)
  end
end)

-- With the bot at rest, as weeks of polling take seconds.
local function pass(days)
  t.stop()
  t.advance(days)
  t.start()
end

t.case("18, 20: a button whose data is gone is answered politely", function()
  local ann = t.user { first_name = "Ann" }
  load(LONG)
  ann:send("/go")
  ann:expect("go")
  pass("60d")
  ann:send("/go") -- used again: kept on
  ann:expect("go")
  pass("60d")
  ann:click("Plain")
  ann:expect("plain 200 204")
  pass("91d")
  ann:click("Plain")
  ann:expect { toast = "This button is outdated." }
  assert(#t.errors() == 0)
  assert(t.log():find('"event":"callback.expired"', 1, true), t.log())
end)

t.case("20: longer data cannot be packed while scripts load", function()
  t.write("main.lua", LONG .. '\nlocal _ = note:pack{ text = long }\n')
  local ok, why = pcall(t.reload)
  assert(not ok and tostring(why):find("cannot wait while a script loads", 1,
    true), tostring(why))
end)

local PLAIN = [[
local api = require "moonlet.api"
local bot = require "moonlet.bot"
local function markup(n)
  return { inline_keyboard = { { { text = "Short", callback_data = "short" } },
    { { text = "Long", callback_data = "say:" .. ("x"):rep(n) } } } }
end
local kept = markup(100)
bot.command("reply", function(ctx)
  ctx:reply("one", { reply_markup = kept })
  assert(#kept.inline_keyboard[2][1].callback_data == 104)
end)
bot.command("api", function(ctx)
  api.sendMessage { chat_id = ctx.chat.id, text = "two",
    reply_markup = markup(101) }
end)
bot.command("markup", function(ctx)
  local message = ctx:reply("three")
  api.editMessageReplyMarkup({ chat_id = ctx.chat.id,
    message_id = message.message_id, reply_markup = markup(102) },
    { timeout = "5s" })
end)
bot.command("much", function(ctx)
  local _, err = pcall(ctx.reply, ctx, "x", { reply_markup = markup(9000) })
  ctx:reply(err.kind .. " " .. err.line .. " " .. err.message)
end)
bot.inline_query("", function(ctx)
  ctx:answer_inline { { type = "article", id = "1", title = "Tea",
    input_message_content = { message_text = "tea" },
    reply_markup = markup(103) } }
end)
bot.callback("^say:(x+)$", function(ctx, text) ctx:reply("said " .. #text) end)
]]

t.case("20: longer data in tables of the script's own is stored as well",
  function()
    local ann = t.user { first_name = "Ann" }
    load(PLAIN)
    for length, name in pairs { [100] = "reply", [101] = "api",
      [102] = "markup" } do
      ann:send("/" .. name)
      ann:expect(t.any)
      t.await(function()
        local shown = ann:messages()
        return shown[#shown].reply_markup
      end)
      ann:click("Long")
      ann:expect("said " .. length)
    end
    ann:send("/much")
    ann:expect('misuse 23 sendMessage: the data of the button "Long" has 9004 '
      .. "bytes, more than 8192 are not stored")
    local made = ann:inline("tea")[1].reply_markup.inline_keyboard
    assert(made[1][1].callback_data == "short")
    assert(#made[2][1].callback_data == 33)
  end)

t.case("the caption of a picture is edited as a text is", { main = [[
local bot = require "moonlet.bot"
local format = require "moonlet.format"
local keyboard = require "moonlet.keyboard"
local function more(n)
  return { caption = "Cup 0", reply_markup = keyboard.inline()
    :text("More", "more:" .. n) }
end
bot.command("cup", function(ctx)
  local sent = ctx:upload_photo("cup.png", { data = "picture" }, more(1))
  ctx:edit("Cup", { message = sent, reply_markup = more(1).reply_markup })
end)
bot.callback("^more:(%d+)$", function(ctx, n)
  ctx:edit(format { "Cup ", format.bold(n) },
    { reply_markup = more(n + 1).reply_markup })
end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  ann:send("/cup")
  ann:expect { photo = true, text = "Cup 0" }
  ann:expect { photo = true, edited = "Cup" }
  ann:click("More")
  local message = ann:expect { photo = true, edited = "Cup 1",
    buttons = { "More" } }
  assert(message.caption_entities[1].type == "bold")
  assert(#t.calls("editMessageText") == 0)
end)

t.case("a button of a business message is edited over its connection",
  { main = [[
local bot = require "moonlet.bot"
bot.callback("^x$", function(ctx) ctx:edit("changed") end)]] }, function()
  local ann = t.user { first_name = "Ann" }
  t.update { callback_query = { id = "7", data = "x", chat_instance = "1",
    from = { id = ann.id, is_bot = false, first_name = "Ann" },
    message = { message_id = 3, date = 1, text = "Hello",
      business_connection_id = "B",
      chat = { id = ann.id, type = "private", first_name = "Ann" } } } }
  t.expect_call("editMessageText", { business_connection_id = "B",
    message_id = 3, text = "changed" })
end)
