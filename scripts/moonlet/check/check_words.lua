--- Splits a Lua source that compiles into words. Not for scripts of authors.
local check_words = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in
  local nil not or repeat return then true until while]]):gmatch("%a+") do
  keywords[word] = true
end

local LONGEST_SIGN = 3

local signs = {}
for sign in ([[... .. == ~= <= >= // :: << >> + - * / % ^ # & ~ | < > = ( )
  { } [ ] ; : , .]]):gmatch("%S+") do
  signs[sign] = true
end

-- The place behind "[==[...]==]" at `at`, nil if there is none.
local function long_end(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local _, to = text:find("]" .. level .. "]", at + #level + 2, true)
  return to + 1
end

-- The place behind a quoted text.
local function quoted_end(text, at)
  local quote = text:sub(at, at)
  local place = at + 1
  while true do
    local sign = text:match("^[^\\\"']*()", place)
    local found = text:sub(sign, sign)
    if found == quote then return sign + 1 end
    place = sign + (found == "\\" and 2 or 1)
  end
end

local function skip_blank(text, at)
  while true do
    at = text:match("^%s*()", at)
    if text:sub(at, at + 1) ~= "--" then return at end
    at = long_end(text, at + 2) or text:match("^[^\n]*()", at)
  end
end

local function sign_at(text, at)
  for size = LONGEST_SIGN, 1, -1 do
    local sign = text:sub(at, at + size - 1)
    if signs[sign] then return sign end
  end
end

-- Kind, text and the place behind the word at `at`.
local function word_at(text, at)
  local name = text:match("^[%a_][%w_]*", at)
  if name then
    return keywords[name] and "sign" or "name", name, at + #name
  end
  local to = long_end(text, at)
    or text:find("^[\"']", at) and quoted_end(text, at)
  if to then return "text", text:sub(at, to - 1), to end
  if text:find("^%.?%d", at) then
    to = text:match("^0[xX][%x%.]*[pP]?[+-]?[%x]*()", at)
      or text:match("^[%d%.]+[eE]?()", at)
    if text:sub(to - 1, to - 1):find("[eE]")
      and not text:find("^0[xX]", at) then
      to = text:match("^[+-]?%d+()", to) or to
    end
    return "number", text:sub(at, to - 1), to
  end
  local sign = sign_at(text, at)
  return "sign", sign, at + #sign
end

--- A list of words: kind ("name", "text", "number", "sign", at last "end"),
-- text and place.
function check_words.of(text)
  local words, at = {}, 1
  while true do
    at = skip_blank(text, at)
    if at > #text then break end
    local kind, word, behind = word_at(text, at)
    words[#words + 1] = { kind = kind, text = word, at = at }
    at = behind
  end
  words[#words + 1] = { kind = "end", text = "", at = #text + 1 }
  return words
end

return check_words
