"""What becomes of a call when the server or the line misbehaves: nothing is
sent twice, scripts get an error that says what is known, the bot goes on."""
import json

import harness
import pytest

from fault.calls import assert_goes_on, outcome
from fault.raw_api import CLOSE, SILENT, failed, http, ok

HTML = "<html><head><title>502 Bad Gateway</title></head></html>"


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
