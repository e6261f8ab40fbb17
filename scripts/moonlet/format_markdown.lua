--- Templates in MarkdownV2. Not for scripts of authors. Quotes are left to
-- format.quote: their rules depend on whole lines.
local template = require "moonlet.format_template"

local markdown = {}

local Reader = template.extend()

local kinds = { ["*"] = "bold", ["__"] = "underline", _ = "italic",
  ["~"] = "strikethrough", ["||"] = "spoiler" }
local links = { ["["] = "text_link", ["!["] = "custom_emoji" }

-- A text from `at` up to the end mark, in which only "\" and places count;
-- and the byte behind the mark.
function Reader:raw(begin, at, mark, why)
  local parts = {}
  while self.text:sub(at, at + #mark - 1) ~= mark do
    local c = self.text:sub(at, at)
    local value
    if c == "" then self:fail(begin, why) end
    if c == "\\" then
      value, at = self.text:sub(at + 1, at + 1), at + 2
    elseif c == "%" then
      value, at = self:place(at)
    else
      value, at = c, at + 1
    end
    parts[#parts + 1] = tostring(value)
  end
  return table.concat(parts), at + #mark
end

function Reader:code(at)
  local is_block = self.text:sub(at, at + 2) == "```"
  local mark = is_block and "```" or "`"
  local from, language = at + #mark, nil
  if is_block then
    local name, behind = self.text:match("^([%w+#_-]*)\n()", from)
    if name then from, language = behind, name ~= "" and name or nil end
  end
  local text, behind = self:raw(at, from, mark,
    ("%s is not closed"):format(mark))
  self:begin(at, mark, { type = is_block and "pre" or "code",
    language = language })
  self:add(text)
  self:finish(self:innermost())
  return behind
end

-- "*" and the like close what they have opened.
function Reader:toggle(at, mark)
  local open = self:innermost()
  if open and open.name == mark then
    self:finish(open)
    return at + #mark
  end
  for _, outer in ipairs(self.stack) do
    if outer.name == mark then
      self:fail(at, ("%s stands where %s should close"):format(mark,
        open.name))
    end
  end
  self:begin(at, mark, { type = kinds[mark] })
  return at + #mark
end

function Reader:close_link(at)
  local mark = self:innermost()
  if not mark or not links[mark.name] then
    self:fail(at, 'a "]" that closes nothing is written "\\]"')
  end
  local url, behind = "", at + 1
  if self.text:sub(behind, behind) == "(" then
    url, behind = self:raw(at, behind + 1, ")", 'an address needs a ")"')
  end
  self:finish(mark)
  if mark.name == "[" then
    self:finish_link(mark, url)
    return behind
  end
  local id = url:match("^tg://emoji%?id=(%d+)$")
  if not id then
    self:fail(mark.at, "![...] needs (tg://emoji?id=...) behind it")
  end
  mark.entity.custom_emoji_id = id
  return behind
end

-- One sign that has a meaning; gives the byte behind it.
function Reader:sign(at)
  local one, two = self.text:sub(at, at), self.text:sub(at, at + 1)
  if one == "%" then
    local value, behind = self:place(at)
    self:add(value)
    return behind
  elseif one == "\\" and #two == 2 then
    self:add(two:sub(2))
    return at + 2
  elseif one == "`" then
    return self:code(at)
  elseif kinds[two] or kinds[one] then
    return self:toggle(at, kinds[two] and two or one)
  elseif links[two] or links[one] then
    local mark = links[two] and two or one
    self:begin(at, mark, { type = links[mark] })
    return at + #mark
  elseif one == "]" then
    return self:close_link(at)
  end
  self:fail(at, ('the sign "%s" is written "\\%s"'):format(one, one)
    .. (one == ">" and "; a quote is made by format.quote" or ""))
end

--- The piece that a template and its arguments make, in the name of `what`.
function markdown.parse(what, text, args)
  local reader = Reader.new(what, text, args)
  local at = 1
  while at <= #text do
    local stop = text:find("[%%\\`*_~|%[%]!()>#+=%-{}.]", at) or #text + 1
    reader:add(text:sub(at, stop - 1))
    at = stop <= #text and reader:sign(stop) or stop
  end
  return reader:result("%s is not closed")
end

return markdown
