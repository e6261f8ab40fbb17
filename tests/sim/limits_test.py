"""The limits over sockets: what a client feels before anybody has set any,
and what it is told afterwards. The rules are tested on the virtual clock."""
import http.client
import json

import harness
import pytest


@pytest.fixture
def limited():
    sim = harness.Sim(limits=True)
    yield sim
    sim.close()


def send(sim, chat, **more):
    link = http.client.HTTPConnection(sim.host, sim.port,
                                      timeout=harness.LIMIT)
    link.request("POST", "/bot77:T/sendMessage",
                 json.dumps({"chat_id": chat, "text": "x", **more}),
                 {"Content-Type": "application/json"})
    answer = link.getresponse()
    body = json.loads(answer.read())
    link.close()
    return answer, body


def test_a_new_simulator_is_latent(limited):
    ann = limited.user("Ann")["id"]
    shown = limited.sim("GET", "/sim/limits")
    assert shown == {"per_second": 30, "per_chat": 1, "per_group_minute": 20,
                     "latent": True, "waiting": 0, "refused": 0, "blocked": [],
                     "upload_max": 2000 * 1024 * 1024, "download_max": 0}
    dates = []
    for _ in range(5):
        answer, body = send(limited, ann)
        assert answer.status == 200
        dates.append(body["result"]["date"])
    # The fourth waits for one second and the fifth for another.
    assert dates == sorted(dates) and dates[4] - dates[0] >= 1


def test_a_429_says_how_long_twice(limited):
    ann = limited.user("Ann")["id"]
    limited.limits(per_chat=1)
    for _ in range(3):
        assert send(limited, ann)[0].status == 200
    answer, body = send(limited, ann)
    assert answer.status == 429 and answer.headers["Retry-After"] == "1"
    assert body == {"ok": False, "error_code": 429,
                    "description": "Too Many Requests: retry after 1",
                    "parameters": {"retry_after": 1}}
    answer, body = send(limited, ann)
    assert answer.headers["Retry-After"] == "2"
    call = limited.calls("sendMessage")[-1]
    assert (call["status"], call["chat_id"]) == (429, ann)


def test_a_client_that_leaves_has_sent(limited):
    ann = limited.user("Ann")["id"]
    for _ in range(3):
        send(limited, ann)
    link = http.client.HTTPConnection(limited.host, limited.port)
    link.request("POST", "/bot77:T/sendMessage",
                 json.dumps({"chat_id": ann, "text": "late"}),
                 {"Content-Type": "application/json"})
    while limited.sim("GET", "/sim/limits")["waiting"] == 0:
        pass
    link.close()
    call = limited.wait_call("sendMessage",
                             lambda c: c["params"]["text"] == "late")
    assert call["status"] == 0 and call["result"]["text"] == "late"
    shown = limited.sim("GET", f"/sim/chats/{ann}/messages")
    assert [m["text"] for m in shown] == ["x", "x", "x", "late"]


def test_a_wait_of_8_s_is_hidden_and_a_longer_one_is_told():
    sim = harness.Sim("--virtual-clock", limits=True)
    ann = sim.user("Ann")["id"]
    for _ in range(3):
        assert send(sim, ann)[0].status == 200
    waiting = []
    for seconds in range(1, 9):
        link = http.client.HTTPConnection(sim.host, sim.port,
                                          timeout=harness.LIMIT)
        link.request("POST", "/bot77:T/sendMessage",
                     json.dumps({"chat_id": ann, "text": str(seconds)}),
                     {"Content-Type": "application/json"})
        waiting.append(link)
        while sim.sim("GET", "/sim/limits")["waiting"] < seconds:
            pass
    answer, body = send(sim, ann)
    assert answer.status == 429 and body["parameters"]["retry_after"] == 9
    began = sim.sim("POST", "/sim/clock", {"advance": 0})["now"]
    sim.sim("POST", "/sim/clock", {"advance": 8})
    for seconds, link in enumerate(waiting, 1):
        answer = link.getresponse()
        message = json.loads(answer.read())["result"]
        assert (answer.status, message["text"]) == (200, str(seconds))
        assert message["date"] == int(began + seconds)
        link.close()
    sim.close()
