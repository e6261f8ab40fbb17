"""A second engine on one DATA_DIR: refused, or waiting for the first's end."""
import json
import signal

import harness
import pytest

TAKES_OVER = 15.0  # seconds, promised

BOT = """
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx)
  ctx:reply(ctx.message.text .. " for %s")
end)
"""


@pytest.fixture
def first(engine):
    return engine(BOT % "the first", HTTP_PORT=harness.free_port()).start()


@pytest.fixture
def standby(engine, first):
    """Has scripts of its own, so that its answers are known."""
    data = first.folder / "data"

    def make(name="the second"):
        made = engine(BOT % name, folder=name, DATA_DIR=data,
                      HTTP_PORT=harness.free_port())
        made.start(wait=False, options=["--standby"])
        made.wait_event("standby.waiting")
        return made

    return make


def peer(engine):
    return harness.HttpPeer("127.0.0.1", int(engine.settings["HTTP_PORT"]))


def get(engine, path, method="GET"):
    status, body = peer(engine).request(method, path)
    return status, json.loads(body) if body[:1] == b"{" else body


def answered(sim, text):
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == text)


def test_a_waiting_one_tells_and_does_nothing(sim, first, standby):
    ann = sim.user("Ann")["id"]
    second = standby()
    pid = first.process.child.pid
    assert str(pid) in second.wait_event("standby.waiting")["reason"]
    assert get(second, "/health")[0] == 200
    status, ready = get(second, "/ready")
    assert status == 503
    assert ready["role"] == "standby" and not ready["ready"]
    assert get(second, "/webhook", "POST")[0] == 503
    assert get(second, "/api/status")[0] == 503
    status, ready = get(first, "/ready")
    assert status == 200 and ready["role"] == "active"
    sim.send(ann, "one")
    answered(sim, "one for the first")
    assert second.stop() and not [
        line for line in second.process.lines if '"ready"' in line]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_takes_over_when_the_first_ends(sim, first, standby, number):
    ann = sim.user("Ann")["id"]
    second = standby()
    sim.send(ann, "one")
    answered(sim, "one for the first")
    first.process.end(number)
    second.wait_event("ready", limit=TAKES_OVER)
    assert "standby.takes_over" in second.process.text()
    assert get(second, "/ready")[1]["role"] == "active"
    assert get(second, "/api/status")[0] == 200
    sim.send(ann, "two")
    answered(sim, "two for the second")


def test_what_the_first_left_behind_is_handled(sim, first, standby):
    users = [sim.user(f"U{i}")["id"] for i in range(20)]
    second = standby()
    for i in range(100):
        sim.send(users[i % 20], str(i))
    sim.wait_call("sendMessage")
    first.kill()
    second.wait_event("ready", limit=TAKES_OVER)
    seen = set()

    def is_last(call):
        if call["method"] == "sendMessage":
            seen.add(int(call["params"]["text"].split()[0]))
        return len(seen) == 100

    sim.events.wait("call", is_last)


def test_one_of_two_takes_over_and_the_other_goes_on_waiting(
        sim, first, standby):
    ann = sim.user("Ann")["id"]
    both = [standby("the second"), standby("the third")]
    first.kill()
    sim.send(ann, "one")
    call = sim.wait_call("sendMessage")
    winner = both["third" in call["params"]["text"]]
    other = both[winner is both[0]]
    assert get(winner, "/ready")[1]["role"] == "active"
    assert get(other, "/ready")[1]["role"] == "standby"
    winner.kill()
    other.wait_event("ready", limit=TAKES_OVER)


def test_a_free_folder_is_taken_at_once(sim, engine):
    ann = sim.user("Ann")["id"]
    only = engine(BOT % "the only one").start(options=["--standby"])
    assert "standby.waiting" not in only.process.text()
    sim.send(ann, "one")
    answered(sim, "one for the only one")


def test_without_the_option_it_is_refused(first):
    second = harness.Process(["run"], cwd=first.folder, env={
        **first.environment(), "HTTP_PORT": harness.free_port()})
    assert second.wait() == 1
    assert f"in use by process {first.process.child.pid}" in second.text()
    assert get(first, "/ready")[0] == 200


def test_a_waiting_one_whose_port_is_taken_ends(first):
    second = harness.Process(["run", "--standby"], cwd=first.folder,
                             env=first.environment())
    assert second.wait() == 1
    assert first.settings["HTTP_PORT"] in second.lines[-1]
