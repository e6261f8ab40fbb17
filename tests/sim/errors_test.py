"""Every row of errors.json: reached by a step here, or named with the reason
why the simulator does not model it. A row that is neither, or both, fails,
and so does one that the simulator's sources produce in spite of the reason.
"""
import json
import re
import socket
import threading
import urllib.parse

import harness
import pytest

ROWS = json.loads((harness.ROOT / "vendor/botapi/errors.json").read_text())
BAD = "Bad Request: "
NO = "Forbidden: "
RIGHTS = BAD + "not enough rights to send "

UNMODELLED = {
    BAD + "private chat not found": "every private chat has its user",
    BAD + "have no write access to the chat":
        "the server's own checks come before it",
    BAD + "CHAT_WRITE_FORBIDDEN": "rights are told apart by kind of content",
    BAD + "CHAT_RESTRICTED": "no chat is restricted by Telegram",
    BAD + "PEER_ID_INVALID": "the server says chat not found before",
    "Internal Server Error: requested data is inaccessible":
        "all data is at hand",
    "Internal Server Error: failed to save certificate":
        "certificates are not kept",
    "Service Unavailable": "the fault 502html stands for the proxy's pages",
    "Gateway Timeout": "the fault 502html stands for the proxy's pages",
    "Unauthorized: invalid api-id/api-hash": "there is no api-id",
    "Conflict: terminated by other setWebhook":
        "setWebhook is done at once, so no two overlap",
    "Not Found: absolute URI is specified in the Request-Line":
        "the HTTP library takes the path out of it",
    BAD + "bad webhook: An HTTPS URL must be provided for webhook":
        "as a server in local mode, which takes plain HTTP",
    BAD + "bad webhook: Webhook can be set up only on ports 80, 88, 443 or "
    "8443": "as a server in local mode, which takes any port",
    "Request Header Fields Too Large": "the HTTP library's own answer",
    "HTTP Version Not Supported": "the HTTP library's own answer",
}

# Answers whose body is not JSON, by status.
BODIES = {413, 415, 431, 501, 502, 503, 504, 505}


class World:
    """A simulator with people and chats, and a bot in them."""

    def __init__(self, sim):
        self.sim = sim
        self.ann = sim.user("Ann")["id"]
        self.bob = sim.user("Bob")["id"]

    def call(self, method, bot="/bot77:T", **params):
        status, body = self.sim.request("POST", f"{bot}/{method}",
                                        json.dumps(params))
        return status, body

    def fine(self, method, **params):
        status, body = self.call(method, **params)
        assert status == 200, body
        return json.loads(body)["result"]

    def post(self, path, **body):
        return self.sim.sim("POST", f"/sim/{path}", body)

    def chat(self, kind, **more):
        return self.post("chats", type=kind, title="T", members=[self.ann],
                         **more)["id"]

    def kicked(self, kind):
        chat = self.chat(kind)
        self.post("kick", chat=chat)
        return self.text(chat)

    def left(self, kind):
        chat = self.chat(kind)
        self.fine("leaveChat", chat_id=chat)
        return self.text(chat)

    def text(self, chat=None, text="x", **more):
        return self.call("sendMessage", chat_id=chat or self.ann, text=text,
                         **more)

    def message(self, chat=None, **more):
        status, body = self.text(chat, **more)
        assert status == 200, body
        return json.loads(body)["result"]["message_id"]

    def without(self, right, method, **params):
        chat = self.chat("supergroup")
        self.post("rights", chat=chat, **{right: False})
        return self.call(method, chat_id=chat, **params)

    def fault(self, mode, **more):
        self.post("faults", mode=mode, count=1, **more)
        return self.call("getMe")

    def keyboard(self, *buttons, **more):
        return self.text(reply_markup={"inline_keyboard": [list(buttons)]},
                         **more)

    def raw(self, method, path, body=None, **headers):
        return self.sim.request(method, path, body, headers)


def deactivated(w):
    w.post("deactivate", user=w.bob)
    return w.text(w.bob)


def never_started(w):
    return w.text(w.post("users", first_name="S", started=False)["id"])


def blocked(w):
    w.post("block", user=w.bob, blocked=True)
    return w.text(w.bob)


def group_deleted(w):
    chat = w.chat("group")
    w.post("kick", chat=chat, deleted=True)
    return w.text(chat)


def voice_refused(w):
    w.post("rights", chat=w.ann, can_send_voice_notes=False)
    return w.call("sendVoice", chat_id=w.ann, voice="F")


def topic(w, closed):
    chat = w.chat("supergroup")
    thread = w.fine("createForumTopic", chat_id=chat,
                    name="T")["message_thread_id"]
    if not closed:
        return w.text(chat, message_thread_id=thread + 1)
    w.fine("closeForumTopic", chat_id=chat, message_thread_id=thread)
    w.message(chat, message_thread_id=thread)
    w.post("rights", chat=chat, can_manage_topics=False)
    return w.text(chat, message_thread_id=thread)


def migrated(w):
    chat = w.chat("group")
    new = w.post("migrate", chat=chat)["id"]
    status, body = w.text(chat)
    assert json.loads(body)["parameters"] == {"migrate_to_chat_id": new}
    w.message(new)
    return status, body


def too_many(w):
    w.sim.limits(per_chat=1)
    for _ in range(4):
        status, body = w.text()
    return status, body


def waiting_poll(w, disturb):
    """What a waiting poll is told when somebody disturbs it."""
    answers = []
    poll = threading.Thread(target=lambda: answers.append(
        w.call("getUpdates", timeout=25, offset=-1)))
    poll.start()
    while not answers and poll.is_alive():
        disturb(w)
    poll.join(harness.LIMIT)
    return answers[0]


def other_poll(w):
    return waiting_poll(w, lambda w: w.call("getUpdates", timeout=0))


def webhook_instead(w):
    def disturb(w):
        w.call("setWebhook", url="http://127.0.0.1:1/")
        w.call("deleteWebhook")
    # The webhook may have been there when the poll came.
    wanted = b"terminated by setWebhook"
    while wanted not in (answer := waiting_poll(w, disturb))[1]:
        assert answer[0] == 409
    return answer


def poll_beside_webhook(w):
    w.fine("setWebhook", url="http://127.0.0.1:1/")
    return w.call("getUpdates")


def other_token(w):
    only = harness.Sim("--token", "5:FIVE")
    answer = only.request("GET", "/bot5:SIX/getMe")
    only.close()
    return answer


def logged_out(w):
    w.fine("logOut")
    return w.call("getMe")


def closed(w):
    w.fine("getMe")
    w.fine("close")
    return w.call("close")


def not_modified(w):
    return w.call("editMessageText", chat_id=w.ann, message_id=w.message(),
                  text="x")


def somebody_elses(w, method, **params):
    theirs = w.sim.send(w.ann, "mine")["message_id"]
    return w.call(method, chat_id=w.ann, message_id=theirs, **params)


def delete_without_right(w):
    chat = w.chat("supergroup")
    theirs = w.sim.send(w.ann, "mine", chat=chat)["message_id"]
    w.post("rights", chat=chat, can_delete_messages=False)
    return w.call("deleteMessage", chat_id=chat, message_id=theirs)


def delete_old(w):
    user = {"id": w.ann, "is_bot": False, "first_name": "Ann"}
    chat = {"id": w.ann, "first_name": "Ann", "type": "private"}
    w.post("update", message={"message_id": 900, "date": 1, "from": user,
                              "chat": chat, "text": "long ago"})
    return w.call("deleteMessage", chat_id=w.ann, message_id=900)


def protected(w):
    kept = w.message(protect_content=True)
    return w.call("forwardMessage", chat_id=w.bob, from_chat_id=w.ann,
                  message_id=kept)


def answered_twice(w):
    w.keyboard({"text": "b", "callback_data": "d"})
    query = w.post("click", **{"from": w.ann, "data": "d"})["id"]
    w.fine("answerCallbackQuery", callback_query_id=query)
    return w.call("answerCallbackQuery", callback_query_id=query)


def too_big(w):
    sent = w.post("send", **{"from": w.ann, "document": {"size": 2}})
    w.post("limits", download_max=1)
    return w.call("getFile", file_id=sent["document"]["file_id"])


def at_address(url):
    return lambda w: w.call("sendPhoto", chat_id=w.ann, photo=url)


def photo(w):
    return w.fine("sendPhoto", chat_id=w.ann, photo="F")["message_id"]


def ban_admin(w):
    chat = w.chat("supergroup")
    w.fine("promoteChatMember", chat_id=chat, user_id=w.ann,
           can_invite_users=True)
    return w.call("banChatMember", chat_id=chat, user_id=w.ann)


def about(method, absent=4242, **more):
    return lambda w: w.call(method, chat_id=w.ann, message_id=absent, **more)


def hook(**params):
    return lambda w: w.call("setWebhook", **params)


def head_too_large(w):
    return w.raw("POST", "/bot77:T/getMe", json.dumps({"x": "y" * 2 ** 20}))


LONG = "y" * 40000
STEPS = {
    NO + "bot was blocked by the user": blocked,
    NO + "user is deactivated": deactivated,
    NO + "bot can't initiate conversation with a user": never_started,
    NO + "the bot can't send messages to the bot":
        lambda w: w.fine("getMe") and w.text(77),
    NO + "the group chat was deleted": group_deleted,
    NO + "bot was kicked from the group chat": lambda w: w.kicked("group"),
    NO + "bot is not a member of the group chat": lambda w: w.left("group"),
    NO + "bot was kicked from the supergroup chat":
        lambda w: w.kicked("supergroup"),
    NO + "bot was kicked from the channel chat": lambda w: w.kicked("channel"),
    NO + "bot is not a member of the supergroup chat":
        lambda w: w.left("supergroup"),
    NO + "bot is not a member of the channel chat":
        lambda w: w.left("channel"),
    BAD + "chat not found": lambda w: w.text(424242),
    BAD + "user not found":
        lambda w: w.call("getChatMember", chat_id=w.ann, user_id=424242),
    RIGHTS + "text messages to the chat":
        lambda w: w.without("can_send_messages", "sendMessage", text="x"),
    RIGHTS + "photos to the chat":
        lambda w: w.without("can_send_photos", "sendPhoto", photo="F"),
    RIGHTS + "documents to the chat":
        lambda w: w.without("can_send_documents", "sendDocument",
                            document="F"),
    RIGHTS + "videos to the chat":
        lambda w: w.without("can_send_videos", "sendVideo", video="F"),
    RIGHTS + "animations to the chat":
        lambda w: w.without("can_send_other_messages", "sendAnimation",
                            animation="F"),
    RIGHTS + "music to the chat":
        lambda w: w.without("can_send_audios", "sendAudio", audio="F"),
    RIGHTS + "voice notes to the chat":
        lambda w: w.without("can_send_voice_notes", "sendVoice", voice="F"),
    RIGHTS + "stickers to the chat":
        lambda w: w.without("can_send_other_messages", "sendSticker",
                            sticker="F"),
    RIGHTS + "polls to the chat":
        lambda w: w.without("can_send_polls", "sendPoll", question="?",
                            options=["a", "b"]),
    BAD + "user restricted receiving of voice note messages": voice_refused,
    BAD + "TOPIC_CLOSED": lambda w: topic(w, True),
    BAD + "message thread not found": lambda w: topic(w, False),
    BAD + "group chat was upgraded to a supergroup chat": migrated,
    "Too Many Requests: retry after N": too_many,
    "Internal Server Error: restart": lambda w: w.fault("500"),
    "Internal Server Error: ": lambda w: w.fault("500"),
    "Bad Gateway": lambda w: w.fault("502html"),
    "Conflict: terminated by other getUpdates request; make sure that only "
    "one bot instance is running": other_poll,
    "Conflict: terminated by setWebhook request": webhook_instead,
    "Conflict: can't use getUpdates method while webhook is active; use "
    "deleteWebhook to delete the webhook first": poll_beside_webhook,
    "Unauthorized": other_token,
    "Unauthorized: invalid token specified":
        lambda w: w.call("getMe", bot="/bot0:A"),
    "Not Found": lambda w: w.raw("GET", "/file/bot77:T/photos/1.jpg"),
    "Misdirected Request: unallowed token specified":
        lambda w: w.call("getMe", bot="/botx:A"),
    "Logged out": logged_out,
    BAD + "the bot has already been closed": closed,
    "Not Found: method not found": lambda w: w.call("getYou"),
    BAD + "message is not modified: specified new message content and reply "
    "markup are exactly the same as a current content and reply markup of "
    "the message": not_modified,
    BAD + "message to edit not found": about("editMessageText", text="y"),
    BAD + "message to delete not found": about("deleteMessage"),
    BAD + "message to forward not found":
        lambda w: about("forwardMessage", from_chat_id=w.ann)(w),
    BAD + "message to copy not found":
        lambda w: about("copyMessage", from_chat_id=w.ann)(w),
    BAD + "message to react not found": about("setMessageReaction"),
    BAD + "message to pin not found": about("pinChatMessage"),
    BAD + "message to unpin not found": about("unpinChatMessage"),
    BAD + "message to be replied not found":
        lambda w: w.text(reply_parameters={"message_id": 4242}),
    BAD + "message can't be edited":
        lambda w: somebody_elses(w, "editMessageText", text="y"),
    BAD + "there is no text in the message to edit":
        lambda w: about("editMessageText", photo(w), text="y")(w),
    BAD + "there is no caption in the message to edit":
        lambda w: about("editMessageCaption", w.message(), caption="y")(w),
    BAD + "message can't be deleted": delete_without_right,
    BAD + "message can't be deleted for everyone": delete_old,
    BAD + "message has protected content and can't be forwarded": protected,
    BAD + "query is too old and response timeout expired or query ID is "
    "invalid": answered_twice,
    BAD + "message text is empty": lambda w: w.text(text=""),
    BAD + "text must be non-empty": lambda w: w.text(text=" \n"),
    BAD + "message is too long":
        lambda w: w.text(text="\U0001f600" * 4097),
    BAD + "text is too long": lambda w: w.text(text=LONG),
    BAD + "message caption is too long":
        lambda w: w.call("sendPhoto", chat_id=w.ann, photo="F",
                         caption="y" * 1025),
    BAD + "reply markup is too long":
        lambda w: w.keyboard({"text": "b", "url": "http://a.b/" + LONG}),
    BAD + "BUTTON_DATA_INVALID":
        lambda w: w.keyboard({"text": "b", "callback_data": "\u00e9" * 33}),
    BAD + "can't parse entities: ":
        lambda w: w.text(text="<b>x", parse_mode="HTML"),
    BAD + "unsupported parse_mode": lambda w: w.text(parse_mode="bbcode"),
    BAD + "chat_id is empty": lambda w: w.call("sendMessage", text="x"),
    BAD + "chat identifier is not specified":
        lambda w: w.call("deleteMessage", message_id=1),
    BAD + "message identifier is not specified":
        lambda w: w.call("deleteMessage", chat_id=w.ann),
    BAD + "message identifiers are not specified":
        lambda w: w.call("deleteMessages", chat_id=w.ann, message_ids=[]),
    BAD + "too many message identifiers specified":
        lambda w: w.call("deleteMessages", chat_id=w.ann,
                         message_ids=list(range(1, 102))),
    BAD + "can't parse reply keyboard markup JSON object":
        lambda w: w.text(reply_markup="{"),
    BAD + "object expected as reply markup":
        lambda w: w.text(reply_markup=None),
    BAD + "inline keyboard expected":
        lambda w: about("editMessageText", w.message(), text="y",
                        reply_markup={"keyboard": [["A"]]})(w),
    BAD + "text buttons are unallowed in the inline keyboard":
        lambda w: w.keyboard({"text": "b"}),
    BAD + "there is no photo in the request":
        lambda w: w.call("sendPhoto", chat_id=w.ann),
    BAD + "there is no document in the request":
        lambda w: w.call("sendDocument", chat_id=w.ann),
    BAD + "expected an Array of InputMedia":
        lambda w: w.call("sendMediaGroup", chat_id=w.ann, media={}),
    BAD + "too many messages to send as an album":
        lambda w: w.call("sendMediaGroup", chat_id=w.ann, media=[
            {"type": "photo", "media": "F"}] * 11),
    BAD + "there are no messages to send":
        lambda w: w.call("sendMediaGroup", chat_id=w.ann, media=[]),
    BAD + "too many inline query results specified":
        lambda w: w.call("answerInlineQuery", inline_query_id="1",
                         results=[{}] * 51),
    BAD + "wrong parameter action in request":
        lambda w: w.call("sendChatAction", chat_id=w.ann, action="dance"),
    BAD + "wrong file identifier/HTTP URL specified":
        lambda w: w.call("sendPhoto", chat_id=w.ann, photo="attach://none"),
    BAD + "wrong file_id or the file is temporarily unavailable":
        lambda w: w.call("getFile", file_id="F"),
    BAD + "file is too big": too_big,
    BAD + "failed to get HTTP URL content":
        at_address("https://nowhere.invalid/p.jpg"),
    BAD + "wrong HTTP URL specified": at_address("https:///p.jpg"),
    BAD + "wrong type of the web page content":
        at_address("https://a.example/page.html"),
    BAD + "file_id not specified": lambda w: w.call("getFile"),
    BAD + "invalid file_id": lambda w: w.call("getFile", file_id="two words"),
    BAD + "not enough rights to restrict/unrestrict chat member":
        lambda w: w.without("can_restrict_members", "restrictChatMember",
                            user_id=w.ann, permissions={}),
    BAD + "user is an administrator of the chat": ban_admin,
    BAD + "method is available only for supergroups":
        lambda w: w.call("setChatStickerSet", chat_id=w.chat("group"),
                         sticker_set_name="s"),
    BAD + "there are no administrators in the private chat":
        lambda w: w.call("getChatAdministrators", chat_id=w.ann),
    BAD + "bad webhook: ": hook(url="http://a.b/", ip_address="x"),
    BAD + "invalid webhook URL specified": hook(url="ftp://a.b/"),
    BAD + "secret token is too long":
        hook(url="http://a.b/", secret_token="x" * 257),
    BAD + "secret token contains unallowed characters":
        hook(url="http://a.b/", secret_token="two words"),
    "Request Entity Too Large": head_too_large,
    "Unsupported Media Type":
        lambda w: w.raw("POST", "/bot77:T/getMe", "{}",
                        **{"Content-Encoding": "br"}),
    "Not Implemented": lambda w: w.raw("PATCH", "/bot77:T/getMe"),
}


def test_each_row_is_reached_or_has_a_reason():
    told = [*STEPS, *UNMODELLED]
    assert sorted(told) == sorted(row["description"] for row in ROWS)


def shown(row):
    return row["description"].split(": ", 1)[-1][:40] or row["description"]


@pytest.mark.parametrize("row", [
    pytest.param(row, id=shown(row)) for row in ROWS
    if row["description"] in STEPS])
def test_the_row_is_reached(sim, row):
    text = row["description"]
    status, body = STEPS[text](World(sim))
    assert status == row["error_code"], body
    if status in BODIES:
        assert (b"<html>" in body) if status == 502 else body == b""
        return
    answer = json.loads(body)
    assert (answer["ok"], answer["error_code"]) == (False, status)
    if row.get("match") == "prefix":
        assert answer["description"].startswith(text.removesuffix("N"))
        assert answer["description"] != text
    else:
        assert answer["description"] == text
    assert set(answer.get("parameters", {})) == set(row.get("parameters", {}))


def sources():
    folder = harness.ROOT / "engine" / "sim"
    return {path.name: path.read_text() for path in sorted(folder.glob("*.c"))}


def named_errors():
    """Name of each row that C code may use -> its description."""
    text = (harness.ROOT / "engine/base/botapi_tables.c").read_text()
    table = text.split("botapi_errors[] = {")[1]
    return {name: "".join(json.loads(part) for part in re.findall(
                r'"(?:[^"\\]|\\.)*"', row))
            for name, row in re.findall(
                r"\[BOTAPI_(\w+)\] =\s+\{\d+,(.*?)\},", table, re.S)}


def produced(row, used, text):
    """Whether a source names the row: by its enum, its text or, where the
    body is not JSON, its status."""
    if "body" in row:
        return re.search(r"(?:refuse_request|call_refuse|exchange_reply)\(\w+, "
                         rf"{row['error_code']}\b", text)
    description = row["description"]
    short = description.removeprefix(BAD)
    return (description in used or f'"{description}"' in text
            or f'"{short}"' in text)


def test_no_reason_is_out_of_date():
    named = named_errors()
    assert "Logged out" in named.values()
    for name, text in sources().items():
        used = {named[n] for n in re.findall(r"BOTAPI_(\w+)", text)
                if n in named}
        joined = re.sub(r'"\s*"', "", text)
        for row in ROWS:
            if row["description"] in UNMODELLED:
                assert not produced(row, used, joined), (name, row)


def test_a_reason_that_is_out_of_date_is_noticed():
    gone = {"error_code": 503, "description": "Service", "body": "html"}
    assert produced(gone, set(), "call_refuse(c, 503, x)")
    assert not produced(gone, set(), '"Service"')
    told = {"error_code": 400, "description": BAD + "no"}
    assert produced(told, {BAD + "no"}, "")
    assert produced(told, set(), '"no"') and produced(
        told, set(), f'"{BAD}no"')
    assert not produced(told, set(), '"not"')


def test_the_connection_ends_after_an_error_without_a_body(sim):
    """A second request on the same connection gets no answer."""
    for head in (b"PATCH /bot1:A/getMe HTTP/1.1\r\nHost: x\r\n\r\n",
                 b"POST /bot1:A/getMe HTTP/1.1\r\nHost: x\r\n"
                 b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"):
        with socket.create_connection((sim.host, sim.port),
                                      harness.LIMIT) as link:
            link.sendall(head)
            got = b""
            while data := link.recv(65536):
                got += data
        assert got.split(b"\r\n")[0].split()[1] in (b"501", b"415")
        assert b"Connection: close" in got and got.endswith(b"\r\n\r\n")


def test_edits_and_actions_feel_a_block_too(sim):
    w = World(sim)
    sent = w.message(w.bob)
    w.post("block", user=w.bob, blocked=True)
    for method, more in (("editMessageText", {"message_id": sent,
                                              "text": "y"}),
                         ("sendChatAction", {"action": "typing"}),
                         ("copyMessage", {"from_chat_id": w.bob,
                                          "message_id": sent})):
        status, body = w.call(method, chat_id=w.bob, **more)
        assert status == 403 and b"blocked by the user" in body
    w.fine("getChat", chat_id=w.bob)
    w.post("block", user=w.bob, blocked=False)
    w.message(w.bob)


def test_an_upgraded_group_may_still_be_read(sim):
    w = World(sim)
    chat = w.chat("group")
    sent = w.message(chat)
    w.post("migrate", chat=chat)
    w.fine("getChat", chat_id=chat)
    w.fine("forwardMessage", chat_id=w.ann, from_chat_id=chat,
           message_id=sent)
    w.fine("editMessageText", chat_id=chat, message_id=sent, text="y")
    for method, more in (("deleteMessage", {"message_id": sent}),
                         ("getChatMemberCount", {}),
                         ("sendChatAction", {"action": "typing"})):
        status, body = w.call(method, chat_id=chat, **more)
        assert status == 400 and b"was upgraded" in body


def test_forms_name_their_errors_too(sim):
    ann = World(sim).ann
    status, body = sim.request(
        "POST", "/bot77:T/sendMessage",
        urllib.parse.urlencode({"chat_id": ann}),
        {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 400 and json.loads(body)["description"] == (
        BAD + "message text is empty")
