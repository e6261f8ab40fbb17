--- Text with entities, as moonlet.format hands it out. Not for scripts of
-- authors. A piece is never changed: text is valid UTF-8, entities are
-- MessageEntity tables whose offsets count UTF-16 units, an outer one before
-- those within it; units is the text's length in them.
local core = require "moonlet.core"

local pieces = {}

local REPLACEMENT = "\u{FFFD}"
local MARK = "moonlet.format piece" -- what getmetatable shows of a piece

-- Bytes that are no UTF-8 are replaced, else offsets would be wrong.
local function clean(text)
  local _, bad = utf8.len(text)
  if not bad then return text end
  local parts, at = {}, 1
  while bad do
    parts[#parts + 1] = text:sub(at, bad - 1) .. REPLACEMENT
    at = bad + 1
    bad = at <= #text and select(2, utf8.len(text, at)) or nil
  end
  parts[#parts + 1] = text:sub(at)
  return table.concat(parts)
end

local function units_of(text)
  if not text:find("[\x80-\xFF]") then return #text end
  local _, long = text:gsub("[\xF0-\xF7]", "")
  return utf8.len(text) + long
end

-- Without __concat, which no metatable can have; so what Lua says of ".." has
-- to name the way. __name is in all of its errors about a piece.
local meta = { __metatable = MARK, __index = {},
  __name = "piece of moonlet.format (use format.join)" }

--- Is it a piece?
function pieces.is(value)
  return type(value) == "table" and getmetatable(value) == MARK
end

local function make(text, entities, units)
  return setmetatable({ text = text, entities = entities, units = units },
    meta)
end

--- A piece of a text and, if given, its entities.
function pieces.make(text, entities)
  text = clean(text)
  return make(text, entities or {}, units_of(text))
end

--- The piece that a value stands for; `what` names who asks.
function pieces.of(value, what)
  if pieces.is(value) then return value end
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" then
    core.misuse(("%s needs a text or a piece of moonlet.format, got %s")
      :format(what, kind))
  end
  return pieces.make(tostring(value))
end

local function moved(entity, by)
  local copy = {}
  for name, value in pairs(entity) do copy[name] = value end
  copy.offset = entity.offset + by
  return copy
end

--- The pieces of a list, one behind the other.
function pieces.join(list)
  local texts, entities, units = {}, {}, 0
  for i, piece in ipairs(list) do
    texts[i] = piece.text
    for _, entity in ipairs(piece.entities) do
      entities[#entities + 1] = units == 0 and entity or moved(entity, units)
    end
    units = units + piece.units
  end
  return make(table.concat(texts), entities, units)
end

--- The piece with an entity of these fields around it.
function pieces.wrap(piece, fields)
  if piece.units == 0 then return piece end
  fields.offset, fields.length = 0, piece.units
  local entities = { fields }
  table.move(piece.entities, 1, #piece.entities, 2, entities)
  return make(piece.text, entities, piece.units)
end

--- The entities in the order of the text, outer ones first, as a new list.
function pieces.sorted(entities)
  local place, list = {}, table.move(entities, 1, #entities, 1, {})
  for i, entity in ipairs(list) do place[entity] = i end
  table.sort(list, function(a, b)
    if a.offset ~= b.offset then return a.offset < b.offset end
    if a.length ~= b.length then return a.length > b.length end
    return place[a] < place[b]
  end)
  return list
end

--- Where the code points of a piece lie: bytes and units of each, and of the
-- place behind the last; point[u] is the number of the one at unit u.
function pieces.index(piece)
  local bytes, units, point, at, n = {}, {}, {}, 0, 0
  for byte, code in utf8.codes(piece.text) do
    n = n + 1
    bytes[n], units[n], point[at] = byte, at, n
    at = at + (code > 0xFFFF and 2 or 1)
  end
  bytes[n + 1], units[n + 1], point[at] = #piece.text + 1, at, n + 1
  return { n = n, bytes = bytes, units = units, point = point }
end

--- From and behind: code points where an entity begins and where it is over.
function pieces.range(index, entity)
  local from, over = entity.offset, entity.offset + entity.length
  return index.point[from] or index.n + 1, index.point[over] or index.n + 1
end

--- The part of a piece from code point `from` up to `behind`, which is not
-- in it.
function pieces.slice(piece, index, from, behind)
  local entities, units = {}, index.units
  for _, entity in ipairs(piece.entities) do
    local first, over = pieces.range(index, entity)
    first, over = math.max(first, from), math.min(over, behind)
    if first < over then
      local copy = moved(entity, 0)
      copy.offset = units[first] - units[from]
      copy.length = units[over] - units[first]
      entities[#entities + 1] = copy
    end
  end
  return make(piece.text:sub(index.bytes[from], index.bytes[behind] - 1),
    entities, units[behind] - units[from])
end

--- The text and, if there are any, the entities that a value stands for; nil
-- if it is no piece.
function pieces.parts(value)
  if not pieces.is(value) then return nil end
  return value.text, #value.entities > 0 and value.entities or nil
end

function meta.__len(piece) return utf8.len(piece.text) end
function meta.__tostring(piece) return piece.text end

function meta.__eq(a, b)
  local same = pieces.is(a) and pieces.is(b) and a.text == b.text
    and #a.entities == #b.entities
  for i = 1, same and #a.entities or 0 do
    local one, other = a.entities[i], b.entities[i]
    same = same and one.type == other.type and one.offset == other.offset
      and one.length == other.length and one.url == other.url
  end
  return same
end

return pieces
