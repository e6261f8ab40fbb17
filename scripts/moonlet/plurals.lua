--- The plural rules of CLDR by language. Not for scripts of authors. A rule
-- gives the category of a number; a number without a fraction counts as one
-- that is written without decimals.
local plurals = {}

-- Whole part, whether that is all, and its last one and two digits.
local function digits(n)
  n = math.abs(n)
  local i = math.floor(n)
  return i, n == i, i % 10, i % 100
end

local function within(n, from, to) return n >= from and n <= to end

local families = {}

families.none = { "other", rule = function() return "other" end }

families.one = { "one", "other", rule = function(n)
  return math.abs(n) == 1 and "one" or "other"
end }

-- Up to one: half a day is still of one.
families.up_to_one = { "one", "other", rule = function(n)
  return math.abs(n) <= 1 and "one" or "other"
end }

families.below_two = { "one", "other", rule = function(n)
  return math.abs(n) < 2 and "one" or "other"
end }

local function is_million(n)
  local i, whole = digits(n)
  return whole and i ~= 0 and i % 1000000 == 0
end

families.below_two_many = { "one", "other", optional = { "many" },
  rule = function(n)
    if math.abs(n) < 2 then return "one" end
    return is_million(n) and "many" or "other"
  end }

families.one_many = { "one", "other", optional = { "many" },
  rule = function(n)
    if math.abs(n) == 1 then return "one" end
    return is_million(n) and "many" or "other"
  end }

local function slavic(n)
  local _, whole, ten, hundred = digits(n)
  if not whole then return nil end
  if ten == 1 and hundred ~= 11 then return "one" end
  if within(ten, 2, 4) and not within(hundred, 12, 14) then return "few" end
end

families.east_slavic = { "one", "few", "many", optional = { "other" },
  rule = function(n)
    local _, whole = digits(n)
    return slavic(n) or whole and "many" or "other"
  end }

families.south_slavic = { "one", "few", "other", rule = function(n)
  return slavic(n) or "other"
end }

families.polish = { "one", "few", "many", optional = { "other" },
  rule = function(n)
    local i, whole = digits(n)
    if not whole then return "other" end
    if i == 1 then return "one" end
    return slavic(n) == "few" and "few" or "many"
  end }

families.czech = { "one", "few", "other", optional = { "many" },
  rule = function(n)
    local i, whole = digits(n)
    if not whole then return "many" end
    return i == 1 and "one" or within(i, 2, 4) and "few" or "other"
  end }

families.slovenian = { "one", "two", "few", "other", rule = function(n)
  local _, whole, _, hundred = digits(n)
  if not whole or within(hundred, 3, 4) then return "few" end
  return hundred == 1 and "one" or hundred == 2 and "two" or "other"
end }

families.lithuanian = { "one", "few", "other", optional = { "many" },
  rule = function(n)
    local _, whole, ten, hundred = digits(n)
    if not whole then return "many" end
    if ten == 0 or within(hundred, 11, 19) then return "other" end
    return ten == 1 and "one" or "few"
  end }

families.latvian = { "zero", "one", "other", rule = function(n)
  local _, whole, ten, hundred = digits(n)
  if not whole then return "other" end
  if ten == 0 or within(hundred, 11, 19) then return "zero" end
  return ten == 1 and "one" or "other"
end }

families.romanian = { "one", "few", "other", rule = function(n)
  local i, whole, _, hundred = digits(n)
  if whole and i == 1 then return "one" end
  return (not whole or i == 0 or within(hundred, 1, 19)) and "few" or "other"
end }

families.macedonian = { "one", "other", rule = function(n)
  local _, whole, ten, hundred = digits(n)
  return whole and ten == 1 and hundred ~= 11 and "one" or "other"
end }

families.filipino = { "one", "other", rule = function(n)
  local _, whole, ten = digits(n)
  return whole and ten ~= 4 and ten ~= 6 and ten ~= 9 and "one" or "other"
end }

families.hebrew = { "one", "two", "other", rule = function(n)
  local i, whole = digits(n)
  if whole and i == 1 or not whole and i == 0 then return "one" end
  return whole and i == 2 and "two" or "other"
end }

families.arabic = { "zero", "one", "two", "few", "many", "other",
  rule = function(n)
    local i, whole, _, hundred = digits(n)
    if not whole then return "other" end
    if i <= 2 then return ({ [0] = "zero", "one", "two" })[i] end
    return within(hundred, 3, 10) and "few" or hundred >= 11 and "many"
      or "other"
  end }

families.irish = { "one", "two", "few", "many", "other", rule = function(n)
  local i, whole = digits(n)
  if not whole or i == 0 or i > 10 then return "other" end
  return i == 1 and "one" or i == 2 and "two" or i < 7 and "few" or "many"
end }

families.welsh = { "zero", "one", "two", "few", "many", "other",
  rule = function(n)
    local names = { [0] = "zero", "one", "two", "few", [6] = "many" }
    return names[n] or "other"
  end }

families.maltese = { "one", "two", "few", "many", "other", rule = function(n)
  local i, whole, _, hundred = digits(n)
  if not whole then return "other" end
  if i == 1 or i == 2 then return i == 1 and "one" or "two" end
  return (i == 0 or within(hundred, 3, 10)) and "few"
    or within(hundred, 11, 19) and "many" or "other"
end }

local languages = {
  none = "ja zh ko vi th id ms lo my km yue jv",
  one = "en de nl sv fi et nb nn no el bg hu tr az kk ky uz ka sq eu gl mn ne "
    .. "ta te ml mr ur sw af fy so tk ug eo da",
  up_to_one = "hi bn gu fa kn am as zu",
  below_two = "hy kab ff", below_two_many = "fr pt",
  one_many = "es it ca pt-pt",
  east_slavic = "ru uk be", south_slavic = "sr hr bs sh", polish = "pl",
  czech = "cs sk", slovenian = "sl", lithuanian = "lt", latvian = "lv",
  romanian = "ro mo", macedonian = "mk is", filipino = "fil tl ceb",
  hebrew = "he iw", arabic = "ar", irish = "ga", welsh = "cy", maltese = "mt",
}

local by_language = {}
for family, words in pairs(languages) do
  for language in words:gmatch("%S+") do
    by_language[language] = families[family]
  end
end

--- The rule of a language, such as "pt-br" in lower case: its categories as
-- a list, those that may be missing in optional, and the function rule. Of an
-- unknown language that of English.
function plurals.of(language)
  return by_language[language] or by_language[language:match("^%a+")]
    or families.one
end

return plurals
