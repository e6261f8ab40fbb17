---@meta moonlet.test
-- Made by docs/luacats.py; see there.

---Specs of bots, for files that `moonlet test` runs: people and groups in a
---simulated Telegram, and what they see. Each case has an empty world with a
---clock of its own that jumps over every wait, and the bot freshly loaded.
---Durations are seconds or texts such as "5m". What does not hold ends the
---case with file and line. In the examples ann and bob are people, and team is
---a group of theirs.
---@class moonlet.test
---fits every message.
---@field any any
local test = {}

---@class moonlet.test.chat
---@field id integer
---@field [string] any
local test_chat = {}

---@class moonlet.test.user: moonlet.test.chat
local test_user = {}

---One case. opts: bot, a folder with main.lua, relative to the spec, or main,
---the text of a whole bot; config, settings by their names in config.lua;
---webhook = true, updates come by webhook; copy = true, the bot is a copy for
---t.write; start = false, the bot runs only from t.start() on.
---@param name string
---@param opts? table
---@param fn function
---@overload fun(name: string, fn: function): any
---@return any ...
function test.case(name, opts, fn) end

---A case for each row of the list, with fn(row). In the name "%s" stands for
---the row, or its field `name`.
---@param rows table[]
---@param name string
---@param opts? table
---@param fn function
---@overload fun(rows: table[], name: string, fn: function): any
---@return any ...
function test.each(rows, name, opts, fn) end

---Runs at the start of each case of this file, after the bot has started.
---@param fn function
---@return any ...
function test.before(fn) end

---Runs at the end of each case of this file, however it went.
---@param fn function
---@return any ...
function test.after(fn) end

---Options for all cases of this file.
---@param opts table
---@return any ...
function test.use(opts) end

---A person, whose chat with the bot they are too.
---@param options { first_name?: any, username?: any, id?: any, language_code?: any, started?: any }
---@return moonlet.test.user
function test.user(options) end

---Several people. Admins are members with all rights.
---@param options { title?: any, username?: any, members?: any, admins?: any, type?: any, id?: any }
---@return moonlet.test.chat
function test.group(options) end

---A topic of a supergroup, or of the chat of a person with the bot, opened by
---a member (the first one): a chat in which people can send, and that expects
---what the bot says in this topic.
---@param group any
---@param name string
---@param by? any
---@return moonlet.test.chat
function test.topic(group, name, by) end

---A raw update of any kind. Returns it with its update_id.
---@param options { kind?: any }
---@return any ...
function test.update(options) end

---The next call that fits goes wrong, once unless count says more. mode: "429"
---(with retry_after), "500", "502html", "cut_before" (not executed, no
---answer), "cut_after" (executed, no answer), "slow" (answered seconds later),
---"duplicate" (an update comes twice), or "refused", an error of your own:
---code, 400 unless said, and its description. The method "file" is the
---download of a file.
---@param options { mode?: any, method?: any, chat?: any, count?: any, retry_after?: any, seconds?: any, code?: any, description?: any }
---@return any ...
function test.fault(options) end

---What Telegram allows from now on (/sim/limits).
---@param options { per_second?: any, per_chat?: any, per_group_minute?: any, latent?: any, upload_max?: any, download_max?: any }
---@return any ...
function test.limits(options) end

---The bot is thrown out.
---@param group any
---@return any ...
function test.kick(group) end

---What the bot may do there, by the names of the Bot API: t.rights(team, {
---can_delete_messages = false }). It may do everything unless this says
---otherwise, and is told of a change by my_chat_member. administrator = true
---makes it one, false a member.
---@param group any
---@param rights any
---@return any ...
function test.rights(group, rights) end

---The group becomes a supergroup, which has another id. Returns it as t.group
---does.
---@param group any
---@return any ...
function test.migrate(group) end

---The bytes of a file: of a message, of its document or the like, or of a
---file_id.
---@param what any
---@return any ...
function test.file(what) end

---The API calls so far, but for getUpdates: method ("file" is a download),
---params (of an upload name and size), status, chat_id, result.
---@param method? string
---@return any ...
function test.calls(method) end

---Waits for a call of that method whose parameters hold those that are given,
---and returns it: among those made since somebody last did something (sent,
---pressed ...), behind the last call that was expected.
---@param method string
---@param params? any
---@param within? number|string
---@return any ...
function test.expect_call(method, params, within) end

---What a server other than Telegram says when the bot asks it by moonlet.http;
---without it connections are refused. address: "GET https://shop.example/x",
---without a method for any, "*" stands for anything; the query counts only if
---the address has one. answer: a text; a table of status (200), body or json,
---headers, delay (before it comes), or fail ("cut": the request arrives, no
---answer does; "refused"); or a function that returns one of these and gets
---the request: method, url, path, query, headers (names in lower case), body
---and json. The newest that fits counts.
---@param address any
---@param answer any
---@return any ...
function test.http(address, answer) end

---The requests to other servers so far, as the functions of t.http get them.
---@param address? any
---@return any ...
function test.http_calls(address) end

---The errors of handlers so far, and those that errors.capture was given:
---kind, message, script, line.
---@return any ...
function test.errors() end

---Goes on until fn() returns something, which is returned; asked after
---everything that happens and is logged. Fails after 60 s, or within.
---@param fn function
---@param within? number|string
---@return any ...
function test.await(fn, within) end

---The newest lines of the engine's log, as text.
---@return any ...
function test.log() end

---A request to the engine's /api, as the commands of an operator make it.
---Returns the status and the answer.
---@param method string
---@param path string
---@param body? any
---@return any ...
function test.api(method, path, body) end

---A request to the engine's HTTP port, as anybody could make it: { path =
---"/x/feed/7" }. The method is GET, or POST with a body, unless it is said;
---json is a value that is sent as JSON. Returns { status, headers (by their
---names in lower case), body, json (the value, if the body is JSON) } once the
---answer is there.
---@param options { path?: any, method?: any, headers?: any, body?: any, json?: any }
---@return any ...
function test.request(options) end

---Virtual Unix time in seconds.
---@return any ...
function test.now() end

---Lets that much time go by.
---@param duration number|string
---@return any ...
function test.advance(duration) end

---Lets time go by until then: "09:30", the next time that it is so late, or
---"2026-01-06 09:30"; in the zone of TZ, else UTC. A year of an idle bot takes
---seconds of real time.
---@param time any
---@return any ...
function test.at(time) end

---The bot runs; after t.stop, t.kill or start = false.
---@return any ...
function test.start() end

---An orderly end, as by SIGTERM.
---@return any ...
function test.stop() end

---The engine dies: what it had not stored is lost.
---@return any ...
function test.kill() end

---The engine dies and starts again.
---@return any ...
function test.crash() end

---An orderly end and a new start.
---@return any ...
function test.restart() end

---A file of the bot, which must be a copy (the case's option copy).
---@param name string
---@param text string|moonlet.piece
---@return any ...
function test.write(name, text) end

---Loads the scripts anew, as `moonlet reload`. Fails with the place if they do
---not load.
---@return any ...
function test.reload() end

---Waits for the next message of the bot that fits, behind the last one
---expected, and returns it. what: a part of its text, t.any, or a table of
---text, pattern (Lua's), buttons (texts that it has; false: none), content
---("photo"), document, photo, poll, invoice, ... (true, or a part of the
---file's name or of the title), edited, deleted, alert, toast, action (true,
---or a part of its text), reaction (that of the bot: true or an emoji),
---reply_to (the message that it answers, or its id), message_thread_id (its
---topic), method and params (an API call to this chat instead). opts: within,
---60 s of virtual time unless it is said.
---@param what any
---@param opts? table
---@return any ...
function test_chat:expect(what, opts) end

---The bot says nothing for 10 s, or within.
---@param within? number|string
---@return any ...
function test_chat:expect_nothing(within) end

---What the chat shows now, oldest first.
---@return any ...
function test_chat:messages() end

---Sends a text, or a table such as { photo = true, caption = "me" } or {
---document = { name = "a.csv", text = "1,2" } }, to the bot, or to a group:
---where is a chat, or a table of chat, reply_to, message_thread_id (a topic)
---and anonymous (true: an admin who does not show who it is). A file's bytes
---are its text or base64, else made up to its size. Returns the message.
---@param what any
---@param where? any
---@return any ...
function test_user:send(what, where) end

---Sends several photos or files together, each a table as user:send takes it.
---Returns the list of messages.
---@param items any
---@param where? any
---@return any ...
function test_user:send_album(items, where) end

---The same as an answer that quotes a message.
---@param message table
---@param what any
---@return any ...
function test_user:reply(message, what) end

---Sends a message on.
---@param message table
---@param where? any
---@return any ...
function test_user:forward(message, where) end

---Changes what they have written: a text, or a table with caption.
---@param message table
---@param what any
---@return any ...
function test_user:edit(message, what) end

---Puts a reaction on a message, or without an emoji takes it back. The bot
---gets a message_reaction.
---@param message table
---@param emoji? string?
---@return any ...
function test_user:react(message, emoji) end

---Presses the button with that text or data of the last message with buttons,
---or of where.message, or of what user:choose has sent; a button of a reply
---keyboard sends its text. Waits up to 60 s for it.
---@param button any
---@param where? any
---@return any ...
function test_user:click(button, where) end

---Enters a group, which says so; brought in by that person if one is given.
---Returns the message with new_chat_members.
---@param group any
---@param by? any
---@return any ...
function test_user:join(group, by) end

---Goes, which the group says. Returns the message with left_chat_member.
---@param group any
---@return any ...
function test_user:leave(group) end

---Asks to be let in, by an invite link of the bot if one is given. The bot
---gets a chat_join_request; if it approves, the group says who has come.
---Returns the request.
---@param group any
---@param link? any
---@return any ...
function test_user:ask_to_join(group, link) end

---Votes in a poll of the bot that is not anonymous: the texts of options, none
---to take the vote back. The bot gets a poll_answer.
---@param message table
---@param ... any
---@return any ...
function test_user:vote(message, ...) end

---Writes the bot's name and a query into a text field. Waits up to 60 s for
---the bot's answer and returns its results, a list, the offset of the next
---page, and the parameters of answerInlineQuery.
---@param query any
---@param offset? any
---@return any ...
function test_user:inline(query, offset) end

---Sends one of the results of user:inline. The bot gets a
---chosen_inline_result, and can edit what was sent if it has buttons. Returns
---a table with inline_message_id, for user:click.
---@param result any
---@param query? any
---@return any ...
function test_user:choose(result, query) end

---Pays an invoice: a message, or the link of one. The bot is asked by a
---pre_checkout_query and has 10 seconds to answer. Returns true once the
---payment is on its way to the bot; false and what the bot said if it refused.
---@param what any
---@return any ...
function test_user:pay(what) end

---Blocks the bot, or with false lets it in again.
---@param blocked? any
---@return any ...
function test_user:block(blocked) end

---What a Web App of the bot that they have opened sends as initData, for
---moonlet.webapp. fields: more of it, such as start_param, or others than
---auth_date, the time now, and user.
---@param fields? table
---@return any ...
function test_user:init_data(fields) end

return test
