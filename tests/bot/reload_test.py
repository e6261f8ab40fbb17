"""Reload: what runs, what is lost, what stays in memory while scripts change
under load, and how changes on disk are noticed."""
import os
import re
import threading

import pytest
import harness
from cli.control_test import groups, socket_of

RELOADS = 200
CHATS = 20
# Memory after all reloads, over that after a quarter of them. If each reload
# leaked its old generation, it would be 1.5.
FLAT = 1.25

MAIN = """
local bot = require "moonlet.bot"
local one, two = require "one", require "parts.two"
bot.on("message:text", function(ctx)
  ctx:reply(ctx.message.text .. " " .. one .. " " .. two .. " %(version)s")
end)
"""


def write_version(bot, version, broken=False):
    """Three files; the broken one fails at its third line."""
    bot.write("one.lua", f'return "{version}"\n')
    bot.write("parts/two.lua", f'return "{version}"\n')
    text = MAIN % {"version": version}
    bot.write("main.lua", f"-- {version}\n\nlocal = 1\n" + text
              if broken else text)


def resident(bot):
    """VmRSS in kB."""
    with open(f"/proc/{bot.process.child.pid}/status",
              encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines
                    if line.startswith("VmRSS:"))


class Talkers:
    """Each sends its next text as soon as the last one is answered, so that
    updates are always on their way."""

    def __init__(self, sim):
        self.sim = sim
        self.users = [sim.user(f"U{i}")["id"] for i in range(CHATS)]
        self.sent = dict.fromkeys(self.users, 0)
        self.over = False
        self.failed = []
        self.threads = [threading.Thread(target=self.talk, args=(user,))
                        for user in self.users]
        for thread in self.threads:
            thread.start()

    def talk(self, user):
        try:
            while not self.over:
                text = f"u{user}.{self.sent[user]}"
                seen = len(self.sim.events.seen)
                self.sim.send(user, text)
                self.sent[user] += 1
                self.sim.wait_call("sendMessage", lambda c, t=text: c[
                    "params"]["text"].startswith(t + " "), start=seen)
        except AssertionError as failure:
            self.failed.append(failure)

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()
        assert not self.failed, self.failed[0]


def quiet_sanitizer():
    """Freed memory is kept by the sanitizer for a while: less of it here."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return ":".join(filter(None, [options, "quarantine_size_mb=1"]))


def test_many_reloads_under_load(sim, engine):
    bot = engine(HOT_RELOAD="false", LOG_LEVEL="info",
                 ASAN_OPTIONS=quiet_sanitizer())
    write_version(bot, "v0")
    bot.start()
    peer = harness.LocalPeer(socket_of(bot))
    talkers = Talkers(sim)
    memory = {}
    try:
        generation = 1
        for n in range(1, RELOADS + 1):
            broken = n % 3 == 0
            write_version(bot, f"v{n}", broken)
            status, _ = peer.request("POST", "/api/reload")
            assert status == (400 if broken else 200)
            generation += not broken
            memory[n] = resident(bot)
    finally:
        talkers.end()
    bot.stop()

    # Nothing lost, nothing doubled, nothing mixed, in the order of each chat.
    answers = {}
    # From the stream: the simulator's own list keeps only the latest calls.
    for call in [data for kind, data in sim.events.seen
                 if kind == "call" and data["method"] == "sendMessage"]:
        text, *versions = call["params"]["text"].split(" ")
        assert len(versions) == 3 and len(set(versions)) == 1, versions
        assert int(versions[0][1:]) % 3 or versions[0] == "v0", versions
        answers.setdefault(call["chat_id"], []).append(
            (text, int(versions[0][1:])))
    for user, sent in talkers.sent.items():
        assert [t for t, _ in answers[user]] == [
            f"u{user}.{i}" for i in range(sent)]
        numbers = [v for _, v in answers[user]]
        assert numbers == sorted(numbers)
    assert sum(talkers.sent.values()) > RELOADS
    assert len({v for rows in answers.values() for _, v in rows}) > 20, (
        "the load was there during the reloads")

    failures = [line for line in bot.process.lines
                if '"event":"scripts.not_loaded"' in line]
    assert len(failures) == RELOADS // 3
    assert all('"script":"main.lua"' in line and '"line":3' in line
               for line in failures)
    loaded = re.findall(r'"event":"scripts.loaded","generation":(\d+)',
                        bot.process.text())
    assert loaded == [str(n) for n in range(1, generation + 1)]
    quarter = RELOADS // 4
    assert memory[RELOADS] < FLAT * memory[quarter], memory


SLOW = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("slow", function(ctx)
  local closed <close> = setmetatable({}, { __close = function()
    require "moonlet.log".info("closed", { version = %(version)d })
  end })
  ctx:reply("begun %(version)d")
  pcall(task.sleep, 600)
  ctx:reply("ended %(version)d")
end)
bot.on("message:text", function(ctx) ctx:reply("now %(version)d") end)
"""


def test_the_fifth_old_generation_ends_the_oldest_one(sim, engine):
    """Five slow handlers over six generations."""
    bot = engine(SLOW % {"version": 1}, HOT_RELOAD="false",
                 SHUTDOWN_TIMEOUT="1ms").start()
    peer = harness.LocalPeer(socket_of(bot))
    users = [sim.user(f"U{i}")["id"] for i in range(6)]
    for version in range(1, 7):
        if version > 1:
            bot.write("main.lua", SLOW % {"version": version})
            assert peer.sim("POST", "/api/reload")["generation"] == version
        if version < 6:
            assert groups(bot) == []
            sim.send(users[version - 1], "/slow")
            sim.wait_call("sendMessage", lambda c, v=version: c["params"][
                "text"] == f"begun {v}")
    row = bot.wait_event("handler.error")
    assert (row["kind"], row["script"], row["line"]) == (
        "cancelled", "main.lua", 9)
    assert row["lane"] == f"chat:{users[0]}"
    bot.wait_event("closed", version=1)
    assert bot.wait_event("scripts.expired")["generation"] == 1
    # The update that has ended leaves the inbox with the next commit.
    while (status := peer.sim("GET", "/api/status"))["inbox_depth"] > 4:
        pass
    assert (status["old_generations"], status["running_handlers"],
            status["inbox_depth"]) == (4, 4, 4)
    (group,) = groups(bot)
    assert (group["kind"], group["count"], group["generation"]) == (
        "cancelled", 1, 1)
    # Its lane is free again, and what ended has ended for good.
    sim.send(users[0], "x")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "now 6")
    bot.stop()
    assert bot.process.text().count('"event":"handler.error"') == 1
    bot.start()
    for user in users[1:5]:  # those that shutdown has cancelled run again
        sim.wait_call("sendMessage", lambda c, u=user: c["chat_id"] == u
                      and c["params"]["text"] == "begun 6")
    assert "begun 6" not in [c["params"]["text"]
                             for c in sim.calls("sendMessage")
                             if c["chat_id"] == users[0]]


def test_many_files_saved_at_once_make_few_reloads(engine):
    names = [f"parts.p{i}" for i in range(40)]
    main = "local sum = 0\n" + "".join(
        f'sum = sum + require "{name}"\n' for name in names)
    bot = engine(main + 'require "moonlet.log".info("sum", { n = sum })\n')
    for name in names:
        bot.write(name.replace(".", "/") + ".lua", "return 1\n")
    bot.start()
    for name in names:
        bot.write(name.replace(".", "/") + ".lua", "return 2\n")
    bot.wait_event("sum", n=80)
    # A slow machine may see them in several groups.
    assert bot.process.text().count('"event":"sum"') < 10


@pytest.mark.parametrize("save", ["rename", "in place", "backup"])
def test_the_ways_in_which_editors_save(sim, engine, save):
    text = ('require "moonlet.bot".on("message:text", function(ctx)\n'
            '  ctx:reply("%s")\nend)\n')
    bot = engine(text % "old").start()
    path = bot.folder / "bot" / "main.lua"
    if save == "rename":  # vim, most IDEs
        fresh = path.with_name("4913.tmp")
        fresh.write_text(text % "new")
        fresh.replace(path)
    elif save == "in place":
        path.write_text(text % "new")
    else:  # emacs: the old file becomes main.lua~
        path.rename(path.with_name("main.lua~"))
        path.write_text(text % "new")
    ann = sim.user("Ann")["id"]
    bot.wait_event("scripts.loaded", generation=2)
    sim.send(ann, "x")
    assert sim.wait_call("sendMessage")["params"]["text"] == "new"


def test_new_folders_are_watched(sim, engine):
    bot = engine('require "moonlet.log".info("version", { n = 0 })\n').start()
    bot.write("deep/er/part.lua", "return 1\n")
    bot.write("main.lua", 'local n = require "deep.er.part"\n'
              'require "moonlet.log".info("version", { n = n })\n')
    bot.wait_event("version", n=1)
    bot.write("deep/er/part.lua", "return 2\n")
    bot.wait_event("version", n=2)


def test_what_the_engine_and_the_bot_write_is_no_save(sim, engine):
    """As in a bot that `moonlet new` has made, and with a log beside it."""
    bot = engine("""
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  fs.write("kept.json", ctx.message.text)
  task.sleep(0.3) -- longer than a save has to be quiet
  ctx:reply("kept " .. ctx.message.text)
end)
""")
    bot.settings["DATA_DIR"] = bot.folder / "bot" / "data"
    bot.start()
    ann = sim.user("Ann")["id"]
    for n in range(3):
        (bot.folder / "bot" / "run.log").write_text(str(n))
        sim.send(ann, str(n))
        sim.wait_call("sendMessage",
                      lambda c, n=n: c["params"]["text"] == f"kept {n}")
    bot.write("main.lua", "")
    bot.wait_event("scripts.loaded", generation=2)
    assert re.findall(r'"event":"scripts.loaded","generation":(\d+)',
                      bot.stop()) == ["1", "2"]


def test_a_module_that_is_missing_for_a_moment_is_named(engine):
    bot = engine('require "one"\n')
    bot.write("one.lua", "return 1\n")
    bot.start()
    (bot.folder / "bot" / "one.lua").unlink()
    row = bot.wait_event("scripts.not_loaded")
    assert row["line"] == 1 and '"one"' in row["message"]
    bot.write("one.lua", "return 1\n")
    bot.wait_event("scripts.loaded", generation=2)
