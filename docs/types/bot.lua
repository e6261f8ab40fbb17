---@meta moonlet.bot
-- Made by docs/luacats.py; see there.

---Registration and routing of handlers. Registrations are tried in the order
---in which they were made; the first that matches wins, unless its handler
---returns bot.pass. They are made while scripts load; later, and with a wrong
---argument, they raise kind "misuse". opts is a table of options. Those of
---every registration of a handler: allow, a filter (moonlet.filter) that has
---to fit as well, and order, which updates wait for each other: "chat", those
---of one chat, "user", those of one user, "none", nobody waits. Without it
---updates of a chat wait for each other, and queries that belong to no chat
---for those of their user. The order is that of the first registration that
---fits, found when the update arrives, before any middleware. An update that
---nothing handles is told in the log, with a hint, once for its kind.
---@class moonlet.bot
---returned by a handler to let the next registration try.
---@field pass any
local bot = {}

---Declares typed data of buttons. fields: a list such as { "n:int",
---"tag:text", "on:bool" }. It has data:pack{ n = 3, tag = "x", on = true },
---the text for a button's callback_data, which raises "misuse" for wrong
---values (beyond Telegram's 64 bytes it is stored for 90 days, and pack
---waits), and is given to bot.callback, whose handler gets the values. A
---button whose fields were others, or whose opts.version was, is answered by
---opts.outdated ("This button is outdated.") instead and logged as
---callback.outdated.
---@param name string
---@param fields string[]
---@param opts? table
---@return any ...
function bot.callback_data(name, fields, opts) end

---Fn(ctx, err) hears of every error of a handler or a middleware, and of one
---that a limit has ended; err is the error table. For a value that the script
---itself raised, other than a text, it has kind "script" and the value as
---err.value; of a table it carries the message, code, retry_after and
---retryable. The error is logged in any case.
---@param fn fun(ctx: moonlet.ctx, err: moonlet.error)
---@param opts? table
---@return any ...
function bot.catch(fn, opts) end

---Fn(reason) runs when these scripts take over; reason is "start" or "reload".
---Here scripts may wait and call the API; updates do not wait for it.
---@param fn fun(reason: "start"|"reload")
---@param opts? table
---@return any ...
function bot.on_start(fn, opts) end

---Declares a state machine, which a handler gets by ctx:fsm(name). definition:
---initial, the state that it begins in; states, a table { name = state }; key,
---whose machine it is, "user" (of a person in a chat, the default), "chat" or
---"topic"; migrate(state, data), which names the state for one that an edit
---has removed, in place of the initial one. A state is a table of on,
---enter(ctx, ...), leave(ctx, ...) and timeout, { after = duration, to =
---"state" }. on is a table { event = "state" }; in place of the name may stand
---{ to = "state", guard = fn }, or a list of such tables: the first counts
---whose guard(ctx, data, ...) says true. Raises "misuse" for what leads
---nowhere and for a state that nothing leads to.
---@param name string
---@param definition any
---@return any ...
function bot.fsm(name, definition) end

---Serves requests over HTTP below /x/ of the engine's port, which needs no
---token and is open to everybody. route: "METHOD /path", where a segment
---":name" stands for any one: "GET /feed/:id" is /x/feed/7, which
---request.params.id is "7" of; a GET takes HEAD too. fn(request) may wait, and
---returns nothing (204), a text (200), or a table: status, headers (a list of
---texts for one that comes several times) and one of body (a text, any bytes),
---json (any value), html, redirect (a URL; 302). bot.pass leaves the request
---to the next that fits. Without one it is 404, or 405 if only the method does
---not fit. An error is 500, more time than HANDLER_TIMEOUT 504, more than 256
---requests at once 503, a body over 1 MiB 413. bot.catch hears nothing of it.
---@param route string
---@param fn fun(request: moonlet.request): any
---@param opts? table
---@return any ...
function bot.http(route, fn, opts) end

---A message "/name ...", in any letter case and, with "@", only for this bot.
---ctx.args is the list of words behind it (of a deep link the first is its
---payload), ctx.command the name in lower case. name (letters, digits,
---underscores; at most 32) may be a list of names. opts.description, at most
---256 characters, puts the first name into the menu of commands: a text, or
---texts by language, { "Begin", de = "Los" }, whose first one is for all other
---languages. opts.scope says whose menu: "default", "all_private_chats",
---"all_group_chats", "all_chat_administrators", { chat = id }, or a list of
---them; it does not limit where the command works. Narrower menus hold the
---wider ones' commands too. opts.hidden = true leaves it out. The menus are
---set when these scripts take over and only if they have changed; without any
---description they are left alone (Bot API setMyCommands).
---@param name string|string[]
---@param fn fun(ctx: moonlet.ctx.text, ...: any): any
---@param opts? table
---@return any ...
function bot.command(name, fn, opts) end

---A command for the people of ADMIN_IDS alone. For others it is as if it were
---not registered. Its description is shown in the admins' own chats with the
---bot. opts as in bot.command, without scope.
---@param name string|string[]
---@param fn fun(ctx: moonlet.ctx.text, ...: any): any
---@param opts? table
---@return any ...
function bot.admin(name, fn, opts) end

---Middleware, in the order of registration. fn(ctx, next) runs for every
---update; next() runs the rest, which is the next middleware and at last the
---handler, and raises what that raises. It may be called once, before fn
---returns; without it the update ends there. Both may wait. In a group it runs
---around the first of the group's handlers that fits and those of them that
---follow it after bot.pass.
---@param fn fun(ctx: moonlet.ctx, next: fun()): any
---@param opts? table
---@return any ...
function bot.use(fn, opts) end

---Updates that fit a filter (moonlet.filter): "edited_message",
---"message:photo", "message:entities:url", ":text", or a list of which one has
---to fit. The filter names the kinds that Telegram is asked for;
---my_chat_member always is.
---@param filter string|function|table
---@param fn fun(ctx: moonlet.ctx, ...: any): any
---@param opts? table
---@overload fun(filter: "message:text"|"edited_message:text"|":text", fn: fun(ctx: moonlet.ctx.text, ...: any): any, opts?: table): any
---@return any ...
function bot.on(filter, fn, opts) end

---A message whose text fits the Lua pattern, or the re (moonlet.re); its
---captures are further arguments: fn(ctx, ...). Captions are no texts. A text
---on which the pattern would take too long ends the update with kind "limit"
---at the line of bot.hears.
---@param pattern any
---@param fn fun(ctx: moonlet.ctx.text, ...: any): any
---@param opts? table
---@return any ...
function bot.hears(pattern, fn, opts) end

---An inline query whose text fits the Lua pattern, or the re, as in bot.hears.
---ctx:answer_inline() answers it. What was chosen comes by
---bot.on("chosen_inline_result", fn).
---@param pattern any
---@param fn fun(ctx: moonlet.ctx, ...: any): any
---@param opts? table
---@return any ...
function bot.inline_query(pattern, fn, opts) end

---A press of an inline button whose data fits the Lua pattern, or the re, as
---in bot.hears. In place of a pattern it takes what bot.callback_data has
---declared: fn(ctx, values). The press is answered by itself when the handler
---ends, at the latest after 5 seconds, unless opts.auto_answer is false.
---@param pattern any
---@param fn fun(ctx: moonlet.ctx, ...: any): any
---@param opts? table
---@return any ...
function bot.callback(pattern, fn, opts) end

---The messages of one media group, handed over together as the list ctx.album,
---in order, after a second in which no further one has come, or when there are
---ten; ctx.message is the first. Later updates of the chat wait meanwhile, and
---nothing is lost if the process dies. Other registrations see an album's
---messages, one by one, only if no bot.album takes it. opts.order is "chat" or
---"user".
---@param fn fun(ctx: moonlet.ctx, ...: any): any
---@param opts? table
---@return any ...
function bot.album(fn, opts) end

---Fn(group) registers by the same functions, group.command and so on,
---group.use and group.group too, what is tried only for updates that fit the
---filter (moonlet.filter). The order is that of all registrations.
---@param filter string|function|table
---@param fn fun(group: moonlet.bot)
---@return any ...
function bot.group(filter, fn) end

---A text with its marks (moonlet.format).
---@class moonlet.piece

---@class moonlet.error
---@field kind string
---@field message string
---@field code? integer|string
---@field retry_after? number
---@field retryable? boolean
---@field script? string
---@field line? integer
---@field method? string
---@field traceback? string

return bot
