"""Nothing is lost when the disk is full or read-only: updates wait at
Telegram."""
import json
import resource
import subprocess

import harness
import pytest

from fault.calls import assert_goes_on
from fault.small_disk import SmallDisk


class SmallFiles:
    """A limit on the size of files that the engine may write."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self, engine):
        self.limit(engine, (engine.folder / "data/inbox.db-wal")
                   .stat().st_size)

    def empty(self, engine):
        self.limit(engine, resource.RLIM_INFINITY)

    def limit(self, engine, size):
        resource.prlimit(engine.process.child.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def close(self):
        pass


@pytest.fixture(params=[SmallDisk, SmallFiles])
def disk(request, tmp_path):
    instance = request.param(tmp_path / "project")
    yield instance
    instance.close()


def readiness(engine):
    port = engine.wait_event("ready")["http_port"]
    status, body = harness.HttpPeer("127.0.0.1", port).request("GET",
                                                               "/ready")
    return status, json.loads(body)["components"]["inbox"]["state"]


def waits_of(engine, event, count):
    """The pauses that the first lines of an event announce."""
    waits, start = [], 0
    while len(waits) < count:
        waits.append(engine.wait_event(event, start=start)["retry_ms"])
        lines = enumerate(engine.process.lines[start:], start + 1)
        start = next(n for n, line in lines if f'"event":"{event}"' in line)
    return waits


def test_nothing_is_confirmed_that_is_not_stored(disk, api, bot):
    engine = bot()
    assert_goes_on(api, engine)
    last = api.wait("getUpdates", 3).params["offset"]
    disk.fill(engine)
    api.deliver("getFile" + " " * 9000)  # more than half-used pages hold
    engine.wait_event("polling.not_stored")
    assert readiness(engine) == (503, "down")
    first, second = waits_of(engine, "polling.not_stored", 2)
    assert 800 <= first <= 1200 and 1600 <= second <= 2400
    assert {r.params["offset"] for r in api.of("getUpdates")[3:]} == {last}
    assert api.of("getFile") == []
    disk.empty(engine)
    engine.wait_event("inbox.back")
    assert_goes_on(api, engine)
    assert readiness(engine) == (200, "up")
    assert len(api.of("getFile")) == 1
    engine.stop()


WAITING = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  while not fs.stat("go") do task.sleep(0.1) end
  ctx:reply(ctx.message.text:match("^%d+"))
end)
"""


@pytest.fixture
def wider_disk(tmp_path):
    disk = SmallDisk(tmp_path / "project", "16m")
    yield disk
    disk.close()


def test_an_inbox_that_fills_the_disk_itself_can_be_emptied(
        wider_disk, api, engine):
    """No room is made from outside: the ends of handlers make it."""
    bot = engine(WAITING, RETRY_BACKOFF_BASE=1)
    bot.api_url = api.url
    api.plan_all("sendMessage", {"message_id": 1, "date": 1,
                                 "chat": {"id": 1, "type": "private"}})
    bot.start()
    for i in range(2000):
        api.deliver(f"{i} " + "x" * 8000, user=1 + i % 200)
    bot.wait_event("polling.not_stored")
    bot.kill()  # a start needs room too
    bot.start()
    bot.wait_event("polling.not_stored")
    files = wider_disk.folder / "data" / "files"
    files.mkdir(exist_ok=True)
    (files / "go").write_text("go")
    api.wait("sendMessage", 2000)
    bot.wait_event("inbox.back")
    bot.stop()
    done = {int(r.params["text"]) for r in api.of("sendMessage")}
    assert done == set(range(2000))
    assert '"event":"inbox.end_failed"' not in bot.process.text()


@pytest.fixture
def narrow_disk(tmp_path):
    disk = SmallDisk(tmp_path / "project", "4m")
    yield disk
    disk.close()


def test_a_disk_that_the_log_fills_goes_on(narrow_disk, api, engine):
    """All that is in the log would fit into the file many times."""
    bot = engine(WAITING, RETRY_BACKOFF_BASE=1)
    bot.api_url = api.url
    api.plan_all("sendMessage", {"message_id": 1, "date": 1,
                                 "chat": {"id": 1, "type": "private"}})
    files = narrow_disk.folder / "data" / "files"
    files.mkdir(parents=True)
    (files / "go").write_text("go")
    bot.start()
    for i in range(300):
        api.deliver(f"{i} " + "x" * 30000, user=1)
        if i % 10 == 9:
            api.wait("sendMessage", i - 8)
    api.wait("sendMessage", 300)
    bot.stop()


@pytest.mark.long
def test_a_disk_that_stays_full_is_tried_every_five_seconds(api, bot):
    engine = bot()
    assert_goes_on(api, engine)
    SmallFiles(None).fill(engine)
    api.deliver("getFile" + " " * 9000)
    assert waits_of(engine, "polling.not_stored", 4)[3] == 5000
    SmallFiles(None).empty(engine)
    engine.wait_event("inbox.back")
    assert_goes_on(api, engine)
    engine.stop()


def remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", disk.folder], check=True)


def test_a_read_only_disk_is_named_and_nothing_is_asked_for(
        wider_disk, api, bot):
    engine = bot()
    assert_goes_on(api, engine)
    engine.stop()
    asked = len(api.of("getUpdates"))
    remount(wider_disk, "ro")
    engine.start(wait=False)
    assert engine.process.wait() == 1
    assert "Read-only file system" in engine.process.text()
    assert str(engine.folder / "data") in engine.process.text()
    assert len(api.of("getUpdates")) == asked
    remount(wider_disk, "rw")
    engine.start()
    assert_goes_on(api, engine)
    engine.stop()
