--- Texts in several languages: keys that are missing. Not for scripts of
-- authors.
local core = require "moonlet.core"
local i18n = require "moonlet.i18n"
local nearest = require "moonlet.nearest"
local sorted = require "moonlet.sorted"
local value = require "moonlet.check_value"

local check_texts = {}

-- The file of each language, with its text.
local function locales()
  local found = {}
  for _, name in ipairs(core.locale_files()) do
    local tag = name:match("^(.*)%."):lower():gsub("_", "-")
    found[tag] = { path = "locales/" .. name,
      text = core.script_text("locales/" .. name) or "" }
  end
  return found
end

-- Where the last word of a key stands in the file, else its beginning.
local function place_of(text, key)
  local word = key:match("[^.]+$"):gsub("%p", "%%%0")
  return text:match("%f[%w_]()" .. word .. '["\'%]%s]*[=:]') or 1
end

local function check_languages(bot, files, known)
  for _, each in ipairs(i18n.check()) do
    local file = files[each.language]
    bot.warn(file, place_of(file.text, each.key),
      ('the text "%s" %s'):format(each.key, each.message))
  end
  for _, file in pairs(files) do
    for key in pairs(i18n._keys(file.path)) do known[key] = true end
  end
end

-- The node of the key in ctx:t("key"), i18n.t("key"), i18n.t("en", "key"),
-- i18n.said("key").
local function key_of(node)
  if node.kind == "method" then
    if (node.name == "t" or node.name == "t_html")
      and value.is_context(node.object) then
      return node.arguments[1]
    end
    return nil
  end
  local fn = value.behind(node.fn)
  if fn.kind ~= "index" or value.module(fn.object) ~= "moonlet.i18n" then
    return nil
  end
  local name = value.key(fn)
  local first, second = node.arguments[1], node.arguments[2]
  if name == "said" then return first end
  if name == "t" or name == "html" then
    return (second and second.kind ~= "table") and second or first
  end
end

local function check_key(bot, file, node, known, names)
  local key = key_of(node)
  if not key or key.kind ~= "text" or known[key.value] then return end
  bot.error(file, key.at, ('no language has the text "%s"%s'):format(
    key.value, nearest.hint(key.value, names)))
end

--- Tells of texts that languages lack, and of keys that none has.
function check_texts.run(bot)
  local files, known = locales(), {}
  if next(files) == nil then return end
  check_languages(bot, files, known)
  local names = sorted(known)
  for _, file in ipairs(bot.files) do
    if not file.is_spec then
      for _, kind in ipairs { "method", "call" } do
        for _, node in ipairs(file.nodes[kind]) do
          check_key(bot, file, node, known, names)
        end
      end
    end
  end
end

return check_texts
