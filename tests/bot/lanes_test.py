"""Which updates wait for each other: the lanes and the option `order`."""
import sqlite3

import pytest

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local open = false

local function wait(ctx)
  while not open do task.sleep(0.01) end
  ctx:reply("done " .. ctx.message.text)
end

bot.command("wait", wait)
bot.command("open", function(ctx)
  open = true
  ctx:reply("opened")
end, { order = "none" })
bot.hears("^user", wait, { order = "user" })
bot.hears("^first", wait)
bot.hears("^first", wait, { order = "none" })
bot.hears("^chat", wait, { order = "chat" })
bot.hears("^none", wait, { order = "none" })
bot.callback("", function(ctx) ctx:answer_callback("pressed") end,
  { order = "user" })
bot.on("channel_post", function(ctx) ctx:reply("post") end,
  { order = "user" })
bot.on("message", function(ctx) ctx:reply(ctx.message.text) end)
"""


def texts(sim):
    return [c["params"]["text"] for c in sim.calls("sendMessage")]


def replied(sim, text):
    return sim.wait_call("sendMessage", lambda c: c["params"]["text"] == text)


def group_of(sim, *members):
    return sim.sim("POST", "/sim/chats", {
        "type": "supergroup", "title": "G", "members": list(members)})["id"]


def lanes_in_file(bot):
    """The text and the lane of every update that has not ended."""
    path = f"file:{bot.folder}/data/inbox.db?mode=ro"
    with sqlite3.connect(path, uri=True) as db:
        return dict(db.execute(
            "SELECT coalesce(json_extract(body, '$.message.text'), '-'), lane"
            " FROM inbox"))


def test_order_none_passes_a_handler_that_waits_in_its_chat(sim, engine):
    ann = sim.user("Ann")["id"]
    engine(BOT).start()
    sim.send(ann, "/wait")
    sim.send(ann, "behind")
    sim.send(ann, "/open")
    replied(sim, "behind")
    assert texts(sim) == ["opened", "done /wait", "behind"]


def test_order_user_lets_a_group_run_side_by_side(sim, engine):
    ann, bob = sim.user("Ann")["id"], sim.user("Bob")["id"]
    group = group_of(sim, ann, bob)
    engine(BOT).start()
    sim.send(ann, "user 1", chat=group)
    sim.send(ann, "user 2", chat=group)
    sim.send(bob, "other", chat=group)
    replied(sim, "other")
    assert texts(sim) == ["other"]
    sim.send(bob, "/open")
    replied(sim, "done user 2")
    done = [text for text in texts(sim) if text.startswith("done")]
    assert done == ["done user 1", "done user 2"]


def test_the_lane_is_stored_with_the_update(sim, engine):
    ann = sim.user("Ann")["id"]
    bot = engine(BOT).start()
    for text in ("/wait", "user", "first", "chat", "none 1", "none 2"):
        sim.send(ann, text)
    sim.send(ann, "/open@nobody")  # another bot's: no order of ours
    eve = sim.user("Eve")["id"]
    sim.send(eve, "last")
    replied(sim, "last")
    sim.events.wait_count("update", 8, lambda u: u["state"] == "confirmed")
    bot.kill()
    lanes = lanes_in_file(bot)
    chat, user = f"chat:{ann}", f"user:{ann}"
    assert lanes["/wait"] == lanes["first"] == lanes["chat"] == chat
    assert lanes["/open@nobody"] == chat
    assert lanes["user"] == user
    alone = {lanes["none 1"], lanes["none 2"]}
    assert len(alone) == 2 and all(a.startswith("update:") for a in alone)


def test_an_order_without_its_user_changes_nothing(sim, engine):
    ann = sim.user("Ann")["id"]
    channel = sim.sim("POST", "/sim/chats", {
        "type": "channel", "title": "C", "members": [ann]})["id"]
    engine(BOT).start()
    sim.sim("POST", "/sim/update", {"channel_post": {
        "message_id": 5, "date": 1700000000, "text": "news",
        "chat": {"id": channel, "type": "channel", "title": "C"}}})
    replied(sim, "post")


def test_a_filter_that_raises_leaves_the_lane_and_is_logged(sim, engine):
    ann = sim.user("Ann")["id"]
    bot = engine("""
        local bot = require "moonlet.bot"
        bot.hears("(.-)(.-)(.-)(.-)#", function() end, { order = "none" })
        bot.on("message", function(ctx) ctx:reply("fine") end)
    """).start()
    sim.send(ann, "a" * 4000)
    row = bot.wait_event("order.failed")
    assert row["lane"] == f"chat:{ann}" and row["kind"] == "limit"
    assert row["script"] == "main.lua" and row["line"] == 3
    bot.wait_event("handler.error")
    sim.send(ann, "b")
    replied(sim, "fine")


def test_without_an_order_no_script_is_asked(sim, engine):
    ann = sim.user("Ann")["id"]
    bot = engine("""
        local bot = require "moonlet.bot"
        bot.hears("(.-)(.-)(.-)(.-)#", function() end)
    """).start()
    sim.send(ann, "a" * 4000)
    bot.wait_event("handler.error")
    assert "order.failed" not in bot.stop()


@pytest.mark.parametrize("order", ['"all"', "true", "{}"])
def test_an_unknown_order_does_not_load(engine, order):
    bot = engine(f"""
        local bot = require "moonlet.bot"
        bot.command("x", function() end, {{ order = {order} }})
    """).start(wait=False)
    assert bot.process.wait() == 1
    assert "main.lua:3" in bot.process.text()
    assert 'order must be "chat", "user" or "none"' in bot.process.text()
