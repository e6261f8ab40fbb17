local check = require "check"
local format = require "moonlet.format"
local i18n = require "moonlet.i18n"

local case = {}

function case.keys_places_and_fallbacks()
  check.equal(i18n.t("de", "hello", { name = "Ann" }), "Hallo, Ann!")
  check.equal(i18n.t("de", "menu.title"), "Menü")
  check.equal(i18n.t("de-at", "menu.title"), "Menü")
  check.equal(i18n.t("de", "menu.back"), "Back")
  check.equal(i18n.t("pt-BR", "hello", { name = "Ann" }), "Oi, Ann!")
  check.equal(i18n.t("pt_BR", "menu.title"), "Menu")
  check.equal(i18n.t("fr", "menu.title"), "Menu")
  check.equal(i18n.t(nil, "menu.title"), "Menu")
  check.equal(i18n.t("en", "hello", { name = 7 }), "Hello, 7!")
  check.same(i18n.languages(), { "de", "en", "pt-br", "ru" })
end

function case.the_language_of_an_update()
  local from = { id = 0, language_code = "de-at" }
  check.equal(i18n.language { from = from }, "de")
  check.equal(i18n.language { from = from, lang = "ru" }, "ru")
  check.equal(i18n.language { from = from, lang = "xx" }, "de")
  check.equal(i18n.language { from = { id = 0 } }, "en")
end

function case.the_language_is_chosen_once_an_update()
  local asked = 0
  local from = setmetatable({}, { __index = function(_, name)
    if name == "id" then asked = asked + 1 end -- by the bot's i18n.choose
    return name == "id" and 0 or "de"
  end })
  local ctx = { from = from }
  check.equal(i18n.language(ctx), "de")
  check.equal(i18n.language(ctx), "de")
  check.equal(asked, 1)
end

function case.plural_forms()
  local function cups(language, ...)
    local all = {}
    for i, n in ipairs { ... } do
      all[i] = i18n.t(language, "cups", { count = n })
    end
    return table.concat(all, ", ")
  end
  check.equal(cups("en", 0, 1, 2, 1.5), "no cups, 1 cup, 2 cups, 1.5 cups")
  check.equal(cups("de", 0, 1, 2), "0 Tassen, 1 Tasse, 2 Tassen")
  check.equal(cups("ru", 1, 2, 5, 11, 21, 112, 1.5), "1 чашка, 2 чашки, "
    .. "5 чашек, 11 чашек, 21 чашка, 112 чашек, 1.5 чашек")
  check.equal(i18n.t("en", "cups"), "{count} cups")
end

function case.pieces_as_arguments_make_a_piece()
  local said = i18n.t("en", "hello", { name = format.bold("Ann") })
  check.equal(format.to_html(said), "Hello, <b>Ann</b>!")
end

function case.html_texts_keep_arguments_as_text()
  local said = i18n.html("en", "card", { name = "<i>", count = 3 })
  check.equal(format.to_html(said),
    "<b>&lt;i&gt;</b> has 100% of 3 points &amp; more")
  check.equal(tostring(i18n.html("de", "card", { name = "A", count = 1 })),
    "A hat 100 % von 1 Punkten")
  check.equal(tostring(i18n.html("de", "nothing.there")), "nothing.there")
end

function case.a_text_that_is_missing_is_its_key()
  check.equal(i18n.t("de", "no.such"), "no.such")
  check.equal(i18n.t("de", "hello"), "Hallo, {name}!")
end

function case.wrong_calls_are_misuse()
  check.raises("t needs a key, got nil", i18n.t)
  check.raises("t needs a key, got nil", i18n.t, nil, nil, {})
  check.raises("t needs a key, got boolean", i18n.t, "de", true)
  check.raises("must be a table, got string", i18n.t, "de", "hello", "Ann")
  check.raises("there is no locales/xx.lua", i18n.use, {}, "xx")
  check.raises("there is no locales/xx.lua", i18n.default, "xx")
  check.raises("needs a function", i18n.choose, "de")
  check.raises('no function "tt"', function() return i18n.tt end)
end

function case.check_names_what_is_missing()
  local lines = {}
  for i, row in ipairs(i18n.check()) do
    lines[i] = row.language .. " " .. row.key .. " " .. row.message
  end
  check.equal(table.concat(lines, "\n"), table.concat({
    "de menu.back is missing",
    "de only_english is missing",
    "de points is missing",
    "pt-br card is missing",
    "pt-br cups is missing",
    "pt-br menu.back is missing",
    "pt-br menu.title is missing",
    "pt-br only_english is missing",
    "pt-br points is missing",
    "ru card does not use {count}",
    "ru card does not use {name}",
    "ru card uses {who}, which the default language does not",
    "ru hello does not use {name}",
    "ru more is not in the default language en",
    "ru points has no plural form \"few\"",
    "ru menu.back is missing",
    "ru menu.title is missing",
    "ru only_english is missing",
  }, "\n"))
end

return case
