"""POST /sim/clock: a clock that stands still, and a real one in play."""
import json
import threading
import time

import pytest

import harness

DAY = 86400


@pytest.fixture
def sim():
    instance = harness.Sim("--virtual-clock")
    yield instance
    instance.close()


def forward(peer, seconds):
    return peer.sim("POST", "/sim/clock", {"advance": seconds})["now"]


def test_time_stands_still_until_it_is_moved(sim, api):
    began = forward(sim, 0)
    assert abs(began - time.time()) < harness.LIMIT
    user = sim.user("Ann")["id"]
    assert sim.send(user, "x")["date"] == int(began)
    assert forward(sim, DAY) == began + DAY
    assert forward(sim, 0.5) == began + DAY + 0.5
    assert sim.send(user, "x")["date"] == int(began + DAY + 0.5)


def test_a_long_poll_waits_for_the_clock(sim, api):
    got = []
    began = forward(sim, 0)
    thread = threading.Thread(
        target=lambda: got.append(api("getUpdates", timeout=50)))
    thread.start()
    while not got:
        now = forward(sim, 49)
    thread.join(harness.LIMIT)
    assert got == [[]] and now >= began + 49


def test_updates_expire(sim, api):
    sim.sim("POST", "/sim/update", {"inline_query": {"id": "1"}})
    sim.sim("POST", "/sim/update", {"callback_query": {"id": "1"}})
    forward(sim, 31)
    assert api("getWebhookInfo")["pending_update_count"] == 1
    forward(sim, 120)
    assert api("getWebhookInfo")["pending_update_count"] == 0
    assert [row["state"] for row in sim.sim("GET", "/sim/updates")] == [
        "expired", "expired"]


def test_a_day_of_retries_in_a_moment(sim, api, serve):
    """Its posts go over sockets: the clock waits for each answer."""
    hook = serve(*[500] * 5000)
    api("setWebhook", url=hook.url)
    sim.send(sim.user("Ann")["id"], "x")
    forward(sim, 62)
    assert len(hook.posts) == 7  # at 0, 0, 2, 6, 14, 30 and 62 s
    forward(sim, DAY)
    count = len(hook.posts)
    assert DAY / 120 <= count <= DAY / 60
    assert api("getWebhookInfo")["pending_update_count"] == 0
    forward(sim, 200)
    assert len(hook.posts) == count


def test_a_silent_webhook_does_not_stop_the_clock(sim, api, serve):
    hook = serve("hold")
    api("setWebhook", url=hook.url)
    sim.send(sim.user("Ann")["id"], "x")
    hook.wait(1)
    forward(sim, 61)
    assert api("getWebhookInfo")["last_error_message"] == (
        "Read timeout expired")


@pytest.mark.parametrize("body, word", [
    ({}, "advance: is required"), ({"advance": -1}, "not negative"),
    ({"advance": "1h"}, "must be a number"), ({"advance": None}, "number"),
    ({"advance": 1e300}, "at most 31622400"),
    ({"advance": 1, "by": 2}, "by: no such field")])
def test_what_is_no_advance(sim, body, word):
    assert word in sim.sim("POST", "/sim/clock", body, 400)["error"]


def test_half_a_request_moves_nothing(sim, api):
    began = forward(sim, 0)
    for body in ('{"advance":', "", "[5]"):
        status, answer = sim.request("POST", "/sim/clock", body)
        assert status == 400 and "JSON object" in json.loads(answer)["error"]
    assert forward(sim, 0) == began


def test_a_real_clock_is_left_alone():
    plain = harness.Sim()
    assert "--virtual-clock" in plain.sim(
        "POST", "/sim/clock", {"advance": 1}, 400)["error"]
    plain.close()


SLEEPER = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.command("sleep", function(ctx)
  ctx:reply("good night")
  task.sleep("8h")
  ctx:reply("good morning")
end)
"""


def test_play_puts_its_real_clock_forward(tmp_path):
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "main.lua").write_text(SLEEPER)
    play = harness.Play(tmp_path, tmp_path / "bot",
                        HANDLER_TIMEOUT="1d")
    events = harness.Events(play)
    ann = play.sim("GET", "/sim/users")[0]["id"]
    try:
        play.sim("POST", "/sim/send", {"from": ann, "text": "/sleep"})
        events.wait("message", lambda m: m["message"].get("text")
                    == "good night")
        before = time.time()
        now = forward(play, 8 * 3600 + 1)
        assert before + 8 * 3600 < now < time.time() + 8 * 3600 + 2
        told = events.wait("message", lambda m: m["message"].get("text")
                           == "good morning")
        assert told["message"]["date"] >= before + 8 * 3600 - 1
    finally:
        events.close()
        play.close()
