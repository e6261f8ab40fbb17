---@meta moonlet.re
-- Made by docs/luacats.py; see there.

---regular expressions in Perl's syntax (PCRE2), for what Lua patterns cannot
---say: alternatives, optional groups, counts, letters of all languages. Texts
---and expressions are UTF-8, positions are in bytes. "$" is the very end of
---the text; \w, \d, \s and \b know ASCII alone unless the flag "u" is set,
---\p{L} is a letter of any language. A match that would take longer than about
---20 ms, or more than 8 MB, raises kind "limit".
---@class moonlet.re
local re = {}

---@class moonlet.re.re
local re_re = {}

---The groups of the first match from byte init on, or the whole match if there
---are no groups; nil if there is no match. A group that took no part is false.
---@param text string|moonlet.piece
---@param init? any
---@return any ...
function re_re:match(text, init) end

---The first and the last byte of the first match and its groups; nil if there
---is no match.
---@param text string|moonlet.piece
---@param init? any
---@return any ...
function re_re:find(text, init) end

---The groups of the first match as a table, by number and, for (?<name>...),
---by name too; [0] is the whole match. nil if there is no match.
---@param text string|moonlet.piece
---@param init? any
---@return any ...
function re_re:groups(text, init) end

---An iterator over all matches, each as re:match gives it: for word in
---re:gmatch(text) do ... end
---@param text string|moonlet.piece
---@return any ...
function re_re:gmatch(text) end

---The text with all matches (the first n) replaced, and their number. The
---replacement is a text, in which %0 is the match and %1 to %9 are groups; a
---table, asked for the first group (or the match); or a function that is
---called with the groups (or the match) and cannot wait. nil or false from
---these two keep the match.
---@param text string|moonlet.piece
---@param replacement any
---@param n? integer
---@return any ...
function re_re:gsub(text, replacement, n) end

---A compiled expression, for its methods and for bot.hears and bot.callback in
---place of a Lua pattern. Make it once, at the top of a script. flags is a
---text of letters: "i" (any letter case), "m" (^ and $ at each line), "s" (.
---takes line ends), "x" (white space and # comments in the pattern mean
---nothing), "u" (\w, \d, \s and \b know all of Unicode).
---@param pattern any
---@param flags? any
---@return moonlet.re.re
function re.new(pattern, flags) end

return re
