"""kill -9 in the middle of polled updates: promise 1 of the design."""
import random

import pytest

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
bot.on("message:text", function(ctx)
  -- A few waits, so that the kill finds handlers at every stage.
  task.sleep((ctx.update.update_id % 7) / 1000)
  local mark = ctx.update.redelivered and " again" or ""
  ctx:reply(ctx.message.text .. mark)
end)
"""

CHATS = 50
UPDATES = 500


def numbers_by_chat(calls):
    """The numbered answers of each chat in the order in which they came."""
    chats = {}
    for call in calls:
        words = call["params"]["text"].split()
        chats.setdefault(call["chat_id"], []).append(
            (int(words[0]), "again" in words))
    return chats


@pytest.mark.parametrize("seed", range(5))
def test_kill_9_loses_nothing_and_marks_repeats(sim, engine, seed):
    chance = random.Random(seed)
    users = [sim.user(f"U{i}")["id"] for i in range(CHATS)]
    bot = engine(BOT).start()
    for i in range(UPDATES):
        sim.send(users[i % CHATS], str(i))
    deaths = 0
    while deaths < 3:
        wanted = chance.randrange(1, UPDATES * (deaths + 1) // 4)
        sim.events.wait_count("call", wanted,
                              lambda c: c["method"] == "sendMessage")
        bot.kill()
        deaths += 1
        bot.start()
    answered = set()

    def is_new(call):
        if call["method"] == "sendMessage":
            answered.add(call["params"]["text"].split()[0])
        return len(answered) == UPDATES

    sim.events.wait("call", is_new)
    bot.stop()

    for chat, numbers in numbers_by_chat(sim.calls("sendMessage")).items():
        expected = [i for i in range(UPDATES) if users[i % CHATS] == chat]
        first_times = [n for n, again in numbers if not again]
        assert first_times == sorted(set(first_times)), "a repeat unmarked"
        seen = []
        for n, _ in numbers:
            if n not in seen:
                seen.append(n)
        assert seen == expected, f"chat {chat}: order or loss"
        for n, _ in numbers:
            assert sum(1 for m, _ in numbers if m == n) <= 1 + deaths


def test_what_has_ended_is_not_repeated(sim, engine):
    """The end mark is on disk at the latest one writer batch after the end:
    a clean round of updates that was followed by another one never returns."""
    users = [sim.user(f"U{i}")["id"] for i in range(10)]
    bot = engine(BOT).start()
    for i in range(100):
        sim.send(users[i % 10], str(i))
    sim.events.wait_count("call", 100,
                          lambda c: c["method"] == "sendMessage")
    # The marker's update goes through the same writer after all the others.
    sim.send(users[0], "1000")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "1000")
    sim.send(users[0], "1001")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "1001")
    bot.kill()
    bot.start()
    sim.send(users[1], "2000")
    sim.wait_call("sendMessage", lambda c: c["params"]["text"] == "2000")
    texts = [c["params"]["text"] for c in sim.calls("sendMessage")]
    for i in range(100):
        assert texts.count(str(i)) == 1 and f"{i} again" not in texts
