"""grammY from npm against `moonlet sim`: how a client that others wrote
behaves is the judge of the simulator. The bots are in tests/sim/grammy; they
are run from build/grammy, where their packages are installed once.
"""
import json
import shutil
import subprocess

import harness
import pytest

pytestmark = pytest.mark.long

SOURCES = harness.ROOT / "tests/sim/grammy"
FOLDER = harness.ROOT / "build/grammy"
TOKEN = "77:TOKEN"


def install_packages():
    """What package.json names, unless it is there since an earlier run."""
    wanted = (SOURCES / "package.json").read_text()
    stamp = FOLDER / "installed.json"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"],
        cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"npm cannot install what tests/sim/grammy/package.json names into "
        f"build/grammy:\n{done.stdout}{done.stderr}")
    stamp.write_text(wanted)


@pytest.fixture(scope="module")
def bots():
    """The folder from which they run."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.iterdir():
        shutil.copy(source, FOLDER)
    install_packages()
    return FOLDER


class Bot:
    """One node process; what it tells are lines of JSON."""

    def __init__(self, script, options):
        self.process = harness.Process([script, json.dumps(options)],
                                       program="node")

    def wait(self, event, number=1):
        """What it told with the number-th such event."""
        start = 0
        for _ in range(number):
            line = self.process.wait_line(rf'^{{"event":"{event}"',
                                          start=start)
            start = self.process.lines.index(line, start) + 1
        return json.loads(line)

    def told(self, event):
        rows = [json.loads(line) for line in self.process.lines]
        return [row for row in rows if row["event"] == event]

    def stop(self):
        """Ends it as bot authors do, by a signal."""
        assert self.process.end() == 0, self.process.text()
        assert self.told("stopped"), self.process.text()


@pytest.fixture
def node(bots, sim):
    """Starts bots; those that still run are killed at the end."""
    made = []

    def start(script, **options):
        made.append(Bot(bots / script, {"token": TOKEN, "apiRoot": sim.url,
                                        **options}))
        return made[-1]

    yield start
    for bot in made:
        bot.process.child.kill()
        bot.process.wait()


@pytest.fixture
def polling(node):
    def start(**options):
        bot = node("polling.js", start=options)
        bot.wait("started")
        return bot
    return start


@pytest.fixture
def calls(node):
    """Makes API calls; a result, or {"error": …} as grammY tells it, each."""
    def make(*wanted, **options):
        bot = node("calls.js", calls=wanted, **options)
        assert bot.process.wait() == 0, bot.process.text()
        told = bot.told("answer")
        assert len(told) == len(wanted), bot.process.text()
        return [row.get("result", row) for row in told]
    return make


@pytest.fixture
def ann(sim, calls):
    """A person who can write to the bot."""
    calls(["getMe"])  # the bot that /sim acts for
    return sim.user("Ann")["id"]


def replied(sim, text, **more):
    return sim.wait_call("sendMessage",
                         lambda call: call["params"].get("text") == text,
                         **more)


def confirmed(sim, count):
    sim.events.wait_count("update", count,
                          lambda row: row["state"] == "confirmed")


def group(sim, *members, **more):
    return sim.sim("POST", "/sim/chats", {
        "type": "group", "title": "Tea", "members": list(members),
        **more})["id"]


def shown(sim, chat):
    return sim.sim("GET", f"/sim/chats/{chat}/messages")


def texts(sim, chat):
    return [message.get("text") for message in shown(sim, chat)]


def error(code, method, description, **parameters):
    return {"name": "GrammyError", "error_code": code,
            "message": f"Call to '{method}' failed! ({code}: {description})",
            "description": description, "parameters": parameters}


def test_polling_commands_and_texts(sim, ann, polling):
    bot = polling()
    sim.send(ann, "/start")
    replied(sim, "Hello, Ann")
    sim.send(ann, "/startle")
    replied(sim, "/startle")
    sim.send(ann, "see http://example.com/a, or https://example.org")
    replied(sim, "http://example.com/a and https://example.org")
    sim.sim("POST", "/sim/send", {
        "from": ann, "document": {"name": "a b.txt", "size": 12}})
    replied(sim, "a b.txt, 12 bytes")
    bot.stop()


def test_polling_buttons(sim, ann, polling):
    bot = polling()
    sim.send(ann, "/menu")
    menu = replied(sim, "Tea or coffee?")["result"]
    assert menu["reply_markup"]["inline_keyboard"] == [
        [{"text": "Tea", "callback_data": "drink:tea"},
         {"text": "Coffee", "callback_data": "drink:coffee"}],
        [{"text": "Site", "url": "https://example.com/"}]]
    sim.sim("POST", "/sim/click", {"from": ann, "text": "Coffee"})
    pressed = sim.events.wait("callback", lambda row: row["answered"])
    assert (pressed["text"], pressed["show_alert"]) == ("Enjoy it", True)
    last = shown(sim, ann)[-1]
    assert (last["message_id"], last["text"]) == (menu["message_id"],
                                                  "One coffee")
    assert "reply_markup" not in last
    sim.send(ann, "/size")
    size = replied(sim, "Which size?")
    assert size["params"]["reply_markup"] == {
        "keyboard": [[{"text": "Small"}, {"text": "Large"}]],
        "resize_keyboard": True}
    bot.stop()


def test_polling_a_group(sim, ann, polling):
    bot = polling()
    name = bot.wait("started")["username"]
    tea = group(sim, ann)
    asked = sim.send(ann, f"/who@{name}", chat=tea)
    answer = replied(sim, "Ann in Tea")["result"]
    assert answer["chat"]["id"] == tea
    assert answer["reply_to_message"]["message_id"] == asked["message_id"]
    sim.send(ann, "/who@another_bot", chat=tea)
    replied(sim, "/who@another_bot")  # as any other text
    sim.send(ann, "/who")
    replied(sim, "/who")  # a private chat is no group
    sim.sim("POST", "/sim/kick", {"chat": tea, "kicked": True})
    row = bot.wait("membership")
    assert (row["chat"], row["status"]) == (tea, "kicked")
    bot.stop()


def test_a_stopped_bot_has_confirmed_its_offset(sim, ann, polling):
    bot = polling()
    sim.send(ann, "/halt")  # bot.stop() while it handles this
    assert bot.process.wait() == 0 and bot.told("stopped")
    confirmed(sim, 1)
    last = sim.calls("getUpdates")[-1]["params"]
    assert last["limit"] == 1 and last["offset"] > 1
    sim.send(ann, "one")
    bot = polling()
    replied(sim, "one")
    bot.stop()
    assert texts(sim, ann) == ["/halt", "one", "one"]


def test_the_older_of_two_pollers_ends(sim, ann, polling):
    older = polling()
    sim.send(ann, "one")
    confirmed(sim, 1)  # so it polls again
    newer = polling()
    assert older.process.wait() == 1
    told = older.wait("error")
    assert told == {"event": "error", **error(
        409, "getUpdates", "Conflict: terminated by other getUpdates request; "
        "make sure that only one bot instance is running")}
    sim.send(ann, "two")
    replied(sim, "two")
    newer.stop()
    assert texts(sim, ann) == ["one", "one", "two", "two"]


def test_what_came_before_can_be_dropped(sim, ann, polling):
    sim.send(ann, "old")
    bot = polling(drop_pending_updates=True)
    sim.send(ann, "new")
    replied(sim, "new")
    bot.stop()
    assert texts(sim, ann) == ["old", "new", "new"]


def test_allowed_updates_are_kept(sim, ann, polling, calls):
    wanted = ["message", "message_reaction"]
    bot = polling(allowed_updates=wanted)
    message = sim.send(ann, "one")
    replied(sim, "one")
    tea = group(sim, ann)
    sim.sim("POST", "/sim/kick", {"chat": tea, "kicked": True})
    sim.sim("POST", "/sim/update", {"message_reaction": {
        "chat": {"id": ann, "type": "private", "first_name": "Ann"},
        "message_id": message["message_id"], "date": 1,
        "user": {"id": ann, "is_bot": False, "first_name": "Ann"},
        "old_reaction": [],
        "new_reaction": [{"type": "emoji", "emoji": "👍"}]}})
    assert bot.wait("reaction")["emojiAdded"] == ["👍"]
    bot.stop()
    assert bot.told("membership") == []
    first, *later = [call["params"] for call in sim.calls("getUpdates")]
    assert first["allowed_updates"] == wanted and later
    assert all("allowed_updates" not in params for params in later)
    info, = calls(["getWebhookInfo"])
    assert info["allowed_updates"] == wanted
    # A bot that names none asks for the defaults, and gets them.
    bot = polling()
    sim.send(ann, "two")
    replied(sim, "two")
    sim.sim("POST", "/sim/kick", {"chat": tea, "kicked": False})
    bot.wait("membership")
    bot.stop()
    info, = calls(["getWebhookInfo"])
    assert "allowed_updates" not in info


def test_the_runner_serves_chats_side_by_side(sim, ann, node):
    bob = sim.user("Bob")["id"]
    bot = node("runner.js")
    bot.wait("started")
    sim.send(ann, "hold")
    replied(sim, "holding")
    sim.send(ann, "after")
    sim.send(bob, "go")
    replied(sim, "after")
    assert texts(sim, ann) == ["hold", "holding", "after", "released", "after"]
    for number in range(40):
        sim.send((ann, bob)[number % 2], f"{number}")
    for number in range(40):
        replied(sim, f"{number}")
    bot.stop()
    confirmed(sim, 43)


def test_a_webhook_gets_updates_with_the_secret(sim, ann, node, calls):
    bot = node("webhook.js", secret="s3-cret_")
    url = bot.wait("started")["url"]
    for text in "one", "two":
        sim.send(ann, text)
        replied(sim, text)
    confirmed(sim, 2)
    info, = calls(["getWebhookInfo"])
    assert (info["url"], info["pending_update_count"]) == (url, 0)
    assert "last_error_message" not in info
    conflict, = calls(["getUpdates", {}])
    assert conflict["error"] == error(
        409, "getUpdates", "Conflict: can't use getUpdates method while "
        "webhook is active; use deleteWebhook to delete the webhook first")
    bot.stop()


def test_a_wrong_secret_is_told_by_the_webhook(sim, ann, node, calls):
    bot = node("webhook.js", secret="one", expects="another")
    bot.wait("started")
    sim.send(ann, "x")
    info = {}
    while "last_error_message" not in info:
        info, = calls(["getWebhookInfo"])
    assert info["last_error_message"] == (
        "Wrong response from the webhook: 401 Unauthorized")
    assert info["pending_update_count"] == 1
    assert bot.told("update") == []
    bot.stop()


def test_a_webhook_that_fails_gets_the_update_again(sim, ann, node, calls):
    bot = node("webhook.js", failures=1)
    bot.wait("started")
    sim.send(ann, "one")
    replied(sim, "one")
    confirmed(sim, 1)
    first, second = bot.told("update")
    assert first == second
    assert bot.wait("failed")["message"] == "not yet"
    info, = calls(["getWebhookInfo"])
    assert info["last_error_message"] == (
        "Wrong response from the webhook: 500 Internal Server Error")
    assert info["pending_update_count"] == 0
    bot.stop()
    assert texts(sim, ann) == ["one", "one"]


def test_a_webhook_may_answer_with_a_call(sim, ann, node):
    bot = node("webhook.js", replies=["sendMessage"])
    bot.wait("started")
    sim.send(ann, "one")
    call = replied(sim, "one")
    assert (call["status"], call["reply"]) == (200, True)
    # grammY knows no result of such a call.
    assert bot.wait("sent")["result"] is True
    confirmed(sim, 1)
    bot.stop()
    assert texts(sim, ann) == ["one", "one"]


def test_updates_survive_the_way_from_webhook_to_polling(sim, ann, node,
                                                         polling, calls):
    hook = node("webhook.js", failures=1000)
    hook.wait("started")
    sim.send(ann, "one")
    hook.wait("failed", 2)
    hook.stop()
    bot = polling()  # bot.start() deletes the webhook
    replied(sim, "one")
    bot.stop()
    sim.send(ann, "two")
    hook = node("webhook.js", failures=1000)
    hook.wait("failed")
    deleted, info = calls(["deleteWebhook", {"drop_pending_updates": True}],
                          ["getWebhookInfo"])
    assert deleted is True
    assert (info["url"], info["pending_update_count"]) == ("", 0)
    hook.stop()
    assert texts(sim, ann) == ["one", "one", "two"]


def test_auto_retry_waits_as_long_as_it_is_told(sim, ann, calls):
    sim.limits(per_chat=1, latent=False)
    sent = [f"{number}" for number in range(5)]
    wanted = [["sendMessage", {"chat_id": ann, "text": text}]
              for text in sent]
    answers = calls(*wanted, retry=True)
    assert [answer["text"] for answer in answers] == sent
    assert texts(sim, ann) == sent
    rows = sim.calls("sendMessage")
    refused = [n for n, row in enumerate(rows) if row["status"] == 429]
    assert refused  # a burst of three passes
    for n in refused:
        assert rows[n]["error"] == "Too Many Requests: retry after 1"
        assert rows[n + 1]["params"]["text"] == rows[n]["params"]["text"]
        assert rows[n + 1]["status"] == 200
        assert rows[n + 1]["at"] - rows[n]["at"] >= 0.99


def test_without_auto_retry_a_429_is_an_error(sim, ann, calls):
    sim.limits(per_chat=0.05, latent=False)
    wanted = ["sendMessage", {"chat_id": ann, "text": "x"}]
    answers = calls(*[wanted] * 5)
    waits = [answer["error"]["parameters"]["retry_after"]
             for answer in answers[3:]]  # a burst of three passes
    assert 0 < waits[0] <= 20 and waits[1] == 2 * waits[0]
    for answer, seconds in zip(answers[3:], waits):
        assert answer["error"] == error(
            429, "sendMessage", f"Too Many Requests: retry after {seconds}",
            retry_after=seconds)


@pytest.mark.parametrize("mode", ["500", "502html"])
def test_auto_retry_repeats_what_the_server_failed_at(sim, ann, calls, mode):
    sim.sim("POST", "/sim/faults", {"method": "sendMessage", "mode": mode,
                                    "count": 1})
    answer, = calls(["sendMessage", {"chat_id": ann, "text": "x"}],
                    retry=True)
    assert answer["text"] == "x"
    assert texts(sim, ann) == ["x"]
    first, second = sim.calls("sendMessage")
    assert (first["fault"], second["status"]) == (mode, 200)
    assert second["at"] - first["at"] >= 2.99  # its own pause


def test_failures_of_the_server_are_told_apart(sim, ann, calls):
    for mode in "500", "502html":
        sim.sim("POST", "/sim/faults", {"method": "sendMessage",
                                        "mode": mode, "count": 1})
    wanted = ["sendMessage", {"chat_id": ann, "text": "x"}]
    internal, page, sent = calls(*[wanted] * 3)
    assert internal["error"]["error_code"] == 500
    assert page["error"] == {
        "name": "HttpError",
        "message": "Network request for 'sendMessage' failed!"}
    assert sent["text"] == "x"


def test_errors_of_people_and_chats(sim, ann, calls):
    bob = sim.user("Bob")["id"]
    tea = group(sim, ann)
    sim.sim("POST", "/sim/block", {"user": bob, "blocked": True})
    moved = sim.sim("POST", "/sim/migrate", {"chat": tea})["id"]
    blocked, migrated, fine, nobody, empty = calls(
        ["sendMessage", {"chat_id": bob, "text": "x"}],
        ["sendMessage", {"chat_id": tea, "text": "x"}],
        ["sendMessage", {"chat_id": moved, "text": "x"}],
        ["sendMessage", {"chat_id": 12345, "text": "x"}],
        ["sendMessage", {"chat_id": ann}])
    assert blocked["error"] == error(
        403, "sendMessage", "Forbidden: bot was blocked by the user")
    assert migrated["error"] == error(
        400, "sendMessage",
        "Bad Request: group chat was upgraded to a supergroup chat",
        migrate_to_chat_id=moved)
    assert fine["chat"]["id"] == moved
    assert nobody["error"] == error(400, "sendMessage",
                                    "Bad Request: chat not found")
    assert empty["error"] == error(400, "sendMessage",
                                   "Bad Request: message text is empty")


def test_an_upgraded_group_is_told_to_the_bot(sim, ann, polling):
    bot = polling()
    tea = group(sim, ann)
    moved = sim.sim("POST", "/sim/migrate", {"chat": tea})["id"]
    assert bot.wait("migrated")["to"] == moved
    bot.stop()


@pytest.mark.parametrize("options", [
    {}, {"encoding": "form"}, {"encoding": "query"},
    {"environment": "test"}], ids=str)
def test_every_encoding_says_the_same(sim, ann, calls, options):
    keyboard = {"inline_keyboard": [[{"text": "ü&=", "callback_data": "a"}]]}
    sent, edited = calls(
        ["sendMessage", {"chat_id": ann, "text": "1 + 1\n= 2 & \"ü\"\n",
                         "reply_markup": keyboard, "protect_content": True}],
        ["editMessageText", {"chat_id": ann, "message_id": 1,
                             "text": "<b>bold</b>", "parse_mode": "HTML"}],
        **options)
    assert sent["text"] == "1 + 1\n= 2 & \"ü\""
    assert sent["reply_markup"] == keyboard
    assert sent["has_protected_content"] is True
    assert edited["text"] == "bold"
    assert edited["entities"] == [{"type": "bold", "offset": 0, "length": 4}]


def test_uploads_keep_name_and_size(sim, ann, calls):
    big = 3 * 1024 * 1024
    document, photo, album, edited = calls(
        ["sendDocument", {
            "chat_id": ann, "caption": "<b>two</b>\nlines",
            "parse_mode": "HTML",
            "document": {"file": "a b (ü).txt", "bytes": 1000},
            "reply_markup": {"inline_keyboard": [
                [{"text": "x", "callback_data": "y"}]]}}],
        ["sendPhoto", {"chat_id": ann,
                       "photo": {"file": "p.jpg", "bytes": big}}],
        ["sendMediaGroup", {"chat_id": ann, "media": [
            {"type": "document", "media": {"file": "1.txt", "bytes": 1}},
            {"type": "document", "media": {"file": "2.txt", "bytes": 2},
             "caption": "two"}]}],
        ["editMessageMedia", {"chat_id": ann, "message_id": 1, "media": {
            "type": "document", "media": {"file": "new.txt", "bytes": 7}}}])
    file = document["document"]
    assert (file["file_name"], file["file_size"]) == ("a b (ü).txt", 1000)
    assert document["caption"] == "two\nlines"
    assert document["caption_entities"][0]["type"] == "bold"
    assert photo["photo"][-1]["file_size"] == big
    assert [(m["document"]["file_name"], m["document"]["file_size"],
             m.get("caption")) for m in album] == [
        ("1.txt", 1, None), ("2.txt", 2, "two")]
    assert album[0]["media_group_id"] == album[1]["media_group_id"]
    new = edited["document"]
    assert (new["file_name"], new["file_size"]) == ("new.txt", 7)
