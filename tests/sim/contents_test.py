"""What messages of bots carry beside their text: quotes, marks of pictures,
invoices."""
import pytest

BAD = "Bad Request: "
STARS = {"title": "T", "description": "D", "payload": "P", "currency": "XTR",
         "prices": [{"label": "L", "amount": 5}]}


@pytest.fixture
def call(sim):
    ann = sim.user("Ann")["id"]

    def call(method, **params):
        return sim.result(method, **{"chat_id": ann, **params})
    call("getMe")
    return call


def test_a_part_of_a_message_is_quoted(call):
    said = call("sendMessage", text="\U0001f600 tea and tea")
    where = {"message_id": said["message_id"]}

    def quote(text, **more):
        answer = call("sendMessage", text="x", reply_parameters={
            **where, "quote": text, **more})
        return answer if isinstance(answer, str) else answer["quote"]
    assert quote("tea") == {"text": "tea", "position": 3, "is_manual": True}
    assert quote("tea", quote_position=12)["position"] == 11
    assert quote("<b>tea</b>", quote_parse_mode="HTML") == {
        "text": "tea", "position": 3, "is_manual": True,
        "entities": [{"type": "bold", "offset": 0, "length": 3}]}
    assert quote("coffee") == BAD + "QUOTE_TEXT_INVALID"
    plain = call("sendMessage", text="x", reply_parameters=where)
    assert "quote" not in plain
    assert plain["reply_to_message"]["message_id"] == said["message_id"]


def test_pictures_can_be_hidden_and_below_their_caption(call):
    marks = {"has_spoiler": True, "show_caption_above_media": True}
    photo = call("sendPhoto", photo="F", caption="c", **marks)
    assert photo["has_media_spoiler"] is True
    assert photo["show_caption_above_media"] is True
    album = call("sendMediaGroup", media=[
        {"type": "photo", "media": "F"},
        {"type": "video", "media": "V", **marks}])
    assert [m.get("has_media_spoiler") for m in album] == [None, True]
    edited = call("editMessageMedia", message_id=photo["message_id"],
                  media={"type": "photo", "media": "G"})
    assert "has_media_spoiler" not in edited
    assert "has_media_spoiler" not in call("sendDocument", document="D",
                                           has_spoiler=True)


def test_an_invoice_adds_up(call):
    sent = call("sendInvoice", **{**STARS, "currency": "EUR", "prices": [
        {"label": "Tea", "amount": 250}, {"label": "Less", "amount": -50}]})
    assert sent["invoice"] == {
        "title": "T", "description": "D", "start_parameter": "",
        "currency": "EUR", "total_amount": 200}


def test_a_link_to_an_invoice_is_one_of_telegram(call):
    links = {call("createInvoiceLink", **STARS) for _ in range(2)}
    assert len(links) == 2
    assert all(link.startswith("https://t.me/$") for link in links)


@pytest.mark.parametrize("method", ["sendInvoice", "createInvoiceLink"])
@pytest.mark.parametrize("wrong, words", [
    ({"prices": []}, "there must be at least one price"),
    ({"prices": [{"amount": 1}]}, "can't parse labeled price: "
     "LabeledPrice label must be non-empty"),
    ({"prices": STARS["prices"] * 2}, "STARS_INVOICE_INVALID"),
    ({"suggested_tip_amounts": [0]}, "suggested tip amount must be positive"),
    ({"max_tip_amount": 1, "suggested_tip_amounts": [2]},
     "suggested tip amount can't be bigger than max_tip_amount"),
])
def test_what_is_no_invoice_is_refused(call, method, wrong, words):
    assert call(method, **{**STARS, **wrong}) == BAD + words
