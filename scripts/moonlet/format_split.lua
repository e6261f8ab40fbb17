--- Splits long pieces where a reader expects it. Not for scripts of authors.
local pieces = require "moonlet.pieces"

local splitting = {}

-- What may be cut in two without harm: each part has its own.
local divisible = {
  bold = true, italic = true, underline = true, strikethrough = true,
  spoiler = true, blockquote = true, expandable_blockquote = true, pre = true,
}

local Splitter = {}
Splitter.__index = Splitter

-- The sign at a code point.
function Splitter:sign(i)
  local bytes = self.index.bytes
  return self.text:sub(bytes[i], bytes[i + 1] - 1)
end

local blank = { [" "] = true, ["\n"] = true, ["\t"] = true, ["\r"] = true }
local ends = { ["."] = true, ["!"] = true, ["?"] = true, ["…"] = true,
  ["。"] = true, ["！"] = true, ["？"] = true }

-- How good it is to end a part before code point i: 0 is within a word.
function Splitter:rank(i)
  local sign, before = self:sign(i), self:sign(i - 1)
  if self.solid[i] or not blank[sign] then return 0 end
  if sign == "\n" then
    return (before == "\n" or i < self.index.n and self:sign(i + 1) == "\n")
      and 4 or 3
  end
  return ends[before] and 2 or 1
end

-- Belongs to the sign before it.
local function is_joined(code, previous)
  return code == 0x200D or previous == 0x200D
    or code >= 0xFE00 and code <= 0xFE0F
    or code >= 0x1F3FB and code <= 0x1F3FF
    or code >= 0x300 and code <= 0x36F
end

-- Within a word: not within something solid or one sign, if that can be.
function Splitter:hard_break(from, latest)
  for i = latest, math.max(from + 1, latest - 64), -1 do
    local code = utf8.codepoint(self:sign(i))
    local previous = utf8.codepoint(self:sign(i - 1))
    if not self.solid[i] and not is_joined(code, previous) then return i end
  end
  local start = self.solid[latest]
  return start and start > from and start or latest
end

-- The best place in the later half, else the last one between two words.
function Splitter:find_break(from, latest)
  local best, best_rank, any
  for i = latest, from + 1, -1 do
    local rank = self:rank(i)
    local is_late = i - from > (latest - from) // 2
    if rank > 0 and not any then any = i end
    if is_late and rank > (best_rank or 0) then best, best_rank = i, rank end
    if any and (not is_late or best_rank == 4) then break end
  end
  return best or any or self:hard_break(from, latest)
end

-- Line ends at a break go; so do blanks, which would begin the next part.
function Splitter:skip(i)
  local n = self.index.n
  local set = i <= n and self:sign(i) == "\n" and { ["\n"] = true } or blank
  while i <= n and set[self:sign(i)] do i = i + 1 end
  return i
end

-- Where a part ends whose blanks at the end are of no use.
function Splitter:skip_back(from, i)
  while i > from and blank[self:sign(i - 1)] do i = i - 1 end
  return i
end

-- For each code point within something solid, where that begins.
local function mark_solid(piece, index)
  local solid = {}
  for _, entity in ipairs(piece.entities) do
    if not divisible[entity.type] then
      local from, behind = pieces.range(index, entity)
      for i = from + 1, behind - 1 do solid[i] = from end
    end
  end
  return solid
end

--- The parts of a piece, each of at most limit code points.
function splitting.split(piece, limit)
  local index = pieces.index(piece)
  local splitter = setmetatable({ text = piece.text, index = index,
    solid = mark_solid(piece, index) }, Splitter)
  local parts, from = {}, 1
  while from <= index.n do
    local last = index.n + 1
    local stop = last
    if last - from > limit then
      last = splitter:find_break(from, from + limit)
      stop = splitter:skip_back(from, last)
    end
    local part = pieces.slice(piece, index, from, stop)
    if part.text:find("%S") then parts[#parts + 1] = part end
    from = last <= index.n and splitter:skip(last) or last
  end
  return parts
end

return splitting
