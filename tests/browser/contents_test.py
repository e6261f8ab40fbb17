"""Polls, pictures, quotes and invoices as the browser chat shows them."""
import struct
import zlib

import pytest

from browser.messages_test import call


def png(width, height):
    """A grey picture."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x80" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


@pytest.fixture
def photo(page, play, tmp_path):
    """The file_id of a tall picture that Ann has sent."""
    picture = tmp_path / "tall.png"
    picture.write_bytes(png(300, 900))
    page.all("#file")[0].send_keys(str(picture))
    page.see("#messages .row.out .photo", "")
    ann = play.sim("GET", "/sim/users")[0]["id"]
    sent = play.sim("GET", f"/sim/chats/{ann}/messages")[-1]
    return sent["photo"][-1]["file_id"]


def marks(page):
    """The first sign of each option."""
    return [e.text[0] for e in page.all("#messages .option")]


def test_a_quiz_tells_what_was_right_once_it_is_answered(page, play):
    call(page, play, "sendPoll", question="2 + 2?", options=["3", "4", "5"],
         type="quiz", correct_option_ids=[1], explanation_parse_mode="HTML",
         explanation="Count <i>slowly</i>")
    page.see("#messages .poll", "Anonymous quiz")
    assert marks(page) == ["○", "○", "○"]
    assert "Count" not in page.text("#messages .poll")
    page.click("#messages .option", "3")
    page.wait(lambda: marks(page) == ["✗", "✓", "○"], "what is right")
    assert page.text("#messages .poll em") == "slowly"
    page.click("#messages .option", "4")
    page.see("#messages .poll", "1 vote")
    assert marks(page) == ["✗", "✓", "○"]
    assert page.text("#trouble") == ""


def test_a_stopped_poll_is_closed_and_not_edited(page, play):
    said = call(page, play, "sendPoll", question="Tea?", options=["Yes", "No"])
    page.click("#messages .option", "Yes")
    page.see("#messages .option[aria-pressed=true]", "Yes")
    call(page, play, "stopPoll", message_id=said["message_id"])
    page.see("#messages .poll", "Anonymous poll, closed")
    assert "edited" not in page.text("#messages .row.in")
    page.click("#messages .option", "No")
    page.see("#messages .option[aria-pressed=true]", "Yes")
    assert page.text("#trouble") == ""


def test_a_tall_picture_fits_the_chat(page, photo):
    page.wait(lambda: page.js(
        "document.querySelector('.photo').naturalWidth") == 300, "a picture")
    shown = page.all(".photo")[0].rect
    assert (shown["width"], shown["height"]) == (120, 360)


def test_a_hidden_photo_is_shown_when_it_is_pressed(page, play, photo):
    call(page, play, "sendPhoto", photo=photo, has_spoiler=True)
    page.see("#messages .row.in .veil", "")
    veil = page.all("#messages .veil")[0]
    assert veil.accessible_name == "Hidden photo, show"
    assert page.all("#messages .row.in a") == []
    veil.click()
    page.wait(lambda: page.all("#messages .row.in a .photo"), "the photo")
    assert page.all("#messages .veil") == []


def test_a_caption_may_stand_above(page, play, photo):
    call(page, play, "sendPhoto", photo=photo, caption="Look below",
         show_caption_above_media=True)
    text = page.see("#messages .row.in .text", "Look below").rect
    assert text["y"] < page.all("#messages .row.in .photo")[0].rect["y"]


def test_what_is_left_of_an_album_stays_one(page, play, photo):
    sent = call(page, play, "sendMediaGroup", media=[
        {"type": "photo", "media": photo}] * 3)
    page.wait(lambda: len(page.all("#messages .tile")) == 3, "the album")
    call(page, play, "deleteMessage", message_id=sent[1]["message_id"])
    page.see("#messages .ghost", f"message {sent[1]['message_id']} deleted")
    assert len(page.all("#messages .album")) == 1
    assert len(page.all("#messages .album .tile")) == 2


def test_it_is_said_whose_words_they_are(page, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    said = call(page, play, "sendMessage", text="Long words about tea")
    number = said["message_id"]
    call(page, play, "sendMessage", text="Yes", reply_parameters={
        "message_id": number, "quote": "tea"})
    page.wait_answer("Yes")
    assert page.text("#messages .quote span") == "tea"
    call(page, play, "forwardMessage", from_chat_id=ann, message_id=number)
    page.see("#messages .origin", "Forwarded from Demo bot")


def test_who_joined_is_named_when_it_speaks(page, play):
    team = next(c["id"] for c in play.sim("GET", "/sim/chats")
                if c.get("title") == "Team")
    guest = play.sim("POST", "/sim/users", {"first_name": "Farah"})["id"]
    play.sim("POST", "/sim/join", {"chat": team, "user": guest})
    play.sim("POST", "/sim/send", {"from": guest, "chat": team, "text": "hi"})
    page.click("#groups .person", "Team")
    page.see("#messages .divider", "Farah joined")
    assert page.see("#messages .row.in .name", "Farah")


@pytest.mark.parametrize("currency, amount, shown", [
    ("XTR", 5, "5 Stars"), ("EUR", 1250, "12.50 EUR"), ("JPY", 300, "300 JPY"),
])
def test_an_invoice_names_its_price(page, play, currency, amount, shown):
    call(page, play, "sendInvoice", title="Tea", description="A bag",
         payload="p", currency=currency,
         prices=[{"label": "Tea", "amount": amount}])
    assert page.see("#messages .carried", "Tea").text.split("\n")[-1] == shown


def test_no_empty_line_stands_behind_a_block(page, play):
    call(page, play, "sendMessage", parse_mode="HTML",
         text="<pre>code</pre>\nbehind\n<blockquote>said</blockquote>\n\nend")
    page.see("#messages pre", "code")
    assert page.text("#messages .row.in .text") == "codebehind\nsaid\nend"


def test_a_poll_is_known_by_its_question_in_the_inspector(page, play):
    call(page, play, "sendPoll", question="Tea?", options=["Yes", "No"])
    page.click("#messages .option", "Yes")
    assert "Tea?" in page.see("#timeline .update", "poll").text
    page.see("#timeline .call", "sendPoll Tea?")


def test_long_names_leave_sizes_and_hints_whole(page, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    call(page, play, "sendMessage", text="Pick", reply_markup={
        "keyboard": [["One"]], "input_field_placeholder": "words " * 10})
    play.sim("POST", "/sim/send", {"from": ann, "document": {
        "name": "a long name " * 8 + ".csv", "size": 5000}})
    page.width(320)
    size = page.see("#messages .row.out .carried .figures", "5 kB")
    assert size.rect["height"] <= 22
    assert page.all("#composer")[0].get_attribute("placeholder") == \
        "words " * 10
    assert page.js("(e => e.scrollHeight - e.clientHeight)("
                   "document.querySelector('#composer'))") <= 0
