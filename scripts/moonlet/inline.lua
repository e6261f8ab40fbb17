--- Results for inline queries: ctx:answer_inline{ inline.article{...} }.
local core = require "moonlet.core"
local json = require "moonlet.json"
local pieces = require "moonlet.pieces"

local inline = {}

local function result(what, kind, fields, needed)
  if type(fields) ~= "table" then
    core.misuse(what .. " needs a table of fields")
  end
  local made = { type = kind }
  for name, value in pairs(fields) do made[name] = value end
  for _, name in ipairs(needed) do
    if made[name] == nil then
      core.misuse(("%s needs the field %s"):format(what, name))
    end
  end
  made.id = tostring(made.id)
  if #made.id < 1 or #made.id > 64 then
    core.misuse(what .. ": an id has 1 to 64 bytes")
  end
  return made
end

--- inline.article{ id =, title =, text = }: a result that sends a text, which
-- may be a piece of moonlet.format. The other fields are those of the method's
-- result, such as description and reply_markup; input_message_content takes the
-- place of text and parse_mode (Bot API InlineQueryResultArticle).
function inline.article(fields)
  local made = result("inline.article", "article", fields, { "id", "title" })
  if not made.input_message_content then
    if type(made.text) ~= "string" and not pieces.is(made.text) then
      core.misuse("inline.article needs a text, or input_message_content")
    end
    made.input_message_content = { message_text = made.text,
      parse_mode = made.parse_mode }
    made.text, made.parse_mode = nil, nil
  end
  return made
end

--- inline.photo{ id =, url = }: a result that sends a photo: url, the address
-- of a JPEG, with thumbnail_url if there is a smaller one, or photo_file_id.
-- The other fields are those of the result, such as caption (Bot API
-- InlineQueryResultPhoto, InlineQueryResultCachedPhoto).
function inline.photo(fields)
  local made = result("inline.photo", "photo", fields, { "id" })
  if made.photo_file_id then return made end
  if type(made.url) ~= "string" then
    core.misuse("inline.photo needs an url, or a photo_file_id")
  end
  made.photo_url, made.url = made.url, nil
  made.thumbnail_url = made.thumbnail_url or made.photo_url
  return made
end

local RESULTS_MAX = 50 -- in one answer

-- The results of the page that the query asks for; takes per_page out of the
-- parameters and puts next_offset in.
function inline._page(query, results, params)
  local size = params.per_page
  params.per_page = nil
  if not size then
    if #results > RESULTS_MAX then
      core.misuse(("ctx:answer_inline: %d results, at most %d; use "
        .. "{ per_page = %d }"):format(#results, RESULTS_MAX, RESULTS_MAX))
    end
    return json.array(results)
  end
  if math.type(size) ~= "integer" or size < 1 or size > RESULTS_MAX then
    core.misuse(("ctx:answer_inline: per_page is 1 to %d"):format(
      RESULTS_MAX))
  end
  local from = math.tointeger(tonumber(query.offset)) or 0
  local page = table.move(results, from + 1, from + size, 1, {})
  if from + size < #results then
    params.next_offset = tostring(from + size)
  end
  return json.array(page)
end

return setmetatable(inline, {
  __index = function(_, name)
    core.misuse(("inline has no function %q"):format(tostring(name)))
  end,
})
