"""The simulator as its clients see it: the control API and the Bot API on
one port. No engine of ours takes part, so any framework may do the same."""
import json
import threading
import urllib.parse

import harness
import pytest

BOT = "/bot77:TOKEN-OF-A-CLIENT"
UPDATES = sorted((harness.ROOT / "vendor/botapi/updates").glob("*.json"))
ALL_KINDS = sorted({path.name.split(".")[0] for path in UPDATES})


def api(sim, method, params=None, bot=BOT):
    """Status and answer of a Bot API call with JSON parameters."""
    status, body = sim.request("POST", f"{bot}/{method}",
                               json.dumps(params or {}))
    return status, json.loads(body)


def result(sim, method, **params):
    status, answer = api(sim, method, params)
    assert (status, answer["ok"]) == (200, True), answer
    return answer["result"]


@pytest.fixture
def ann(sim):
    result(sim, "getMe")  # the bot that the control API acts for
    return sim.user("Ann")["id"]


def refused(sim, status, path, body, word):
    answer = sim.sim("POST", path, body, status)
    assert set(answer) == {"error"} and word in answer["error"], answer


def take_updates(sim, **params):
    return result(sim, "getUpdates", **params)


# users and chats

def test_users(sim, ann):
    user = sim.user("Eva", id=4503599627370495, username="eva",
                    language_code="de")
    assert user == {"id": 4503599627370495, "is_bot": False,
                    "first_name": "Eva", "username": "eva",
                    "language_code": "de"}
    for body, word in (({}, "first_name"), ({"first_name": ""}, "first_name"),
                       ({"first_name": "E", "id": ann}, "taken"),
                       ({"first_name": "E", "id": -1}, "id"),
                       ({"first_name": "E", "id": "7"}, "id"),
                       ({"first_name": "E", "nickname": "x"}, "nickname")):
        refused(sim, 400, "/sim/users", body, word)


def test_bodies_that_are_no_objects(sim):
    for body in ("", "{", "[]", "7", '{"first_name":"A","first_name":"B"}'):
        status, answer = sim.request("POST", "/sim/users", body)
        assert status == 400 and json.loads(answer)["error"]


@pytest.mark.parametrize("status, method, path", [
    (404, "GET", "/sim/nothing"), (404, "POST", "/sim/nothing"),
    (404, "GET", "/sim"), (404, "GET", "/sim/a/b/c"), (404, "GET", "/else"),
    (405, "DELETE", "/sim/users"), (405, "POST", "/sim/calls"),
    (405, "GET", "/sim/send"), (405, "PUT", "/sim/faults")])
def test_unknown_addresses_and_methods(sim, status, method, path):
    got, body = sim.request(method, path, "{}")
    assert got == status and set(json.loads(body)) == {"error"}


def test_files_are_404_as_the_bot_apis(sim):
    status, body = sim.request("GET", "/file/bot7:SEVEN/photos/1.jpg")
    assert status == 404 and json.loads(body) == {
        "ok": False, "error_code": 404, "description": "Not Found"}


def test_chats(sim, ann):
    chat = sim.sim("POST", "/sim/chats", {
        "type": "supergroup", "title": "Us", "members": [ann],
        "id": -1001234567890123})
    assert (chat["id"], chat["type"], chat["title"]) == (
        -1001234567890123, "supergroup", "Us")
    message = sim.send(ann, "hi", chat=chat["id"])
    assert message["chat"]["id"] == chat["id"]
    refused(sim, 400, "/sim/chats",
            {"type": "party", "title": "x", "members": [ann]}, "type")
    refused(sim, 404, "/sim/chats",
            {"type": "group", "title": "x", "members": [123456]}, "123456")


# send

def test_send_answers_with_the_message_and_makes_an_update(sim, ann):
    text = "/start@Bot ref https://a.example @evaline \U0001F600 #tag"
    message = sim.send(ann, text)
    assert message["text"] == text and message["from"]["id"] == ann
    assert message["chat"] == {"id": ann, "type": "private",
                               "first_name": "Ann"}
    found = {(e["type"], text.encode("utf-16-le")[
        2 * e["offset"]:2 * (e["offset"] + e["length"])].decode("utf-16-le"))
        for e in message["entities"]}
    assert {("bot_command", "/start@Bot"), ("url", "https://a.example"),
            ("mention", "@evaline"), ("hashtag", "#tag")} <= found
    update, = take_updates(sim)
    assert update["message"] == message


def test_send_of_media_and_quotes(sim, ann):
    first = sim.send(ann, "one")
    quoted = sim.send(ann, "two", reply_to=first["message_id"])
    assert quoted["reply_to_message"]["text"] == "one"
    document = sim.sim("POST", "/sim/send", {
        "from": ann, "document": {"name": "a.pdf", "size": 9000}})["document"]
    assert (document["file_name"], document["file_size"]) == ("a.pdf", 9000)
    assert document["file_id"] and document["file_unique_id"]
    for kind in ("photo", "contact", "voice", "location", "sticker"):
        message = sim.sim("POST", "/sim/send", {"from": ann, kind: True})
        assert message[kind], kind
    assert len(take_updates(sim)) == 8


def test_send_refuses_what_cannot_be(sim, ann):
    eva = sim.user("Eva")["id"]
    group = sim.sim("POST", "/sim/chats", {
        "type": "group", "title": "Us", "members": [ann]})["id"]
    for status, body, word in (
            (404, {"from": 999999, "text": "x"}, "999999"),
            (404, {"from": ann, "chat": -5, "text": "x"}, "-5"),
            (404, {"from": ann, "text": "x", "reply_to": 999}, "999"),
            (400, {"from": eva, "chat": group, "text": "x"}, "member"),
            (400, {"from": ann}, "text"),
            (400, {"from": ann, "text": ""}, "text"),
            (400, {"from": ann, "text": "x", "photo": True}, "photo"),
            (400, {"from": ann, "text": "x" * 4097}, "4096"),
            (400, {"text": "x"}, "from")):
        refused(sim, status, "/sim/send", body, word)
    assert take_updates(sim) == []


# click

def menu(sim, user):
    return result(sim, "sendMessage", chat_id=user, text="menu", reply_markup={
        "inline_keyboard": [[{"text": "Yes", "callback_data": "y"},
                             {"text": "No", "callback_data": "n"}],
                            [{"text": "Web", "url": "https://a.example"}]]})


def test_click_presses_a_button(sim, ann):
    message = menu(sim, ann)
    by_data = sim.sim("POST", "/sim/click", {"from": ann, "chat": ann,
                                             "data": "n"})
    by_text = sim.sim("POST", "/sim/click", {
        "from": ann, "message_id": message["message_id"], "text": "Yes"})
    presses = [u["callback_query"] for u in take_updates(sim)]
    assert [p["id"] for p in presses] == [by_data["id"], by_text["id"]]
    assert [p["data"] for p in presses] == ["n", "y"]
    assert presses[0]["message"]["message_id"] == message["message_id"]
    assert result(sim, "answerCallbackQuery",
                  callback_query_id=by_data["id"], text="ok") is True


def test_click_refuses_what_is_not_there(sim, ann):
    refused(sim, 404, "/sim/click", {"from": ann, "data": "y"}, "buttons")
    message = menu(sim, ann)["message_id"]
    refused(sim, 404, "/sim/click", {"from": ann, "data": "zzz"}, "Yes")
    refused(sim, 404, "/sim/click",
            {"from": ann, "message_id": message + 1, "data": "y"}, "message")
    refused(sim, 404, "/sim/click", {"from": 999999, "data": "y"}, "999999")
    refused(sim, 400, "/sim/click", {"from": ann, "text": "Web"},
            "callback_data")


# update

@pytest.mark.parametrize("path", UPDATES, ids=lambda p: p.stem)
def test_updates_of_every_kind_pass_unchanged(sim, path):
    sample = json.loads(path.read_text())
    result(sim, "getUpdates", allowed_updates=ALL_KINDS)
    sim.sim("POST", "/sim/update", sample)
    update, = take_updates(sim)
    kind = path.name.split(".")[0]
    assert set(update) == {"update_id", kind}
    assert update[kind] == sample[kind]
    assert update["update_id"] > 0


def test_updates_have_ids_of_the_simulators_own(sim, ann):
    for _ in range(3):
        sim.sim("POST", "/sim/update",
                {"update_id": 7, "message": {"message_id": 1}})
    ids = [u["update_id"] for u in take_updates(sim)]
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
    refused(sim, 400, "/sim/update", {"Message": {}}, "Message")
    refused(sim, 400, "/sim/update", {"message": 7}, "message")
    refused(sim, 400, "/sim/update", {}, "required")
    refused(sim, 400, "/sim/update", {"message": {}, "poll": {}}, "one kind")


# messages and calls

def test_messages_are_what_the_chat_shows(sim, ann):
    sim.send(ann, "hello")
    sent = menu(sim, ann)["message_id"]
    gone = result(sim, "sendMessage", chat_id=ann, text="gone")["message_id"]
    assert result(sim, "deleteMessage", chat_id=ann, message_id=gone) is True
    edited = result(sim, "editMessageText", chat_id=ann, message_id=sent,
                    text="new", reply_markup={"inline_keyboard": [[
                        {"text": "Ok", "callback_data": "ok"}]]})
    assert edited["text"] == "new" and edited["message_id"] == sent
    shown = sim.sim("GET", f"/sim/chats/{ann}/messages")
    assert [m["text"] for m in shown] == ["hello", "new"], "newest last"
    assert shown[1]["reply_markup"]["inline_keyboard"][0][0]["text"] == "Ok"
    sim.sim("GET", "/sim/chats/999999/messages", status=404)


def test_calls_are_listed(sim, ann):
    before = sim.calls()[-1]["n"]
    result(sim, "sendMessage", chat_id=ann, text="x")
    api(sim, "sendMessage", {"chat_id": 424242, "text": "x"})
    good, bad = sim.calls(since=before)
    assert (good["method"], good["status"], good["chat_id"]) == (
        "sendMessage", 200, ann)
    assert good["n"] == before + 1 and good["at"] > 1.6e9
    assert good["params"] == {"chat_id": ann, "text": "x"}
    assert bad["status"] == 400
    assert sim.calls(since=bad["n"]) == []
    sim.sim("GET", "/sim/calls?since=x", status=400)


def test_calls_are_those_of_a_bot_if_one_is_named(sim):
    for bot in (31, 32, 31):
        api(sim, "getMe", bot=f"/bot{bot}:A")
    assert [c["bot"] for c in sim.sim("GET", "/sim/calls?bot=31")] == [31, 31]
    assert [c["n"] for c in sim.sim("GET", "/sim/calls?bot=32")] == [2]
    assert sim.sim("GET", "/sim/calls?bot=31&since=3") == []
    assert len(sim.sim("GET", "/sim/calls?bot=31&since=1")) == 1
    sim.sim("GET", "/sim/calls?bot=33", status=404)


def test_a_bot_may_be_named_among_the_members(sim):
    ann = sim.user("Ann")["id"]
    api(sim, "getMe", bot="/bot31:A")
    chat = sim.sim("POST", "/sim/chats", {
        "type": "group", "title": "Team", "members": [31, ann]})
    assert chat["members"] == [ann]
    params = {"chat_id": chat["id"], "text": "x"}
    assert api(sim, "sendMessage", params, "/bot31:A")[0] == 200


# faults

def test_faults(sim, ann):
    def fault(**body):
        return sim.sim("POST", "/sim/faults", body)

    fault(mode="429", method="sendMessage", count=1, retry_after=7)
    fault(mode="500", count=1, chat=ann)
    status, answer = api(sim, "sendMessage", {"chat_id": ann, "text": "a"})
    assert (status, answer["parameters"]) == (429, {"retry_after": 7})
    status, answer = api(sim, "sendMessage", {"chat_id": ann, "text": "b"})
    assert (status, answer["error_code"]) == (500, 500)
    fault(mode="502html", count=1, method="sendmessage")
    status, body = sim.request("POST", f"{BOT}/sendMessage", json.dumps(
        {"chat_id": ann, "text": "c"}))
    assert status == 502 and b"<html" in body.lower()
    assert sim.sim("GET", f"/sim/chats/{ann}/messages") == []
    result(sim, "sendMessage", chat_id=ann, text="d")


@pytest.mark.parametrize("mode, shown", [("cut_before", 0), ("cut_after", 1)])
def test_cuts(sim, ann, mode, shown):
    sim.sim("POST", "/sim/faults", {"mode": mode, "count": 1,
                                    "method": "sendMessage"})
    with pytest.raises((ConnectionError, OSError)):
        api(sim, "sendMessage", {"chat_id": ann, "text": "x"})
    call = sim.calls("sendMessage")[-1]
    assert call["status"] == 0 and call["params"]["text"] == "x"
    assert len(sim.sim("GET", f"/sim/chats/{ann}/messages")) == shown


def test_slow_executes_at_once_and_answers_later(sim, ann):
    sim.sim("POST", "/sim/faults", {"mode": "slow", "count": 1,
                                    "method": "sendMessage", "seconds": 0.3})
    result(sim, "sendMessage", chat_id=ann, text="x")
    assert len(sim.sim("GET", f"/sim/chats/{ann}/messages")) == 1


def test_duplicate_delivers_the_next_update_twice(sim, ann):
    sim.sim("POST", "/sim/faults", {"mode": "duplicate", "count": 1})
    sim.send(ann, "x")
    first, second = take_updates(sim)
    assert first == second
    assert take_updates(sim, offset=first["update_id"] + 1) == []


def test_faults_are_listed_and_cleared(sim):
    first = sim.sim("POST", "/sim/faults", {"mode": "500", "count": 3})
    second = sim.sim("POST", "/sim/faults", {"mode": "slow", "seconds": 9})
    assert [f["id"] for f in sim.sim("GET", "/sim/faults")] == [
        first["id"], second["id"]]
    sim.sim("DELETE", f"/sim/faults/{first['id']}")
    sim.sim("DELETE", f"/sim/faults/{first['id']}", status=404)
    assert len(sim.sim("GET", "/sim/faults")) == 1
    sim.sim("DELETE", "/sim/faults")
    assert sim.sim("GET", "/sim/faults") == []
    for body, word in (({"mode": "odd"}, "mode"), ({}, "mode"),
                       ({"mode": "500", "count": 0}, "count"),
                       ({"mode": "500", "method": "noSuch"}, "noSuch")):
        refused(sim, 400, "/sim/faults", body, word)


# the Bot API

def multipart(fields):
    rows = []
    for name, value in fields.items():
        rows += ["--limit", f'Content-Disposition: form-data; name="{name}"',
                 "", value]
    return "\r\n".join([*rows, "--limit--", ""])


ODD_TEXT = "a+b & c=ä\n\"quoted\" \U0001F600"


def test_four_encodings_of_parameters(sim, ann):
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "d"}]]}
    fields = {"chat_id": str(ann), "text": ODD_TEXT,
              "reply_markup": json.dumps(markup)}
    query = urllib.parse.urlencode(fields)
    for method, path, body, kind in (
            ("GET", f"?{query}", None, None),
            ("POST", "", query, "application/x-www-form-urlencoded"),
            ("POST", "", json.dumps({
                "chat_id": ann, "text": ODD_TEXT, "reply_markup": markup}), "application/json"),
            ("POST", "", multipart(fields).encode(),
             "multipart/form-data; boundary=limit")):
        headers = {"Content-Type": kind} if kind else {}
        status, answer = sim.request(method, f"{BOT}/sendMessage{path}",
                                     body, headers)
        message = json.loads(answer)["result"]
        assert status == 200 and message["text"] == ODD_TEXT
        assert message["reply_markup"] == markup


def test_query_wins_over_body_and_the_first_value_wins(sim, ann):
    _, body = sim.request(
        "POST", f"{BOT}/SENDmessage?text=one&text=two",
        json.dumps({"chat_id": ann, "text": "three"}))
    assert json.loads(body)["result"]["text"] == "one"


def test_errors_of_the_bot_api(sim, ann):
    for method, params, code, text in (
            ("noSuchMethod", {}, 404,
             "Not Found: method not found"),
            ("sendMessage", {"chat_id": ann}, 400,
             "Bad Request: message text is empty"),
            ("sendMessage", {"text": "x"}, 400,
             "Bad Request: chat_id is empty"),
            ("sendMessage", {"chat_id": 424242, "text": "x"}, 400,
             "Bad Request: chat not found")):
        status, answer = api(sim, method, params)
        assert status == code and answer == {
            "ok": False, "error_code": code, "description": text}


def test_methods_that_nobody_modelled_answer_with_their_type(sim, ann):
    assert isinstance(result(sim, "getUserProfilePhotos", user_id=ann)[
        "photos"], list)
    assert result(sim, "setMyShortDescription", short_description="x") is True
    assert isinstance(result(sim, "exportChatInviteLink", chat_id=ann), str)
    status, answer = api(sim, "getUserProfilePhotos", {})
    assert status == 400 and answer["ok"] is False


def test_users_who_have_not_started_or_have_blocked(sim, ann):
    shy = sim.sim("POST", "/sim/users", {"first_name": "S",
                                         "started": False})["id"]
    status, answer = api(sim, "sendMessage", {"chat_id": shy, "text": "x"})
    assert status in (400, 403) and answer["ok"] is False
    sim.sim("POST", "/sim/block", {"user": ann, "blocked": True})
    status, answer = api(sim, "sendMessage", {"chat_id": ann, "text": "x"})
    assert (status, answer["description"]) == (
        403, "Forbidden: bot was blocked by the user")
    update, = take_updates(sim)
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    refused(sim, 400, "/sim/send", {"from": ann, "text": "x"}, "blocked")


# getUpdates

def test_updates_are_confirmed_strictly_below_the_offset(sim, ann):
    for i in range(3):
        sim.send(ann, str(i))
    def ids_of(**params):
        return [u["update_id"] for u in take_updates(sim, **params)]

    ids = ids_of()
    assert len(ids) == 3
    assert ids_of(offset=ids[1]) == ids[1:]
    assert ids_of(limit=1) == ids[1:2], "the first was confirmed"
    assert ids_of(offset=ids[2]) == ids[2:]
    assert ids_of(offset=ids[2] + 1) == [] == ids_of()


def test_a_negative_offset_forgets_the_rest(sim, ann):
    for i in range(3):
        sim.send(ann, str(i))
    last, = take_updates(sim, offset=-1)
    assert last["message"]["text"] == "2"
    assert take_updates(sim, offset=last["update_id"]) == [last]


def test_get_updates_waits_for_one(sim, ann):
    got = []
    thread = threading.Thread(
        target=lambda: got.extend(take_updates(sim, timeout=25)))
    thread.start()
    sim.send(ann, "now")
    thread.join(harness.LIMIT)
    assert [u["message"]["text"] for u in got] == ["now"]


def test_two_pollers_conflict_and_the_older_loses(sim, ann):
    answers = []
    older = threading.Thread(target=lambda: answers.append(
        api(sim, "getUpdates", {"timeout": 25})))
    older.start()
    while not answers and older.is_alive():
        # Whichever comes second ends the first; repeat until it was there.
        api(sim, "getUpdates", {"timeout": 0})
    older.join(harness.LIMIT)
    status, answer = answers[0]
    assert (status, answer["error_code"]) == (409, 409)
    assert "terminated by other getUpdates" in answer["description"]


def test_allowed_updates_stay_until_changed(sim, ann):
    take_updates(sim, allowed_updates=["callback_query"])
    sim.send(ann, "unwanted")
    assert take_updates(sim) == []
    take_updates(sim, allowed_updates=["message"])
    sim.send(ann, "wanted")
    update, = take_updates(sim)
    assert update["message"]["text"] == "wanted"


def test_any_token_is_a_bot_of_its_own(sim, ann):
    _, me = api(sim, "getMe")
    _, other = api(sim, "getMe", bot="/bot88:OTHER")
    assert (me["result"]["id"], other["result"]["id"]) == (77, 88)
    sim.send(ann, "to one", bot=88)
    assert take_updates(sim) == []
    _, answer = api(sim, "getUpdates", bot="/bot88:OTHER")
    assert answer["result"][0]["message"]["text"] == "to one"


@pytest.mark.parametrize("token", ["x", "0:A", ":A", "77"])
def test_malformed_tokens(sim, token):
    status, answer = api(sim, "getMe", bot=f"/bot{token}")
    assert status in (401, 404, 421) and answer["ok"] is False


def test_one_token_alone():
    only = harness.Sim("--token", "5:FIVE")
    assert api(only, "getMe", bot="/bot5:FIVE")[0] == 200
    for other in ("5:SIX", "6:FIVE"):
        status, answer = api(only, "getMe", bot=f"/bot{other}")
        assert (status, answer) == (401, {
            "ok": False, "error_code": 401, "description": "Unauthorized"})
    only.close()


def test_events_tell_what_happens(sim, ann):
    sim.send(ann, "hi")
    result(sim, "sendMessage", chat_id=ann, text="yo")
    call = sim.events.wait("call", lambda c: c["method"] == "sendMessage")
    assert call["params"]["text"] == "yo"
    sim.events.wait("message", lambda m: "yo" in json.dumps(m))
