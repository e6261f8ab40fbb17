"""What the control API does with bad input: an error in JSON that names the
field and what is allowed, and memory that stays bounded."""
import http.client
import json
import random
import socket
import urllib.parse

import harness
import pytest

INTEGER = ["5", 1.5, True, [], {}, 2 ** 53 + 1, -2 ** 53 - 1]
NUMBER = ["5", True, [], {}, -1, -0.5]
STRING = [5, True, [], {}, ""]
BOOLEAN = ["true", 0, 1, [], {}]
IDS = [5, "5", {}, ["5"], [1.5], [[]], [2 ** 60]]
MEDIA = [5, "x", False, [5], ["x"], [{}, 5]]

# Each route: a body that would do, and what is no value of its fields.
# What concerns the chat or user 1 is answered 404 when the body is fine.
ROUTES = {
    "users": ({"first_name": "A"}, {
        "first_name": STRING, "id": INTEGER, "last_name": STRING,
        "username": STRING, "language_code": STRING, "started": BOOLEAN}),
    "chats": ({"type": "group", "title": "T", "members": []}, {
        "type": STRING, "title": STRING, "members": IDS, "id": INTEGER,
        "username": STRING}),
    "send": ({"from": 1, "text": "x"}, {
        "from": INTEGER, "chat": INTEGER, "text": STRING, "caption": STRING,
        "reply_to": INTEGER, "document": MEDIA, "photo": MEDIA,
        "contact": MEDIA, "poll": MEDIA}),
    "click": ({"from": 1, "data": "x"}, {
        "from": INTEGER, "chat": INTEGER, "message_id": INTEGER,
        "data": STRING, "text": STRING}),
    "block": ({"user": 1, "blocked": True}, {
        "user": INTEGER, "blocked": BOOLEAN}),
    "kick": ({"chat": 1}, {
        "chat": INTEGER, "kicked": BOOLEAN, "deleted": BOOLEAN,
        "from": INTEGER}),
    "migrate": ({"chat": 1}, {"chat": INTEGER, "from": INTEGER}),
    "deactivate": ({"user": 1}, {"user": INTEGER}),
    "rights": ({"chat": 1}, {
        "chat": INTEGER, "can_send_messages": BOOLEAN,
        "can_delete_messages": BOOLEAN}),
    "limits": ({}, {
        "per_second": [*NUMBER, 1e-9, 1e9], "per_chat": [*NUMBER, 1e9],
        "per_group_minute": [*INTEGER, -1, 1001], "latent": BOOLEAN}),
    "faults": ({"mode": "500"}, {
        "mode": [*STRING, "418"], "method": [*STRING, "sendMassage"],
        "chat": INTEGER, "count": [*INTEGER, 0, -1],
        "retry_after": [*INTEGER, 0], "seconds": NUMBER}),
}
REQUIRED = {"users": ["first_name"], "chats": ["type", "title", "members"],
            "send": ["from"], "click": ["from"],
            "block": ["user", "blocked"], "kick": ["chat"],
            "migrate": ["chat"], "deactivate": ["user"], "rights": ["chat"],
            "faults": ["mode"]}


def ask(sim, path, body, method="POST"):
    """Status and decoded answer."""
    status, answer = sim.request(method, f"/sim/{path}", body)
    return status, json.loads(answer)


def refused(sim, path, body, word, status=400):
    got, answer = ask(sim, path, body)
    assert got == status and set(answer) == {"error"}, (body, answer)
    assert word in answer["error"], (body, answer)


@pytest.mark.parametrize("path", ROUTES)
def test_each_bad_value_names_its_field(sim, path):
    base, fields = ROUTES[path]
    for name, values in fields.items():
        for value in [*values, None]:
            refused(sim, path, json.dumps(base | {name: value}), f"{name}: ")
    for bot in INTEGER:
        refused(sim, path, json.dumps(base | {"bot": bot}), "bot: ")


@pytest.mark.parametrize("path", ROUTES)
def test_unknown_and_missing_fields_are_named(sim, path):
    base, fields = ROUTES[path]
    status, answer = ask(sim, path, json.dumps(base | {"colour": 1}))
    assert status == 400 and answer["error"].startswith("colour: no such field")
    allowed = answer["error"].split("allowed: ")[1].split(", ")
    assert {*fields, "bot"} <= set(allowed)
    for name in REQUIRED.get(path, []):
        less = {key: value for key, value in base.items() if key != name}
        refused(sim, path, json.dumps(less), f"{name}: is required")


NO_OBJECTS = [
    b"", b" ", b"{", b"[]", b"7", b"null", b'"x"', b"{}x", b"{'a':1}",
    b'{"first_name":"A","first_name":"B"}', b'{"first_name":"\xff"}',
    b'{"first_name":"\xed\xa0\x80"}', b'{"first_name":"\\ud800"}',
    b'{"first_name":"A\\u0000B"}', b'{"\xff":1}',
    b'{"first_name":"A","id":99999999999999999999}',
    b'{"first_name":"A","id":1e999}', b'{"a":' * 100000,
    b'{"first_name":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b"\x00" * 100, b"\xef\xbb\xbf{}", b"first_name=A"]


@pytest.mark.parametrize("path", [*ROUTES, "update", "clock"])
def test_bodies_that_are_no_objects(sim, path):
    for body in NO_OBJECTS:
        refused(sim, path, body, "the body must be a JSON object")


def test_errors_stay_utf8_where_long_names_are_cut(sim):
    for name in ("\u20ac" * 40, "\U0001f600" * 40, "a" * 100000, "%s%n",
                 '"\\\n\x01'):
        refused(sim, "users", json.dumps({"first_name": "A", name: 1}),
                "no such field")
        refused(sim, "update", json.dumps({name: {}}), "is no update kind")


def test_what_does_not_exist_is_404(sim):
    for path, body, word in (
            ("send", {"from": 1, "text": "x"}, "from: there is no user 1"),
            ("click", {"from": 1, "data": "x"}, "from: there is no user 1"),
            ("block", {"user": 1, "blocked": True}, "user: there is no user"),
            ("deactivate", {"user": 1}, "user: there is no user 1"),
            ("kick", {"chat": 1}, "chat: there is no chat 1"),
            ("migrate", {"chat": -1}, "chat: there is no chat -1"),
            ("rights", {"chat": 1}, "chat: there is no chat 1"),
            ("users", {"first_name": "A", "bot": -5}, "bot: there is no bot")):
        refused(sim, path, json.dumps(body), word, 404)


@pytest.mark.parametrize("query", ["since=", "since=x", "since=1.5",
                                   "since=1x", "since=%ff", "since=0x10"])
def test_since_is_an_integer(sim, query):
    for path in ("calls", "updates"):
        status, answer = ask(sim, f"{path}?{query}", None, "GET")
        assert status == 400 and answer["error"].startswith("since: ")


def test_since_is_what_lies_behind(sim):
    for _ in range(3):
        sim.request("GET", "/bot77:T/getMe")
    assert [c["n"] for c in sim.calls(since=1)] == [2, 3]
    for since in (-2 ** 70, -1, 0, 3, 2 ** 62, 2 ** 70):
        status, rows = ask(sim, f"calls?since={since}", None, "GET")
        assert status == 200 and len(rows) == (3 if since <= 0 else 0)


def test_a_group_of_each_kind_of_trouble(sim):
    """What makes sense only once: the second time says why not."""
    ann = sim.user("Ann")["id"]
    bob = sim.user("Bob")["id"]
    group = sim.sim("POST", "/sim/chats", {
        "type": "group", "title": "G", "members": [ann]})["id"]
    for path, body, word in (
            ("kick", {"chat": ann}, "is a private chat"),
            ("migrate", {"chat": ann}, "is a private chat"),
            ("send", {"from": bob, "chat": group, "text": "x"},
             "is no member"),
            ("send", {"from": ann, "text": "x" * 4097}, "4096 characters"),
            ("rights", {"chat": ann, "can_send_photos": False},
             "a private chat knows only")):
        refused(sim, path, json.dumps(body), word)
    new = sim.sim("POST", "/sim/migrate", {"chat": group})["id"]
    refused(sim, "migrate", json.dumps({"chat": group}), "upgraded already")
    refused(sim, "migrate", json.dumps({"chat": new}), "only a chat of type")
    refused(sim, "kick", json.dumps({"chat": new, "deleted": True}), "deleted")
    refused(sim, "send", json.dumps({"from": ann, "chat": group, "text": "x"}),
            f"was upgraded to {new}")
    sim.sim("POST", "/sim/kick", {"chat": new})
    refused(sim, "send", json.dumps({"from": ann, "chat": new, "text": "x"}),
            "the bot is not in chat")
    sim.sim("POST", "/sim/kick", {"chat": new, "kicked": False})
    sim.send(ann, "x", chat=new)
    sim.sim("POST", "/sim/deactivate", {"user": ann})
    refused(sim, "send", json.dumps({"from": ann, "text": "x"}),
            "no account any more")


def memory_mb(sim):
    status = open(f"/proc/{sim.process.child.pid}/status",
                  encoding="ascii").read()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_large_bodies_are_refused_and_forgotten(sim):
    before = memory_mb(sim)
    for _ in range(3):
        link = http.client.HTTPConnection(sim.host, sim.port,
                                          timeout=harness.LIMIT)
        link.putrequest("POST", "/sim/users")
        link.putheader("Content-Length", str(64 * 2 ** 20 + 1))
        link.endheaders()
        answer = link.getresponse()
        assert answer.status == 413 and "larger than" in json.loads(
            answer.read())["error"]
        link.close()
    refused(sim, "users", b'{"first_name":"' + b"x" * (32 * 2 ** 20),
            "the body must be a JSON object")
    sim.user("Ann")
    assert memory_mb(sim) - before < 200


def head(length, path="/sim/users"):
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: "
            f"application/json\r\nContent-Length: {length}\r\n\r\n").encode()


HALVES = [b"", b"P", b"POST", b"POST /sim/users HTTP/1.1\r\nHo",
          b"POST /sim/users HTTP/1.1\r\nHost: x\r\n", head(50), head(50) + b"{",
          head(60 * 2 ** 20) + b'{"first_name":', head(5, "/bot1:A/getMe"),
          b"POST /sim/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
          b"\r\n\r\n5\r\n{\"a", b"\x00\x01\x02", b"\r\n\r\n\r\n"]


def test_half_requests_hold_nobody_up(sim):
    """Many connections that begin and then are silent, and are cut later."""
    before = memory_mb(sim)
    links = []
    for _ in range(25):
        for half in HALVES:
            link = socket.create_connection((sim.host, sim.port),
                                            harness.LIMIT)
            link.sendall(half)
            links.append(link)
    ann = sim.user("Ann")["id"]
    assert sim.send(ann, "while they wait")["text"] == "while they wait"
    for link in links:
        link.close()
    assert sim.send(ann, "when they are gone")["message_id"] == 2
    assert memory_mb(sim) - before < 100


def test_a_slow_request_is_answered(sim):
    body = json.dumps({"first_name": "Ann"}).encode()
    data = head(len(body)) + body
    with socket.create_connection((sim.host, sim.port),
                                  harness.LIMIT) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            link.sendall(data[at:at + 1])
            if at % 50 == 0:
                ask(sim, "users", None, "GET")
        assert link.recv(65536).startswith(b"HTTP/1.1 200")


SCALARS = [None, True, False, 0, 1, -1, 77, -42, 1001, 2 ** 31, 2 ** 53,
           2 ** 53 + 1, -2 ** 53, 1.5, 1e308, -0.0, "", "x", "\u0000", "\ud7ff",
           "\U0001f600", "x" * 5000, "500", "slow", "group", "channel",
           "message", "/start", "@x", "null"]
NAMES = sorted({name for _, fields in ROUTES.values() for name in fields}
               | {"bot", "update_id", "message", "callback_query", "data",
                  "chat", "id", "type", "advance", "", "x"})


def some_value(rng, depth=0):
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind < 5:
        return rng.choice(SCALARS)
    if kind == 5:
        return [some_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(NAMES): some_value(rng, depth + 1)
            for _ in range(rng.randrange(4))}


def some_body(rng):
    """Near a good body, or far from one; sometimes broken."""
    path = rng.choice([*ROUTES, "update", "clock"])
    body = dict(ROUTES.get(path, ({"message": {}}, {}))[0])
    for _ in range(rng.randrange(4)):
        body[rng.choice(NAMES)] = some_value(rng)
    if rng.random() < 0.3 and "from" in body:
        body["from"] = 1001
    text = bytearray(json.dumps(body, ensure_ascii=rng.random() < 0.5)
                     .encode("utf-8", "replace"))
    if rng.random() < 0.3:
        for _ in range(rng.randrange(1, 4)):
            text[rng.randrange(len(text))] = rng.randrange(256)
    if rng.random() < 0.1:
        del text[rng.randrange(len(text)):]
    return path, bytes(text)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_requests_get_clear_answers(sim, seed):
    rng = random.Random(seed)
    sim.user("Ann", id=1001)
    sim.sim("POST", "/sim/chats", {"type": "group", "title": "G",
                                   "members": [1001], "id": -42})
    link = http.client.HTTPConnection(sim.host, sim.port,
                                      timeout=harness.LIMIT)
    seen = set()
    for n in range(700):
        path, body = some_body(rng)
        link.request("POST", f"/sim/{path}", body)
        answer = link.getresponse()
        text = answer.read()
        where = (seed, n, path, body, text)
        assert answer.status in (200, 400, 404), where
        got = json.loads(text)
        if answer.status != 200:
            assert set(got) == {"error"} and got["error"], where
        seen.add((path, answer.status))
    link.close()
    assert len(seen) > 20
    for path in ("users", "chats", "calls", "updates", "faults", "limits"):
        status, _ = ask(sim, path, None, "GET")
        assert status == 200


# Without those that wait for updates or reach out to addresses.
METHODS = [m for m in json.loads(
    (harness.ROOT / "vendor/botapi/methods.json").read_text())["methods"]
    if m["name"] not in ("getUpdates", "setWebhook")]


def some_params(rng, method):
    params = {}
    for field in method["params"]:
        if rng.random() < (0.9 if field["required"] else 0.2):
            params[field["name"]] = some_value(rng)
    if "chat_id" in params and rng.random() < 0.8:
        params["chat_id"] = rng.choice([1001, -42])
    if "message_id" in params and rng.random() < 0.5:
        params["message_id"] = rng.randrange(1, 20)
    return params


def encoded(rng, params):
    """Body and Content-Type in one of the encodings."""
    texts = {name: value if isinstance(value, str) else json.dumps(value)
             for name, value in params.items()}
    kind = rng.randrange(3)
    if kind == 0:
        return json.dumps(params).encode(), "application/json"
    if kind == 1:
        return (urllib.parse.urlencode(texts).encode(),
                "application/x-www-form-urlencoded")
    parts = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"'
        + ('; filename="f"' if rng.random() < 0.2 else "")
        + f"\r\n\r\n{text}\r\n" for name, text in texts.items())
    return (parts + "--B--\r\n").encode(), "multipart/form-data; boundary=B"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_calls_get_clear_answers(sim, seed):
    rng = random.Random(seed)
    sim.user("Ann", id=1001)
    sim.sim("POST", "/sim/chats", {"type": "group", "title": "G",
                                   "members": [1001], "id": -42})
    for n in range(700):
        method = rng.choice(METHODS)
        body, kind = encoded(rng, some_params(rng, method))
        # logOut lasts: each round has a bot of its own.
        status, text = sim.request("POST", f"/bot{n // 20 + 1}:T/"
                                   + method["name"], body,
                                   {"Content-Type": kind})
        where = (seed, n, method["name"], body, text)
        assert status in (200, 400, 403, 404), where
        answer = json.loads(text)
        assert answer["ok"] is (status == 200), where
        if status != 200:
            assert answer["error_code"] == status, where
            assert answer["description"], where
    assert len(sim.calls()) == 700
