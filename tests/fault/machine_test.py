"""A machine counts each update once, also if the process dies while the ends
of updates that have changed it cannot be written."""
import sqlite3
import time

import pytest

import harness
from fault import oracle

BOT = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"
bot.fsm("count", { initial = "on", states = { on = { on = { seen = "on" } } } })
bot.on("message:text", function(ctx)
  ctx:reply("began " .. ctx.message.text)
  while not pcall(fs.read, "go") do task.sleep(0.02) end
  local count = ctx:fsm("count")
  count.data.n = (count.data.n or 0) + 1
  count:fire("seen")
  ctx:reply("counted " .. ctx.message.text)
end)
"""


class Stage:
    def __init__(self, folder):
        self.sim = harness.Sim()
        self.ann = self.sim.user("Ann")["id"]
        self.bot = harness.Engine(folder, self.sim.url, BOT, LOG_LEVEL="info")
        self.data = folder / "data"

    def said(self, text, **more):
        return self.sim.wait_call(
            "sendMessage", lambda c: c["params"]["text"] == text, **more)

    def depth(self):
        peer = harness.LocalPeer(self.data / "moonlet.sock")
        return peer.sim("GET", "/api/status")["inbox_depth"]

    def wait_depth(self, wanted):
        end = time.monotonic() + harness.LIMIT
        while self.depth() != wanted:
            assert time.monotonic() < end, self.bot.process.text()

    def close(self):
        self.bot.close()
        self.sim.close()


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path)
    yield made
    made.close()


def test_an_end_that_is_not_written_holds_the_next_change_back(stage):
    stage.bot.start()
    for text in ("first", "second"):
        stage.sim.send(stage.ann, text)
    stage.said("began first")
    stage.wait_depth(2)
    lock = sqlite3.connect(stage.data / "inbox.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    (stage.data / "files").mkdir(exist_ok=True)
    (stage.data / "files" / "go").write_text("go")
    stage.said("counted first")
    stage.said("began second")
    try:
        stage.said("counted second", limit=1)  # it must not come
    except AssertionError:
        pass
    stage.bot.kill()
    lock.execute("ROLLBACK")
    lock.close()
    stage.bot.start()
    stage.said("counted second")
    stage.wait_depth(0)
    stage.bot.stop()
    assert list(oracle.read_counts(stage.data).values()) == [2]
