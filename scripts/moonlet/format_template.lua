--- What templates of every markup have in common: places for arguments,
-- marks that open and close, and errors with the byte of the template. Not
-- for scripts of authors.
local core = require "moonlet.core"
local pieces = require "moonlet.pieces"

local template = {}

local Reader = {}
Reader.__index = Reader

--- A class of readers of its own, with `new`.
function template.extend()
  local Own = setmetatable({}, Reader)
  Own.__index = Own
  function Own.new(what, text, args)
    if type(text) ~= "string" then
      core.misuse(("%s needs a template, got %s"):format(what, type(text)))
    end
    return setmetatable({ what = what, text = text, args = args, used = 0,
      units = 0, parts = {}, entities = {}, stack = {} }, Own)
  end
  return Own
end

function Reader:fail(at, why)
  if self.origin then at = self.origin(at) end
  core.misuse(("%s: byte %d of the template: %s"):format(self.what, at, why))
end

-- The argument for the next place, and how it is to be written.
function Reader:argument(at, spec)
  self.used = self.used + 1
  local value = self.args[self.used]
  if self.used > self.args.n then
    self:fail(at, ("there is no argument %d"):format(self.used))
  end
  if spec ~= "s" then
    if math.type(value) == nil then
      self:fail(at, ("argument %d must be a number, got %s"):format(self.used,
        type(value)))
    end
    local ok, text = pcall(string.format, "%" .. spec, value)
    return ok and text or self:fail(at, ("argument %d: %s"):format(self.used,
      text))
  end
  if pieces.is(value) then return value end
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    self:fail(at, ("argument %d must be a text or a piece, got %s"):format(
      self.used, kind))
  end
  return tostring(value)
end

-- What stands at a "%", and the byte behind it.
function Reader:place(at)
  local text = self.text
  if text:sub(at + 1, at + 1) == "%" then return "%", at + 2 end
  local spec = text:match("^%%([-+0-9.]*[dsfgxX])", at)
  if not spec or #spec > 1 and spec:sub(-1) == "s" or #spec > 8 then
    self:fail(at, 'a "%" stands before s, d, f, g or x; for itself it is '
      .. 'written "%%"')
  end
  return self:argument(at, spec), at + 1 + #spec
end

function Reader:add(value)
  local piece = pieces.is(value) and value or pieces.make(value)
  self.parts[#self.parts + 1] = piece
  self.units = self.units + piece.units
end

function Reader:innermost() return self.stack[#self.stack] end

-- A mark at this byte opens: until it is finished, what is added is in it.
function Reader:begin(at, name, entity)
  entity.offset = self.units
  self.entities[#self.entities + 1] = entity
  self.stack[#self.stack + 1] = { name = name, at = at, entity = entity,
    place = #self.entities, part = #self.parts }
end

local function is_quote(entity)
  return entity.type == "blockquote" or entity.type == "expandable_blockquote"
end

-- Nothing stands within code; nor a quote within a quote.
function Reader:check_inner(mark)
  local kind = mark.entity.type
  if kind == "code" or kind == "pre" then
    for i = #self.entities, mark.place + 1, -1 do self.entities[i] = nil end
    for i = mark.part + 1, #self.parts do
      self.parts[i] = pieces.make(self.parts[i].text)
    end
  elseif is_quote(mark.entity) then
    for _, outer in ipairs(self.stack) do
      if is_quote(outer.entity) then
        self:fail(mark.at, "a quote stands within another")
      end
    end
  end
end

-- The innermost mark closes.
function Reader:finish(mark)
  self.stack[#self.stack] = nil
  self:check_inner(mark)
  mark.entity.length = self.units - mark.entity.offset
end

-- A link that has closed: to its own text unless there is an address.
function Reader:finish_link(mark, url)
  local entity = mark.entity
  if url == "" then
    local texts = {}
    for i = mark.part + 1, #self.parts do
      texts[#texts + 1] = self.parts[i].text
    end
    url = table.concat(texts)
  end
  entity.url = url
  local id = url:match("^tg://user%?id=(%d+)$")
  if id then
    entity.type, entity.url = "text_mention", nil
    entity.user = { id = math.tointeger(tonumber(id)) }
  end
end

-- The piece; `unclosed` says what is wrong with a mark of that name that is
-- still open.
function Reader:result(unclosed)
  local mark = self:innermost()
  if mark then self:fail(mark.at, unclosed:format(mark.name)) end
  if self.used < self.args.n then
    core.misuse(("%s: the template has %d places, got %d arguments"):format(
      self.what, self.used, self.args.n))
  end
  local inner = pieces.join(self.parts)
  local all = {}
  for _, entity in ipairs(self.entities) do
    if entity.length > 0 then all[#all + 1] = entity end
  end
  table.move(inner.entities, 1, #inner.entities, #all + 1, all)
  return pieces.make(inner.text, pieces.sorted(all))
end

return template
