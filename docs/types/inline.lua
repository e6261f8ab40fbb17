---@meta moonlet.inline
-- Made by docs/luacats.py; see there.

---Results for inline queries: ctx:answer_inline{ inline.article{...} }.
---@class moonlet.inline
local inline = {}

---A result that sends a text, which may be a piece of moonlet.format. The
---other fields are those of the method's result, such as description and
---reply_markup; input_message_content takes the place of text and parse_mode
---(Bot API InlineQueryResultArticle).
---@param options { id?: any, title?: any, text?: any }
---@return any ...
function inline.article(options) end

---A result that sends a photo: url, the address of a JPEG, with thumbnail_url
---if there is a smaller one, or photo_file_id. The other fields are those of
---the result, such as caption (Bot API InlineQueryResultPhoto,
---InlineQueryResultCachedPhoto).
---@param options { id?: any, url?: any }
---@return any ...
function inline.photo(options) end

return inline
