"""What a bot author sees: registrations, context, errors, reload."""
import json


def reply_to(sim, user, text):
    """Sends a text and returns the text of the next message to that chat."""
    since = sim.calls()
    last = since[-1]["n"] if since else 0
    sim.send(user, text)
    call = sim.wait_call("sendMessage", lambda c: c["n"] > last
                         and c["chat_id"] == user)
    return call["params"]["text"]


def test_command_hears_on_and_order_of_registration(sim, engine):
    engine("""
local bot = require "moonlet.bot"
bot.command("Start", function(ctx) ctx:reply("args " .. #ctx.args .. " "
  .. tostring(ctx.args[1])) end)
bot.command({ "one", "two" }, function(ctx) ctx:reply("cmd " .. ctx.command)
end)
bot.hears("^order (%d+) (%a+)$", function(ctx, id, what)
  ctx:reply(id .. "/" .. what)
end)
bot.hears("^skip", function(ctx) return bot.pass end)
bot.on("message:photo", function(ctx) ctx:reply("photo") end)
bot.on({ "message:contact", "message:text" }, function(ctx)
  ctx:reply("text " .. ctx.message.text)
end)
""").start()
    ann = sim.user("Ann")["id"]
    assert reply_to(sim, ann, "/start") == "args 0 nil"
    assert reply_to(sim, ann, "/START ref-1 x") == "args 2 ref-1"
    assert reply_to(sim, ann, "/two") == "cmd two"
    assert reply_to(sim, ann, "order 12 tea") == "12/tea"
    assert reply_to(sim, ann, "skip this") == "text skip this"
    assert reply_to(sim, ann, "/start@other_bot") == "text /start@other_bot"
    me = sim.calls("getMe")[0]["result"]["username"]
    assert reply_to(sim, ann, f"/start@{me.upper()} a") == "args 1 a"
    assert reply_to(sim, ann, "/starting") == "text /starting"


def test_middleware_runs_around_handlers_in_order(sim, engine):
    engine("""
local bot = require "moonlet.bot"
bot.use(function(ctx, next) ctx.trail = "a"; next()
  ctx:reply(ctx.trail .. "d") end)
bot.use(function(ctx, next) ctx.trail = ctx.trail .. "b"; next() end)
bot.on("message", function(ctx) ctx.trail = ctx.trail .. "c" end)
""").start()
    assert reply_to(sim, sim.user("Ann")["id"], "x") == "abcd"


def test_large_ids_survive_both_ways(sim, engine):
    """52 bits and a supergroup's id: update, Lua, text, API call."""
    user, chat = 4503599627370495, -1001234567890123
    engine("""
local bot = require "moonlet.bot"
local json = require "moonlet.json"
bot.on("message:text", function(ctx)
  ctx:reply(tostring(ctx.chat.id) .. " " .. ctx.from.id .. " "
    .. json.encode({ ctx.from.id }), { reply_markup = { inline_keyboard = { {
      { text = "id", callback_data = "u" .. ctx.from.id } } } } })
end)
""").start()
    sim.user("Big", id=user)
    sim.sim("POST", "/sim/chats", {"type": "supergroup", "title": "Big",
                                   "members": [user], "id": chat})
    sim.send(user, "ids", chat=chat)
    call = sim.wait_call("sendMessage")
    assert call["params"]["chat_id"] == chat
    assert call["params"]["text"] == f"{chat} {user} [{user}]"
    button = call["params"]["reply_markup"]["inline_keyboard"][0][0]
    assert button["callback_data"] == f"u{user}"


def test_sleeping_handler_delays_no_other_chat(sim, engine):
    engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("sleep", function(ctx) task.sleep(3); ctx:reply("slept") end)
bot.on("message:text", function(ctx) ctx:reply("quick") end)
""").start()
    sleeper, others = sim.user("S")["id"], [sim.user(f"U{i}")["id"]
                                            for i in range(20)]
    sim.send(sleeper, "/sleep")
    sim.send(sleeper, "after")  # same chat: must wait its turn
    for other in others:
        sim.send(other, "hi")
    sim.wait_call("sendMessage", lambda c: c["chat_id"] == sleeper
                  and c["params"]["text"] == "quick")
    order = [(c["chat_id"], c["params"]["text"])
             for c in sim.calls("sendMessage")]
    slept = order.index((sleeper, "slept"))
    assert all(order.index((o, "quick")) < slept for o in others)
    assert order.index((sleeper, "quick")) > slept


def test_runtime_error_is_reported_with_place_and_hurts_nobody(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local deep = require "parts.deep"
bot.command("boom", function(ctx) deep.fail(ctx) end)
bot.command("table", function() error({ reason = "odd" }) end)
bot.catch(function(ctx, err)
  ctx:reply(err.kind .. " " .. err.script .. ":" .. err.line)
end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
""")
    bot.write("parts/deep.lua", """
local deep = {}
function deep.fail(ctx)
  return ctx.nothing.here
end
return deep
""")
    bot.start()
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    assert reply_to(sim, ann, "/boom") == "script parts/deep.lua:4"
    row = bot.wait_event("handler.error")
    assert (row["script"], row["line"], row["kind"]) == (
        "parts/deep.lua", 4, "script")
    assert "nil value" in row["message"] and "main.lua" in row["traceback"]
    assert "moonlet" not in row["traceback"]
    assert reply_to(sim, ann, "/table") == "script main.lua:5"
    assert reply_to(sim, ann, "hi") == "fine"
    assert reply_to(sim, bob, "hi") == "fine"


def test_errors_of_api_calls_are_tables(sim, engine):
    engine("""
local bot = require "moonlet.bot"
local json = require "moonlet.json"
bot.command("bad", function(ctx)
  local ok, err = pcall(ctx.api.sendMessage, { chat_id = 99, text = "x" })
  ctx:reply(json.encode({ ok = ok, kind = err.kind, code = err.code,
    message = err.message, retryable = err.retryable, script = err.script,
    line = err.line, text = tostring(err) }))
end)
bot.command("misuse", function(ctx)
  local ok, err = pcall(ctx.api.sendMessage, "text")
  ctx:reply(json.encode({ kind = err.kind, line = err.line }))
end)
bot.command("raise", function(ctx) ctx.api.noSuchMethod{ a = 1 } end)
bot.catch(function(ctx, err) ctx:reply(err.kind .. " " .. err.code) end)
""").start()
    ann = sim.user("Ann")["id"]
    error = json.loads(reply_to(sim, ann, "/bad"))
    assert error == {
        "ok": False, "kind": "api", "code": 400, "retryable": False,
        "message": "Bad Request: chat not found", "script": "main.lua",
        "line": 5,
        "text": "main.lua:5: sendMessage: Bad Request: chat not found"}
    assert json.loads(reply_to(sim, ann, "/misuse")) == {
        "kind": "misuse", "line": 11}
    assert reply_to(sim, ann, "/raise") == "api 404"


BUTTONS = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("menu", function(ctx)
  ctx:reply("menu", { reply_markup = { inline_keyboard = { {
    { text = "edit", callback_data = "edit:7" },
    { text = "say", callback_data = "say" },
    { text = "late", callback_data = "late" },
    { text = "same", callback_data = "same" } } } } })
end)
bot.callback("^edit:(%d+)$", function(ctx, n) ctx:edit("page " .. n) end)
bot.callback("^say$", function(ctx)
  ctx:answer_callback("said", { show_alert = true })
end)
bot.callback("^late$", function(ctx) task.sleep(7); ctx:reply("late") end)
bot.callback("^same$", function(ctx)
  local done, err = ctx:edit("menu", { reply_markup =
    ctx.message.reply_markup })
  ctx:reply(tostring(done) .. " " .. err.kind)
end)
"""


def press(sim, user, data):
    return sim.sim("POST", "/sim/click", {"from": user, "chat": user,
                                          "data": data})["id"]


def test_button_presses_are_answered_once(sim, engine):
    engine(BUTTONS).start()
    ann = sim.user("Ann")["id"]
    assert reply_to(sim, ann, "/menu") == "menu"
    said = press(sim, ann, "say")
    answer = sim.wait_call("answerCallbackQuery",
                           lambda c: c["params"]["callback_query_id"] == said)
    assert answer["params"]["text"] == "said"
    assert answer["params"]["show_alert"] is True
    same = press(sim, ann, "same")
    sim.wait_call("sendMessage",
                  lambda c: c["params"]["text"] == "false api")
    sim.wait_call("answerCallbackQuery",
                  lambda c: c["params"]["callback_query_id"] == same)
    edited = press(sim, ann, "edit:7")
    sim.wait_call("answerCallbackQuery",
                  lambda c: c["params"]["callback_query_id"] == edited)
    edit = sim.calls("editMessageText")[-1]
    assert edit["params"]["text"] == "page 7"
    ids = [c["params"]["callback_query_id"]
           for c in sim.calls("answerCallbackQuery")]
    assert sorted(ids) == sorted([said, same, edited])


def test_slow_press_is_answered_before_its_handler_ends(sim, engine):
    engine(BUTTONS).start()
    ann = sim.user("Ann")["id"]
    assert reply_to(sim, ann, "/menu") == "menu"
    late = press(sim, ann, "late")
    answer = sim.wait_call("answerCallbackQuery",
                           lambda c: c["params"]["callback_query_id"] == late)
    ended = sim.wait_call("sendMessage",
                          lambda c: c["params"]["text"] == "late")
    assert answer["n"] < ended["n"]
    assert len(sim.calls("answerCallbackQuery")) == 1


def test_saving_a_script_changes_the_next_answer(sim, engine):
    text = """
local bot = require "moonlet.bot"
bot.on_start(function(reason) require "moonlet.log".info("began",
  { reason = reason }) end)
bot.on("message:text", function(ctx) ctx:reply("%s") end)
"""
    bot = engine(text % "old").start()
    bot.wait_event("began", reason="start")
    ann = sim.user("Ann")["id"]
    assert reply_to(sim, ann, "x") == "old"
    bot.write("main.lua", text % "new")
    bot.wait_event("began", reason="reload")
    assert reply_to(sim, ann, "x") == "new"


def test_a_typo_keeps_the_old_version_and_tells_the_line(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("good") end)
""").start()
    ann = sim.user("Ann")["id"]
    bot.write("main.lua", 'local bot = require "moonlet.bot"\n\nbot.on((\n')
    row = bot.wait_event("scripts.not_loaded")
    assert (row["script"], row["line"]) == ("main.lua", 4)
    assert row["still_running"] == 1
    assert reply_to(sim, ann, "x") == "good"


def test_running_handler_ends_on_its_own_generation(sim, engine):
    text = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local version = "%s"
bot.command("slow", function(ctx)
  ctx:reply("begun " .. version)
  task.sleep(2)
  ctx:reply("ended " .. version)
end)
bot.on("message:text", function(ctx) ctx:reply("now " .. version) end)
"""
    bot = engine(text % "v1").start()
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    assert reply_to(sim, ann, "/slow") == "begun v1"
    bot.write("main.lua", text % "v2")
    bot.wait_event("scripts.loaded", generation=2)
    assert reply_to(sim, bob, "x") == "now v2"
    sim.wait_call("sendMessage",
                  lambda c: c["params"]["text"] == "ended v1")


def test_absent_parts_say_so_at_load(sim, engine):
    cases = {
        'require "moonlet.db"': "not built yet: moonlet.db",
        'require "moonlet.bot".conversation("a", print)':
            "not built yet: bot.conversation",
        'require "moonlet.bot".fsm("a", {})': "not built yet: bot.fsm",
    }
    for i, (script, expected) in enumerate(cases.items()):
        bot = engine(script, folder=f"p{i}").start(wait=False)
        assert bot.process.wait() == 1
        assert f"main.lua:1: {expected}" in bot.process.text()
