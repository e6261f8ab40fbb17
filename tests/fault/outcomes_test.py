"""What becomes of a call when the server or the line misbehaves: nothing is
sent twice, scripts get an error that says what is known, the bot goes on."""
import errno
import json
import os
import resource
import shutil
import subprocess

import harness
import pytest

from fault import raw_api
from fault.raw_api import CLOSE, SILENT, failed, http, ok

# "METHOD [ARGUMENT]" makes one call and tells the log what came of it.
BOT = """
local bot = require "moonlet.bot"
local log = require "moonlet.log"
bot.on("message:text", function(ctx)
  local method, count, limit = ctx.message.text:match("^(%a+) ?(%d*) ?(%w*)")
  for i = 1, tonumber(count) or 1 do
    local done, err = pcall(ctx.api[method], { chat_id = ctx.chat.id,
      text = ctx.message.text }, { unchecked = true,
      timeout = limit ~= "" and limit or nil })
    if done then err = {} end
    log.info("outcome", { text = ctx.message.text, n = i,
      done = tostring(done), kind = err.kind or "", code = err.code or 0,
      error = err.message or "", after = err.retry_after or 0,
      retryable = tostring(err.retryable) })
  end
end)
"""

HTML = "<html><head><title>502 Bad Gateway</title></head></html>"


@pytest.fixture
def api():
    server = raw_api.RawApi()
    yield server
    server.close()


@pytest.fixture
def bot(api, engine):
    """Makes engines on the raw server, polling."""
    def make(wait=True, **settings):
        settings.setdefault("RETRY_BACKOFF_BASE", 1)
        instance = engine(BOT, **settings)
        instance.api_url = api.url
        instance.start(wait)
        return instance
    return make


def outcome(api, bot, text, user=7, **more):
    start = len(bot.process.lines)
    api.deliver(text, user)
    return bot.wait_event("outcome", text=text, start=start, **more)


def assert_goes_on(api, bot, user=7):
    assert outcome(api, bot, "getChat", user)["done"] == "true"
    assert outcome(api, bot, "sendMessage 1", user)["done"] == "true"


# sends

def test_a_send_on_a_dying_connection_is_never_doubled(api, bot):
    """The server closes the kept-alive connection once it has the request:
    it may have been executed, so nobody may repeat it."""
    engine = bot()
    assert outcome(api, engine, "sendMessage")["done"] == "true"
    api.plan("sendMessage", CLOSE)
    row = outcome(api, engine, "sendMessage 01")
    assert (row["done"], row["kind"]) == ("false", "unknown")
    warm, cut = api.of("sendMessage")
    assert warm.connection == cut.connection, "it was a kept-alive one"
    assert_goes_on(api, engine)
    texts = [r.params["text"] for r in api.of("sendMessage")]
    assert texts == ["sendMessage", "sendMessage 01", "sendMessage 1"]


def test_a_first_send_that_is_cut_is_not_doubled_either(api, bot):
    engine = bot()
    api.plan("sendMessage", CLOSE, CLOSE)
    for i, text in enumerate(("sendMessage", "sendMessage 01")):
        assert outcome(api, engine, text)["kind"] == "unknown"
        assert len(api.of("sendMessage")) == i + 1
    assert_goes_on(api, engine)


def test_a_connection_that_was_closed_before_costs_nothing(api, bot):
    engine = bot()
    api.plan("sendMessage", (ok(True), CLOSE))
    for text in ("sendMessage", "sendMessage 01", "sendMessage 001"):
        assert outcome(api, engine, text)["done"] == "true"
    assert len(api.of("sendMessage")) == 3


def test_refused_connections_are_repeated_then_raise_http(api, bot):
    engine = bot(MAX_RETRIES=2)
    api.wait("getUpdates", 1)
    api.refuse()
    row = outcome(api, engine, "sendMessage")
    assert (row["done"], row["kind"]) == ("false", "http")
    assert row["retryable"] == "true" and harness.TOKEN not in row["error"]
    repeats = [json.loads(line) for line in engine.process.lines
               if '"event":"api.repeat"' in line]
    assert [r["try"] for r in repeats] == [1, 2]
    assert all(800 <= r["wait_ms"] <= 1200 for r in repeats)
    assert api.of("sendMessage") == []


def test_a_refused_connection_that_comes_back(api, bot):
    engine = bot(MAX_RETRIES=5)
    api.wait("getUpdates", 1)
    api.refuse()
    api.deliver("sendMessage")
    engine.wait_event("api.repeat")
    api.listen()
    assert engine.wait_event("outcome")["done"] == "true"
    assert len(api.of("sendMessage")) == 1


def test_429_waits_as_told_and_is_not_a_retry(api, bot):
    engine = bot(MAX_RETRIES=0)
    late = failed(429, "Too Many Requests: retry after 1", retry_after=1)
    api.plan("sendMessage", late, late)
    assert outcome(api, engine, "sendMessage")["done"] == "true"
    first, second, third = api.of("sendMessage")
    assert second.at - first.at > 0.9 and third.at - second.at > 0.9


def test_429_by_header_alone(api, bot):
    engine = bot(MAX_RETRIES=0)
    api.plan("sendMessage", http(429, HTML, ["Retry-After: 1"]))
    assert outcome(api, engine, "sendMessage")["done"] == "true"
    first, second = api.of("sendMessage")
    assert second.at - first.at > 0.9


@pytest.mark.parametrize("waits", [[120], [1, 120], [86400]])
def test_429_that_waits_too_long_raises_with_the_time(api, bot, waits):
    engine = bot()
    for seconds in waits:
        api.plan("sendMessage",
                 failed(429, "Too Many Requests", retry_after=seconds))
    row = outcome(api, engine, "sendMessage")
    assert (row["kind"], row["code"], row["after"]) == ("api", 429, waits[-1])
    assert row["retryable"] == "true"
    assert len(api.of("sendMessage")) == len(waits)
    held = outcome(api, engine, "getChat")
    assert (held["kind"], held["code"], held["done"]) == ("api", 429, "false")
    assert 0 < held["after"] <= waits[-1] and api.of("getChat") == []
    assert_goes_on(api, engine, user=8)


def repeats(engine, reason):
    rows = [json.loads(line) for line in engine.process.lines
            if '"event":"api.repeat"' in line]
    return [row for row in rows if row["class"] == reason]


@pytest.mark.parametrize("answer", [
    failed(500, "Internal Server Error: restart"), http(502, HTML), http(503)])
def test_5xx_is_repeated_and_told(api, bot, answer):
    engine = bot(MAX_RETRIES=2)
    api.plan("sendMessage", answer, answer)
    assert outcome(api, engine, "sendMessage")["done"] == "true"
    assert len(api.of("sendMessage")) == 3
    rows = repeats(engine, "5xx")
    assert [row["try"] for row in rows] == [1, 2]
    assert all(800 <= row["wait_ms"] <= 1200 for row in rows)


def test_5xx_with_a_time_waits_for_it(api, bot):
    engine = bot(MAX_RETRIES=1)
    api.plan("sendMessage", http(503, HTML, ["Retry-After: 1"]))
    assert outcome(api, engine, "sendMessage")["done"] == "true"
    assert repeats(engine, "5xx")[0]["wait_ms"] == 1000


def test_what_nobody_sees_twice_is_repeated(api, bot):
    engine = bot(MAX_RETRIES=2)
    api.plan("getChat", CLOSE, http(200, HTML))
    assert outcome(api, engine, "getChat")["done"] == "true"
    assert len(api.of("getChat")) == 3
    assert len(repeats(engine, "unknown")) == 2
    api.plan("sendMessage", CLOSE)
    assert outcome(api, engine, "sendMessage")["kind"] == "unknown"
    assert len(api.of("sendMessage")) == 1


ODD = {
    "500": (failed(500, "Internal Server Error"), "api", 500, "true"),
    "html": (http(502, HTML), "api", 502, "true"),
    "5 MB of 500": (http(500, b"<" * 5000000), "api", 500, "true"),
    "5 MB of 200": (http(200, b"\xff{[" * 1700000), "unknown", 0, "false"),
    "503": (http(503), "api", 503, "true"),
    "413": (http(413, HTML), "api", 413, "false"),
    "400": (failed(400, "Bad Request: chat not found"), "api", 400, "false"),
    "403": (failed(403, "Forbidden: bot was blocked by the user"), "api",
            403, "false"),
    "200 failed": (http(200, '{"ok":false,"error_code":400,'
                             '"description":"odd"}'), "api", 400, "false"),
    "no description": (http(400, '{"ok":false}'), "api", 400, "false"),
    # From here on the call may have been executed; there is no code of the
    # Bot API then, and 0 stands for none.
    "empty": (http(200), "unknown", 0, "false"),
    "garbage": (http(200, b"\xff\xfe\x00{{{"), "unknown", 0, "false"),
    "html 200": (http(200, HTML), "unknown", 0, "false"),
    "no result": (http(200, '{"ok":true}'), "unknown", 0, "false"),
    "cut json": (http(200, '{"ok":true,"result":{"message_id":'), "unknown",
                 0, "false"),
    "truncated": ((http(200, '{"ok":true,"result":', length=1000), CLOSE),
                  "unknown", None, None),
    "half a head": ((b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE), "unknown",
                    None, None),
    "no http": ((b"SSH-2.0-OpenSSH_9.2\r\n", CLOSE), "unknown", None, None),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_answers_become_errors_and_the_bot_goes_on(api, bot, name):
    answer, kind, code, retryable = ODD[name]
    engine = bot(MAX_RETRIES=0)
    api.plan("sendMessage", answer)
    row = outcome(api, engine, "sendMessage")
    assert (row["done"], row["kind"]) == ("false", kind), row
    assert code is None or row["code"] == code, row
    assert retryable is None or row["retryable"] == retryable
    assert row["error"], "it says something"
    assert len(api.of("sendMessage")) == 1
    assert_goes_on(api, engine)


def test_an_answer_too_long_to_be_read_may_have_been_carried_out(api, bot):
    engine = bot()
    api.plan("sendMessage", http(200, b" " * (16 * 1024 * 1024 + 1)))
    row = outcome(api, engine, "sendMessage")
    assert (row["kind"], row["retryable"]) == ("limit", "false"), row
    assert "may have been carried out" in row["error"]
    assert len(api.of("sendMessage")) == 1
    assert_goes_on(api, engine)


def test_a_description_that_is_long_or_odd_is_bounded(api, bot):
    engine = bot()
    api.plan("sendMessage", failed(400, "Bad \"Request\":\n" + "é" * 100000))
    row = outcome(api, engine, "sendMessage")
    assert (row["kind"], row["code"]) == ("api", 400)
    assert row["error"].startswith("Bad ") and len(row["error"]) < 1000
    assert_goes_on(api, engine)


def test_request_timeout(api, bot):
    engine = bot(REQUEST_TIMEOUT="300ms")
    api.plan("sendMessage", SILENT)
    row = outcome(api, engine, "sendMessage")
    assert (row["done"], row["kind"]) == ("false", "unknown")
    assert "timed out" in row["error"]
    assert len(api.of("sendMessage")) == 1
    assert_goes_on(api, engine)


def test_a_call_takes_a_timeout_of_its_own(api, bot):
    engine = bot()
    api.plan("sendMessage", SILENT)
    row = outcome(api, engine, "sendMessage 1 250ms")
    assert row["done"] == "false" and row["kind"] in ("timeout", "unknown")
    assert_goes_on(api, engine)


def test_request_timeout_does_not_cut_get_updates(api, bot):
    """While getUpdates waits, sends run into their timeout three times."""
    engine = bot(REQUEST_TIMEOUT="200ms")
    api.plan("sendMessage", SILENT, SILENT, SILENT)
    api.deliver("sendMessage 3")
    waiting = api.wait("getUpdates", 2)
    engine.wait_event("outcome", n=3)
    assert api.of("getUpdates")[1:] == [waiting]
    assert waiting.params["timeout"] > 0
    assert_goes_on(api, engine)
    assert "polling.failed" not in engine.process.text()


# polling

FAULTS = {
    "500": failed(500, "Internal Server Error"),
    "html": http(502, HTML), "empty": http(200), "garbage": http(200, "{[}"),
    "no list": ok({"update_id": 1}), "cut": CLOSE,
    "truncated": (http(200, '{"ok":true,"result":[', length=99), CLOSE),
    "no http": (b"\0\0\0\0", CLOSE),
    "no updates": ok([7, {"no": "id"}]),
    "429": failed(429, "Too Many Requests", retry_after=120),
}


@pytest.mark.parametrize("name", FAULTS)
def test_polling_survives(api, bot, name):
    engine = bot()
    api.wait("getUpdates", 1)
    api.plan("getUpdates", FAULTS[name])
    row = engine.wait_event("polling.failed")
    assert row["method"] == "getUpdates" and row["retry_ms"] >= 800
    if name == "429":
        assert row["retry_ms"] == 120000
    else:
        assert_goes_on(api, engine)


def test_polling_waits_as_told(api, bot):
    engine = bot()
    api.plan("getUpdates", failed(429, "Too Many Requests", retry_after=1))
    assert_goes_on(api, engine)
    first, second = api.of("getUpdates")[:2]
    assert second.at - first.at > 0.9


def test_polling_backs_off_and_starts_over(api, bot):
    api.plan("getUpdates", *[failed(500, "x")] * 3)
    engine = bot()
    assert_goes_on(api, engine)
    start = len(engine.process.lines)
    api.plan("getUpdates", failed(500, "x"))
    engine.wait_event("polling.failed", start=start)
    waits = [json.loads(line)["retry_ms"] for line in engine.process.lines
             if '"event":"polling.failed"' in line]
    assert waits[0] < waits[1] < waits[2] and waits[3] < waits[1]


def test_updates_that_are_odd_hold_nothing_up(api, bot):
    engine = bot()
    odd = [{"update_id": 500}, {"update_id": 501, "message": 7},
           {"update_id": 502, "new_kind": {"a": 1}},
           {"update_id": 503, "message": {}}, 7, None, {"no": "id"}]
    api.wait("getUpdates", 1)
    api.plan("getUpdates", ok(odd))
    api.wait_for(lambda: api.offset == 504, "the offset moves on")
    assert_goes_on(api, engine)


def test_ids_that_restart_lower_or_end_hold_nothing_up(api, bot):
    engine = bot()
    api.wait("getUpdates", 1)
    # The last one has no number behind it that could confirm it.
    api.plan("getUpdates", ok([{"update_id": 9000}]), ok([{"update_id": 20}]),
             ok([{"update_id": (1 << 63) - 1, "poll": {}}]))
    api.wait("getUpdates", 4)
    offsets = [r.params["offset"] for r in api.of("getUpdates")]
    assert offsets == [0, 9001, 21, 21]
    assert engine.process.text().count("no list of updates") == 1
    assert_goes_on(api, engine)


def test_a_field_beside_the_kind_does_not_hide_it(api, bot):
    engine = bot()
    api.wait("getUpdates", 1)
    user = {"id": 7, "type": "private", "first_name": "Ann"}
    rows = [{"update_id": 500 + i, **before, "message": {
        "message_id": 1, "date": 1, "chat": user, "from": user,
        "text": "getFile"}, **after} for i, (before, after) in enumerate(
            [({name: value}, {}) for name in ("added", "zeta")
             for value in ({"chat": {"id": 3}}, [1])] +
            [({}, {name: value}) for name in ("added", "zeta")
             for value in ({"chat": {"id": 3}}, [1])])]
    api.plan("getUpdates", ok(rows))
    api.wait("getFile", len(rows))
    assert_goes_on(api, engine)


@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
def test_401_stops_loudly(api, bot, method):
    api.plan(method, failed(401, "Unauthorized"))
    engine = bot(wait=False)
    assert engine.process.wait() == 1
    row = engine.wait_event("telegram.refused")
    assert row["level"] == "error" and "BotFather" in row["remedy"]


def test_404_to_the_first_call_is_a_wrong_token_too(api, bot):
    api.plan("getMe", failed(404, "Not Found"))
    engine = bot(wait=False)
    assert engine.process.wait() == 1
    engine.wait_event("telegram.refused")


def test_409_names_the_remedy_and_polling_goes_on(api, bot):
    api.plan("getUpdates", failed(
        409, "Conflict: terminated by other getUpdates request"))
    engine = bot()
    row = engine.wait_event("polling.failed", code=409)
    assert "stop it" in row["remedy"] and "another program" in row["remedy"]
    assert_goes_on(api, engine)


def test_a_webhook_that_is_set_is_deleted_first(api, bot):
    api.plan("getWebhookInfo", ok({"url": "https://old.example/hook"}))
    engine = bot()
    assert_goes_on(api, engine)
    methods = [r.method for r in api.requests]
    assert methods[:4] == ["getMe", "getWebhookInfo", "deleteWebhook",
                           "getUpdates"]
    assert api.of("deleteWebhook")[0].params == {
        "drop_pending_updates": False}


# the disk

class SmallDisk:
    """A file system of 2 MB that can be filled up."""

    def __init__(self, folder, size="2m"):
        self.folder = folder
        folder.mkdir()
        if os.getuid() != 0 or not shutil.which("mount"):
            pytest.skip("mounting needs root")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o",
                               f"size={size}", "tmpfs", folder], capture_output=True)
        if done.returncode != 0:
            pytest.skip("mounting is not allowed here")

    def fill(self, _engine):
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 65536):
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC

    def empty(self, _engine):
        (self.folder / "filler").unlink()

    def close(self):
        subprocess.run(["umount", self.folder], check=True)


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
