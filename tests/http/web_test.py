"""Routes of scripts below /x/, over sockets."""
import http.client
import json
import socket
import threading

import harness

BOT = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local log = require "moonlet.log"
local task = require "moonlet.task"
local count = 0
-- Waits for the file `gate`.
bot.http("GET /hold", function()
  count = count + 1
  log.info("held", { count = count })
  while not fs.stat("gate") do task.sleep(0.02) end
  log.info("let.go", { count = count })
  return "held by NAME"
end)
bot.http("GET /name", function() return "NAME" end)
bot.http("POST /size", function(request) return #request.body .. "" end)
bot.http("GET /head", function(request) return request.headers.host end)
bot.http("GET /large", function() return ("x"):rep(3000000) end)
bot.http("GET /huge", function()
  log.info("huge")
  return ("x"):rep(30000000)
end)
bot.http("GET /header/:size", function(request)
  return { headers = { ["X-Large"] = ("x"):rep(request.params.size) } }
end)
bot.http("GET /fail", function() error("of the test") end)
"""

RUNNING_MAX = 256


def bot_of(engine, **settings):
    bot = engine(BOT, **settings).start()
    bot.http = peer_of(bot)
    return bot


def peer_of(bot):
    return harness.HttpPeer("127.0.0.1", bot.wait_event("ready")["http_port"])


class Request:
    """One that is under way, on a connection of its own."""

    def __init__(self, peer, method, path, body=None, headers=None):
        self.connection = http.client.HTTPConnection(
            peer.host, peer.port, timeout=harness.LIMIT)
        self.connection.request(method, path, body, headers or {})

    def end(self):
        try:
            answer = self.connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            self.connection.close()


def fetch(peer, *args, **more):
    return Request(peer, *args, **more).end()


def open_gate(bot):
    files = bot.folder / "data" / "files"
    files.mkdir(exist_ok=True)
    (files / "gate").write_text("open")


def test_everybody_may_ask(sim, engine):
    bot = bot_of(engine)
    for headers in ({"Host": "bot.example"}, {"X-Forwarded-For": "10.0.0.1"},
                    {"Origin": "http://other.example"}):
        assert fetch(bot.http, "GET", "/x/name", headers=headers)[0] == 200
        assert fetch(bot.http, "GET", "/x/nothing", headers=headers)[0] == 404
    assert fetch(bot.http, "GET", "/x")[0] == 404
    status, _, body = fetch(bot.http, "GET", "/x/head",
                            headers={"Host": "bot.example"})
    assert (status, body) == (200, b"bot.example")


def test_bodies_have_a_bound_and_answers_arrive_whole(sim, engine):
    bot = bot_of(engine)
    most = 1024 * 1024
    status, _, body = fetch(bot.http, "POST", "/x/size", b"\0" * most)
    assert (status, body) == (200, str(most).encode())
    assert fetch(bot.http, "POST", "/x/size", b"\0" * (most + 1))[0] == 413
    status, headers, body = fetch(bot.http, "GET", "/x/large")
    assert (status, body) == (200, b"x" * 3000000)
    status, headers, body = fetch(bot.http, "HEAD", "/x/large")
    assert (status, headers["Content-Length"], body) == (200, "3000000", b"")


def test_whoever_is_heard_gets_an_answer(sim, engine):
    """The heads of request and answer share what a connection has: neither
    may be so large that nothing is said."""
    bot = bot_of(engine)
    seen = set()
    for size in (0, 8000, 12000, 15000, 16000, 17000, 18000, 19000, 24000):
        for wanted in (1, 4000, 8000):
            status, headers, _ = fetch(
                bot.http, "GET", f"/x/header/{wanted}",
                headers={"X-Own": "y" * size})
            seen.add((size, status))
            assert status == 431 or len(headers["X-Large"]) == wanted
    assert {s for s in seen if s[1] == 431} == {(19000, 431), (24000, 431)}
    for path in ("/x/name?" + "a&" * 400, "/x/name?" + "a" * 17000):
        assert fetch(bot.http, "GET", path)[0] in (200, 414, 431)
    many = {f"X-{n}": "" for n in range(270)}
    assert fetch(bot.http, "GET", "/x/name", headers=many)[0] == 431
    assert fetch(bot.http, "GET", "/x/header/9000")[0] == 500
    row = bot.wait_event("handler.error")
    assert row["message"] == (
        'bot.http "GET /header/:size": the headers of an answer have 9011 '
        "bytes, 8192 are the most")


def test_a_body_with_two_ends_is_refused(sim, engine):
    """Else a proxy that goes by the other end would hand on what one client
    hides in a body as the request of the next."""
    bot = bot_of(engine)
    hidden = "GET /x/name HTTP/1.1\r\nHost: b\r\n\r\n"
    length = "Content-Length: {}\r\n"
    chunked = "Transfer-Encoding: chunked\r\n"
    for head, body in ((length.format(5) + chunked, "0\r\n\r\n"),
                       (chunked + length.format(5), "0\r\n\r\n"),
                       (length.format(5) + length.format(6), "bytes"),
                       (length.format(5) * 2, "bytes")):
        with socket.create_connection((bot.http.host, bot.http.port),
                                      harness.LIMIT) as peer:
            peer.sendall(f"POST /x/size HTTP/1.1\r\nHost: b\r\n{head}\r\n"
                         f"{body}{hidden}".encode())
            said = b"".join(iter(lambda: peer.recv(65536), b""))
        assert said.startswith(b"HTTP/1.1 400 "), said
        assert said.count(b"HTTP/1.1 ") == 1, said


def test_a_keep_alive_connection_serves_many(sim, engine):
    bot = bot_of(engine)
    connection = http.client.HTTPConnection(bot.http.host, bot.http.port,
                                            timeout=harness.LIMIT)
    for _ in range(3):
        for path, status in (("/x/name", 200), ("/x/fail", 500),
                             ("/x/nothing", 404)):
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == status
            assert b"of the test" not in answer.read()
    connection.close()


def test_errors_are_kept(sim, engine):
    bot = bot_of(engine)
    assert fetch(bot.http, "GET", "/x/fail")[0] == 500
    bot.wait_event("handler.error", message="of the test")
    _, _, body = fetch(bot.http, "GET", "/api/errors")
    found, = json.loads(body)["errors"]
    assert (found["message"], found["script"]) == ("of the test", "main.lua")
    assert found["update_id"] is None


def test_only_so_many_run_at_once(sim, engine):
    bot = bot_of(engine)
    held = [Request(bot.http, "GET", "/x/hold") for _ in range(RUNNING_MAX)]
    bot.wait_event("held", count=RUNNING_MAX)
    status, headers, body = fetch(bot.http, "GET", "/x/name")
    assert (status, headers["Retry-After"]) == (503, "1")
    assert b"too many" in body
    assert fetch(bot.http, "GET", "/health")[0] == 200
    open_gate(bot)
    assert {request.end()[0] for request in held} == {200}
    assert fetch(bot.http, "GET", "/x/name")[0] == 200


def test_a_request_ends_on_the_scripts_that_it_began_with(sim, engine):
    bot = bot_of(engine)
    held = Request(bot.http, "GET", "/x/hold")
    bot.wait_event("held")
    bot.write("main.lua", BOT.replace("NAME", "the new one"))
    bot.wait_event("scripts.loaded", generation=2)
    assert fetch(bot.http, "GET", "/x/name")[2] == b"the new one"
    open_gate(bot)
    assert held.end()[2] == b"held by NAME"


def test_who_leaves_has_asked_all_the_same(sim, engine):
    bot = bot_of(engine)
    held = Request(bot.http, "GET", "/x/hold")
    bot.wait_event("held")
    held.connection.close()
    open_gate(bot)
    bot.wait_event("let.go")
    assert fetch(bot.http, "GET", "/x/name")[0] == 200


def test_shutdown_waits_for_requests_and_takes_no_more(sim, engine):
    bot = bot_of(engine, SHUTDOWN_TIMEOUT="1h")
    held = Request(bot.http, "GET", "/x/hold")
    bot.wait_event("held")
    bot.process.child.terminate()
    assert bot.wait_event("engine.stopping")["handlers"] == 1
    status, headers, _ = fetch(bot.http, "GET", "/x/name")
    assert (status, headers["Retry-After"]) == (503, "1")
    open_gate(bot)
    assert held.end()[2] == b"held by NAME"
    assert bot.process.wait() == 0


def test_shutdown_sends_what_was_answered(sim, engine):
    bot = bot_of(engine)
    slow = Request(bot.http, "GET", "/x/huge")
    bot.wait_event("huge")
    bot.process.child.terminate()
    bot.wait_event("engine.stopping")
    assert slow.end()[2] == b"x" * 30000000
    assert bot.process.wait() == 0


def test_shutdown_does_not_wait_longer_than_it_may(sim, engine):
    bot = bot_of(engine, SHUTDOWN_TIMEOUT="1s")
    held = Request(bot.http, "GET", "/x/hold")
    bot.wait_event("held")
    bot.process.child.terminate()
    status, _, body = held.end()
    assert (status, json.loads(body)["error"]) == (503, "the bot is stopping")
    assert bot.wait_event("engine.shutdown_limit")["handlers_left"] == 1
    assert bot.process.wait() == 0


def test_a_standby_answers_503(sim, engine):
    bot = bot_of(engine)
    other = engine(BOT, DATA_DIR=bot.folder / "data")
    other.start(wait=False, options=("--standby",))
    port = other.wait_event("standby.waiting")["http_port"]
    assert fetch(harness.HttpPeer("127.0.0.1", port), "GET", "/x/name")[0] == 503


def test_pipelined_requests_are_answered_in_order(sim, engine):
    bot = bot_of(engine)
    paths = ["/x/name", "/x/nothing", "/x/head", "/x/fail", "/x/name"]
    with socket.create_connection((bot.http.host, bot.http.port)) as s:
        s.settimeout(harness.LIMIT)
        threading.Thread(target=s.sendall, args=(b"".join(
            b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode()
            for path in paths),)).start()
        got = b""
        while got.count(b"HTTP/1.1 ") < 5 or not got.endswith(b"NAME"):
            got += s.recv(65536)
    codes = [part[:3] for part in got.split(b"HTTP/1.1 ")[1:]]
    assert codes == [b"200", b"404", b"200", b"500", b"200"]
