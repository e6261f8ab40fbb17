"""Runs the cases of *_spec.lua inside a real bot, and shows what authors get
for mistakes at load and for odd ways of ending a handler."""
from pathlib import Path

import harness
import pytest

HERE = Path(__file__).parent

RUNNER = """
local bot = require "moonlet.bot"
local log = require "moonlet.log"
local cases = require "spec"
bot.command("case", function(ctx)
  local name = ctx.args[1]
  local ok, err = xpcall(cases[name], function(e)
    return type(e) == "table" and tostring(e) or e end, ctx)
  log.info("case", { name = name, ok = tostring(ok),
    error = tostring(err or "") })
end)
"""


def cases():
    for path in sorted(HERE.glob("*_spec.lua")):
        for line in path.read_text().split("\n"):
            if line.startswith("function case."):
                name = line[len("function case."):line.index("(")]
                yield pytest.param(path, name, id=f"{path.stem}:{name}")


@pytest.mark.parametrize("path, name", cases())
def test_case(sim, engine, path, name):
    bot = engine(RUNNER)
    bot.write("spec.lua", path.read_text())
    bot.start()
    sim.send(sim.user("Ann")["id"], f"/case {name}")
    row = bot.wait_event("case", name=name)
    assert row["ok"] == "true", row["error"]


# mistakes at load

@pytest.mark.parametrize("line, words", [
    ('bot.on("mesage", print)', 'no update kind "mesage"'),
    ('bot.on("message:", 7)', "bot.on needs a function, got number"),
    ('bot.on(7, function() end)', "bot.on"),
    ('bot.command("two words", function() end)', '"two words"'),
    ('bot.command(("x"):rep(40), function() end)', "at most 32"),
    ('bot.command("x")', "bot.command needs a function, got nil"),
    ('bot.command("x", function() end, { desc = "x" })', 'no option "desc"'),
    ('bot.command("x", function() end, "x")', "options must be a table"),
    ('bot.hears("(", function() end)', "bot.hears"),
    ('bot.hears(7, function() end)', "bot.hears needs a"),
    ('bot.callback("[", function() end)', "bot.callback"),
    ('bot.callback("x", function() end, { order = 1, x = 2 })',
     'no option "x"'),
    ('bot.hears("x", print, { order = "both" })', "or \"none\", got \"both\""),
    ('bot.use(print, 7)', "bot.use: the options must be a table"),
    ('bot.catch(print, { x = 1 })', 'bot.catch has no option "x"'),
    ('bot.on_start(print, { x = 1 })', 'bot.on_start has no option "x"'),
    ('bot.use("x")', "bot.use needs a function, got string"),
    ('bot.catch()', "bot.catch needs a function, got nil"),
    ('bot.nothing()', 'bot has no function "nothing"'),
    ('bot.comand()', 'bot has no function "comand"; did you mean "command"?'),
    ('bot.conversation("x", function() end)', "not built yet"),
    ('bot.every("1m", "x", function() end)', "not built yet: bot.every"),
    ('require "moonlet.task".sleep(1)', ""),
    ('require "moonlet.api".getMe()', ""),
    ('require "../evil"', ""),
    ('require "/etc/passwd"', ""),
    ('require "moonlet.nothing"', "moonlet.nothing"),
])
def test_mistakes_at_load_have_file_and_line(engine, line, words):
    bot = engine(f'local bot = require "moonlet.bot"\n\n{line}\n')
    bot.start(wait=False)
    assert bot.process.wait() == 1
    last = bot.process.lines[-1]
    assert last.startswith("moonlet: main.lua:3: "), last
    assert words in last


def test_require_loads_once_and_finds_ring(engine, sim):
    bot = engine("""
local bot = require "moonlet.bot"
local one, again = require "parts.one", require "parts.one"
bot.on("message", function(ctx)
  ctx:reply(tostring(one == again) .. one.count .. require "parts.one".count)
end)
""")
    bot.write("parts/one.lua", "return { count = 1 }")
    bot.start()
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "true11"
    bot.write("parts/one.lua", 'return require "parts.two"')
    bot.write("parts/two.lua", 'return require "parts.one"')
    row = bot.wait_event("scripts.not_loaded")
    assert row["script"].startswith("parts/") and row["line"] == 1


# odd ends

def texts(sim):
    return [c["params"]["text"] for c in sim.calls("sendMessage")]


def test_middleware_that_does_not_call_next_ends_the_update(sim, engine):
    engine("""
local bot = require "moonlet.bot"
bot.use(function(ctx, next)
  if ctx.message.text == "stop" then return ctx:reply("stopped") end
  next()
end)
bot.use(function(ctx, next) next() end)
bot.on("message", function(ctx) ctx:reply("handled") end)
""").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "stop")
    sim.send(ann, "go")
    sim.events.wait_count("call", 2,
                          lambda c: c["method"] == "sendMessage")
    assert texts(sim) == ["stopped", "handled"]


def test_pass_through_all_is_no_error(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
for _ = 1, 3 do
  bot.on("message:text", function(ctx)
    if ctx.message.text == "end" then ctx:reply("end") end
    return bot.pass
  end)
end
""").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "x")
    sim.send(ann, "end")
    sim.events.wait_count("call", 3, lambda c: c["method"] == "sendMessage")
    bot.wait_event("update.unhandled", kind="message")
    text = bot.stop()
    assert "handler.error" not in text
    assert bot.process.text().count("update.unhandled") == 2


def test_a_catch_that_fails_hides_nothing(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.catch(function() error("second") end)
bot.catch(function(ctx, err)
  ctx:reply(err.kind .. " " .. err.line .. " " .. err.message)
end)
bot.on("message", function() error("first") end)
""").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "script 7 first"
    assert "second" in bot.wait_event("catch.error")["error"]
    row = bot.wait_event("handler.error")
    assert (row["line"], row["message"]) == (7, "first")
    sim.send(ann, "y")
    sim.events.wait_count("call", 2, lambda c: c["method"] == "sendMessage")


@pytest.mark.parametrize("value, message", [
    ("nil", "nil"), ("7", "7"), ("{}", ""), ("false", "false"),
    ("setmetatable({}, { __tostring = function() return 'mine' end })",
     "mine"),
    ("setmetatable({}, { __tostring = function() error('x') end })", ""),
])
def test_odd_error_values_become_tables(sim, engine, value, message):
    bot = engine(f"""
local bot = require "moonlet.bot"
bot.catch(function(ctx, err) ctx:reply(type(err) .. " " .. err.kind) end)
bot.on("message", function()
  error({value})
end)
""").start()
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "table script"
    row = bot.wait_event("handler.error")
    assert row["script"] == "main.lua" and message in row["message"]


def test_on_start_that_fails_is_reported_and_stops_nothing(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.on_start(function() error("cannot begin") end)
bot.on("message", function(ctx) ctx:reply("on") end)
""").start()
    sim.send(sim.user("Ann")["id"], "x")
    sim.wait_call("sendMessage")
    line = bot.process.wait_line("cannot begin")
    assert '"level":"error"' in line and "main.lua" in line


@pytest.mark.parametrize("call, message", [
    ('ctx.reply("hi")', "ctx:reply is called with a colon"),
    ('ctx.edit({})', "ctx:edit is called with a colon"),
    ('ctx.answer_callback()', "ctx:answer_callback is called with a colon"),
    ("ctx:reply(nil)", "ctx:reply needs a text, got nil"),
    ("ctx:reply({})", "ctx:reply needs a text, got table"),
    ("ctx:edit(true)", "ctx:edit needs a text, got boolean"),
    ("ctx:become(7)", "not built yet: ctx:become"),
    ("getmetatable(ctx).__index = {}", "attempt to index a boolean value"),
])
def test_wrong_use_of_a_context(sim, engine, call, message):
    bot = engine(f"""
local bot = require "moonlet.bot"
bot.on("message", function(ctx)
  {call}
end)
""").start()
    sim.send(sim.user("Ann")["id"], "x")
    row = bot.wait_event("handler.error")
    assert (row["script"], row["line"]) == ("main.lua", 4)
    assert message in row["message"]


def test_a_context_takes_fields_and_numbers_are_texts(sim, engine):
    engine("""
local bot = require "moonlet.bot"
bot.use(function(ctx, next) ctx.reply_count = 7; next() end, { order = "chat" })
bot.on("message", function(ctx) ctx:reply(ctx.reply_count) end)
""").start()
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "7"


def test_a_table_that_is_raised_keeps_its_fields(sim, engine):
    engine("""
local bot = require "moonlet.bot"
bot.catch(function(ctx, err)
  ctx:reply(table.concat({ err.kind, err.code, err.message, err.value.kind,
    err.line }, " "))
end)
bot.on("message", function()
  error{ kind = "mine", code = 7, message = "x" }
end)
""").start()
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "script 7 x mine 8"


def test_replies_where_there_is_no_chat(sim, engine):
    engine("""
local bot = require "moonlet.bot"
local api = require "moonlet.api"
bot.on("poll", function(ctx)
  local ok, err = pcall(ctx.reply, ctx, "x")
  api.sendMessage{ chat_id = %d, text = err.kind .. " " .. err.message }
end)
""" % (user := sim.user("Ann")["id"])).start()
    sample = harness.ROOT / "vendor/botapi/updates/poll.json"
    status, _ = sim.request("POST", "/sim/update", sample.read_bytes())
    assert status == 200
    call = sim.wait_call("sendMessage", lambda c: c["chat_id"] == user)
    assert call["params"]["text"] == (
        "misuse ctx:reply: a poll update has no chat")
