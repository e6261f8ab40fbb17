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
  says('{n=1,tag=("x"):rep(55)}', "misuse callback data \"page\" takes 65 "
    .. "bytes of at most 64")
  says('{n=1,tag=("\u{416}"):rep(28)}', "takes 66 bytes")
  says('{n=1,tag=("x"):rep(90)}', "storing longer data is not built yet")
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
