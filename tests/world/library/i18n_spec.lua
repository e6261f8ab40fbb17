local t = require "moonlet.test"

t.case("a person is answered in the language of their app", function()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  local bob = t.user { first_name = "Bob", language_code = "pt-br" }
  local kim = t.user { first_name = "Kim", language_code = "ko" }
  local people = { { ann, "Hallo, Ann!" }, { bob, "Oi, Bob!" },
    { kim, "Hello, Kim!" }, { t.user { first_name = "Joe" }, "Hello, Joe!" } }
  for _, row in ipairs(people) do
    row[1]:send("/hello")
    row[1]:expect(row[2])
  end
  ann:send("/cups 1")
  ann:expect { pattern = "^1 Tasse$" }
  ann:send("/key menu.title")
  ann:expect("Menü")
  ann:send("/hello_html")
  assert(ann:expect("Ann hat").entities[1].type == "italic")
end)

t.case("a text without a language is for whom the handler runs", function()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  local joe = t.user { first_name = "Joe" }
  for _, each in ipairs { ann, joe } do each:send("/keys") end
  ann:expect("Menü Hallo, Bob!")
  ann:expect("Bob hat")
  joe:expect("Menu Hello, Bob!")
  joe:expect("Bob has")
  ann:expect("child Menü")
  ann:expect("detached Menu")
end)

t.case("a person may choose another language", function()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  ann:send("/language en")
  ann:expect("Hello, Ann!") -- for this update, and then
  ann:send("/hello")
  ann:expect("Hello, Ann!")
end)

-- A bot in a folder of its own, whose file can be changed.
t.case("texts follow an edit, and are logged once where they lack", { copy =
  true }, function()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  for _ = 1, 2 do
    ann:send("/key no.such.key")
    ann:expect("no.such.key")
  end
  local _, said = t.log():gsub("i18n.missing[^\n]*no.such.key", "")
  assert(said == 1, said)
  t.write("locales/de.json", '{ "no": { "such": { "key": "Doch" } } }')
  t.reload()
  ann:send("/key no.such.key")
  ann:expect("Doch")
end)

t.case("a text with broken HTML is named by its key", { copy = true },
  function()
    local ann = t.user { first_name = "Ann", language_code = "fr" }
    t.write("locales/fr.json", '{ "card": "{count}% <b>{name}" }')
    t.reload()
    ann:send("/hello_html")
    local err = t.await(function() return t.errors()[1] end)
    assert(err.message == 'the text "card" (fr): byte 10 of the template: <b> '
      .. "is not closed", err.message)
    assert(err.script == "main.lua")
  end)

-- Numbers and their categories, from the samples of CLDR 44.
local samples = {
  ja = "0=other 1=other 2=other",
  tr = "0=other 1=one 2=other",
  hi = "0=one 0.5=one 1=one 2=other 1.5=other",
  hy = "0=one 1.5=one 2=other",
  fr = "0=one 1.5=one 2=other 1000000=many 1000001=other",
  ["pt-br"] = "0=one 1=one 2=other",
  ["pt-pt"] = "0=other 1=one 1000000=many",
  es = "0=other 1=one 2=other 2000000=many",
  uk = "1=one 2=few 5=many 11=many 12=many 22=few 101=one 1.5=other",
  hr = "1=one 2=few 5=other 11=other 21=one 1.5=other",
  pl = "1=one 2=few 5=many 12=many 21=many 22=few 1.5=other",
  cs = "1=one 2=few 4=few 5=other 0.5=many",
  sl = "1=one 2=two 3=few 4=few 5=other 101=one 102=two 1.5=few",
  lt = "1=one 2=few 10=other 11=other 21=one 22=few 0.5=many",
  lv = "10=zero 11=zero 1=one 21=one 2=other 22=other",
  ro = "0=few 1=one 2=few 19=few 20=other 101=few 1.5=few",
  mk = "1=one 11=other 21=one 2=other",
  fil = "0=one 1=one 4=other 5=one 6=other 9=other 14=other",
  he = "1=one 2=two 3=other 0.5=one",
  ar = "0=zero 1=one 2=two 3=few 10=few 11=many 99=many 100=other 103=few",
  ga = "0=other 1=one 2=two 3=few 6=few 7=many 10=many 11=other",
  cy = "0=zero 1=one 2=two 3=few 4=other 6=many 7=other",
  mt = "0=few 1=one 2=two 10=few 11=many 19=many 20=other 102=other 103=few",
}

t.case("plural rules are those of CLDR", { copy = true }, function()
  local ann = t.user { first_name = "Ann" }
  for language in pairs(samples) do
    -- 0 has a form of its own for everybody who gives one.
    local zero = ("ar cy lv"):find(language, 1, true) and 'zero = "zero", '
      or ""
    t.write("locales/" .. language .. ".lua", "return { n = { " .. zero
      .. [[one = "one", two = "two", few = "few", many = "many",
      other = "other" } }]])
  end
  t.reload()
  for language, words in pairs(samples) do
    local numbers, names = {}, {}
    for number, name in words:gmatch("(%S+)=(%a+)") do
      numbers[#numbers + 1], names[#names + 1] = number, name
    end
    ann:send(("/plurals %s %s"):format(language, table.concat(numbers, " ")))
    ann:expect { pattern = "^" .. table.concat(names, " ") .. "$" }
  end
end)

t.each({
  { "a broken locale", "locales/de.json", "{", "locales/de.json: " },
  { "a locale without a table", "locales/fr.lua", "return 7",
    "locales/fr.lua gives no table" },
  { "a locale with a syntax error", "locales/fr.lua", "return {\n  a b }",
    "locales/fr.lua:2: " },
  { "an endless locale", "locales/fr.json", ("x"):rep(5000000),
    "locales/fr.json: over 4 MiB" },
  { "two files for a language", "locales/en.json", "{}",
    "locales/en.lua: there is another file" },
  { "a value that is no text", "locales/fr.json", '{ "a": { "b": 7 } }',
    'locales/fr.json: the value of "a.b" is a number' },
}, "%s is told of when it loads", { copy = true }, function(row)
  t.write(row[2], row[3])
  local ok, why = pcall(t.reload)
  assert(not ok and tostring(why):find(row[4], 1, true), tostring(why))
end)

t.case("a language that a person has set lasts", { copy = true }, function()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  local bob = t.user { first_name = "Bob", language_code = "de" }
  local function script(more)
    return [[
local bot = require "moonlet.bot"
local i18n = require "moonlet.i18n"
]] .. more .. [[
bot.command("set", function(ctx)
  ctx:set_language(ctx.args[1])
  ctx:reply(ctx:t("hello", { name = "set" }))
end)
bot.command("hello", function(ctx)
  ctx:reply(ctx:t("hello", { name = ctx.from.first_name }))
end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. " " .. err.message) end)
]]
  end
  local function load(text)
    t.write("main.lua", text)
    t.reload()
  end
  local function hello(who, words)
    who:send("/hello")
    who:expect(words)
  end
  load(script "i18n.remember()\n")
  hello(ann, "Hallo, Ann!")
  ann:send("/set en")
  ann:expect("Hello, set!")
  hello(ann, "Hello, Ann!")
  hello(bob, "Hallo, Bob!")
  t.crash()
  hello(ann, "Hello, Ann!")
  hello(bob, "Hallo, Bob!")
  ann:send("/set xx")
  ann:expect("misuse i18n.set: there is no locales/xx.lua or .json")
  load(script 'i18n.remember()\ni18n.choose(function() return "pt-br" end)\n')
  hello(ann, "Oi, Ann!")
  load(script "i18n.remember()\n")
  ann:send("/set")
  ann:expect("Hallo, set!")
  t.restart()
  hello(ann, "Hallo, Ann!")
  load(script "")
  hello(ann, "Hallo, Ann!")
  ann:send("/set en")
  ann:expect("i18n.remember() while main.lua loads")
end)

local BUTTONS = [[
local bot = require "moonlet.bot"
local i18n = require "moonlet.i18n"
bot.on(i18n.said "button", function(ctx) ctx:reply("pressed") end)
bot.on("message:text", function(ctx) ctx:reply("said") end)
]]

t.case("a button's text is heard in any language", { copy = true }, function()
  t.write("main.lua", BUTTONS)
  t.write("locales/en.lua", 'return { button = "Settings" }')
  t.write("locales/de.json", '{ "button": "Einstellungen" }')
  t.reload()
  local ann = t.user { first_name = "Ann", language_code = "de" }
  for _, row in ipairs { { "Einstellungen", "pressed" },
    { "Settings", "pressed" }, { "settings", "said" } } do
    ann:send(row[1])
    ann:expect(row[2])
  end
end)

t.case("a button's text is one text", { copy = true }, function()
  local function refused(text, why)
    t.write("main.lua", BUTTONS)
    t.write("locales/en.lua", "return { " .. text .. " }")
    local ok, report = pcall(t.reload)
    assert(not ok and tostring(report):find(why, 1, true), tostring(report))
  end
  refused('button = "Hello {name}"', "is not always the same")
  refused('button = { one = "x", other = "y" }', "is not always the same")
  refused('other = "x"', 'no language has the text "button"')
end)
