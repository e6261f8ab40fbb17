---@meta moonlet.format
-- Made by docs/luacats.py; see there.

---Text with bold, links and the like, made without a parse_mode: a piece is a
---text and its entities, so nothing has to be escaped and nothing that a
---person has written can break a message. format(list) joins pieces and texts,
---which ".." cannot; tostring gives a piece's bare text, # its length in code
---points. A piece stands for the text in ctx:reply(text) and the like, and in
---every API call, for a caption as well; its entities go with it. x in a call
---is a text, a number or a piece. Wrong arguments raise "misuse".
---@class moonlet.format
---@overload fun(list: table, separator?: any): any
local format = {}

---The piece that a template in Telegram's HTML makes. %s in it stands for an
---argument, which is a text (whatever is in it stays text), a number or a
---piece; %d, %.2f and the like for a number; %% for a percent sign. A mistake
---in the template raises "misuse" with the byte at which it stands.
---@param template string
---@param ... any
---@return moonlet.piece
function format.html(template, ...) end

---The same for a template in MarkdownV2, without quotes (format.quote makes
---them).
---@param template string
---@param ... any
---@return moonlet.piece
function format.markdown(template, ...) end

---A piece without marks.
---@param x any
---@return moonlet.piece
function format.text(x) end

---X in bold.
---@param x any
---@return moonlet.piece
function format.bold(x) end

---X in italics.
---@param x any
---@return moonlet.piece
function format.italic(x) end

---X underlined.
---@param x any
---@return moonlet.piece
function format.underline(x) end

---X struck through.
---@param x any
---@return moonlet.piece
function format.strike(x) end

---X hidden until it is touched.
---@param x any
---@return moonlet.piece
function format.spoiler(x) end

---X as code within a line; marks in x are lost.
---@param x any
---@return moonlet.piece
function format.code(x) end

---X as a block of code, such as of "lua"; marks in x are lost.
---@param x any
---@param language? string
---@return moonlet.piece
function format.pre(x, language) end

---X as a link.
---@param x any
---@param url string
---@return moonlet.piece
function format.link(x, url) end

---A link to a person, who is told of it; user is a User (ctx.from) or an id,
---for which x must be given.
---@param user any
---@param x? any
---@return moonlet.piece
function format.mention(user, x) end

---A quotation; an expandable one shows its first lines only. Raises "misuse"
---if there is one in x.
---@param x any
---@param expandable? any
---@return moonlet.piece
function format.quote(x, expandable) end

---A custom emoji; x is the ordinary one that is shown where it cannot be.
---@param id any
---@param x any
---@return moonlet.piece
function format.emoji(id, x) end

---The values of a list behind each other, as table.concat does for texts. A
---nil between others raises "misuse".
---@param list table
---@param separator? any
---@return moonlet.piece
function format.join(list, separator) end

---The piece that a Message shows: its text or caption with its entities; nil
---if it has neither.
---@param message table
---@return any ...
function format.message(message) end

---The text, and the list of its entities with offsets in UTF-16 units (nil if
---there are none), for parameters such as text and entities, or caption and
---caption_entities.
---@param x any
---@return any ...
function format.entities(x) end

---The same as one text in HTML, for parse_mode "HTML".
---@param x any
---@return any ...
function format.to_html(x) end

---A text for use within HTML of your own.
---@param text string|moonlet.piece
---@return any ...
function format.escape_html(text) end

---A text for use within MarkdownV2 of your own; place is where it stands:
---"text" (unless said), "code" or "url".
---@param text string|moonlet.piece
---@param place? any
---@return any ...
function format.escape_markdown(text, place) end

---Length in code points, as Telegram counts its limits: 4096 of a text, 1024
---of a caption.
---@param x any
---@return any ...
function format.length(x) end

---Length in UTF-16 units, as entities count.
---@param x any
---@return any ...
function format.utf16_length(x) end

---A list of parts of at most limit code points, 4096 unless said. It is split
---between paragraphs, else lines, sentences or words; a link, code or an emoji
---is not cut if it fits into a part, other marks go on in the next part. Texts
---give texts, pieces give pieces; parts without any sign are left out.
---@param x any
---@param limit? number|string
---@return any ...
function format.split(x, limit) end

return format
