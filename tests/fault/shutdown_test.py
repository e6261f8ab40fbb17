"""SIGTERM with 1,000 handlers running and more updates waiting."""
import signal
from collections import Counter

import pytest

from fault import raw_api

RUNNING = 1000  # as many as the engine runs at the same time
WAITING = 500

BOT = """
local bot = require "moonlet.bot"
local fs = require "moonlet.fs"
local task = require "moonlet.task"
local begun, open = 0, false

bot.on_start(function()
  while not fs.stat("go") do task.sleep(0.02) end
  open = true
end)

bot.on("message:text", function(ctx)
  begun = begun + 1
  if begun == %d then ctx.api.sendChatAction{
    chat_id = ctx.chat.id, action = "typing" } end
  while not open do task.sleep(0.1) end
  ctx:reply(ctx.message.text .. (ctx.update.redelivered and " again" or ""))
end)
"""


@pytest.fixture
def api():
    server = raw_api.RawApi()
    server.plan_all("sendMessage", {"message_id": 1, "date": 1,
                                    "chat": {"id": 1, "type": "private"}})
    yield server
    server.close()


@pytest.fixture
def full(api, tmp_path):
    """An engine that runs all that it may, with WAITING updates behind: a
    third in the lanes of running ones."""
    def make(**settings):
        bot = harness_engine(tmp_path, api, settings)
        for i in range(RUNNING + WAITING):
            api.deliver(str(i), user=1 + (i if i < RUNNING else i * 3 % 2000))
        bot.start()
        api.wait("sendChatAction", 1)
        return bot
    return make


def harness_engine(folder, api, settings):
    import harness
    return harness.Engine(folder / "project", api.url, BOT % RUNNING,
                          **settings)


def answers(api):
    return Counter(r.params["text"] for r in api.of("sendMessage"))


def let_go(bot):
    files = bot.folder / "data" / "files"
    files.mkdir(exist_ok=True)
    (files / "go").write_text("go")


def test_handlers_that_end_in_time_are_waited_for(api, full):
    bot = full(SHUTDOWN_TIMEOUT=60)
    bot.process.child.send_signal(signal.SIGTERM)
    bot.wait_event("engine.stopping", handlers=RUNNING)
    let_go(bot)
    assert bot.process.wait(60) == 0
    assert "engine.shutdown_limit" not in bot.process.text()
    assert answers(api) == Counter(str(i) for i in range(RUNNING))
    bot.start()
    api.wait("sendMessage", RUNNING + WAITING)
    bot.stop()
    assert answers(api) == Counter(str(i) for i in range(RUNNING + WAITING))


def test_the_others_come_back_marked(api, full):
    bot = full(SHUTDOWN_TIMEOUT=1)
    assert bot.process.end() == 0
    assert '"event":"engine.shutdown_limit"' in bot.process.text()
    assert f'"handlers_left":{RUNNING}' in bot.process.text()
    assert not answers(api)
    let_go(bot)
    bot.start()
    api.wait("sendMessage", RUNNING + WAITING)
    bot.stop()
    begun = [f"{i} again" for i in range(RUNNING)]
    waited = [str(i) for i in range(RUNNING, RUNNING + WAITING)]
    assert answers(api) == Counter(begun + waited)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_the_end_changes_nothing(api, tmp_path, number):
    bot = harness_engine(tmp_path, api, {}).start()
    bot.process.child.send_signal(signal.SIGTERM)
    bot.wait_event("engine.stopped")
    bot.process.child.send_signal(number)
    assert bot.process.wait() == 0
