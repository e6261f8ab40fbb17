-- Menus below a message: moonlet.menu.
local t = require "moonlet.test"

t.use { copy = true }

local SHOP = [[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
bot.fsm("shop", { initial = "open", key = "chat", states = { open = {} } })
local function data_of(ctx) return ctx:fsm("shop").data end

local item = menu.new("item", function(m, ctx)
  m:text("Item " .. m.arg .. ", " .. (data_of(ctx)[m.arg] or 0))
  m:button("More", function(each)
    local data = data_of(each)
    data[m.arg] = (data[m.arg] or 0) + 1
  end)
  m:back("Back")
end)

local list = menu.new("list", function(m)
  m:text("Items")
  local items = {}
  for i = 1, 7 do items[i] = "thing " .. i end
  m:pages { items = items, per_page = 3, on_pick = function(ctx, name)
    ctx:show_menu(item, name)
  end }
  m:open("Gift", item, "gift: 1@>")
  m:back("Back")
end)

menu.new("shop", function(m, ctx)
  m:text("Shop")
  m:toggle("Sound", data_of(ctx).sound, function(each, wanted)
    data_of(each).sound = wanted
  end)
  m:row()
  m:open("Items", list)
  m:url("Site", "https://example.org/")
  m:row()
  m:button("Hello", function(each) each:answer_callback("Hello!") end)
  m:close("Close")
end)
bot.command("shop", function(ctx) ctx:show_menu("shop") end)
bot.command("state", function(ctx)
  ctx:reply("sound " .. tostring(data_of(ctx).sound))
end)
]]

local function load(text)
  t.write("main.lua", text)
  t.reload()
end

local ann
t.before(function()
  ann = t.user { first_name = "Ann" }
  load(SHOP)
end)

local function labels(message)
  local words = {}
  for _, row in ipairs(message.reply_markup.inline_keyboard) do
    for _, button in ipairs(row) do table.insert(words, button.text) end
    table.insert(words, "|")
  end
  return table.concat(words, " ")
end

t.case("a toggle is stored, and shown in place", function()
  ann:send("/shop")
  assert(labels(ann:expect("Shop")) == "⬜ Sound | Items Site | Hello Close |")
  ann:click("⬜ Sound")
  assert(labels(ann:expect { edited = "Shop" }):find("✅ Sound", 1, true))
  ann:send("/state")
  ann:expect("sound true")
  ann:click("✅ Sound")
  ann:expect { edited = "Shop" }
  ann:send("/state")
  ann:expect("sound false")
end)

t.case("a button may answer, and nothing is edited for it", function()
  ann:send("/shop")
  ann:click("Hello")
  ann:expect { toast = "Hello!" }
  assert(#t.calls("editMessageText") == 0)
  ann:click("Close")
  t.await(function() return #t.calls("deleteMessage") == 1 end)
end)

t.case("18: pages and menus below survive a death and a restart", function()
  ann:send("/shop")
  ann:click("Items")
  assert(labels(ann:expect { edited = "Items" }) == "thing 1 | thing 2 | "
    .. "thing 3 | ‹ 1/3 › | Gift Back |")
  ann:click("›")
  assert(labels(ann:expect { edited = "Items" }) == "thing 4 | thing 5 | "
    .. "thing 6 | ‹ 2/3 › | Gift Back |")
  t.crash()
  ann:click("›")
  assert(labels(ann:expect { edited = "Items" }) == "thing 7 | ‹ 3/3 › | "
    .. "Gift Back |")
  t.restart()
  ann:click("Gift")
  ann:expect { edited = "Item gift: 1@>, 0" }
  ann:click("More")
  ann:expect { edited = "Item gift: 1@>, 1" }
  ann:click("Back") -- to the page from which it was opened
  assert(labels(ann:expect { edited = "Items" }):find("3/3", 1, true))
  ann:click("Back")
  ann:expect { edited = "Shop" }
  for _, call in ipairs(t.calls("editMessageText")) do
    for _, row in ipairs(call.params.reply_markup.inline_keyboard) do
      for _, button in ipairs(row) do
        assert(#(button.callback_data or "") <= 64)
      end
    end
  end
end)

t.case("a menu that a button's function shows leads back to its page",
  function()
    ann:send("/shop")
    ann:click("Items")
    ann:click("›")
    ann:click("thing 5")
    ann:expect { edited = "Item thing 5, 0" }
    t.crash()
    ann:click("Back")
    assert(labels(ann:expect { edited = "Items" }):find("2/3", 1, true))
    ann:click("Back")
    ann:expect { edited = "Shop" }
  end)

t.case("ways round in menus do not grow", function()
  load [[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
menu.new("a", function(m)
  m:text("A")
  m:open("To B", "b", 1)
  m:back("Back")
end)
menu.new("b", function(m)
  m:text("B")
  m:open("Home", "a")
  m:button("Jump", function(ctx) ctx:show_menu("b", 2) end)
end)
bot.command("a", function(ctx) ctx:show_menu("a") end)
]]
  ann:send("/a")
  assert(labels(ann:expect("A")) == "To B |")
  for _ = 1, 3 do
    ann:click("To B")
    ann:expect { edited = "B" }
    ann:click("Jump")
    t.await(function()
      return labels(ann:messages()[#ann:messages()]) == "Home Jump |"
    end)
    ann:click("Home")
    assert(labels(ann:expect { edited = "A" }) == "To B |")
  end
end)

t.case("a range keeps within its bounds and takes fast presses", function()
  load [[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
bot.fsm("set", { initial = "on", states = { on = {} } })
menu.new("set", function(m, ctx)
  local data = ctx:fsm("set").data
  m:text("Set")
  m:button("Above", function() end)
  m:range("Volume", data.volume or 1, { min = 0, max = 4, step = 2,
    on_change = function(_, wanted) data.volume = wanted end })
  m:add { text = "Share", switch_inline_query = "tea" }
end)
bot.command("set", function(ctx) ctx:show_menu("set") end)
]]
  local function shown(value)
    return "Above | − Volume: " .. value .. " + | Share |"
  end
  ann:send("/set")
  assert(labels(ann:expect("Set")) == shown(1))
  t.stop() -- so that all presses are of the same keyboard
  for _ = 1, 3 do ann:click("+") end
  t.start()
  assert(labels(ann:expect { edited = "Set" }) == shown(3))
  assert(labels(ann:expect { edited = "Set" }) == shown(4))
  for _, value in ipairs { 2, 0 } do
    ann:click("−")
    assert(labels(ann:expect { edited = "Set" }) == shown(value))
  end
  ann:click("−")
  ann:click("Volume: 0")
  ann:expect_nothing()
  assert(#t.errors() == 0 and #t.calls("editMessageText") == 4)
end)

t.case("18: a press of an outdated menu shows it anew and says so", function()
  ann:send("/shop")
  ann:expect("Shop")
  load((SHOP:gsub("  m:row%(%)\n", "  m:button('New', print) m:row()\n", 1)))
  ann:click("⬜ Sound")
  assert(labels(ann:expect { edited = "Shop" }):find("^⬜ Sound New |"))
  ann:expect { toast = "This menu has changed." }
  ann:send("/state")
  ann:expect("sound nil")
  assert(t.log():find('"event":"menu.outdated"', 1, true))
  load [[require "moonlet.menu".new("other", function(m) m:text("x") end)]]
  ann:click("⬜ Sound")
  ann:expect { toast = "This menu is gone." }
  assert(#t.errors() == 0)
end)

t.case("two people in a group: the second press does not undo the first",
  function()
    local bob = t.user { first_name = "Bob" }
    local team = t.group { title = "Team", members = { ann, bob } }
    ann:send("/shop", team)
    team:expect("Shop")
    t.stop() -- so that both see the same
    ann:click("⬜ Sound", team)
    bob:click("⬜ Sound", team)
    t.start()
    team:expect { edited = "Shop" }
    t.expect_call("answerCallbackQuery", { text = "This menu has changed." })
    ann:send("/state", team)
    team:expect("sound true")
  end)

t.case("a personal menu is nobody else's", function()
  load [[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
menu.new("mine", function(m)
  m:text("Mine")
  m:button("Press", function(ctx) ctx:answer_callback("yours") end)
end, { personal = true, not_yours = function(ctx)
  return "no, " .. ctx.from.first_name
end })
bot.command("mine", function(ctx) ctx:show_menu("mine") end)
]]
  local bob = t.user { first_name = "Bob" }
  local team = t.group { title = "Team", members = { ann, bob } }
  ann:send("/mine", team)
  team:expect("Mine")
  bob:click("Press", team)
  t.expect_call("answerCallbackQuery", { text = "no, Bob" })
  ann:click("Press", team)
  t.expect_call("answerCallbackQuery", { text = "yours" })
end)

t.case("misuse is told with the name of the menu", function()
  local function refused(script, part)
    t.write("main.lua", 'local menu = require "moonlet.menu"\n' .. script)
    local ok, why = pcall(t.reload)
    assert(not ok and tostring(why):find(part, 1, true), tostring(why))
  end
  refused('menu.new("a b", print)', "is no name")
  refused('menu.new("a")', 'menu "a": menu.new needs a function')
  refused('menu.new("a", print, { x = 1 })', 'no option "x"')
  refused('menu.new("a", print) menu.new("a", print)', "declared twice")
  local function fails(body, part)
    load([[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
menu.new("m", function(m) ]] .. body .. [[ end)
bot.command("go", function(ctx)
  local ok, err = pcall(ctx.show_menu, ctx, "m")
  ctx:reply(err.kind .. " " .. err.message)
end)]])
    ann:send("/go")
    local said = ann:expect(t.any).text
    assert(said:find(part, 1, true), said)
  end
  fails("", 'misuse menu "m": its function has not called m:text')
  fails("m:nothing()", 'm has no function "nothing"')
  fails("m:button('a')", "m:button needs a function")
  fails("m:button('', print)", "a button needs a label, got an empty one")
  fails("m:open('a', 'b')", 'm:open needs a menu of menu.new or its name, got '
    .. '"b"')
  fails("m:pages {}", "needs a table with items")
  fails("m:pages { items = {} }", "on_pick of m:pages needs a function")
  fails("m:pages { items = {}, on_pick = print, per_page = 0 }", "per_page")
  fails("m:pages { items = {}, x = 1 }", 'no option "x"')
  fails("m:range('a', 1)", "m:range needs a table of options")
  fails("m:range('a', '1', { on_change = print })", "needs its value")
  fails("m:range('a', 1, { on_change = print, max = '9' })", "max of m:range")
  fails("m:range('a', 1, { on_change = print, step = 0 })", "more than 0")
  fails("m:range('a', 1, { min = 1 })", "on_change of m:range")
  fails("m:add 'a'", "m:add needs a table, got string")
  fails("m.row()", "is called with a colon")
end)

t.case("18: a death between what a button does and the menu after it",
  function()
    load [[
local bot = require "moonlet.bot"
local menu = require "moonlet.menu"
local task = require "moonlet.task"
bot.fsm("count", { initial = "on", states = { on = { on = { go = "on" } } } })
menu.new("count", function(m, ctx)
  local count = ctx:fsm("count")
  m:text("Count")
  m:button("+ " .. (count.data.n or 0), function()
    count.data.n = (count.data.n or 0) + 1
    count:fire("go")
    task.sleep("5s")
  end)
end)
bot.command("count", function(ctx) ctx:show_menu("count") end)
]]
    ann:send("/count")
    ann:click("+ 0")
    t.advance("2s")
    t.crash()
    assert(labels(ann:expect { edited = "Count" }) == "+ 1 |")
    ann:click("+ 1")
    assert(labels(ann:expect { edited = "Count" }) == "+ 2 |")
    assert(not t.log():find("has changed", 1, true))
  end)

t.case("an empty place of a calendar is a button without a text", function()
  load [[
local bot = require "moonlet.bot"
local keyboard = require "moonlet.keyboard"
local menu = require "moonlet.menu"
local function nothing() return false end
menu.new("days", function(m)
  m:text("February")
  m:button(" ", nothing)
  m:button(" ", nothing)
  m:button("1", function(ctx) ctx:answer_callback("Sunday") end)
end)
bot.command("go", function(ctx)
  ctx:show_menu("days")
  ctx:reply("And", { reply_markup = keyboard.inline():text(" ", "x") })
end)]]
  ann:send("/go")
  local days = ann:expect { text = "February", buttons = { " ", "1" } }
  ann:expect { text = "And", buttons = { " " } }
  ann:click("1", { message = days })
  ann:expect { toast = "Sunday" }
  ann:click(" ", { message = days })
  ann:expect_nothing()
end)
