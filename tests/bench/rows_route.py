"""Row "route": what it costs to find the handler of an update."""
import json
import tempfile
from pathlib import Path

from programs import run_tool

ROUTE_AIM_US = 5
UPDATES = 100000    # a round

HEAD = """
local bot = require "moonlet.bot"
local filter = require "moonlet.filter"
local function nothing() end
"""

BARE = """
require "bench.core".on_update(function() end)
"""

PERSON = {"id": 7001, "is_bot": False, "first_name": "Ann",
          "language_code": "en"}
CHAT = {"id": 7001, "type": "private", "first_name": "Ann"}
FIELDS = ["photo", "video", "document", "audio", "voice", "sticker", "contact",
          "location", "animation", "dice"]


def message(**fields):
    return {"message": {"message_id": 5, "date": 1767600000, "chat": CHAT,
                        "from": PERSON, **fields}}


def press(data):
    return {"callback_query": {
        "id": "5", "from": PERSON, "chat_instance": "1", "data": data,
        "message": message(text="Menu")["message"]}}


def commands(n):
    return (f'bot.command("do_{n}", nothing)', message(
        text=f"/do_{n} a b", entities=[
            {"type": "bot_command", "offset": 0, "length": 5}]))


def hears(n):
    return f'bot.hears("^topic {n} (%d+)$", nothing)', message(
        text=f"topic {n} 12")


def callbacks(n):
    # The button of a press is answered by itself, which is not routing.
    return (f'bot.callback("^page_{n}:(%d+)$", nothing, '
            '{ auto_answer = false })', press(f"page_{n}:3"))


def anywhere(n):
    return f'bot.hears("apples of sort {n} ", nothing)', message(
        text=f"I want 5 apples of sort {n} please")


def fields(n):
    field = FIELDS[n % len(FIELDS)]
    return (f'bot.on("message:{field}", nothing, '
            f'{{ allow = filter.chat_type("private") }})',
            message(**{field: {"file_id": "x"}}))


# 500 handlers: (how many, what makes one and an update for it).
MIX = [(240, commands), (140, hears), (100, callbacks), (10, anywhere),
       (10, fields)]


def write_files(folder):
    """The bot, the function to compare it with, and the updates."""
    updates, lines, groups = [], [HEAD], 0
    for count, make in MIX:
        for n in range(count):
            line, update = make(n)
            if n % 20 == 0:  # twenty handlers a group
                groups += 1
                lines.append("bot.group(filter.chat_type('private'), "
                             "function(bot)")
            lines.append(line)
            if n % 20 == 19 or n == count - 1:
                lines.append("end)")
            updates.append({"update_id": len(updates) + 1, **update})
    (folder / "bot").mkdir()
    (folder / "bot/main.lua").write_text("\n".join(lines) + "\n")
    (folder / "bare").mkdir()
    (folder / "bare/main.lua").write_text(BARE)
    (folder / "updates").write_text(
        "".join(json.dumps(u) + "\n" for u in updates))


def measure(table, moonlet, tools, options):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder)
        seen = run_tool([tools / "bench_route", folder / "bot",
                         folder / "bare", folder / "updates", str(UPDATES),
                         str(options.rounds)])
    table.add("route: CPU of 500 handlers, an update", "us",
              [(each["bot_ns"] - each["bare_ns"]) / 1000
               for each in seen["rounds"]], ROUTE_AIM_US)
    table.add("      a task that does nothing with it", "us",
              [each["bare_ns"] / 1000 for each in seen["rounds"]])
