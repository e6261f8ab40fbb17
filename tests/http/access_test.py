"""The HTTP port from outside: health, readiness, the guard, errors."""
import contextlib
import http.client
import json
import socket
import sqlite3
import time

import harness
import pytest

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  ctx:reply("begun"); task.sleep(30); ctx:reply("ended")
end)
"""

COMPONENTS = {"database", "redis", "telegram", "inbox", "queue", "scripts"}


@pytest.fixture
def server(sim, engine):
    """A running engine and its HTTP side."""
    bot = engine(BOT).start()
    bot.http = peer_of(bot)
    bot.wait_event("polling.started")
    return bot


def peer_of(bot):
    return harness.HttpPeer("127.0.0.1", bot.wait_event("ready")["http_port"])


def fetch(peer, method, path, headers=None, body=None):
    """Status, headers and body; with Host only if given."""
    connection = http.client.HTTPConnection(peer.host, peer.port,
                                            timeout=harness.LIMIT)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ready(peer):
    status, headers, body = fetch(peer, "GET", "/ready")
    assert headers["Content-Type"].startswith("application/json")
    return status, json.loads(body)


def test_health(server):
    status, headers, _ = fetch(server.http, "GET", "/health")
    assert status == 200
    status, _, body = fetch(server.http, "HEAD", "/health")
    assert (status, body) == (200, b"")


def test_ready_shape(server):
    status, answer = ready(server.http)
    assert status == 200 and answer["ready"] is True
    assert answer["degraded"] is False
    assert set(answer["components"]) == COMPONENTS
    states = {}
    for name, component in answer["components"].items():
        assert set(component) >= {"state", "since"}
        assert component["state"] in ("up", "down", "off")
        assert abs(component["since"] - time.time()) < 600, "Unix seconds"
        states[name] = component["state"]
    assert states == {"database": "up", "redis": "off", "queue": "off",
                      "telegram": "up", "inbox": "up", "scripts": "up"}


def test_telegram_down_from_the_start_is_degraded(engine):
    bot = engine(BOT)
    bot.api_url = "http://127.0.0.1:1"
    bot.start()
    bot.wait_event("polling.failed")
    status, answer = ready(peer_of(bot))
    assert (status, answer["ready"], answer["degraded"]) == (200, True, True)
    assert answer["components"]["telegram"]["state"] == "down"
    assert answer["components"]["inbox"]["state"] == "up"


def test_telegram_is_down_until_it_has_answered(engine):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bot = engine(BOT)
        bot.api_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bot.start(wait=False)
        status, answer = ready(peer_of(bot))
        bot.kill()
    assert (status, answer["ready"], answer["degraded"]) == (200, True, True)
    assert answer["components"]["telegram"]["state"] == "down"


def test_telegram_lost_and_found_again(engine):
    port = harness.free_port()
    first = harness.Sim("--port", port)
    bot = engine(BOT)
    bot.api_url = first.url
    bot.start()
    bot.wait_event("polling.started")
    first.close()
    bot.wait_event("polling.failed")
    peer = peer_of(bot)
    status, answer = ready(peer)
    assert (status, answer["degraded"]) == (200, True)
    down = answer["components"]["telegram"]
    assert down["state"] == "down"
    second = harness.Sim("--port", port)
    second.send(second.user("Ann")["id"], "x")
    second.wait_call("sendMessage")
    bot.wait_event("telegram.back")
    status, answer = ready(peer)
    assert (status, answer["degraded"]) == (200, False)
    assert answer["components"]["telegram"]["state"] == "up"
    assert answer["components"]["telegram"]["since"] >= down["since"]
    bot.kill()
    second.close()


COUNTER = """
local bot = require "moonlet.bot"
bot.fsm("seen", { initial = "new", states = { new = {} } })
bot.catch(function(ctx, err) ctx:reply("error " .. err.kind) end)
bot.on("message:text", function(ctx)
  local data = ctx:fsm("seen").data
  data.n = (data.n or 0) + 1
  ctx:reply("seen " .. data.n)
end)
"""


def tables(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [name for name, in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")]


def sql(path, statement):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_database_that_fails_is_not_ready(sim, engine):
    bot = engine(COUNTER).start()
    peer, ann = peer_of(bot), sim.user("Ann")["id"]
    file = bot.folder / "data" / "bot.db"

    def says(text):
        sim.send(ann, "x")
        sim.wait_call("sendMessage", lambda c: c["params"]["text"] == text)

    says("seen 1")
    (table,) = tables(file)
    sql(file, f"ALTER TABLE {table} RENAME TO away")
    says("error db")
    bot.wait_event("database.failed")
    status, answer = ready(peer)
    assert (status, answer["ready"]) == (503, False)
    assert answer["components"]["database"]["state"] == "down"
    sql(file, f"ALTER TABLE away RENAME TO {table}")
    bot.wait_event("database.back")  # though nobody asks it anything
    assert ready(peer)[0] == 200
    says("seen 2")


def test_the_database_is_where_its_address_says(sim, engine):
    bot = engine(COUNTER, DATABASE_URL="sqlite:there.db").start()
    sim.send(sim.user("Ann")["id"], "x")
    sim.wait_call("sendMessage")
    assert tables(bot.folder / "there.db")
    assert not (bot.folder / "data" / "bot.db").exists()
    bot.stop()
    bot.settings["DATABASE_URL"] = "sqlite:no/such/folder/there.db"
    bot.start(wait=False)
    assert bot.process.wait() == 1
    assert "no/such/folder/there.db: " in bot.process.text()


def test_shutting_down_is_not_ready(sim, engine):
    bot = engine(BOT, SHUTDOWN_TIMEOUT="1h").start()
    peer = peer_of(bot)
    sim.send(sim.user("Ann")["id"], "x")
    sim.wait_call("sendMessage")
    bot.process.child.terminate()
    bot.wait_event("engine.stopping")
    status, answer = ready(peer)
    assert (status, answer["ready"]) == (503, False)
    assert fetch(peer, "GET", "/health")[0] == 200
    bot.process.end()  # the second one: at once


def test_broken_scripts_stay_up_while_the_old_ones_run(server):
    server.write("main.lua", "x = = 1")
    server.wait_event("scripts.not_loaded")
    status, answer = ready(server.http)
    assert status == 200
    assert answer["components"]["scripts"]["state"] == "up"


FOREIGN = [
    {"Host": "bot.example"}, {"Host": "bot.example:8080"},
    {"Host": "10.0.0.1"}, {"Host": "127.0.0.1.bot.example"},
    {"Host": "localhost.bot.example"}, {"Host": ""}, {"Host": "[::2]:80"},
    {"X-Forwarded-For": "10.0.0.1"}, {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Anything": "1"}, {"x-forwarded-host": "localhost"},
    {"x-forwarded-": ""}, {"Forwarded": "for=10.0.0.1"},
    {"X-Real-IP": "10.0.0.1"}, {"X-Forwarded": "for=10.0.0.1"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_foreign_requests_are_refused(server, headers):
    for path in ("/", "/api/status", "/metrics", "/play", "/sim/calls"):
        status, _, body = fetch(server.http, "GET", path, headers)
        assert status == 403, (path, headers)
        assert "CONSOLE_TOKEN" in json.loads(body)["error"]
    assert fetch(server.http, "GET", "/health", headers)[0] == 200
    assert fetch(server.http, "GET", "/ready", headers)[0] == 200
    for path in ("/webhook", "/x/pay"):
        assert fetch(server.http, "POST", path, headers, b"{}")[0] == 404


@pytest.mark.parametrize("host", [
    "localhost", "LOCALHOST:8080", "127.0.0.1", "127.1.2.3:99", "[::1]",
    "[::1]:8080"])
def test_loopback_names_pass_the_guard(server, host):
    assert fetch(server.http, "GET", "/nowhere", {"Host": host})[0] == 404


def test_a_request_without_host_is_refused(server):
    with socket.create_connection((server.http.host, server.http.port)) as s:
        s.settimeout(harness.LIMIT)
        s.sendall(b"GET /api/status HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := s.recv(4096):
            answer += chunk
    assert b" 403 " in answer.split(b"\r\n")[0]


@pytest.mark.parametrize("path", [
    "/nothing", "/no/such/thing", "/sim", "/sim/nothing", "/file/x", "/Bot/x"])
def test_unknown_paths_of_play_are_the_engines_404(play, path):
    for method in ("GET", "POST", "PUT"):
        status, headers, body = fetch(play, method, path)
        assert status == 404
        assert headers["Content-Type"].startswith("application/json")
        assert set(json.loads(body)) == {"error"}


def test_wrong_methods_of_play_are_405(play):
    for method, path in (("POST", "/play"), ("PUT", "/sim/users"),
                         ("DELETE", "/sim/send")):
        status, headers, body = fetch(play, method, path, body=b"{}")
        assert status == 405 and method not in headers["Allow"]
        assert set(json.loads(body)) == {"error"}


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths_are_404_as_json(server, method):
    status, headers, body = fetch(server.http, method, "/no/such%20thing?a=b")
    assert status == 404
    assert headers["Content-Type"].startswith("application/json")
    assert json.loads(body)["error"]


def test_the_webhook_is_404_while_polling(server):
    status, _, body = fetch(
        server.http, "POST", "/webhook",
        {"X-Telegram-Bot-Api-Secret-Token": "x"}, b'{"update_id":1}')
    assert status == 404 and json.loads(body)["error"]


def test_wrong_methods_are_405_and_name_the_right_ones(server):
    for path in ("/health", "/ready"):
        status, headers, body = fetch(server.http, "POST", path, body=b"{}")
        assert (status, headers["Allow"]) == (405, "GET")
        assert "POST" in json.loads(body)["error"]


def test_too_large_bodies_are_413(server):
    # A client that is sending reads nothing: what is not too long is thrown
    # away before the answer.
    status, _, _ = fetch(server.http, "POST", "/webhook",
                         body=b"x" * (1024 * 1024 + 1))
    assert status == 413
    with socket.create_connection((server.http.host, server.http.port)) as s:
        s.settimeout(harness.LIMIT)
        s.sendall(b"POST /webhook HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Length: 99999999\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 413 ")
    assert fetch(server.http, "GET", "/health")[0] == 200


def test_play_has_no_simulator_outside_of_play(server):
    for path in ("/play", "/sim/calls", "/sim/events"):
        assert fetch(server.http, "GET", path)[0] == 404
    assert fetch(server.http, "POST", f"/bot{harness.TOKEN}/getMe")[0] == 404


@pytest.mark.parametrize("headers", FOREIGN[:2] + FOREIGN[7:8])
def test_play_and_its_simulator_are_guarded(play, headers):
    for path in ("/play", "/sim/calls", "/bot1:PLAY/getMe"):
        assert fetch(play, "GET", path)[0] == 200
        status, _, body = fetch(play, "GET", path, headers)
        assert status == 403 and b"CONSOLE_TOKEN" in body
    assert fetch(play, "POST", "/sim/send", headers, b"{}")[0] == 403


def test_no_cross_origin_headers(server):
    _, headers, _ = fetch(server.http, "GET", "/health",
                          {"Origin": "http://evil.example"})
    assert "Access-Control-Allow-Origin" not in headers
