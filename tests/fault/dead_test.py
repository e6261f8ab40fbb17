"""Dead letters: what ends badly is kept with its update, alone and once; what
is replayed runs again, marked; kills lose and repeat nothing of it."""
import random
import time

import pytest

import harness

STUCK = """
local bot = require "moonlet.bot"
bot.command("stuck", function(ctx) table.move({}, 1, 1 << 52, 2) end)
bot.on("message:text", function(ctx)
  ctx:reply(ctx.message.text .. (ctx.update.redelivered and " again" or ""))
end)
"""

FAILING = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.catch(function(ctx, err) ctx:reply("caught " .. err.kind) end)
bot.command("error", function(ctx)
  if ctx.update.redelivered then return ctx:reply("again") end
  error("order " .. ctx.args[1])
end)
bot.command("limit", function(ctx) while true do end end)
bot.command("timeout", function(ctx) task.sleep(3600) end)
bot.command("api", function(ctx) ctx.api.sendMessage{ chat_id = 1, text = "" } end)
bot.command("handled", function(ctx) pcall(error, "x") ctx:reply("handled") end)
bot.on("message:text", function(ctx) ctx:reply("fine") end)
"""


class Letters:
    """The /api/dead of an engine."""

    def __init__(self, bot):
        port = bot.wait_event("ready", start=self.last_ready(bot))["http_port"]
        self.peer = harness.HttpPeer("127.0.0.1", port)

    @staticmethod
    def last_ready(bot):
        found = [n for n, line in enumerate(bot.process.lines)
                 if '"event":"ready"' in line]
        return found[-1] if found else 0

    def list(self, query=""):
        return self.peer.sim("GET", "/api/dead" + query)["dead"]

    def all(self):
        found, query = [], "?limit=500"
        while rows := self.list(query):
            found += rows
            query = f"?limit=500&before={rows[-1]['id']}"
        return found

    def show(self, at):
        return self.peer.sim("GET", f"/api/dead/{at}")

    def replay(self, at):
        assert self.peer.sim("POST", f"/api/dead/{at}/replay") == {"ok": True}

    def drop(self, at):
        assert self.peer.sim("DELETE", f"/api/dead/{at}") == {"ok": True}

    def wait_empty(self):
        """The last handler has ended; its answer may be seen before that."""
        deadline = time.monotonic() + harness.LIMIT
        while (status := self.peer.sim("GET", "/api/status"))["inbox_depth"]:
            assert time.monotonic() < deadline, status

    def text(self, letter):
        return self.show(letter["id"])["update"]["message"]["text"]


def texts(sim):
    return [c["params"]["text"] for c in sim.calls("sendMessage")]


def test_a_poison_update_among_200_innocent_ones(sim, engine):
    bot = engine(STUCK, HANDLER_CPU_LIMIT="50ms")
    users = [sim.user(f"U{i}")["id"] for i in range(20)]
    for i in range(100):
        sim.send(users[i % 20], str(i))
    sim.send(users[7], "/stuck")
    for i in range(100, 200):
        sim.send(users[i % 20], str(i))
    bot.start()
    pid = bot.process.child.pid
    row = bot.wait_event("dead.letter")
    assert (row["reason"], row["lane"], row["id"]) == (
        "crash", f"chat:{users[7]}", 1)
    answered = set()

    def is_last(call):
        if call["method"] == "sendMessage":
            answered.add(int(call["params"]["text"].split()[0]))
        return len(answered) == 200

    sim.events.wait("call", is_last)
    assert bot.process.child.poll() is None and bot.process.child.pid == pid
    assert bot.process.text().count('"event":"engine.stuck"') == 3
    letters = Letters(bot)
    (letter,) = letters.list()
    assert (letter["update_id"], letter["reason"], letter["lane"]) == (
        row["update_id"], "crash", f"chat:{users[7]}")
    assert letters.text(letter) == "/stuck"
    assert letters.peer.sim("GET", "/api/status")["dead"] == 1
    bot.stop()
    found = texts(sim)
    for i in range(200):
        assert found.count(str(i)) <= 1, "a repeat that is not marked"
    chats = {}
    for call in sim.calls("sendMessage"):
        number = int(call["params"]["text"].split()[0])
        row = chats.setdefault(call["chat_id"], [])
        if number not in row:
            row.append(number)
    for chat, row in chats.items():
        assert row == [i for i in range(200) if users[i % 20] == chat]


def test_kill_9_counts_for_what_is_on_the_loop_alone(sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local log = require "moonlet.log"
local task = require "moonlet.task"
bot.command("wait", function(ctx)
  log.info("waits")
  task.sleep(0.001)
  ctx:reply(ctx.update.redelivered and "again" or "first")
end)
bot.command("spin", function(ctx)
  log.info("spins")
  while true do end
end)
""", HANDLER_CPU_LIMIT="1h")
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    sim.send(ann, "/wait")
    sim.send(bob, "/spin")
    for _ in range(3):
        bot.start()
        bot.wait_event("spins")
        bot.wait_event("waits")
        bot.kill()
        assert '"event":"dead.letter"' not in bot.process.text()
    bot.start()
    row = bot.wait_event("dead.letter")
    assert (row["reason"], row["lane"]) == ("crash", f"chat:{bob}")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again")
    letters = Letters(bot)
    letters.wait_empty()
    assert [r["lane"] for r in letters.list()] == [f"chat:{bob}"]
    assert texts(sim) == ["again"]


def fail(sim, user, bot, words):
    start = len(bot.process.lines)
    sim.send(user, words)
    return bot.wait_event("dead.letter", start=start)


@pytest.mark.parametrize("words, reason, kind, line", [
    ("/error 7", "error", "script", 7),
    ("/api", "error", "api", 11),
    ("/limit", "limit", "limit", 9),
    ("/timeout", "timeout", "timeout", 10),
])
def test_each_end_is_kept_with_its_update_and_place(
        sim, engine, words, reason, kind, line):
    bot = engine(FAILING, HANDLER_CPU_LIMIT="200ms",
                 HANDLER_TIMEOUT="1s").start()
    ann = sim.user("Ann")["id"]
    row = fail(sim, ann, bot, words)
    assert (row["level"], row["reason"], row["lane"]) == (
        "warn", reason, f"chat:{ann}")
    letters = Letters(bot)
    letter = letters.show(row["id"])
    error = bot.wait_event("handler.error")
    assert (letter["reason"], letter["kind"], letter["script"],
            letter["line"]) == (reason, kind, "main.lua", line)
    assert letter["message"] == error["message"]
    assert letter["traceback"] == error["traceback"]
    assert letter["update_id"] == error["update_id"] == row["update_id"]
    assert letter["source"] == "telegram"
    assert 1.6e9 < letter["received"] <= letter["died"]
    assert letter["update"]["update_id"] == letter["update_id"]
    assert letter["update"]["message"]["text"] == words
    sim.send(ann, "hi")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "fine")
    assert "caught " + kind in texts(sim)
    letters.wait_empty()
    bot.stop()
    bot.start()  # it is never tried again by itself
    sim.send(ann, "hi")
    sim.events.wait_count("call", 2, lambda c: c["method"] == "sendMessage"
                          and c["params"]["text"] == "fine")
    assert [r["id"] for r in Letters(bot).list()] == [row["id"]]


def test_what_a_handler_catches_itself_is_no_letter(sim, engine):
    bot = engine(FAILING).start()
    sim.send(sim.user("Ann")["id"], "/handled")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "handled")
    assert Letters(bot).list() == []
    bot.stop()
    assert '"event":"dead.letter"' not in bot.process.text()


def test_a_cancel_by_shutdown_is_no_letter_but_an_end_before_it_is(
        sim, engine):
    bot = engine("""
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.catch(function(ctx, err) ctx:reply("caught") task.sleep(60) end)
bot.command("limit", function(ctx) while true do end end)
bot.on("message:text", function(ctx)
  if ctx.update.redelivered then return ctx:reply("again") end
  ctx:reply("begun")
  task.sleep(60)
end)
""", SHUTDOWN_TIMEOUT="1ms").start()
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    sim.send(ann, "/limit")
    sim.send(bob, "x")
    for words in ("caught", "begun"):
        sim.wait_call("sendMessage",
                      lambda c, w=words: c["params"]["text"] == w)
    bot.stop()
    bot.start()
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again")
    (letter,) = Letters(bot).list()
    assert (letter["reason"], letter["lane"]) == ("limit", f"chat:{ann}")
    assert texts(sim).count("caught") == 1


def test_replay_runs_it_again_marked(sim, engine):
    bot = engine(FAILING).start()
    ann = sim.user("Ann")["id"]
    first = fail(sim, ann, bot, "/error 1")
    second = fail(sim, ann, bot, "/error 2")
    letters = Letters(bot)
    letters.replay(first["id"])
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "again"
                  and c["chat_id"] == ann)
    assert [r["id"] for r in letters.list()] == [second["id"]]
    letters.drop(second["id"])
    assert letters.list() == []
    for method, path in (("GET", "/1"), ("POST", "/1/replay"),
                         ("DELETE", "/2"), ("GET", "/x"), ("GET", "/-1"),
                         ("GET", "/99999999999999999999")):
        status, body = letters.peer.request(method, "/api/dead" + path)
        assert status == 404 and b"dead letter" in body, path
    bot.stop()
    assert texts(sim).count("again") == 1


def test_a_replay_that_fails_is_a_letter_again(sim, engine):
    bot = engine(FAILING, HANDLER_CPU_LIMIT="50ms").start()
    first = fail(sim, sim.user("Ann")["id"], bot, "/limit")
    start = len(bot.process.lines)
    letters = Letters(bot)
    letters.replay(first["id"])
    second = bot.wait_event("dead.letter", start=start)
    assert second["update_id"] == first["update_id"]
    (letter,) = letters.list()
    assert (letter["id"], letter["source"]) == (second["id"], "replay")


def test_pages_of_the_list(sim, engine):
    bot = engine(FAILING).start()
    ann = sim.user("Ann")["id"]
    for i in range(5):
        last = fail(sim, ann, bot, f"/error {i}")["id"]
    letters = Letters(bot)
    ids = [last - i for i in range(5)]
    assert [r["id"] for r in letters.list()] == ids
    assert [r["id"] for r in letters.list("?limit=2")] == ids[:2]
    assert [r["id"] for r in letters.list(
        f"?limit=2&before={ids[1]}")] == ids[2:4]
    assert letters.list(f"?before={ids[4]}") == []
    assert letters.peer.sim("GET", "/api/dead?limit=1")["count"] == 5
    assert "update" not in letters.list()[0]
    for query in ("?limit=0", "?limit=x", "?before=-1", "?before="):
        assert letters.peer.request("GET", "/api/dead" + query)[0] == 400


ODD_FAIL = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  local n = tonumber(ctx.message.text)
  task.sleep((n % 7) / 1000)
  if n % 2 == 1 then error("odd " .. n) end
  ctx:reply(ctx.message.text)
end)
"""


@pytest.mark.parametrize("seed", range(3))
def test_kills_between_lose_no_letter_and_make_none_twice(sim, engine, seed):
    chance = random.Random(seed)
    users = [sim.user(f"U{i}")["id"] for i in range(20)]
    bot = engine(ODD_FAIL).start()
    for i in range(200):
        sim.send(users[i % 20], str(i))
    for death in range(3):
        sim.events.wait_count("call", chance.randrange(1, 25 * (death + 1)),
                              lambda c: c["method"] == "sendMessage")
        bot.kill()
        bot.start()
    answered = set()

    def is_last(call):
        if call["method"] == "sendMessage":
            answered.add(call["params"]["text"])
        return len(answered) == 100

    sim.events.wait("call", is_last)
    letters = Letters(bot)
    letters.wait_empty()
    rows = letters.all()
    assert sorted(int(letters.text(r)) for r in rows) == list(
        range(1, 200, 2))

    # Repaired, and replayed through kills: each letter runs, none is lost.
    bot.write("main.lua", ODD_FAIL.replace("% 2 == 1", "% 2 == 3"))
    bot.kill()
    for _ in range(3):
        bot.start()
        letters = Letters(bot)
        for row in chance.sample(letters.all(), 20):
            letters.replay(row["id"])
        bot.kill()
    bot.start()
    letters = Letters(bot)
    left = {letters.text(r) for r in letters.all()}
    assert len(left) == 40
    odd = {str(i) for i in range(1, 200, 2)}

    def all_ran(call):
        if call["method"] == "sendMessage":
            answered.add(call["params"]["text"])
        return odd - left <= answered

    sim.events.wait("call", all_ran)
    bot.stop()
    assert not left & set(texts(sim))
