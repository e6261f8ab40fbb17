"""Polls of bots: what becomes of sendPoll, who may vote (/sim/vote) and what
the bot hears of it, stopPoll; and the menus of commands (/sim/commands)."""
import harness
import pytest

BAD = "Bad Request: "


class Bot:
    def __init__(self, sim):
        self.sim = sim
        self.ann = sim.user("Ann")["id"]
        self.call("getMe")

    def call(self, method, **params):
        return self.sim.result(method, **params)

    def poll(self, **more):
        return self.call("sendPoll", **{
            "chat_id": self.ann, "question": "Tea?",
            "options": ["yes", "no", "later"], **more})

    def vote(self, poll, options, status=200, **more):
        return self.sim.sim("POST", "/sim/vote", {
            "from": self.ann, "message_id": poll["message_id"],
            "options": options, **more}, status)

    def refused(self, poll, options, status=400, **more):
        return self.vote(poll, options, status, **more)["error"]

    def heard(self, kind):
        rows = self.sim.sim("GET", "/sim/updates")
        return [r["update"][kind] for r in rows if kind in r["update"]]


@pytest.fixture
def bot(sim):
    return Bot(sim)


def test_a_poll_says_what_was_left_out(bot):
    poll = bot.poll()["poll"]
    assert poll["is_anonymous"] is poll["allows_revoting"] is True
    assert poll["allows_multiple_answers"] is poll["is_closed"] is False
    quiz = bot.poll(type="quiz", correct_option_ids=[1])["poll"]
    assert quiz["allows_revoting"] is False
    assert quiz["correct_option_ids"] == [1]
    old = bot.poll(type="quiz", correct_option_id=2)["poll"]
    assert old["correct_option_ids"] == [2]


def test_texts_of_a_poll_are_parsed(bot):
    poll = bot.poll(
        type="quiz", correct_option_ids=[0], question_parse_mode="HTML",
        question="<b>Tea</b> &amp; cake", explanation="Tea is <i>wet</i>",
        explanation_parse_mode="HTML", options=[
            {"text": "<u>a</u>", "text_parse_mode": "HTML"}, "<u>b</u>"],
    )["poll"]
    assert poll["question"] == "Tea & cake"
    assert "question_entities" not in poll  # only custom emoji stay
    assert [o["text"] for o in poll["options"]] == ["a", "<u>b</u>"]
    assert poll["explanation"] == "Tea is wet"
    assert poll["explanation_entities"] == [
        {"type": "italic", "offset": 7, "length": 3}]
    assert bot.poll(question="<b>", question_parse_mode="HTML").startswith(
        BAD + "can't parse entities")
    fits = bot.poll(question="<b>" + "x" * 300 + "</b>",
                    question_parse_mode="HTML")
    assert len(fits["poll"]["question"]) == 300


@pytest.mark.parametrize("params, words", [
    ({"type": "quiz"}, "correct quiz option list must be non-empty"),
    ({"type": "quiz", "correct_option_ids": [1, 0]},
     "correct quiz option list must be increasing"),
    ({"type": "test"}, "unsupported poll type specified"),
])
def test_what_is_no_poll_is_refused(bot, params, words):
    assert bot.poll(**params) == BAD + words


def test_votes_are_counted_and_told(bot):
    poll = bot.poll(is_anonymous=False, allows_multiple_answers=True)
    seen = bot.vote(poll, [0, 2])
    assert seen["votes"] == {str(bot.ann): [0, 2]}
    options = seen["poll"]["options"]
    assert [o["voter_count"] for o in options] == [1, 0, 1]
    assert seen["poll"]["total_voter_count"] == 1
    answer, = bot.heard("poll_answer")
    assert answer["option_ids"] == [0, 2]
    assert answer["option_persistent_ids"] == [
        options[0]["persistent_id"], options[2]["persistent_id"]]
    assert answer["user"]["id"] == bot.ann
    assert bot.heard("poll")[-1]["total_voter_count"] == 1
    bot.vote(poll, [])
    assert bot.heard("poll_answer")[-1]["option_ids"] == []
    assert bot.heard("poll")[-1]["total_voter_count"] == 0


def test_nobody_is_named_in_an_anonymous_poll(bot):
    bot.vote(bot.poll(), [1])
    assert len(bot.heard("poll")) == 1
    assert bot.heard("poll_answer") == []


def test_votes_that_no_client_offers_are_refused(bot):
    poll = bot.poll()
    assert bot.refused(poll, [0, 1]) == "options: the poll takes at most 1"
    assert bot.refused(poll, [3]) == "options: the poll has 0 to 2, not 3"
    assert bot.refused(poll, [-1]) == "options: the poll has 0 to 2, not -1"
    many = bot.poll(allows_multiple_answers=True)
    assert "not again 1" in bot.refused(many, [1, 1])
    said = bot.call("sendMessage", chat_id=bot.ann, text="no poll")
    assert "no message" in bot.refused(said, [0], 404)
    assert "there is no user 5" in bot.refused(poll, [0], 404, **{"from": 5})
    bob = bot.sim.user("Bob")["id"]
    assert "no message" in bot.refused(poll, [0], 404, **{"from": bob})
    assert "options" in bot.refused(poll, "0")


def test_an_answer_to_a_quiz_stays(bot):
    quiz = bot.poll(type="quiz", correct_option_ids=[0])
    bot.vote(quiz, [1])
    assert "an answer stays" in bot.refused(quiz, [0])
    assert "an answer stays" in bot.refused(quiz, [])
    free = bot.poll(type="quiz", correct_option_ids=[0], allows_revoting=True)
    bot.vote(free, [1])
    bot.vote(free, [0])


def test_a_stopped_poll_takes_no_vote(bot):
    sent = bot.poll(reply_markup={"inline_keyboard": [[
        {"text": "Stop", "callback_data": "s"}]]})
    bot.vote(sent, [1])
    where = {"chat_id": bot.ann, "message_id": sent["message_id"]}
    poll = bot.call("stopPoll", **where)
    assert poll["is_closed"] is True
    assert [o["voter_count"] for o in poll["options"]] == [0, 1, 0]
    assert poll["id"] == sent["poll"]["id"]
    assert bot.heard("poll")[-1] == poll
    shown = bot.sim.sim("GET", f"/sim/chats/{bot.ann}/messages")[-1]
    assert shown["poll"] == poll
    assert "reply_markup" not in shown
    assert bot.refused(sent, [0]) == "message_id: that poll is closed"
    assert bot.call("stopPoll", **where) == \
        BAD + "poll has already been closed"


@pytest.fixture
def later():
    """A bot in a world whose time stands still."""
    sim = harness.Sim("--virtual-clock")
    yield Bot(sim)
    sim.close()


@pytest.mark.parametrize("by_date", [False, True])
def test_a_poll_ends_by_its_time(later, by_date):
    now = int(later.sim.sim("POST", "/sim/clock", {"advance": 0.5})["now"])
    end = {"close_date": now + 60} if by_date else {"open_period": 60}
    sent = later.poll(**end)
    assert sent["poll"]["open_period"] == 60
    assert sent["poll"]["close_date"] == now + 60
    later.vote(sent, [0])
    heard = len(later.heard("poll"))
    later.sim.sim("POST", "/sim/clock", {"advance": 60})
    assert later.refused(sent, []) == "message_id: that poll is closed"
    shown = later.sim.sim("GET", f"/sim/chats/{later.ann}/messages")[-1]
    assert shown["poll"]["is_closed"] is True
    assert later.call("stopPoll", chat_id=later.ann,
                      message_id=sent["message_id"]) == \
        BAD + "poll has already been closed"
    assert len(later.heard("poll")) == heard


def test_what_cannot_be_stopped(bot):
    said = bot.call("sendMessage", chat_id=bot.ann, text="x")
    theirs = bot.sim.sim("POST", "/sim/send", {"from": bot.ann, "poll": {
        "question": "?", "options": ["a", "b"]}})
    for message_id, words in [
            (said["message_id"], "message is not a poll"),
            (theirs["message_id"], "poll can't be stopped"),
            (999, "message with poll to stop not found")]:
        assert bot.call("stopPoll", chat_id=bot.ann,
                        message_id=message_id) == BAD + words


def test_the_menus_of_commands_are_listed(bot):
    begin = [{"command": "start", "description": "Begin"}]
    assert bot.sim.sim("GET", "/sim/commands") == []
    bot.call("setMyCommands", commands=begin)
    bot.call("setMyCommands", commands=begin, language_code="de",
             scope={"type": "chat", "chat_id": bot.ann})
    menus = bot.sim.sim("GET", "/sim/commands")
    assert sorted(m["language_code"] for m in menus) == ["", "de"]
    assert {"scope": {"type": "default"}, "language_code": "",
            "commands": begin} in menus
    bot.call("deleteMyCommands")
    menus = {m["language_code"]: m["commands"]
             for m in bot.sim.sim("GET", "/sim/commands")}
    assert menus == {"": [], "de": begin}
    assert bot.sim.sim("GET", "/sim/commands?bot=5", status=404)
