--- Texts in the person's language. They stand beside the scripts, in
-- locales/LANGUAGE.lua, which returns a table, or in locales/LANGUAGE.json,
-- and are read as the scripts load. A value is a text with places such as
-- {name}, a table of such texts by plural category (one, few, many, other;
-- zero also for the number 0 alone), or a table of further keys: in
-- { menu = { title = "Menu" } } the key is "menu.title". Languages are spelt
-- as Telegram does, "de" or "pt-br". The language of an update is ctx.lang if
-- a handler has set it, else what i18n.choose says, else what i18n.set has
-- stored, else the language of the person's app; where a text is missing,
-- "en-gb" falls back to "en" and that to the default.
local core = require "moonlet.core"
local html = require "moonlet.format_html"
local json = require "moonlet.json"
local log = require "moonlet.log"
local pieces = require "moonlet.pieces"
local plurals = require "moonlet.plurals"
local rows = require "moonlet.core.state"

local i18n = {}

local KIND = "lang" -- rows of bot.db
local CHOSEN_MAX = 10000
local LOGGED_MAX = 1000 -- keys that are told of once each

local locales = {} -- tag in lower case -> { texts = key -> entry, plural }
local tags = {} -- all of them, in order
local default -- one of them
local chooser
local remembers = false
local chosen, chosen_count = {}, 0 -- id of a person -> language, false: none
local logged, logged_count = {}, 0
local contexts = setmetatable({}, { __mode = "k" }) -- of handlers that run

-- --- loading

local categories = { zero = true, one = true, two = true, few = true,
  many = true, other = true }

-- The parts of a text: texts, and names of places as tables.
local function parse(text)
  local parts, at = {}, 1
  while true do
    local from, to, name = text:find("{([%a_][%w_]*)}", at)
    parts[#parts + 1] = text:sub(at, (from or 0) - 1)
    if not from then return parts end
    parts[#parts + 1] = { name = name }
    at = to + 1
  end
end

local function is_plural(value)
  if type(value.other) ~= "string" and type(value.many) ~= "string" then
    return false
  end
  for name, text in pairs(value) do
    if not categories[name] or type(text) ~= "string" then return false end
  end
  return true
end

local function add_texts(locale, file, prefix, values)
  for name, value in pairs(values) do
    local key = prefix .. tostring(name)
    if type(value) == "string" then
      locale.texts[key] = { parts = parse(value) }
    elseif type(value) == "table" and is_plural(value) then
      local forms = {}
      for form, text in pairs(value) do forms[form] = parse(text) end
      locale.texts[key] = { forms = forms }
    elseif type(value) == "table" then
      add_texts(locale, file, key .. ".", value)
    else
      core.misuse(("%s: the value of %q is a %s, not a text or a table")
        :format(file, key, type(value)))
    end
  end
end

local function read(file)
  if file:find("%.lua$") then
    return require("locales." .. file:match("^(.*)%.lua$"))
  end
  local ok, value = pcall(json.decode, core.locale_text(file))
  if not ok then core.misuse(("locales/%s: %s"):format(file, value)) end
  return value
end

local function load()
  local files = core.locale_files()
  table.sort(files)
  for _, file in ipairs(files) do
    local tag = file:match("^(.*)%."):lower():gsub("_", "-")
    local where = "locales/" .. file
    if locales[tag] then
      core.misuse(where .. ": there is another file for the same language")
    end
    local values = read(file)
    if type(values) ~= "table" then
      core.misuse(where .. " gives no table")
    end
    locales[tag] = { texts = {}, plural = plurals.of(tag) }
    add_texts(locales[tag], where, "", values)
    tags[#tags + 1] = tag
  end
  table.sort(tags)
  default = locales.en and "en" or tags[1]
end

-- Later there are none: bot.lua has looked.
if core.loading() then load() end

-- --- languages

local function normal(language)
  return type(language) == "string" and language:lower():gsub("_", "-") or nil
end

-- The locale of a language or of what it is a kind of.
local function known(language)
  language = normal(language)
  while language and not locales[language] do
    language = language:match("^(.*)%-[^-]*$")
  end
  return language
end

local function check_known(what, language)
  local tag = normal(language)
  if not locales[tag or ""] then
    core.misuse(("%s: there is no locales/%s.lua or .json"):format(what,
      tostring(language)))
  end
  return tag
end

--- i18n.default(language): the language for everybody whose own is not there.
-- Unless it is said, "en" if that is there.
function i18n.default(language)
  default = check_known("i18n.default", language)
end

--- i18n.languages(): a list of the languages that are there.
function i18n.languages() return table.move(tags, 1, #tags, 1, {}) end

--- i18n.choose(fn): fn(ctx) says the language of an update, as one that a
-- person has set; nil leaves it to their app. Asked once an update, when a
-- text is needed, and may wait; ctx.lang keeps the answer.
function i18n.choose(fn)
  if type(fn) ~= "function" then
    core.misuse("i18n.choose needs a function, got " .. type(fn))
  end
  chooser = fn
end

--- i18n.remember(): from now on a person may have a language of their own,
-- which i18n.set has stored in bot.db; it is read when a text is needed, once
-- for each person. To be called while scripts load.
function i18n.remember()
  if not core.loading() then
    core.misuse("i18n.remember: call it while main.lua loads, not later")
  end
  remembers = true
end

local function keep(id, language)
  if chosen[id] == nil then chosen_count = chosen_count + 1 end
  if chosen_count > CHOSEN_MAX then chosen, chosen_count = {}, 1 end
  chosen[id] = language or false
end

--- i18n.set(ctx, language): the language of the update's person from now on,
-- through restarts; nil: that of their app again. What i18n.choose says still
-- counts more. Waits; "misuse" if the language is not there, for an update
-- that nobody has sent, and without i18n.remember().
function i18n.set(ctx, language)
  if not remembers then
    core.misuse("i18n.set: nobody would read it; call i18n.remember() while "
      .. "main.lua loads")
  end
  if type(ctx) ~= "table" or not ctx.from then
    core.misuse("i18n.set needs the context of an update that somebody sent")
  end
  local tag = language ~= nil and check_known("i18n.set", language) or nil
  rows.put(KIND, tostring(ctx.from.id), tag, -1, {})
  keep(ctx.from.id, tag)
  ctx.lang = tag
end

local function stored_language(ctx)
  local id = ctx.from and ctx.from.id
  if not id then return false end
  if chosen[id] == nil then keep(id, (rows.get(KIND, tostring(id)))) end
  return chosen[id]
end

--- i18n.use(ctx, language): the language for the rest of this update; the
-- same as setting ctx.lang, but "misuse" if it is not there.
function i18n.use(ctx, language)
  ctx.lang = check_known("i18n.use", language)
end

--- i18n.language(ctx): the language of an update, one of those there; nil if
-- there are none.
function i18n.language(ctx)
  if ctx.lang == nil and chooser then ctx.lang = chooser(ctx) or false end
  if not ctx.lang and remembers then ctx.lang = stored_language(ctx) end
  local from = ctx.from
  return known(ctx.lang) or known(from and from.language_code) or default
end

-- An update is being handled: its context, for texts without one.
function i18n._begin(ctx) contexts[core.handler()] = ctx end

-- The language may be left out.
local function arguments(language, key, args)
  if args == nil and type(language) == "string"
    and (key == nil or type(key) == "table") then
    local handler = core.handler()
    local ctx = handler and contexts[handler]
    return ctx and i18n.language(ctx) or default, language, key
  end
  return known(language) or default, key, args
end

-- --- texts

local function log_once(name, fields)
  local id = name .. " " .. (fields.argument or "")
  if logged[id] or logged_count >= LOGGED_MAX then return end
  logged[id], logged_count = true, logged_count + 1
  log.warn("i18n.missing", fields)
end

-- The entry of a key and the locale that has it.
local function find(language, key)
  while language do
    local locale = locales[language]
    local entry = locale and locale.texts[key]
    if entry then return entry, locale end
    language = language:match("^(.*)%-[^-]*$")
  end
  local locale = locales[default or ""]
  return locale and locale.texts[key], locale
end

local function parts_of(entry, locale, count)
  if entry.parts then return entry.parts end
  local forms = entry.forms
  local form = "other"
  if math.type(count) then
    form = count == 0 and forms.zero and "zero" or locale.plural.rule(count)
  end
  return forms[form] or forms.other or forms.many
end

-- The parts for a key, or nil if there is no such text.
local function look_up(language, key, args)
  if type(key) ~= "string" then
    core.misuse("t needs a key, got " .. type(key))
  end
  if args ~= nil and type(args) ~= "table" then
    core.misuse(("t(%q): the arguments must be a table, got %s"):format(key,
      type(args)))
  end
  local entry, locale = find(language, key)
  if not entry then
    log_once(key, { key = key, language = language or "" })
    return nil
  end
  return parts_of(entry, locale, args and args.count)
end

local function argument(language, key, args, name)
  local value = args and args[name]
  if value == nil then
    log_once(key, { key = key, argument = name, language = language or "" })
    return "{" .. name .. "}"
  end
  return pieces.is(value) and value or tostring(value)
end

--- i18n.t([language,] key [, args]): a text, for use without a context. The
-- language may be left out: then it is that of the update whose handler runs,
-- also in child tasks, else the default. In handlers there is ctx:t(key, args).
function i18n.t(language, key, args)
  language, key, args = arguments(language, key, args)
  local parts = look_up(language, key, args)
  if not parts then return key end
  local filled, with_pieces = {}, false
  for i, part in ipairs(parts) do
    if type(part) == "table" then
      part = argument(language, key, args, part.name)
      with_pieces = with_pieces or pieces.is(part)
    end
    filled[i] = part
  end
  if not with_pieces then return table.concat(filled) end
  for i, part in ipairs(filled) do filled[i] = pieces.of(part, "i18n.t") end
  return pieces.join(filled)
end

-- The parts as a template of moonlet.format, the names of its places, and
-- the byte of the text that belongs to one of the template.
local function template_of(parts)
  local texts, names, starts, at, original = {}, {}, {}, 1, 1
  for i, part in ipairs(parts) do
    local is_place = type(part) == "table"
    texts[i] = is_place and "%s" or part:gsub("%%", "%%%%")
    if is_place then names[#names + 1] = part.name end
    starts[i] = { at = at, original = original }
    at = at + #texts[i]
    original = original + (is_place and #part.name + 2 or #part)
  end
  local template = table.concat(texts)
  return template, names, function(byte)
    local start
    for _, each in ipairs(starts) do
      if each.at <= byte then start = each end
    end
    local _, doubled = template:sub(start.at, byte - 1):gsub("%%%%", "")
    return start.original + byte - start.at - doubled
  end
end

--- i18n.html([language,] key [, args]): the same of a text in HTML, as a piece;
-- the arguments stay text. In handlers there is ctx:t_html(key, args).
function i18n.html(language, key, args)
  language, key, args = arguments(language, key, args)
  local parts = look_up(language, key, args)
  if not parts then return pieces.make(key) end
  local template, names, origin = template_of(parts)
  local values = { n = #names }
  for i, name in ipairs(names) do
    values[i] = argument(language, key, args, name)
  end
  return html.parse(("the text %q (%s)"):format(key, language), template,
    values, origin)
end

--- i18n.said(key): a filter (moonlet.filter) for messages whose text is this
-- one, in whichever language: what a button of a reply keyboard sends, that was
-- made before the person chose another language, too. "misuse" for a key that
-- no language has, and for a text with places or plural forms.
function i18n.said(key)
  local texts = {}
  for tag, locale in pairs(locales) do
    local entry = locale.texts[key]
    local parts = entry and entry.parts
    if entry and not (parts and #parts == 1 and type(parts[1]) == "string") then
      core.misuse(("i18n.said: the text %q (%s) is not always the same"):format(
        key, tag))
    end
    if entry then texts[parts[1]] = true end
  end
  if next(texts) == nil then
    core.misuse(("i18n.said: no language has the text %q"):format(
      tostring(key)))
  end
  return require "moonlet.filter".all("message:text", function(ctx)
    return texts[ctx.text] == true
  end)
end

-- --- checks

local function places(entry)
  local found = {}
  for _, parts in pairs(entry.forms or { entry.parts }) do
    for _, part in ipairs(parts) do
      if type(part) == "table" then found[part.name] = true end
    end
  end
  return found
end

local function check_forms(entry, locale, tell)
  for _, form in ipairs(entry.forms and locale.plural or {}) do
    if not entry.forms[form] then
      tell(("has no plural form %q"):format(form))
    end
  end
end

local function check_entry(key, entry, locale, tell)
  local reference = locales[default].texts[key]
  if not reference then
    return tell("is not in the default language " .. default)
  end
  check_forms(entry, locale, tell)
  local theirs, ours = places(reference), places(entry)
  for _, name in ipairs(require "moonlet.sorted"(theirs)) do
    if not ours[name] then tell(("does not use {%s}"):format(name)) end
  end
  for _, name in ipairs(require "moonlet.sorted"(ours)) do
    if not theirs[name] then
      tell(("uses {%s}, which the default language does not"):format(name))
    end
  end
end

-- For moonlet.check: the keys of the language of a file.
function i18n._keys(path)
  local tag = path:match("^locales/(.*)%."):lower():gsub("_", "-")
  return locales[tag].texts
end

--- i18n.check(): what is wrong with the texts, as a list of tables with
-- language, key and message: keys that a language lacks or the default one
-- does not have, places and plural forms that are missing.
function i18n.check()
  local found = {}
  for _, tag in ipairs(tags) do
    local locale = locales[tag]
    local function tell_of(key)
      return function(message)
        found[#found + 1] = { language = tag, key = key, message = message }
      end
    end
    for _, key in ipairs(require "moonlet.sorted"(locale.texts)) do
      check_entry(key, locale.texts[key], locale, tell_of(key))
    end
    local parent = tag:match("^(.*)%-[^-]*$")
    for _, key in ipairs(require "moonlet.sorted"(locales[default].texts)) do
      if not locale.texts[key] and not (parent and locales[parent]) then
        tell_of(key)("is missing")
      end
    end
  end
  return found
end

return setmetatable(i18n, {
  __index = function(_, name)
    core.misuse(("i18n has no function %q"):format(tostring(name)))
  end,
})
