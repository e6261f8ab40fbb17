"""What a bot author sees of files: errors with their place, reload on save.
What needs no disk and no log is in handlers_spec.lua."""


def reply_to(sim, user, text):
    """Sends a text and returns the text of the next message to that chat."""
    since = sim.calls()
    last = since[-1]["n"] if since else 0
    sim.send(user, text)
    call = sim.wait_call("sendMessage", lambda c: c["n"] > last
                         and c["chat_id"] == user)
    return call["params"]["text"]


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


def test_absent_parts_say_so_at_load(sim, engine):
    cases = {
        'require "moonlet.db"': "not built yet: moonlet.db",
        'require "moonlet.bot".conversation("a", print)':
            "not built yet: bot.conversation",
        'require "moonlet.bot".cron("* * * * *", "a", print)':
            "not built yet: bot.cron",
    }
    for i, (script, expected) in enumerate(cases.items()):
        bot = engine(script, folder=f"p{i}").start(wait=False)
        assert bot.process.wait() == 1
        assert f"main.lua:1: {expected}" in bot.process.text()
