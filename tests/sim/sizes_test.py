"""Each size that the server knows: a call with the largest (or smallest) that
is taken, one beyond it, and what that is told.
"""
import json

import pytest

E = "\U0001f600"  # one character, two UTF-16 units, four bytes
BAD = "Bad Request: "
TEXT = BAD + "message is too long"
CAPTION = BAD + "message caption is too long"
MARKUP = BAD + "reply markup is too long"


def inline(*rows):
    return {"text": "x", "reply_markup": {"inline_keyboard": list(rows)}}


def key(data="d"):
    return {"text": "b", "callback_data": data}


def copied(text):
    return {"text": "b", "copy_text": {"text": text}}


def reply(*rows):
    return {"text": "x", "reply_markup": {"keyboard": list(rows)}}


def poll(question="?", options=("a", "b")):
    return {"question": question, "options": list(options)}


def commands(*list_of):
    return {"commands": [{"command": c, "description": d}
                         for c, d in list_of]}


def album(count, caption=""):
    return {"media": [{"type": "photo", "media": "F", "caption": caption}] *
            count}


def results(*ids, **more):
    return {"inline_query_id": "1", "results": [
        {"type": "article", "id": i, "title": "t",
         "input_message_content": {"message_text": "x"}} for i in ids], **more}


def invoice(payload="p", amounts=(1,), tips=()):
    return {"title": "t", "description": "d", "payload": payload,
            "currency": "EUR", "max_tip_amount": 9,
            "suggested_tip_amounts": tips,
            "prices": [{"label": "l", "amount": a} for a in amounts]}


# Method, what is taken, what is refused, and the words for it.
ROWS = {
    "text": ("sendMessage", {"text": E * 4096}, {"text": E * 4097}, TEXT),
    "text after parsing": (
        "sendMessage",
        {"text": "<b>" + "x" * 4096 + "</b>", "parse_mode": "HTML"},
        {"text": "<b>" + "x" * 4097 + "</b>", "parse_mode": "HTML"}, TEXT),
    "text in MarkdownV2": (
        "sendMessage",
        {"text": "\\-" * 4096, "parse_mode": "MarkdownV2"},
        {"text": "\\-" * 4097, "parse_mode": "MarkdownV2"}, TEXT),
    "raw bytes": (
        "sendMessage",
        {"text": "<b></b>" * 4680 + "12345678", "parse_mode": "HTML"},
        {"text": "<b></b>" * 4680 + "123456789", "parse_mode": "HTML"},
        BAD + "text is too long"),
    "least text": ("sendMessage", {"text": "x"}, {"text": " \n"},
                   BAD + "text must be non-empty"),
    "caption": ("sendPhoto", {"photo": "F", "caption": E * 1024},
                {"photo": "F", "caption": E * 1025}, CAPTION),
    "caption of an album": ("sendMediaGroup", album(2, E * 1024),
                            album(2, E * 1025), CAPTION),
    "album": ("sendMediaGroup", album(10), album(11),
              BAD + "too many messages to send as an album"),
    "least album": ("sendMediaGroup", album(1), album(0),
                    BAD + "there are no messages to send"),
    "callback_data": ("sendMessage", inline([key("\u00e9" * 32)]),
                      inline([key("\u00e9" * 32 + "x")]),
                      BAD + "BUTTON_DATA_INVALID"),
    "least callback_data": ("sendMessage", inline([key("d")]),
                            inline([key("")]), BAD + "BUTTON_DATA_INVALID"),
    "copied text": ("sendMessage", inline([copied(E * 256)]),
                    inline([copied(E * 257)]),
                    BAD + "BUTTON_COPY_TEXT_INVALID"),
    "least copied text": ("sendMessage", inline([copied("c")]),
                          inline([copied("")]),
                          BAD + "BUTTON_COPY_TEXT_INVALID"),
    "tips": ("sendInvoice", invoice(tips=[1, 2, 3, 4]),
             invoice(tips=[1, 2, 3, 4, 5]),
             BAD + "there can be at most 4 suggested tip amounts"),
    "price": ("sendInvoice", invoice(amounts=[999999999999]),
              invoice(amounts=[1000000000000]),
              BAD + "too big amount of the currency specified"),
    "total": ("createInvoiceLink", invoice(amounts=[999999999998, 1]),
              invoice(amounts=[999999999999, 1]),
              BAD + "total price is too big"),
    "least total": ("createInvoiceLink", invoice(amounts=[3, -2]),
                    invoice(amounts=[3, -3]),
                    BAD + "total price must be positive"),
    "inline buttons": ("sendMessage", inline(*[[key()] * 5] * 20),
                       inline(*[[key()] * 5] * 20, [key()]), MARKUP),
    "inline row": ("sendMessage", inline([key()] * 8), inline([key()] * 9),
                   MARKUP),
    "reply buttons": ("sendMessage", reply(*[["b"] * 10] * 30),
                      reply(*[["b"] * 10] * 30, ["b"]), MARKUP),
    "reply row": ("sendMessage", reply(["b"] * 12), reply(["b"] * 13),
                  MARKUP),
    "poll question": ("sendPoll", poll(E * 300), poll(E * 301),
                      BAD + "poll question length must not exceed 300"),
    "poll options": ("sendPoll", poll(options="abcdefghijkl"),
                     poll(options="abcdefghijklm"),
                     BAD + "poll can't have more than 12 options"),
    "least poll options": (
        "sendPoll", poll(options="a"), poll(options=()),
        BAD + "poll must have at least one answer option"),
    "poll option": ("sendPoll", poll(options=[{"text": E * 100}, "b"]),
                    poll(options=[{"text": E * 101}, "b"]),
                    BAD + "poll options length must not exceed 100"),
    "commands": ("setMyCommands", commands(*[("a", "b")] * 100),
                 commands(*[("a", "b")] * 101), BAD + "BOT_COMMANDS_TOO_MUCH"),
    "command": ("setMyCommands", commands(("a" * 32, "b")),
                commands(("a" * 33, "b")),
                BAD + "command length must not exceed 32"),
    "letters of a command": ("setMyCommands", commands(("/a_1", "b")),
                             commands(("A", "b")),
                             BAD + "BOT_COMMAND_INVALID"),
    "description": ("setMyCommands", commands(("a", E * 256)),
                    commands(("a", E * 257)),
                    BAD + "command description length must not exceed 256"),
    "least description": ("setMyCommands", commands(("a", "b")),
                          commands(("a", "")),
                          BAD + "command description must be non-empty"),
    "inline results": ("answerInlineQuery", results(*map(str, range(50))),
                       results(*map(str, range(51))),
                       BAD + "too many inline query results specified"),
    "result id": ("answerInlineQuery", results("\u00e9" * 32),
                  results("\u00e9" * 32 + "x"), BAD + "RESULT_ID_INVALID"),
    "next_offset": ("answerInlineQuery", results(next_offset="x" * 64),
                    results(next_offset="x" * 65), BAD + "NEXT_OFFSET_INVALID"),
    "payload": ("sendInvoice", invoice("\u00e9" * 64),
                invoice("\u00e9" * 64 + "x"), BAD + "INVOICE_PAYLOAD_INVALID"),
    "deleted ids": ("deleteMessages", {"message_ids": list(range(1, 101))},
                    {"message_ids": list(range(1, 102))},
                    BAD + "too many message identifiers specified"),
    "secret": ("setWebhook", {"url": "http://127.0.0.1:1/",
                              "secret_token": "x" * 256},
               {"url": "http://127.0.0.1:1/", "secret_token": "x" * 257},
               BAD + "secret token is too long"),
}


@pytest.fixture
def bot(sim):
    ann = sim.user("Ann")["id"]

    def call(method, params):
        status, body = sim.request(
            "POST", f"/bot77:TOKEN/{method}",
            json.dumps({"chat_id": ann, **params}))
        return status, json.loads(body)
    call("getMe", {})
    call.ann = ann
    call.sim = sim
    return call


@pytest.mark.parametrize("name", ROWS)
def test_the_largest_is_taken_and_one_more_is_not(bot, name):
    method, taken, refused, words = ROWS[name]
    status, answer = bot(method, refused)
    assert (status, answer.get("description")) == (400, words)
    if method == "setWebhook":  # one a second
        return
    status, answer = bot(method, taken)
    assert status == 200, answer


@pytest.mark.parametrize("method", ["forwardMessages", "copyMessages"])
def test_up_to_a_hundred_messages_go_on(bot, method):
    bot("sendMessage", {"text": "x"})
    ids = list(range(1, 101))
    assert bot(method, {"from_chat_id": bot.ann, "message_ids": ids})[0] == 200
    status, answer = bot(method, {"from_chat_id": bot.ann,
                                  "message_ids": [*ids, 101]})
    assert (status, answer["description"]) == (
        400, BAD + "too many message identifiers specified")


def test_a_quote_has_1024_characters(bot):
    _, answer = bot("sendMessage", {"text": E * 1025})
    for count, status in ((1024, 200), (1025, 400)):
        got, said = bot("sendMessage", {"text": "x", "reply_parameters": {
            "message_id": answer["result"]["message_id"],
            "quote": E * count}})
        assert got == status
    assert said["description"] == BAD + "QUOTE_TEXT_INVALID"


def test_an_answer_to_a_press_has_200_characters(bot):
    bot("sendMessage", inline([key()]))
    press = bot.sim.sim("POST", "/sim/click", {"from": bot.ann, "data": "d"})
    status, answer = bot("answerCallbackQuery", {
        "callback_query_id": press["id"], "text": E * 201})
    assert (status, answer["description"]) == (400, BAD + "MESSAGE_TOO_LONG")
    assert bot("answerCallbackQuery", {"callback_query_id": press["id"],
                                       "text": E * 200})[0] == 200


# Text, mode, plain text, entities (type, offset, length); None: refused.
MARKS = [
    (f"<b>{E}</b>x<i>y</i>", "HTML", f"{E}xy", [("bold", 0, 2),
                                               ("italic", 3, 1)]),
    (f"{E}<code>a&lt;b</code>", "HTML", f"{E}a<b", [("code", 2, 3)]),
    ("<pre><code class=\"language-c\">x</code></pre>", "HTML", "x",
     [("pre", 0, 1)]),
    ("<blockquote expandable>q</blockquote>", "HTML", "q",
     [("expandable_blockquote", 0, 1)]),
    ("<tg-spoiler>s</tg-spoiler><s>d</s><u>u</u>", "HTML", "sdu",
     [("spoiler", 0, 1), ("strikethrough", 1, 1), ("underline", 2, 1)]),
    (f"*{E}*_y_", "MarkdownV2", f"{E}y", [("bold", 0, 2), ("italic", 2, 1)]),
    ("||s|| ~d~ __u__ `c`", "MarkdownV2", "s d u c",
     [("spoiler", 0, 1), ("strikethrough", 2, 1), ("underline", 4, 1),
      ("code", 6, 1)]),
    ("*b _bi_*", "MarkdownV2", "b bi", [("bold", 0, 4), ("italic", 2, 2)]),
    (">q\n>r", "MarkdownV2", "q\nr", [("blockquote", 0, 3)]),
    ("<b>x", "HTML", None, "Can't find end tag corresponding to start tag "
     "\"b\""),
    ("x</b>", "HTML", None, "Unexpected end tag at byte offset 1"),
    ("<b>x</i>", "HTML", None, "Unmatched end tag at byte offset 4, expected "
     "\"</b>\", found \"</i>\""),
    (f"{E}<x>", "HTML", None,
     "Unsupported start tag \"x\" at byte offset 4"),
    ("a.b", "MarkdownV2", None, "Character '.' is reserved and must be "
     "escaped with the preceding '\\'"),
    (f"{E}*x", "MarkdownV2", None,
     "Can't find end of Bold entity at byte offset 4"),
]


@pytest.mark.parametrize("text,mode,plain,wanted", MARKS)
def test_marks_become_entities_or_are_refused(bot, text, mode, plain, wanted):
    status, answer = bot("sendMessage", {"text": text, "parse_mode": mode})
    if plain is None:
        assert (status, answer["description"]) == (
            400, f"{BAD}can't parse entities: {wanted}")
        return
    message = answer["result"]
    assert message["text"] == plain
    assert [(e["type"], e["offset"], e["length"])
            for e in message["entities"]] == wanted
