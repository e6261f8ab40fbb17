---@meta moonlet.keyboard
-- Made by docs/luacats.py; see there.

---Keyboards for opts.reply_markup. keyboard.inline makes one below a message,
---keyboard.reply one in place of the person's own; both take rows of buttons
---and have methods that add more, each of which returns the keyboard. A button
---may also be a table of the Bot API's fields (Bot API InlineKeyboardButton,
---Bot API KeyboardButton); opts of a method are such fields, as style. What
---Telegram would refuse raises "misuse" that names the button: more than 8
---buttons in an inline row or 12 in another, more than 100 or 300 in all.
---Callback data of more than 64 bytes is stored for 90 days from when it was
---last used in a keyboard, and its handler gets all of it; making such a
---keyboard waits, and more than 8192 bytes are "misuse".
---@class moonlet.keyboard
local keyboard = {}

---@class moonlet.keyboard.inline: botapi.InlineKeyboardMarkup
local keyboard_inline = {}

---@class moonlet.keyboard.reply: botapi.ReplyKeyboardMarkup
local keyboard_reply = {}

---A list of rows of n items each, of which the last may be shorter.
---@param n integer
---@param items any
---@return any ...
function keyboard.columns(n, items) end

---A keyboard below a message. A button in rows is { text, data } or { text,
---url = ... } with any field of Bot API InlineKeyboardButton.
---@param rows? table[]
---@return moonlet.keyboard.inline
function keyboard.inline(rows) end

---A button that bot.callback hears of.
---@param text string|moonlet.piece
---@param data any
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:text(text, data, opts) end

---A link.
---@param text string|moonlet.piece
---@param url string
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:url(text, url, opts) end

---Opens a Web App (private chats).
---@param text string|moonlet.piece
---@param url string
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:web_app(text, url, opts) end

---A link that logs the person in.
---@param text string|moonlet.piece
---@param url string
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:login(text, url, opts) end

---Lets the person choose a chat and puts the bot's name and the query into its
---text field.
---@param text string|moonlet.piece
---@param query? any
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:switch_inline(text, query, opts) end

---The same in this chat.
---@param text string|moonlet.piece
---@param query? any
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:switch_inline_here(text, query, opts) end

---The same in a chat of the kinds that the table says (Bot API
---SwitchInlineQueryChosenChat).
---@param text string|moonlet.piece
---@param chats any
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:switch_inline_chosen(text, chats, opts) end

---Copies up to 256 signs.
---@param text string|moonlet.piece
---@param copied any
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:copy_text(text, copied, opts) end

---Pays an invoice; the first button of all.
---@param text string|moonlet.piece
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:pay(text, opts) end

---Starts a game; the first button of all.
---@param text string|moonlet.piece
---@param opts? table
---@return moonlet.keyboard.inline
function keyboard_inline:game(text, opts) end

---The next button begins a row.
---@return moonlet.keyboard.inline
function keyboard_inline:row() end

---Adds rows, as keyboard.inline takes them.
---@param rows table[]
---@return moonlet.keyboard.inline
function keyboard_inline:rows(rows) end

---Lays all buttons so far out in rows of n.
---@param n integer
---@return moonlet.keyboard.inline
function keyboard_inline:columns(n) end

---A keyboard in place of the person's own. A button in rows is a text, which
---it sends, or { text, request_contact = true } with any field of Bot API
---KeyboardButton.
---@param rows? table[]
---@return moonlet.keyboard.reply
function keyboard.reply(rows) end

---A button that sends its text.
---@param text string|moonlet.piece
---@param opts? table
---@return moonlet.keyboard.reply
function keyboard_reply:text(text, opts) end

---Sends the person's phone number.
---@param text string|moonlet.piece
---@param opts? table
---@return moonlet.keyboard.reply
function keyboard_reply:contact(text, opts) end

---Sends where the person is.
---@param text string|moonlet.piece
---@param opts? table
---@return moonlet.keyboard.reply
function keyboard_reply:location(text, opts) end

---Lets the person choose users; the message users_shared has the id. wanted:
---the fields of Bot API KeyboardButtonRequestUsers.
---@param text string|moonlet.piece
---@param id any
---@param wanted? any
---@return moonlet.keyboard.reply
function keyboard_reply:users(text, id, wanted) end

---The same for a chat and chat_shared (Bot API KeyboardButtonRequestChat); a
---group unless chat_is_channel is true.
---@param text string|moonlet.piece
---@param id any
---@param wanted? any
---@return moonlet.keyboard.reply
function keyboard_reply:chat(text, id, wanted) end

---Lets the person make a poll; kind is "quiz", "regular" or nothing for
---either.
---@param text string|moonlet.piece
---@param kind? any
---@return moonlet.keyboard.reply
function keyboard_reply:poll(text, kind) end

---Opens a Web App, which may answer.
---@param text string|moonlet.piece
---@param url string
---@param opts? table
---@return moonlet.keyboard.reply
function keyboard_reply:web_app(text, url, opts) end

---The next button begins a row.
---@return moonlet.keyboard.reply
function keyboard_reply:row() end

---Adds rows, as keyboard.reply takes them.
---@param rows table[]
---@return moonlet.keyboard.reply
function keyboard_reply:rows(rows) end

---Lays all buttons so far out in rows of n.
---@param n integer
---@return moonlet.keyboard.reply
function keyboard_reply:columns(n) end

---As high as its rows need.
---@return moonlet.keyboard.reply
function keyboard_reply:resize() end

---Goes after a press.
---@return moonlet.keyboard.reply
function keyboard_reply:once() end

---Stays when the person's own is hidden.
---@return moonlet.keyboard.reply
function keyboard_reply:persistent() end

---Only for those whom the message answers or names.
---@return moonlet.keyboard.reply
function keyboard_reply:selective() end

---Shown in the empty text field, up to 64 signs.
---@param text string|moonlet.piece
---@return moonlet.keyboard.reply
function keyboard_reply:placeholder(text) end

---Takes a reply keyboard away; opts: selective.
---@param opts? table
---@return any ...
function keyboard.remove(opts) end

---Asks for an answer that quotes the message; text is a placeholder. opts:
---selective.
---@param text? string|moonlet.piece
---@param opts? table
---@return any ...
function keyboard.force_reply(text, opts) end

return keyboard
