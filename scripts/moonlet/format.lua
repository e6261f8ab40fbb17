--- Text with bold, links and the like, made without a parse_mode: a piece is
-- a text and its entities, so nothing has to be escaped and nothing that a
-- person has written can break a message. format(list) joins pieces and
-- texts, which ".." cannot; tostring gives a piece's bare text, # its length
-- in code points. A piece stands for the text in ctx:reply(text) and the
-- like, and in every API call, for a caption as well; its entities go with
-- it. x in a call is a text, a number or a piece. Wrong arguments raise
-- "misuse".
local core = require "moonlet.core"
local html = require "moonlet.format_html"
local markdown = require "moonlet.format_markdown"
local pieces = require "moonlet.pieces"
local splitting = require "moonlet.format_split"

local format = {}

local function text_of(value, what)
  if type(value) == "number" then return tostring(value) end
  if type(value) ~= "string" then
    core.misuse(("%s needs a text, got %s"):format(what, type(value)))
  end
  return value
end

--- format.html(template, ...): the piece that a template in Telegram's HTML
-- makes. %s in it stands for an argument, which is a text (whatever is in it
-- stays text), a number or a piece; %d, %.2f and the like for a number; %%
-- for a percent sign. A mistake in the template raises "misuse" with the byte
-- at which it stands.
function format.html(template, ...)
  return html.parse("format.html", template, table.pack(...))
end

--- format.markdown(template, ...): the same for a template in MarkdownV2,
-- without quotes (format.quote makes them).
function format.markdown(template, ...)
  return markdown.parse("format.markdown", template, table.pack(...))
end

--- format.text(x): a piece without marks.
function format.text(x) return pieces.of(x, "format.text") end

--- format.bold(x): x in bold.
function format.bold(x)
  return pieces.wrap(pieces.of(x, "format.bold"), { type = "bold" })
end

--- format.italic(x): x in italics.
function format.italic(x)
  return pieces.wrap(pieces.of(x, "format.italic"), { type = "italic" })
end

--- format.underline(x): x underlined.
function format.underline(x)
  return pieces.wrap(pieces.of(x, "format.underline"), { type = "underline" })
end

--- format.strike(x): x struck through.
function format.strike(x)
  return pieces.wrap(pieces.of(x, "format.strike"),
    { type = "strikethrough" })
end

--- format.spoiler(x): x hidden until it is touched.
function format.spoiler(x)
  return pieces.wrap(pieces.of(x, "format.spoiler"), { type = "spoiler" })
end

-- Nothing else stands within code.
local function bare(x, what) return pieces.make(pieces.of(x, what).text) end

--- format.code(x): x as code within a line; marks in x are lost.
function format.code(x)
  return pieces.wrap(bare(x, "format.code"), { type = "code" })
end

--- format.pre(x [, language]): x as a block of code, such as of "lua"; marks
-- in x are lost.
function format.pre(x, language)
  if language ~= nil then language = text_of(language, "format.pre") end
  return pieces.wrap(bare(x, "format.pre"),
    { type = "pre", language = language })
end

--- format.link(x, url): x as a link.
function format.link(x, url)
  url = text_of(url, "format.link")
  return pieces.wrap(pieces.of(x, "format.link"),
    { type = "text_link", url = url })
end

--- format.mention(user [, x]): a link to a person, who is told of it; user is
-- a User (ctx.from) or an id, for which x must be given.
function format.mention(user, x)
  if math.type(user) == "integer" then user = { id = user } end
  if type(user) ~= "table" or math.type(user.id) ~= "integer" then
    core.misuse("format.mention needs a User or an id, got " .. type(user))
  end
  return pieces.wrap(pieces.of(x or user.first_name, "format.mention"), {
    type = "text_mention",
    user = { id = user.id, is_bot = user.is_bot or false,
      first_name = user.first_name or "" },
  })
end

--- format.quote(x [, expandable]): a quotation; an expandable one shows its
-- first lines only. Raises "misuse" if there is one in x.
function format.quote(x, expandable)
  local piece = pieces.of(x, "format.quote")
  for _, entity in ipairs(piece.entities) do
    if entity.type:find("blockquote", 1, true) then
      core.misuse("format.quote: a quote cannot stand within another")
    end
  end
  return pieces.wrap(piece, { type = expandable and "expandable_blockquote"
    or "blockquote" })
end

--- format.emoji(id, x): a custom emoji; x is the ordinary one that is shown
-- where it cannot be.
function format.emoji(id, x)
  return pieces.wrap(bare(x, "format.emoji"),
    { type = "custom_emoji", custom_emoji_id = text_of(id, "format.emoji") })
end

local function join(what, list, separator)
  if type(list) ~= "table" or pieces.is(list) then
    core.misuse(("%s needs a list, got %s"):format(what,
      pieces.is(list) and "a piece" or type(list)))
  end
  local all = {}
  local between = separator ~= nil and pieces.of(separator, what)
  for i = 1, #list do
    if list[i] == nil then
      core.misuse(("%s: value %d of the list is nil"):format(what, i))
    end
    if i > 1 and between then all[#all + 1] = between end
    all[#all + 1] = pieces.of(list[i], what)
  end
  return pieces.join(all)
end

--- format.join(list [, separator]): the values of a list behind each other,
-- as table.concat does for texts. A nil between others raises "misuse".
function format.join(list, separator)
  return join("format.join", list, separator)
end

--- format(list [, separator]): the same; short where the list is written out.
local function call(_, list, separator)
  return join("format", list, separator)
end

--- format.message(message): the piece that a Message shows: its text or
-- caption with its entities; nil if it has neither.
function format.message(message)
  if type(message) ~= "table" then
    core.misuse("format.message needs a Message, got " .. type(message))
  end
  if message.text then return pieces.make(message.text, message.entities) end
  if not message.caption then return nil end
  return pieces.make(message.caption, message.caption_entities)
end

--- format.entities(x): the text, and the list of its entities with offsets in
-- UTF-16 units (nil if there are none), for parameters such as text and
-- entities, or caption and caption_entities.
function format.entities(x)
  return pieces.parts(pieces.of(x, "format.entities"))
end

--- format.to_html(x): the same as one text in HTML, for parse_mode "HTML".
function format.to_html(x)
  return html.render(pieces.of(x, "format.to_html"))
end

--- format.escape_html(text): a text for use within HTML of your own.
function format.escape_html(text)
  return html.escape(text_of(text, "format.escape_html"))
end

local special = {
  text = "[%_%*%[%]%(%)~`>#%+%-=|{}%.!\\]", code = "[`\\]", url = "[%)\\]",
}

--- format.escape_markdown(text [, place]): a text for use within MarkdownV2
-- of your own; place is where it stands: "text" (unless said), "code" or
-- "url".
function format.escape_markdown(text, place)
  local set = special[place or "text"]
  if not set then
    core.misuse(('format.escape_markdown: the place is "text", "code" or '
      .. '"url", got %q'):format(tostring(place)))
  end
  text = text_of(text, "format.escape_markdown")
  return (text:gsub(set, "\\%0"))
end

--- format.length(x): length in code points, as Telegram counts its limits:
-- 4096 of a text, 1024 of a caption.
function format.length(x)
  return #pieces.of(x, "format.length")
end

--- format.utf16_length(x): length in UTF-16 units, as entities count.
function format.utf16_length(x)
  return pieces.of(x, "format.utf16_length").units
end

--- format.split(x [, limit]): a list of parts of at most limit code points,
-- 4096 unless said. It is split between paragraphs, else lines, sentences or
-- words; a link, code or an emoji is not cut if it fits into a part, other
-- marks go on in the next part. Texts give texts, pieces give pieces; parts
-- without any sign are left out.
function format.split(x, limit)
  if limit == nil then limit = 4096 end
  if math.type(limit) ~= "integer" or limit < 1 then
    core.misuse("format.split: the limit must be a whole number from 1 on")
  end
  local parts = splitting.split(pieces.of(x, "format.split"), limit)
  if pieces.is(x) then return parts end
  local texts = {}
  for i, part in ipairs(parts) do texts[i] = part.text end
  return texts
end

return setmetatable(format, {
  __call = call,
  __index = function(_, name)
    core.misuse(("format has no function %q"):format(tostring(name)))
  end,
})
