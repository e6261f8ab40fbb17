"""Webhooks over sockets: what a bot gets to see, and what it may do."""
import json

import harness


def confirmed(sim, count):
    sim.events.wait_count("update", count,
                          lambda row: row["state"] == "confirmed")


def test_a_post_is_one_that_telegram_would_send(sim, api, serve):
    hook = serve()
    api("setWebhook", url=hook.url, secret_token="a-B_9")
    ann = sim.user("Ann")["id"]
    sim.send(ann, "one")
    sim.send(ann, "two")
    first, second = hook.wait(2)
    assert first["message"]["text"] == "one"
    assert second["update_id"] == first["update_id"] + 1
    path, headers, body = hook.posts[0]
    assert path == "/hook?a=b"
    assert headers["X-Telegram-Bot-Api-Secret-Token"] == "a-B_9"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"127.0.0.1:{hook.port}"
    assert "Expect" not in headers
    assert body.startswith(b'{"update_id":%d,\n"message":{'
                           % first["update_id"])
    assert len(set(hook.addresses)) == 1, "the connection was kept"
    confirmed(sim, 2)
    assert api("getWebhookInfo") == {
        "url": hook.url, "has_custom_certificate": False,
        "pending_update_count": 0, "max_connections": 40,
        "ip_address": "127.0.0.1"}


def test_chats_come_side_by_side(sim, api, serve):
    hook = serve(200, *["hold"] * 5)
    api("setWebhook", url=hook.url)
    users = [sim.user(f"U{i}")["id"] for i in range(6)]
    for user in users:
        sim.send(user, "x")
    hook.wait(6)
    assert api("getWebhookInfo")["pending_update_count"] == 5
    hook.release()
    confirmed(sim, 6)
    assert len(set(hook.addresses)) >= 5


def test_what_fails_comes_again(sim, api, serve):
    hook = serve(500, "close", (302, {"Location": "/x"}, ""))
    api("setWebhook", url=hook.url)
    sim.send(sim.user("Ann")["id"], "x")
    updates = hook.wait(4)  # at once, after 2 s, after 4 s
    assert all(update == updates[0] for update in updates)
    confirmed(sim, 1)
    assert api("getWebhookInfo")["last_error_message"] == (
        "Wrong response from the webhook: 302 Found")


def test_nobody_listens_there(sim, api, serve):
    port = int(harness.free_port())
    url = f"http://127.0.0.1:{port}/hook"
    assert api("setWebhook", url=url) is True
    sim.send(sim.user("Ann")["id"], "x")
    while "last_error_message" not in (info := api("getWebhookInfo")):
        pass
    assert info["last_error_message"] == "Can't connect to the webhook"
    assert info["last_error_date"] > 1.6e9
    hook = serve(port=port)
    hook.wait(1)
    confirmed(sim, 1)


def test_an_answer_may_be_a_call(sim, api, serve):
    ann = sim.user("Ann")["id"]
    call = json.dumps({"method": "sendMessage", "chat_id": ann, "text": "hi"})
    hook = serve((200, {"Content-Type": "application/json"}, call))
    api("setWebhook", url=hook.url)
    sim.send(ann, "x")
    row = sim.wait_call("sendMessage")
    assert (row["status"], row["params"]["text"], row["reply"]) == (
        200, "hi", True)


def test_it_ends_while_posts_are_on_their_way(sim, api, serve):
    hook = serve("hold")
    api("setWebhook", url=hook.url)
    sim.send(sim.user("Ann")["id"], "x")
    hook.wait(1)  # the fixture's end checks that it ends clean


BOT = """
local bot = require "moonlet.bot"
bot.on("message:text", function(ctx) ctx:reply(ctx.message.text) end)
"""


def test_updates_outlive_an_engine_that_is_killed(sim, engine):
    port = harness.free_port()
    bot = engine(BOT, HTTP_PORT=port, WEBHOOK_SECRET="s3cret",
                 WEBHOOK_URL=f"http://127.0.0.1:{port}/webhook").start()
    ann = sim.user("Ann")["id"]
    sim.send(ann, "1")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "1")
    bot.kill()
    for number in range(2, 6):
        sim.send(ann, str(number))
    bot.start()
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "5")
    bot.stop()
    texts = [c["params"]["text"] for c in sim.calls("sendMessage")]
    # The first one may not have been noted as done when the engine died.
    assert texts[-5:] == ["1", "2", "3", "4", "5"] and len(texts) <= 6
