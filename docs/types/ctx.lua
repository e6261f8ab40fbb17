---@meta
-- Made by docs/luacats.py; see there.

---The context of one update: what handlers get as their argument. Fields:
---update (the raw Update; update.redelivered is true if its handler may have
---begun before: in an earlier process, or because it failed and is replayed),
---kind ("message"), event (the raw object of that kind), message (of any
---message kind; of a button its message), chat, from, callback_query,
---inline_query, text (of a message, or its caption), args, rest and command
---(of a command: the list of words behind it, the same as it was written, its
---name), album (bot.album), api (moonlet.api). Those that an update lacks are
---nil. A handler may set fields of its own.
---@class moonlet.ctx
---@field update botapi.Update|table
---@field kind string
---@field event table
---@field message botapi.Message
---@field chat botapi.Chat
---@field from botapi.User
---@field callback_query botapi.CallbackQuery
---@field inline_query botapi.InlineQuery
---@field text string?
---@field args string[]
---@field rest string
---@field command string|boolean|nil
---@field album botapi.Message[]?
---@field lang string?
---@field api moonlet.api
---@field [string] any
local ctx = {}

---Sends a text or a piece (moonlet.format) to the update's chat, and to its
---topic or business connection, without quoting, or with opts.quote = true as
---an answer to the update's message. opts: sendMessage's parameters and those
---of an API call: timeout, on_unknown and the like. Returns the Message;
---raises as moonlet.api does, and "misuse" if the update has no chat (Bot API
---sendMessage).
---@param text string|moonlet.piece
---@param opts? moonlet.ctx.reply.opts
---@return botapi.Message
function ctx:reply(text, opts) end

---Replaces the text of the message whose button was pressed, or of
---opts.message, a Message that the bot has sent; and its buttons: without
---opts.reply_markup they go. Of a picture or a file it replaces the caption.
---opts: editMessageText's parameters, or editMessageCaption's, and those of an
---API call. Returns the Message (true for an inline message), or false and the
---error if nothing would change; raises as moonlet.api does, and "misuse"
---outside a button press if there is no opts.message (Bot API editMessageText,
---Bot API editMessageCaption).
---@param text string|moonlet.piece
---@param opts? moonlet.ctx.edit.opts
---@return botapi.Message|boolean
function ctx:edit(text, opts) end

---Answers the button press, with a text shown to the person if given. opts:
---answerCallbackQuery's parameters and those of an API call. Without it the
---press is answered by itself when the handler ends or after 5 seconds.
---Returns true, or false and the error if the press is too old; raises as
---moonlet.api does, and "misuse" outside a button press (Bot API
---answerCallbackQuery).
---@param text? string|moonlet.piece
---@param opts? moonlet.ctx.answer_callback.opts
---@return any ...
function ctx:answer_callback(text, opts) end

---Answers the inline query with a list of results (moonlet.inline makes some).
---opts: answerInlineQuery's parameters, those of an API call, and per_page, at
---most 50: the results are all there are, and the client gets those of a page
---and asks for the next. Returns true, or false and the error if the query is
---too old; raises as moonlet.api does, and "misuse" outside an inline query
---(Bot API answerInlineQuery).
---@param results any
---@param opts? moonlet.ctx.answer_inline.opts
---@return any ...
function ctx:answer_inline(results, opts) end

---Deletes the update's message; of a button its message. opts: those of an API
---call. Returns true; raises as moonlet.api does (Bot API deleteMessage).
---@param opts? moonlet.api.options
---@return any ...
function ctx:delete(opts) end

---Forwards the update's message to a chat. opts: forwardMessage's parameters
---and those of an API call. Returns the Message; raises as moonlet.api does
---(Bot API forwardMessage).
---@param chat_id integer|string
---@param opts? moonlet.ctx.forward.opts
---@return botapi.Message
function ctx:forward(chat_id, opts) end

---The same without its author. opts: copyMessage's parameters and those of an
---API call. Returns the MessageId; raises as moonlet.api does (Bot API
---copyMessage).
---@param chat_id integer|string
---@param opts? moonlet.ctx.copy.opts
---@return botapi.MessageId
function ctx:copy(chat_id, opts) end

---Puts a reaction on the update's message; nil takes it off. opts:
---setMessageReaction's parameters and those of an API call. Returns true;
---raises as moonlet.api does (Bot API setMessageReaction).
---@param emoji string?
---@param opts? moonlet.ctx.react.opts
---@return any ...
function ctx:react(emoji, opts) end

---The text of that key in the language of the update (moonlet.i18n), with
---args.name for {name}, and the plural form for args.count. An argument may be
---a piece, which makes the text one. Without such a text it is the key, which
---is logged once.
---@param key string
---@param args? table
---@return string|moonlet.piece
function ctx:t(key, args) end

---The same of a text in HTML, as a piece (moonlet.format): tags of the text
---count, those in arguments do not.
---@param key string
---@param args? table
---@return moonlet.piece
function ctx:t_html(key, args) end

---Sends a menu of moonlet.menu, or after a press shows it in place of the
---message with the button; after that of a menu's button, its m:back leads to
---that menu. arg: a text or an integer, the menu's m.arg (else false). Returns
---the Message; raises as ctx:reply and ctx:edit do.
---@param menu any
---@param arg? any
---@return any ...
function ctx:show_menu(menu, arg) end

---Whether the person, or another User, is an administrator of the chat, or its
---owner, with that right if one is given, such as "can_restrict_members". An
---administrator who stays anonymous is one, whose rights Telegram does not
---tell: any; in a private chat everybody is. Asks Telegram each time; raises
---as moonlet.api does, and "misuse" if the update has no chat (Bot API
---getChatMember).
---@param right? string
---@param user? botapi.User
---@return boolean
function ctx:is_chat_admin(right, user) end

---The same as i18n.set(ctx, language).
---@param language string
---@return any ...
function ctx:set_language(language) end

---Shows what the bot does, such as "typing" or "upload_photo", for 5 seconds
---or until its next message. opts: those of an API call. Returns true; raises
---as moonlet.api does (Bot API sendChatAction).
---@param action string
---@param opts? moonlet.api.options
---@return any ...
function ctx:action(action, opts) end

---Shows the action until fn(...) has ended, however long it takes, and returns
---its results. That the action is refused does not matter; an error of fn is
---raised.
---@param action string
---@param fn function
---@param ... any
---@return any ...
function ctx:while_action(action, fn, ...) end

---The same with "typing".
---@param fn function
---@param ... any
---@return any ...
function ctx:while_typing(fn, ...) end

---Lets a payment go on, or with false and a text for the person stops it. It
---must come within 10 seconds. opts: those of an API call. Returns true;
---raises as moonlet.api does, and "misuse" outside a pre_checkout_query (Bot
---API answerPreCheckoutQuery).
---@param ok? any
---@param why? any
---@param opts? moonlet.api.options
---@return any ...
function ctx:answer_pre_checkout(ok, why, opts) end

---Sends a file to the update's chat, and to its topic or business connection.
---name: what people see. file: { path = "out/report.pdf" }, a file below
---DATA_DIR/files, streamed and never whole in memory; { data = "..." }, its
---bytes; a file that somebody has sent, such as ctx.message.document; or a
---file_id or a URL as a text. opts: sendDocument's parameters and those of an
---API call: progress, timeout, action and the like. An unchanged file that was
---sent before is not sent again, its file_id is. Returns the Message; raises
---as moonlet.api does, and "misuse" if the update has no chat (Bot API
---sendDocument).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_document.opts
---@return botapi.Message
function ctx:upload_document(name, file, opts) end

---As ctx:upload_document, for a photo (Bot API sendPhoto).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_photo.opts
---@return botapi.Message
function ctx:upload_photo(name, file, opts) end

---As ctx:upload_document, for a video (Bot API sendVideo).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_video.opts
---@return botapi.Message
function ctx:upload_video(name, file, opts) end

---As ctx:upload_document, for music (Bot API sendAudio).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_audio.opts
---@return botapi.Message
function ctx:upload_audio(name, file, opts) end

---As ctx:upload_document, for a voice message (Bot API sendVoice).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_voice.opts
---@return botapi.Message
function ctx:upload_voice(name, file, opts) end

---As ctx:upload_document, for a GIF or a video without sound (Bot API
---sendAnimation).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_animation.opts
---@return botapi.Message
function ctx:upload_animation(name, file, opts) end

---As ctx:upload_document, for a round video (Bot API sendVideoNote).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_video_note.opts
---@return botapi.Message
function ctx:upload_video_note(name, file, opts) end

---As ctx:upload_document, for a sticker (Bot API sendSticker).
---@param name string
---@param file string|moonlet.file|{ file_id: string }
---@param opts? moonlet.ctx.upload_sticker.opts
---@return botapi.Message
function ctx:upload_sticker(name, file, opts) end

---Sends two to ten files as one album to the update's chat. items: a list of
---InputMedia, whose media may be { path = } or { data = }. opts:
---sendMediaGroup's parameters and those of an API call. Returns the list of
---Messages; raises as ctx:upload_document does (Bot API sendMediaGroup).
---@param items any
---@param opts? moonlet.ctx.send_album.opts
---@return botapi.Message[]
function ctx:send_album(items, opts) end

---Fetches a file into DATA_DIR/files. what: a file_id, an object that has one
---(a document, a list of photo sizes, of which the largest is taken), or a
---Message with one. opts.to: the folder, made if it is missing; opts.name: the
---file's name there (without it one made of file_unique_id, with a safe
---extension); opts.timeout: a duration for the whole (default
---FILE_DOWNLOAD_TIMEOUT); opts.max_size: bytes; opts.progress: a function that
---is called with the bytes done and in all (0: not known), at most twice a
---second. A file of that path is replaced when the new one is whole; nothing
---is left of one that is not. Returns a table: path (below DATA_DIR/files, as
---moonlet.fs takes it), size in bytes, and name, as the sender called it,
---without what no name may hold. Raises "limit" (larger than max_size, or than
---the 20 MB that api.telegram.org gives), "http" (the server's answers, after
---MAX_RETRIES repeats), "fs" (the disk), "timeout", and what moonlet.api
---raises (Bot API getFile).
---@param what any
---@param opts? table
---@return { path: string, size: integer, name: string }
function ctx:download(what, opts) end

---The machine of the update's person and chat (bot.fsm); with a User that of
---another person in the chat. Of an update without a chat, as a
---pre_checkout_query, it is that of their private chat. It has state, the name
---of its state; data, a table that is stored with each fire and when the
---handler ends without an error; and fire, can and reset.
---@param name string
---@param user? any
---@return moonlet.fsm.machine
function ctx:fsm(name, user) end

---@class moonlet.ctx.reply.opts: botapi.opts.sendMessage, moonlet.api.options
---@field quote? boolean

---@class moonlet.ctx.edit.opts: botapi.opts.editMessageText, moonlet.api.options
---@field message? botapi.Message

---@class moonlet.ctx.answer_callback.opts: botapi.opts.answerCallbackQuery, moonlet.api.options

---@class moonlet.ctx.answer_inline.opts: botapi.opts.answerInlineQuery, moonlet.api.options
---@field per_page? integer

---@class moonlet.ctx.send_album.opts: botapi.opts.sendMediaGroup, moonlet.api.options

---@class moonlet.ctx.forward.opts: botapi.opts.forwardMessage, moonlet.api.options

---@class moonlet.ctx.copy.opts: botapi.opts.copyMessage, moonlet.api.options

---@class moonlet.ctx.react.opts: botapi.opts.setMessageReaction, moonlet.api.options

---@class moonlet.ctx.upload_document.opts: botapi.opts.sendDocument, moonlet.api.options

---@class moonlet.ctx.upload_photo.opts: botapi.opts.sendPhoto, moonlet.api.options

---@class moonlet.ctx.upload_video.opts: botapi.opts.sendVideo, moonlet.api.options

---@class moonlet.ctx.upload_audio.opts: botapi.opts.sendAudio, moonlet.api.options

---@class moonlet.ctx.upload_voice.opts: botapi.opts.sendVoice, moonlet.api.options

---@class moonlet.ctx.upload_animation.opts: botapi.opts.sendAnimation, moonlet.api.options

---@class moonlet.ctx.upload_video_note.opts: botapi.opts.sendVideoNote, moonlet.api.options

---@class moonlet.ctx.upload_sticker.opts: botapi.opts.sendSticker, moonlet.api.options

---Of a handler that only texts reach.
---@class moonlet.ctx.text: moonlet.ctx
---@field text string

return ctx
