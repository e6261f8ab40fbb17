"""Updates by webhook: what each post is answered, and that nothing is lost,
doubled or turned around while the engine dies, fills up or changes sides."""
import http.client
import json
import resource
import socket
import struct
import threading
import time

import harness
import pytest

from fault import raw_api
from fault.raw_api import failed, ok
from fault.sources import HEADER, SECRET, answers, connect, wire

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  task.sleep((ctx.update.update_id % 7) / 1000)
  local mark = ctx.update.redelivered and " again" or ""
  ctx:reply(ctx.message.text .. mark)
end)
"""

STAY = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  ctx:reply("begun"); task.sleep("1h")
end)
"""


@pytest.fixture
def hook(api, engine):
    """Makes engines on the raw server that have a webhook."""
    def make(main=BOT, path="/hook", **settings):
        port = harness.free_port()
        settings.setdefault("WEBHOOK_URL", f"http://127.0.0.1:{port}{path}")
        settings.setdefault("WEBHOOK_SECRET", SECRET)
        bot = engine(main, HTTP_PORT=port, RETRY_BACKOFF_BASE=1, **settings)
        bot.api_url = api.url
        bot.port = int(port)
        return bot
    return make


def message(number, text, user=7, **more):
    return {"update_id": number, "message": {
        "message_id": number, "date": 1700000000,
        "chat": {"id": user, "type": "private", "first_name": "Ann"},
        "from": {"id": user, "is_bot": False, "first_name": "Ann"},
        "text": text, **more}}


def post(bot, body, path="/hook", secret=SECRET, method="POST"):
    """Status, headers and text of the answer to one request."""
    peer = http.client.HTTPConnection("127.0.0.1", bot.port,
                                      timeout=harness.LIMIT)
    if isinstance(body, dict):
        body = json.dumps(body)
    headers = {"Content-Type": "application/json", HEADER: secret}
    try:
        peer.request(method, path, body,
                     {k: v for k, v in headers.items() if v is not None})
        answer = peer.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        peer.close()


def texts(api):
    return [r.params["text"] for r in api.of("sendMessage")]


# what Telegram is told

def test_the_webhook_is_set_once_with_all_it_needs(api, hook):
    bot = hook().start()
    bot.wait_event("webhook.started")
    assert [r.method for r in api.requests] == ["getMe", "setWebhook"]
    told = api.of("setWebhook")[0].params
    assert told.pop("allowed_updates") == ["my_chat_member", "message"]
    assert told == {
        "url": bot.settings["WEBHOOK_URL"], "secret_token": SECRET,
        "max_connections": 40, "drop_pending_updates": False}
    text = bot.stop()
    assert not api.of("deleteWebhook"), "what comes meanwhile must stay"
    assert SECRET not in text


def test_new_kinds_set_it_anew(api, hook):
    bot = hook().start()
    bot.wait_event("webhook.started")
    bot.write("main.lua", BOT + """
bot.on("message_reaction", function() end)
""")
    told = api.wait("setWebhook", 2).params
    assert "message_reaction" in told["allowed_updates"]
    assert told["url"] == bot.settings["WEBHOOK_URL"]
    assert post(bot, message(1, "x"))[0] == 200


def test_kinds_that_change_while_it_is_being_set(api, hook):
    api.plan("setWebhook", raw_api.SILENT)
    bot = hook(REQUEST_TIMEOUT="2s").start()
    api.wait("setWebhook", 1)
    bot.write("main.lua", BOT + 'bot.on("poll", function() end)')
    bot.wait_event("scripts.loaded", generation=2)
    told = api.wait("setWebhook", 2).params
    assert "poll" in told["allowed_updates"]


def test_a_server_that_fails_is_asked_again(api, hook):
    api.plan("setWebhook", failed(500, "Internal Server Error"),
             failed(400, "Bad Request: bad webhook: no"))
    bot = hook().start()
    bot.wait_event("webhook.failed", code=500)
    row = bot.wait_event("webhook.failed", code=400)
    assert "WEBHOOK_URL" in row["remedy"]
    # What comes from an earlier start is taken all the same.
    assert post(bot, message(1, "x"))[0] == 200
    bot.wait_event("webhook.started")


def test_a_refused_token_stops_it(api, hook):
    api.plan("getMe", failed(401, "Unauthorized"))
    bot = hook().start(wait=False)
    assert bot.process.wait() == 1
    bot.wait_event("telegram.refused")


# answers

def test_statuses(api, hook):
    bot = hook().start()
    good = message(1, "one")
    assert post(bot, good, secret=None)[0] == 401
    for wrong in ("", "x", SECRET[:-1], SECRET + "x", SECRET.upper(),
                  SECRET + SECRET):
        assert post(bot, good, secret=wrong)[0] == 401
    for body in ("", "{", "no", '{"update_id":1}{}', "[1", "\xff"):
        assert post(bot, body)[0] == 400, body
    for body in ("{}", "7", "[]", '"x"', "null", '{"update_id":"1"}',
                 '{"update_id":1.5}', '{"update_id":null}'):
        status, _, text = post(bot, body)
        assert (status, b"update_id" in text) == (400, True), body
    for length in (1024 * 1024 + 1, 3000000):
        assert post(bot, "x" * length)[0] == 413
    assert post(bot, "x" * 1000000, secret="no")[0] == 401
    assert post(bot, None, method="GET")[0] == 403
    assert post(bot, good, path="/hook/")[0] in (403, 404)
    assert texts(api) == []
    status, headers, text = post(bot, good)
    assert (status, text, headers["Content-Length"]) == (200, b"", "0")
    api.wait("sendMessage", 1)
    assert texts(api) == ["one"]


def test_large_odd_and_strange_updates_are_taken(api, hook):
    bot = hook().start()
    assert post(bot, message(1, "x" * 4000, extra="y" * 1000000))[0] == 200
    assert post(bot, {"update_id": 2})[0] == 200
    assert post(bot, {"update_id": 3, "new_kind": {"a": 1}})[0] == 200
    assert post(bot, {"update_id": -4, "message": 7})[0] == 200
    deep = b'{"update_id":5,"new_kind":' + b"[" * 600 + b"]" * 600 + b"}"
    assert post(bot, deep)[0] == 400
    raw = json.dumps(message(6, "@")).encode().replace(b"@", b"\xff\xc0")
    assert post(bot, raw)[0] == 200
    assert post(bot, message(7, "last"))[0] == 200
    api.wait_for(lambda: "last" in texts(api), "the last answer")
    bot.wait_event("webhook.odd_update")


@pytest.mark.parametrize("path, posts", [
    ("", ["/", "/webhook"]), ("/", ["/", "/webhook"]),
    ("/a/b.c?d=e", ["/a/b.c", "/a/b.c?d=e"]), ("/health", ["/health"]),
    ("/api/reload", ["/api/reload"]), ("/x/y", ["/x/y"])])
def test_the_path_is_that_of_the_address(api, hook, path, posts):
    bot = hook(path=path).start()
    for number, each in enumerate(posts):
        assert post(bot, message(number, "x"), each, None)[0] == 401
        assert post(bot, message(number, "x"), each)[0] == 200
    assert post(bot, None, "/health", method="GET")[0] == 200
    api.wait("sendMessage", len(posts))


def test_everything_else_needs_a_token_for_the_console(hook):
    bot = hook().start()
    for path in ("/", "/api/status", "/metrics", "/play", "/nowhere"):
        for method in ("GET", "POST"):
            status, _, body = post(bot, "", path, method=method)
            assert status == 403 and b"CONSOLE_TOKEN" in body, path
    for path in ("/webhook", "/x/pay"):
        assert post(bot, "{}", path)[0] == 404
    assert post(bot, None, "/ready", method="GET")[0] == 200


def test_duplicates_are_answered_200_and_dropped(api, hook):
    bot = hook().start()
    for _ in range(3):
        assert post(bot, message(5, "five"))[0] == 200
    bot.kill()
    bot.start()
    assert post(bot, message(5, "five"))[0] == 200
    assert post(bot, message(4, "four"))[0] == 200, "ids may go down"
    api.wait_for(lambda: "four" in texts(api), "the last answer")
    assert sorted(set(texts(api)) - {"five again"}) in (
        ["five", "four"], ["four"])
    assert texts(api).count("five") <= 1


def test_a_full_inbox_is_503_until_there_is_room(api, hook):
    answered = threading.Event()
    bot = hook(INBOX_LIMIT=3).start()
    bot.wait_event("webhook.started")
    api.plan("sendMessage", *3 * [(answered, ok({}))])
    for number in range(3):
        assert post(bot, message(number, "x", user=number + 1))[0] == 200
    for _ in range(3):
        status, headers, _ = post(bot, message(9, "late"))
        assert status == 503 and 0 < int(headers["Retry-After"]) < 60
    answered.set()
    deadline = time.monotonic() + harness.LIMIT
    while post(bot, message(9, "late"))[0] != 200:
        assert time.monotonic() < deadline
    api.wait("sendMessage", 4)
    assert texts(api) == ["x", "x", "x", "late"]


def test_a_stopping_engine_is_503(api, hook):
    bot = hook(STAY, SHUTDOWN_TIMEOUT="1h").start()
    assert post(bot, message(1, "x"))[0] == 200
    api.wait("sendMessage", 1)
    bot.process.child.terminate()
    bot.wait_event("engine.stopping")
    status, headers, _ = post(bot, message(2, "x"))
    assert status == 503 and int(headers["Retry-After"]) > 0
    bot.process.end()  # the second one: at once


@pytest.mark.parametrize("taken", [0, 1])
def test_a_failed_store_is_503_and_recovers(api, hook, taken):
    bot = hook().start()
    limit = small_files(bot)
    for number in range(taken):
        assert post(bot, message(number, "x"))[0] == 200
    limit(bot.folder.joinpath("data/inbox.db-wal").stat().st_size)
    large = message(50, "late", extra="y" * 50000)
    for _ in range(2):
        status, headers, _ = post(bot, large)
        assert status == 503 and int(headers["Retry-After"]) > 0
    assert post(bot, None, "/ready", method="GET")[0] == 503
    rows = [line for line in bot.process.lines if "not_stored" in line]
    assert len(rows) == 1, "once, not for each post"
    limit(resource.RLIM_INFINITY)
    deadline = time.monotonic() + harness.LIMIT
    while post(bot, large)[0] != 200:
        assert time.monotonic() < deadline
    bot.wait_event("inbox.back")
    api.wait_for(lambda: "late" in texts(api), "the late one")
    assert post(bot, None, "/ready", method="GET")[0] == 200


def small_files(bot):
    """A function that bounds the size of files that the engine may write."""
    def limit(size):
        resource.prlimit(bot.process.child.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))
    return limit


# connections

def test_pipelined_posts_are_taken_in_order(api, hook):
    bot = hook().start()
    with connect(bot) as peer:
        peer.sendall(b"".join(wire(message(n, str(n))) for n in range(50)) +
                     wire(message(50, "bad"), secret="no") +
                     wire(message(51, "51")))
        assert answers(peer.makefile("rb"), 52) == 50 * [200] + [401, 200]
    api.wait("sendMessage", 51)
    assert texts(api) == [str(n) for n in (*range(50), 51)]


def test_one_connection_serves_many_posts(api, hook):
    bot = hook().start()
    with connect(bot) as peer:
        stream = peer.makefile("rb")
        for number in range(100):
            peer.sendall(wire(message(number, str(number))))
            assert answers(stream, 1) == [200]
    api.wait("sendMessage", 100)
    assert texts(api) == [str(n) for n in range(100)]


def test_half_requests_store_nothing_and_hurt_nobody(api, hook):
    bot = hook().start()
    whole = wire(message(1, "half"))
    halves = []
    for length in (0, 1, 20, whole.index(b"\r\n\r\n") + 2, len(whole) - 1):
        peer = connect(bot)
        peer.sendall(whole[:length])
        halves.append(peer)
    assert post(bot, message(2, "whole"))[0] == 200
    for peer in halves:
        peer.close()
    reset = connect(bot)
    reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack("ii", 1, 0))
    reset.sendall(whole[:-1])
    reset.close()
    gone = connect(bot)
    gone.sendall(wire(message(3, "unheard")))
    gone.close()
    api.wait("sendMessage", 2)
    assert post(bot, message(3, "unheard"))[0] == 200
    assert post(bot, message(4, "last"))[0] == 200
    api.wait("sendMessage", 3)
    assert texts(api) == ["whole", "unheard", "last"]


def test_thousand_idle_connections_hinder_nobody(api, hook):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("too few files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    idle = []
    try:
        bot = hook().start()
        for number in range(1000):
            idle.append(connect(bot))
            if number % 2:
                idle[-1].sendall(b"POST /hook HTTP/1.1\r\nHost: x\r\n")
        for number in range(20):
            assert post(bot, message(number, str(number)))[0] == 200
        api.wait("sendMessage", 20)
        with idle[0] as peer:
            peer.sendall(wire(message(20, "20")))
            assert answers(peer.makefile("rb"), 1) == [200]
        api.wait("sendMessage", 21)
    finally:
        for peer in idle:
            peer.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# what waits

def test_pending_updates_are_dropped_when_asked(sim, engine):
    ann = sim.user("Ann")["id"]
    sim.request("POST", f"/bot{harness.TOKEN}/getMe")
    for text in ("old", "older"):
        sim.send(ann, text)
    bot = engine(BOT)
    bot.process = harness.Process(["run", "--drop-pending"], cwd=bot.folder,
                                  env=bot.environment())
    assert bot.wait_event("updates.dropped")["count"] == 2
    bot.process.wait_line("^2 pending updates were dropped$")
    bot.wait_event("polling.started")
    sim.send(ann, "new")
    sim.wait_call("sendMessage")
    bot.stop()
    assert [c["params"]["text"] for c in sim.calls("sendMessage")] == ["new"]


def test_pending_updates_are_dropped_before_the_first_post(api, hook):
    told = threading.Event()
    api.plan("getWebhookInfo", ok({"url": "", "pending_update_count": 7}))
    api.plan("setWebhook", (told, ok(True)))
    bot = hook()
    bot.process = harness.Process(["run", "--drop-pending"], cwd=bot.folder,
                                  env=bot.environment())
    api.wait("setWebhook", 1)
    assert api.of("setWebhook")[0].params["drop_pending_updates"] is True
    assert post(bot, message(1, "old"))[0] == 503
    told.set()
    bot.process.wait_line("^7 pending updates were dropped$")
    assert post(bot, message(2, "new"))[0] == 200
    bot.write("main.lua", BOT + 'bot.on("poll", function() end)')
    again = api.wait("setWebhook", 2)
    assert again.params["drop_pending_updates"] is False
    api.wait("sendMessage", 1)
    assert texts(api) == ["new"]


def test_what_the_inbox_holds_is_not_dropped(api, hook):
    bot = hook(STAY).start()
    assert post(bot, message(1, "kept"))[0] == 200
    api.wait("sendMessage", 1)
    bot.kill()
    bot.write("main.lua", BOT)
    bot.process = harness.Process(["run", "--drop-pending"], cwd=bot.folder,
                                  env=bot.environment())
    bot.process.wait_line("^0 pending updates were dropped$")
    api.wait("sendMessage", 2)
    assert texts(api) == ["begun", "kept again"]


def test_the_simulator_takes_a_webhook(sim, engine):
    port = harness.free_port()
    url = f"http://127.0.0.1:{port}/hook"
    bot = engine(BOT, HTTP_PORT=port, WEBHOOK_URL=url, WEBHOOK_SECRET=SECRET)
    bot.start()
    bot.wait_event("webhook.started")
    bot.stop()
    _, data = sim.request("GET", f"/bot{harness.TOKEN}/getWebhookInfo")
    info = json.loads(data)["result"]
    assert (info["url"], info["max_connections"]) == (url, 40)
    assert info["allowed_updates"] == ["message", "my_chat_member"]
    ann = sim.user("Ann")["id"]
    sim.send(ann, "waits")
    bot.settings.clear()
    bot.start()
    assert sim.wait_call("sendMessage")["params"]["text"] == "waits"
    _, data = sim.request("GET", f"/bot{harness.TOKEN}/getWebhookInfo")
    assert json.loads(data)["result"]["url"] == ""
