"""Chats that flood: what they cost the others, and the memory."""
import os
import re
import signal

import harness
import pytest

from fault import raw_api

# ASan keeps what was freed; with less of it the figures mean something.
QUARANTINE = ":quarantine_size_mb=8"
GROWTH_MB = 64

BOT = """
local bot = require "moonlet.bot"
local task = require "moonlet.task"
local open, ended, last = false, 0, {}

bot.hears("^open$", function(ctx)
  open = true
  ctx:reply("opened")
end)
bot.hears("^ask$", function(ctx) ctx:reply("answer") end)
bot.hears("^%%d+$", function(ctx)
  while not open do task.sleep(0.05) end
  local n = tonumber(ctx.message.text)
  if n <= (last[ctx.chat.id] or -1) then ctx:reply("order lost at " .. n) end
  last[ctx.chat.id] = n
  ended = ended + 1
  if ended == %d then ctx:reply("all") end
end)
"""


@pytest.fixture
def api():
    server = raw_api.RawApi()
    server.plan_all("sendMessage", {"message_id": 1, "date": 1,
                                    "chat": {"id": 1, "type": "private"}})
    yield server
    server.close()


def said(api, text):
    api.wait_for(lambda: any(r.params["text"] == text
                             for r in api.of("sendMessage")), text)


def memory_mb(bot, row="VmHWM"):
    with open(f"/proc/{bot.process.child.pid}/status") as status:
        return int(re.search(rf"{row}:\s+(\d+) kB", status.read())[1]) / 1024


def start(folder, api, total, **settings):
    options = os.environ.get("ASAN_OPTIONS", "") + QUARANTINE
    return harness.Engine(folder, api.url, BOT % total,
                          ASAN_OPTIONS=options, LOG_LEVEL="info",
                          **settings).start()


def flood(api, total, chats):
    for i in range(total):
        api.deliver(str(i), user=100 + i % chats)


def test_a_chat_that_floods_does_not_hold_up_another(api, tmp_path):
    bot = start(tmp_path, api, 5000)
    flood(api, 5000, 1)
    api.deliver("ask", user=1)
    said(api, "answer")  # while the flood's first handler is still waiting
    assert len(api.of("sendMessage")) == 1
    api.deliver("open", user=2)
    said(api, "all")
    assert {r.params["text"] for r in api.of("sendMessage")} == {
        "answer", "opened", "all"}
    bot.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_many_floods_and_an_end(api, tmp_path, number):
    """More lanes than fit into memory with all that waits in them."""
    bot = start(tmp_path, api, 9000, SHUTDOWN_TIMEOUT=0)
    flood(api, 9000, 300)
    api.deliver("ask", user=1)
    said(api, "answer")
    assert bot.process.end(number) in (0, -signal.SIGKILL)
    bot.start()
    api.deliver("open", user=2)
    said(api, "all")
    assert {r.params["text"] for r in api.of("sendMessage")} == {
        "answer", "opened", "all"}
    bot.stop()


@pytest.mark.long
def test_100000_updates_wait_within_bounded_memory(api, tmp_path):
    bot = start(tmp_path, api, 100000, INBOX_LIMIT=110000)
    before = memory_mb(bot, "VmRSS")
    flood(api, 100000, 50)
    api.deliver("ask", user=1)
    api.wait_for(lambda: api.of("sendMessage"), "answer", 240)
    api.deliver("open", user=2)
    api.wait_for(lambda: len(api.of("sendMessage")) >= 3, "all", 240)
    grown = memory_mb(bot) - before
    print(f"100,000 updates took {grown:.1f} MB")
    assert grown < GROWTH_MB
    assert {r.params["text"] for r in api.of("sendMessage")} == {
        "answer", "opened", "all"}
    bot.stop()
