--- HTML as Telegram knows it: templates to pieces, and pieces to HTML. Not
-- for scripts of authors.
local pieces = require "moonlet.pieces"
local template = require "moonlet.format_template"

local html = {}

local simple = {
  b = "bold", strong = "bold", i = "italic", em = "italic", u = "underline",
  ins = "underline", s = "strikethrough", strike = "strikethrough",
  del = "strikethrough", ["tg-spoiler"] = "spoiler", code = "code",
}
local names = { lt = "<", gt = ">", amp = "&", quot = '"' }

-- --- templates

local Reader = template.extend()

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
      parts[#parts + 1] = tostring(value)
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
  self:begin(begin, name, entity)
  return behind
end

function Reader:close(begin, name, at)
  local behind = self.text:match("^%s*>()", at)
  if not behind then self:fail(begin, "a tag is not closed by \">\"") end
  local mark = self:innermost()
  if not mark or mark.name ~= name then
    self:fail(begin, mark and ("</%s> stands where </%s> should"):format(name,
      mark.name) or ("</%s> closes nothing"):format(name))
  end
  self:finish(mark)
  if name == "a" then self:finish_link(mark, mark.entity.url) end
  local outer = self:innermost()
  if name == "code" and outer and outer.name == "pre" then
    outer.entity.language = (self.language or ""):match("^language%-(.+)$")
    mark.entity.length = 0
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

--- The piece that a template and its arguments make, in the name of `what`.
-- origin(at), if given, is the byte to name for one of the template.
function html.parse(what, text, args, origin)
  local reader = Reader.new(what, text, args)
  reader.origin = origin
  local at = 1
  while at <= #text do
    local stop = text:find("[<&%%]", at) or #text + 1
    reader:add(text:sub(at, stop - 1))
    local c = text:sub(stop, stop)
    at = stop
    if c == "<" then
      at = reader:tag(at)
    elseif c ~= "" then
      local value
      value, at = reader[c == "%" and "place" or "reference"](reader, at)
      reader:add(value)
    end
  end
  return reader:result("<%s> is not closed")
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
