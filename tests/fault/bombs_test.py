"""A bad script hurts only itself: bombs of every kind in one chat, while 20
other chats are answered."""
import pytest

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local kept = {}
local function spin() while true do end end
local bombs = {
  loop = spin,
  pcall = function() while true do pcall(spin) end end,
  inside = function() coroutine.wrap(spin)() end,
  around = function()
    while true do coroutine.wrap(function() coroutine.yield() end)() end
  end,
  inside_pcall = function()
    while true do
      local co = coroutine.create(function() while true do pcall(spin) end end)
      coroutine.resume(co)
    end
  end,
  recursion = function() local function f() return 1 + f() end return f() end,
  ["local"] = function()
    local t = {}
    while true do t[#t + 1] = { t } end
  end,
  upvalue = function() while true do kept[#kept + 1] = { {} } end end,
  string = function() local s = "x" while true do s = s .. s end end,
  rep = function() return ("x"):rep(1 << 40) end,
  concat = function()
    local t = {}
    for i = 1, 1e6 do t[i] = ("y"):rep(1000) end
    return table.concat(t)
  end,
  sort = function()
    local t = {}
    for i = 1, 1e6 do t[i] = i * 7919 % 1e6 end
    while true do table.sort(t, function(a, b) return a < b end) end
  end,
  handler = function() xpcall(error, function() while true do end end, 1) end,
  children = function()
    for _ = 1, 60 do task.spawn(pcall, spin) end
    task.sleep(60)
  end,
  json = function()
    local t = { ("x"):rep(1e6) }
    for _ = 1, 40 do t = { t, t } end
    return require "moonlet.json".encode(t)
  end,
  close = function()
    local c <close> = setmetatable({}, { __close = spin })
  end,
}
bot.catch(function(ctx, err) ctx:reply("caught " .. err.kind) end)
bot.command("bomb", function(ctx) bombs[ctx.args[1]]() end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
"""

# Lua itself refuses that length, the encoder what is over 16 MiB.
KINDS = {"rep": "script", "json": "misuse"}


@pytest.mark.parametrize("name", [
    "loop", "pcall", "inside", "around", "inside_pcall", "recursion", "local",
    "upvalue", "string", "rep", "concat", "sort", "handler",
    "children", "json", "close"])
def test_bomb_hurts_only_its_own_chat(sim, engine, name):
    bot = engine(BOT, LUA_MEMORY_LIMIT="64M", HANDLER_CPU_LIMIT="200ms")
    bot.start()
    bomber = sim.user("Bomber")["id"]
    others = [sim.user(f"U{i}")["id"] for i in range(20)]
    sim.send(bomber, f"/bomb {name}")
    for other in others:
        sim.send(other, "hi")
    for other in others:
        sim.wait_call("sendMessage", lambda c, o=other: c["chat_id"] == o
                      and c["params"]["text"] == "fine")
    row = bot.wait_event("handler.error")
    assert row["kind"] == KINDS.get(name, "limit"), row
    assert row["script"] == "main.lua"
    assert 3 <= row["line"] <= 60
    caught = sim.wait_call("sendMessage", lambda c: c["chat_id"] == bomber)
    assert caught["params"]["text"] == "caught " + row["kind"]
    sim.send(bomber, "hi")  # its own chat goes on too
    sim.wait_call("sendMessage", lambda c: c["chat_id"] == bomber
                  and c["params"]["text"] == "fine")
    assert bot.process.child.poll() is None


STUCK = """
local bot = require "moonlet.bot"
bot.command("stuck", function(ctx)
  if ctx.update.redelivered then return ctx:reply("again") end
  table.move({}, 1, 1 << 52, 2)
end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
"""


def test_watchdog_names_the_place_and_restarts_in_place(sim, engine):
    bot = engine(STUCK, HANDLER_CPU_LIMIT="100ms").start()
    pid = bot.process.child.pid
    bomber, other = sim.user("Bomber")["id"], sim.user("Other")["id"]
    sim.send(bomber, "/stuck")
    sim.send(other, "hi")
    row = bot.wait_event("engine.stuck")
    assert (row["script"], row["line"], row["deaths"]) == ("main.lua", 5, 1)
    bot.wait_event("engine.restarted", deaths=1)
    sim.wait_call("sendMessage", lambda c: c["chat_id"] == other)
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again")
    assert bot.process.child.poll() is None and bot.process.child.pid == pid


def test_sixth_death_in_a_minute_ends_the_process(sim, engine):
    """One update is put aside at its third death, so it takes two of them."""
    bot = engine(STUCK.replace("if ctx.update.redelivered", "if false"),
                 HANDLER_CPU_LIMIT="50ms")
    for name in ("Ann", "Bob"):
        sim.send(sim.user(name)["id"], "/stuck")
    bot.start()
    assert bot.process.wait(90) == 1
    said = bot.process.text()
    assert said.count('"event":"engine.stuck"') == 6
    assert said.count('"event":"dead.letter"') == 1
    bot.start()  # by hand: the other one's third death is counted too
    row = bot.wait_event("dead.letter")
    assert (row["reason"], row["id"]) == ("crash", 2)
    sim.send(sim.user("Eve")["id"], "hi")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "fine")


def test_handler_timeout_ends_a_handler_that_waits(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.catch(function(ctx, err) ctx:reply("caught " .. err.kind) end)
bot.command("wait", function(ctx)
  local c <close> = setmetatable({}, { __close = function()
    require "moonlet.log".info("closed") end })
  pcall(task.sleep, 3600)
  ctx:reply("never")
end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
""", HANDLER_TIMEOUT="300ms").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/wait")
    sim.send(ann, "hi")
    bot.wait_event("closed")
    row = bot.wait_event("handler.error")
    assert (row["kind"], row["script"], row["line"]) == (
        "timeout", "main.lua", 8)
    texts = [c["params"]["text"] for c in
             sim.events.wait_count("call", 2,
                                   lambda c: c["method"] == "sendMessage")]
    assert texts == ["caught timeout", "fine"]


@pytest.mark.parametrize("body, kind", [
    ('require "moonlet.timeout"("10ms", require "moonlet.task".sleep, 9)',
     "timeout"),
    ("coroutine.yield()", "misuse"),
    ('require "moonlet.json".array(_G)', "misuse"),
])
def test_catch_hears_of_each_end_once(sim, engine, body, kind):
    engine("""
local bot = require "moonlet.bot"
bot.catch(function(ctx, err) ctx:reply("caught " .. err.kind) end)
bot.command("run", function() %s end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
""" % body).start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "/run")
    sim.send(ann, "hi")  # the same lane: comes after all that /run led to
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "fine")
    texts = [c["params"]["text"] for c in sim.calls("sendMessage")]
    assert texts == ["caught " + kind, "fine"]


def test_a_load_that_catches_its_own_limit_is_refused(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("old") end)
""").start()
    bot.write("main.lua", "while true do\n  pcall(function() while true do "
                          "end end)\nend\n")
    row = bot.wait_event("scripts.not_loaded")
    assert row["script"] == "main.lua"
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "old"


def test_a_load_that_nothing_can_stop_does_not_stop_the_end(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("old") end)
""").start()
    bot.write("main.lua", "print('begins') table.move({}, 1, 1 << 52, 2)\n")
    bot.wait_event("script.print", text="begins")
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "old"
    assert "scripts.load_stuck" in bot.stop()


def test_scripts_that_never_finish_loading_are_refused(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply("old") end)
""").start()
    bot.write("main.lua", "local x = 1\nwhile true do x = x + 1 end\n")
    row = bot.wait_event("scripts.not_loaded")
    assert (row["script"], row["line"]) == ("main.lua", 2)
    sim.send(sim.user("Ann")["id"], "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "old"
