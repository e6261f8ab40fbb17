--- HTML as Telegram knows it: templates to pieces, and pieces to HTML. Not
-- for scripts of authors.
local core = require "moonlet.core"
local pieces = require "moonlet.pieces"

local html = {}

local simple = {
  b = "bold", strong = "bold", i = "italic", em = "italic", u = "underline",
  ins = "underline", s = "strikethrough", strike = "strikethrough",
  del = "strikethrough", ["tg-spoiler"] = "spoiler", code = "code",
}
local names = { lt = "<", gt = ">", amp = "&", quot = '"' }

-- --- templates

local Reader = {}
Reader.__index = Reader

function Reader:fail(at, why)
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
    return ("%" .. spec):format(value)
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

-- What stands at an "&".
function Reader:reference(at)
  local text = self.text
  local name = text:match("^&(%a+);", at)
  if names[name] then return names[name], at + #name + 2 end
  local digits = text:match("^&#(%d+);", at)
  local hex = text:match("^&#x(%x+);", at)
  local code = tonumber(digits) or tonumber(hex or "", 16)
  if code and #(digits or hex) < 9 and code > 0 and code < 0x110000
    and not (code >= 0xD800 and code < 0xE000) then
    return utf8.char(code), at + #(digits or hex) + (digits and 3 or 4)
  end
  return "&", at + 1
end

function Reader:add(value)
  local piece = pieces.is(value) and value or pieces.make(value)
  self.parts[#self.parts + 1] = piece
  self.units = self.units + piece.units
end

-- Text without tags from `at` to `last`, as one string.
function Reader:plain(at, last)
  local parts = {}
  while at <= last do
    local stop = math.min(self.text:find("[&%%]", at) or last + 1, last + 1)
    parts[#parts + 1] = self.text:sub(at, stop - 1)
    at = stop
    if at <= last then
      local value
      if self.text:sub(at, at) == "%" then
        value, at = self:place(at)
      else
        value, at = self:reference(at)
      end
      parts[#parts + 1] = pieces.is(value) and value.text or value
    end
  end
  return table.concat(parts)
end

-- The attributes of a tag, and the byte behind its ">".
function Reader:attributes(begin, at)
  local found, text = {}, self.text
  while true do
    local stop = text:match("^%s*>()", at)
    if stop then return found, stop end
    local name, behind = text:match("^%s+([%w-]+)()", at)
    if not name then self:fail(begin, "a tag is not closed by \">\"") end
    found[name], at = "", behind
    local quote, from = text:match("^%s*=%s*(['\"])()", at)
    if quote then
      local last = text:find(quote, from, true)
      if not last then self:fail(from - 1, "a quote is not closed") end
      found[name] = self:plain(from, last - 1)
      at = last + 1
    end
  end
end

local openers = {
  a = function(_, _, attributes)
    return { type = "text_link", url = attributes.href or "" }
  end,
  pre = function() return { type = "pre" } end,
  blockquote = function(_, _, attributes)
    return { type = attributes.expandable and "expandable_blockquote"
      or "blockquote" }
  end,
  span = function(reader, at, attributes)
    if attributes.class ~= "tg-spoiler" then
      reader:fail(at, 'the tag "span" must have the class "tg-spoiler"')
    end
    return { type = "spoiler" }
  end,
  ["tg-emoji"] = function(reader, at, attributes)
    if not (attributes["emoji-id"] or ""):find("^%d+$") then
      reader:fail(at, 'the tag "tg-emoji" must have a numeric emoji-id')
    end
    return { type = "custom_emoji",
      custom_emoji_id = attributes["emoji-id"] }
  end,
  ["tg-time"] = function(reader, at, attributes)
    local seconds = math.tointeger(tonumber(attributes.unix))
    if not seconds then
      reader:fail(at, 'the tag "tg-time" must have a number as unix')
    end
    return { type = "date_time", unix_time = seconds,
      date_time_format = attributes.format }
  end,
}

function Reader:open(begin, name, at)
  local attributes, behind = self:attributes(begin, at)
  local entity
  if simple[name] then
    entity = { type = simple[name] }
  elseif openers[name] then
    entity = openers[name](self, begin, attributes)
  else
    self:fail(begin, ("Telegram knows no tag <%s>"):format(name))
  end
  if name == "code" then self.language = attributes.class end
  entity.offset = self.units
  self.entities[#self.entities + 1] = entity
  self.stack[#self.stack + 1] = { name = name, at = begin, entity = entity,
    place = #self.entities, part = #self.parts }
  return behind
end

local function is_quote(entity)
  return entity.type == "blockquote" or entity.type == "expandable_blockquote"
end

-- Nothing stands within code; nor a quote within a quote.
function Reader:check_inner(tag)
  local kind = tag.entity.type
  if kind == "code" or kind == "pre" then
    for i = #self.entities, tag.place + 1, -1 do self.entities[i] = nil end
    for i = tag.part + 1, #self.parts do
      self.parts[i] = pieces.make(self.parts[i].text)
    end
  elseif is_quote(tag.entity) then
    for i = #self.stack, 1, -1 do
      if is_quote(self.stack[i].entity) then
        self:fail(tag.at, "a quote stands within another")
      end
    end
  end
end

local function finish_link(entity, text)
  if entity.url == "" then entity.url = text end
  local id = entity.url:match("^tg://user%?id=(%d+)$")
  if id then
    entity.type, entity.url = "text_mention", nil
    entity.user = { id = math.tointeger(tonumber(id)) }
  end
end

function Reader:close(begin, name, at)
  local behind = self.text:match("^%s*>()", at)
  if not behind then self:fail(begin, "a tag is not closed by \">\"") end
  local tag = table.remove(self.stack)
  if not tag or tag.name ~= name then
    self:fail(begin, tag and ("</%s> stands where </%s> should"):format(name,
      tag.name) or ("</%s> closes nothing"):format(name))
  end
  self:check_inner(tag)
  local entity, outer = tag.entity, self.stack[#self.stack]
  entity.length = self.units - entity.offset
  if name == "a" then
    local texts = {}
    for i = tag.part + 1, #self.parts do
      texts[#texts + 1] = self.parts[i].text
    end
    finish_link(entity, table.concat(texts))
  end
  if name == "code" and outer and outer.name == "pre" then
    outer.entity.language = (self.language or ""):match("^language%-(.+)$")
    entity.length = 0
  end
  return behind
end

function Reader:tag(at)
  local slash, name, behind = self.text:match("^<(/?)(%a[%w-]*)()", at)
  if not name then
    self:fail(at, 'a "<" that begins no tag is written "&lt;"')
  end
  name = name:lower()
  if slash == "/" then return self:close(at, name, behind) end
  return self:open(at, name, behind)
end

-- Entities of the template and those within arguments, the outer ones first.
function Reader:result()
  local tag = self.stack[#self.stack]
  if tag then self:fail(tag.at, ("<%s> is not closed"):format(tag.name)) end
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

--- The piece that a template and its arguments make, in the name of `what`.
function html.parse(what, template, args)
  if type(template) ~= "string" then
    core.misuse(("%s needs a template, got %s"):format(what, type(template)))
  end
  local reader = setmetatable({ what = what, text = template, args = args,
    used = 0, units = 0, parts = {}, entities = {}, stack = {} }, Reader)
  local at = 1
  while at <= #template do
    local stop = template:find("[<&%%]", at) or #template + 1
    reader:add(template:sub(at, stop - 1))
    local c = template:sub(stop, stop)
    at = stop
    if c == "<" then
      at = reader:tag(at)
    elseif c ~= "" then
      local value
      value, at = reader[c == "%" and "place" or "reference"](reader, at)
      reader:add(value)
    end
  end
  return reader:result()
end

-- --- from pieces

local escapes = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
  ['"'] = "&quot;" }

--- A text whose signs have no meaning in HTML.
function html.escape(text) return (text:gsub('[&<>"]', escapes)) end

local function around(tag)
  return function() return "<" .. tag .. ">", "</" .. tag .. ">" end
end

local function link(url)
  return ('<a href="%s">'):format(html.escape(url)), "</a>"
end

local tags = {
  bold = around "b", italic = around "i", underline = around "u",
  strikethrough = around "s", spoiler = around "tg-spoiler",
  code = around "code", blockquote = around "blockquote",
  expandable_blockquote = function()
    return "<blockquote expandable>", "</blockquote>"
  end,
  pre = function(entity)
    if not entity.language then return "<pre>", "</pre>" end
    return ('<pre><code class="language-%s">'):format(
      html.escape(entity.language)), "</code></pre>"
  end,
  text_link = function(entity) return link(entity.url) end,
  text_mention = function(entity)
    return link("tg://user?id=" .. entity.user.id)
  end,
  custom_emoji = function(entity)
    return ('<tg-emoji emoji-id="%s">'):format(entity.custom_emoji_id),
      "</tg-emoji>"
  end,
  date_time = function(entity)
    local format = entity.date_time_format
    return ('<tg-time unix="%d"%s>'):format(entity.unix_time, format
      and (' format="%s"'):format(html.escape(format)) or ""), "</tg-time>"
  end,
}

-- The entities that HTML can say, in the order in which they open.
local function in_order(piece)
  local list = {}
  for _, entity in ipairs(pieces.sorted(piece.entities)) do
    if tags[entity.type] then
      local before, after = tags[entity.type](entity)
      list[#list + 1] = { from = entity.offset, before = before,
        after = after, over = entity.offset + entity.length }
    end
  end
  return list
end

-- Closes what is over at this unit; what stands above it and goes on is
-- closed with it and opened again.
local function close_until(open, unit, out)
  local again, deepest = {}, nil
  for i, tag in ipairs(open) do
    if tag.over <= unit then
      deepest = i
      break
    end
  end
  if not deepest then return end
  for i = #open, deepest, -1 do
    out[#out + 1] = open[i].after
    if open[i].over > unit then table.insert(again, 1, open[i]) end
    open[i] = nil
  end
  for _, tag in ipairs(again) do
    out[#out + 1] = tag.before
    open[#open + 1] = tag
  end
end

--- A piece as HTML.
function html.render(piece)
  local index, list = pieces.index(piece), in_order(piece)
  local stops, out, open, next_tag, at = {}, {}, {}, 1, 0
  for _, tag in ipairs(list) do
    stops[#stops + 1] = tag.from
    stops[#stops + 1] = tag.over
  end
  stops[#stops + 1] = piece.units
  table.sort(stops)
  for _, stop in ipairs(stops) do
    local from, behind = index.point[at], index.point[stop]
    out[#out + 1] = html.escape(piece.text:sub(index.bytes[from],
      index.bytes[behind] - 1))
    at = stop
    close_until(open, at, out)
    while list[next_tag] and list[next_tag].from == at do
      out[#out + 1] = list[next_tag].before
      open[#open + 1] = list[next_tag]
      next_tag = next_tag + 1
    end
  end
  return table.concat(out)
end

return html
