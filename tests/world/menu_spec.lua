-- The menus of commands that clients show.
local t = require "moonlet.test"

t.use { copy = true, config = { admin_ids = { 7001 } } }

local function load(script)
  t.write("main.lua", [[
local bot = require "moonlet.bot"
local function nothing() end
]] .. script)
  local before = #t.calls()
  t.reload()
  t.advance("5s")
  local changed = {}
  for i, call in ipairs(t.calls()) do
    if i > before and call.method:find("^[sd].*MyCommands$") then
      local scope = call.params.scope
      table.insert(changed, table.concat({
        call.method:gsub("MyCommands", ""), scope.chat_id or scope.type,
        call.params.language_code }, " "))
    end
  end
  return table.concat(changed, ", ")
end

-- What a menu holds: "start=Begin help=Help".
local function menu(scope, language)
  local last = ""
  for _, call in ipairs(t.calls()) do
    local at = call.params.scope
    if at and (at.chat_id or at.type) == scope
      and call.params.language_code == language
      and call.method ~= "getMyCommands" then
      local words = {}
      for _, each in ipairs(call.params.commands or {}) do
        table.insert(words, each.command .. "=" .. each.description)
      end
      last = table.concat(words, " ")
    end
  end
  return last
end

t.case("the menu follows the descriptions, and only if they change", function()
  local script = [[
bot.command("Start", nothing, { description = "Begin" })
bot.command({ "help", "h" }, nothing, { description = "Help" })
bot.command("quiet", nothing, { description = "Quiet", hidden = true })
bot.command("plain", nothing)
]]
  assert(load(script) == "set default")
  assert(menu("default") == "start=Begin help=Help")
  assert(load(script) == "", "nothing has changed")
  t.restart()
  t.advance("5s")
  assert(#t.calls("setMyCommands") == 1)
  assert(load(script:gsub("Begin", "Start")) == "set default")
  assert(load('bot.command("plain", nothing)') == "",
    "without descriptions it is the owner's own")
end)

t.case("scopes and languages have menus of their own", function()
  assert(load [[
bot.command("a", nothing, { description = { "A", de = "Ah" } })
bot.command("b", nothing, { description = { en = "B", fr = "Be" },
  scope = "all_private_chats" })
bot.command("c", nothing, { description = "C", scope = { "all_group_chats",
  { chat = -100 } } })
bot.command("d", nothing, { description = "D",
  scope = "all_chat_administrators" })
bot.admin("e", nothing, { description = "E" })
]] == "set default, set default de, set all_private_chats, "
    .. "set all_private_chats de, set all_private_chats en, "
    .. "set all_private_chats fr, set all_group_chats, "
    .. "set all_group_chats de, set all_chat_administrators, "
    .. "set all_chat_administrators de, set 7001, set 7001 de, set 7001 en, "
    .. "set 7001 fr, set -100, set -100 de" or t.log())
  assert(menu("default", "de") == "a=Ah")
  assert(menu("all_private_chats") == "a=A b=B")
  assert(menu("all_private_chats", "fr") == "a=A b=Be")
  assert(menu("all_group_chats", "de") == "a=Ah c=C")
  assert(menu("all_chat_administrators") == "a=A c=C d=D")
  assert(menu("7001" + 0) == "a=A b=B e=E")
  assert(menu(-100) == "a=A c=C")
  assert(load [[
bot.command("a", nothing, { description = { "A", de = "Ah" } })
]] == "delete all_private_chats, delete all_private_chats de, "
    .. "delete all_group_chats, delete all_group_chats de, "
    .. "delete all_chat_administrators, delete all_chat_administrators de, "
    .. "delete 7001, delete 7001 de")
end)

t.case("a menu that cannot be set stops nothing", function()
  t.fault { method = "getMyCommands", mode = "429",
    retry_after = 3600 }
  load [[
bot.on_start(function() require "moonlet.log".info("began") end)
bot.command("a", nothing, { description = "A" })
bot.command("ping", function(ctx) ctx:reply("pong") end)
]]
  local ann = t.user { first_name = "Ann" }
  ann:send("/ping")
  ann:expect("pong")
  assert(t.log():find("menu.not_set", 1, true))
  assert(t.log():find('"event":"began"', 1, true))
end)

t.case("what Telegram would refuse is refused at load", function()
  local function refused(script, part)
    local ok, why = pcall(load, script)
    assert(not ok and tostring(why):find(part, 1, true), tostring(why))
  end
  local function described(opts)
    return 'bot.command("a", nothing, ' .. opts .. ")"
  end
  refused('bot.command("no-dash", nothing)', "is no name of a command")
  refused('bot.command(("x"):rep(33), nothing)', "at most 32")
  refused('bot.command({}, nothing)', "needs a name")
  refused(described '{ description = "" }', "1 to 256 characters")
  refused(described '{ description = ("x"):rep(257) }', "1 to 256")
  refused(described '{ description = { de = "x" } }', "a text for all others")
  refused(described '{ description = { "x", deu = "y" } }', "two letters")
  refused(described '{ description = "x", scope = "private" }', "scope must be")
  refused(described '{ description = "x", scope = { chat = "me" } }', "scope")
  refused(described '{ scope = "default" }', "without a description")
  refused('bot.admin("a", nothing, { scope = "default" })', "no option")
  refused('for i = 1, 101 do bot.command("c" .. i, nothing, '
    .. '{ description = "x" }) end', "more than 100 commands")
end)
