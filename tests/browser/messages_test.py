"""What a bot sends and a person answers, as the browser chat shows it."""
import pytest
from selenium.webdriver import ActionChains

from browser.chromium import PNG, Keys


def call(page, play, method, **params):
    """A call of the bot, to Ann unless it says."""
    ann = play.sim("GET", "/sim/users")[0]["id"]
    return play.sim("POST", f"/bot1:PLAY/{method}",
                    {"chat_id": ann, **params})["result"]


def test_a_reply_keyboard_stands_below_and_goes_when_used(page, play):
    call(page, play, "sendMessage", text="Where?", reply_markup={
        "keyboard": [[{"text": "Here"}, {"text": "There"}]],
        "one_time_keyboard": True, "resize_keyboard": True,
        "input_field_placeholder": "A place"})
    page.see("#keyboard .key", "Here")
    field = page.all("#composer")[0]
    assert field.get_attribute("placeholder") == "A place"
    assert page.all("#keyboard")[0].rect["y"] > field.rect["y"]
    page.click("#keyboard .key", "There")
    page.wait_answer("You said: There")
    assert page.all("#keyboard .key") == []
    page.click("#toggle")
    page.see("#keyboard .key", "Here")


def test_a_selective_keyboard_is_for_whom_it_names(page, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    asked = play.sim("POST", "/sim/send", {"from": ann, "text": "for me"})
    markup = {"keyboard": [[{"text": "Mine"}]], "selective": True}
    page.wait_answer("You said: for me")
    call(page, play, "sendMessage", text="Nobody", reply_markup=markup)
    page.wait_answer("Nobody")
    assert page.all("#keyboard .key") == []
    call(page, play, "sendMessage", text="You", reply_markup=markup,
         reply_parameters={"message_id": asked["message_id"]})
    page.see("#keyboard .key", "Mine")


def test_a_contact_and_a_place_are_made_up_and_sent(page, play):
    call(page, play, "sendMessage", text="Who?", reply_markup={"keyboard": [[
        {"text": "My number", "request_contact": True},
        {"text": "My place", "request_location": True}]]})
    page.click("#keyboard .key", "My number")
    page.see("#messages .row.out .carried", "+12025550100")
    page.click("#keyboard .key", "My place")
    page.see("#messages .row.out .carried a", "52.5186, 13.4081")


def test_an_answer_that_is_asked_for_quotes_the_question(page, play):
    call(page, play, "sendMessage", text="Your name?", reply_markup={
        "force_reply": True, "input_field_placeholder": "Ann Example"})
    page.see("#answered .quote", "Your name?")
    field = page.all("#composer")[0]
    assert field.get_attribute("placeholder") == "Ann Example"
    page.type("Ann")
    page.see("#messages .row.out .quote", "Your name?")
    assert page.all("#answered .quote") == []


def test_any_message_can_be_answered(page):
    page.start()
    page.all("#composer")[0].send_keys(Keys.ESCAPE)
    page.driver.switch_to.active_element.send_keys("r")
    page.see("#answered .quote", "Hello, Ann")
    page.type("hello yourself")
    page.see("#messages .row.out .quote", "Hello, Ann")


def test_answering_has_a_button_beside_the_message(page):
    page.start()
    bubble = page.all("#messages .row.in .bubble")[0]
    ActionChains(page.driver).move_to_element(bubble).perform()
    page.click("#messages .row.in .answer")
    page.see("#answered .quote", "Hello, Ann")
    page.type("hello yourself")
    page.see("#messages .row.out .quote", "Hello, Ann")


def test_an_album_is_one_message(page, play):
    files = [play.sim("POST", "/sim/send", {
        "from": play.sim("GET", "/sim/users")[0]["id"],
        "document": {"name": f"{n}.txt", "text": n}})
        for n in ("one", "two")]
    call(page, play, "sendMediaGroup", media=[
        {"type": "document", "media": f["document"]["file_id"]}
        for f in files])
    page.wait(lambda: len(page.all("#messages .album .tile")) == 2,
              "two files in one album")
    assert len(page.all("#messages .album")) == 1
    assert page.see("#messages .album", "two.txt")


def test_what_the_bot_does_is_named(page, play):
    call(page, play, "sendChatAction", action="typing")
    page.see("#typing", "is typing")
    call(page, play, "sendChatAction", action="upload_document")
    page.see("#typing", "sends a file")
    call(page, play, "sendMessage", text="there")
    page.wait(lambda: page.text("#typing") == "", "the end of it")


def test_a_vote_is_counted_and_taken_back(page, play):
    call(page, play, "sendPoll", question="Tea?",
         options=[{"text": "Yes"}, {"text": "No"}])
    page.see("#messages .poll", "Anonymous poll")
    page.click("#messages .option", "Yes")
    page.see("#messages .poll", "1 vote")
    page.see("#messages .option[aria-pressed=true]", "100 %")
    page.click("#messages .option", "No")
    page.see("#messages .option[aria-pressed=true]", "No")
    page.click("#messages .option", "No")
    page.see("#messages .poll", "0 votes")
    polls = [u for u in play.sim("GET", "/sim/updates")
             if "poll" in u["update"]]
    assert len(polls) == 3


@pytest.mark.parametrize("method, params, shown", [
    ("sendDice", {}, "🎲"),
    ("sendContact", {"phone_number": "+49301", "first_name": "Cho"}, "+49301"),
    ("sendLocation", {"latitude": 52.5, "longitude": 13.4}, "52.5, 13.4"),
    ("sendVenue", {"latitude": 1, "longitude": 2, "title": "Tea house",
                   "address": "Leaf Road 1"}, "Leaf Road 1"),
    ("sendSticker", {"sticker": "some"}, "Sticker"),
])
def test_what_is_no_text_is_a_card(page, play, method, params, shown):
    call(page, play, method, **params)
    page.see("#messages .row.in .bubble", shown)


def test_reactions_stand_at_their_message(page, play):
    said = call(page, play, "sendMessage", text="Tea is ready")
    message = {"message_id": said["message_id"]}
    call(page, play, "setMessageReaction", **message,
         reaction=[{"type": "emoji", "emoji": "👍"}])
    page.see("#messages .row.in .reactions", "👍")
    assert "edited" not in page.text("#messages .row.in")
    call(page, play, "setMessageReaction", **message, reaction=[])
    page.wait(lambda: not page.all(".reactions"), "no reaction")


def test_new_buttons_alone_are_no_edit(page, play):
    said = call(page, play, "sendMessage", text="Pick")
    call(page, play, "editMessageReplyMarkup",
         message_id=said["message_id"], reply_markup={"inline_keyboard": [[
             {"text": "Late", "callback_data": "late"}]]})
    page.see("#messages .key", "Late")
    assert "edited" not in page.text("#messages .row.in")


def test_buttons_that_the_client_deals_with(page, play):
    call(page, play, "sendMessage", text="Links",
         reply_markup={"inline_keyboard": [[
             {"text": "Site", "url": "https://telegram.org/"},
             {"text": "Copy", "copy_text": {"text": "A-17"}},
             {"text": "Ask", "switch_inline_query_current_chat": "tea"}]]})
    link = page.see("#messages a.key", "Site")
    assert link.get_attribute("href") == "https://telegram.org/"
    page.click("#messages .key", "Copy")
    page.see(".toast", "opied")
    page.click("#messages .key", "Ask")
    assert page.all("#composer")[0].get_property("value") == "@demo_bot tea"


def test_entities_are_seen_and_can_be_opened(page, play):
    call(page, play, "sendMessage", parse_mode="HTML", text=(
        '<tg-spoiler>secret <a href="https://b.example/">b</a></tg-spoiler> '
        '<a href="https://a.example/">a</a>'
        '<pre><code class="language-lua">return 1</code></pre>'
        "<blockquote expandable>a long quotation</blockquote>"))
    assert page.see("#messages pre", "return 1").get_attribute(
        "data-language") == "lua"
    hidden = page.all("#messages .spoiler")[0]
    assert hidden.accessible_name == "Hidden text, show"
    assert page.all("#messages .spoiler a") == []
    hidden.click()
    page.see("#messages .shown", "secret")
    page.click("#messages .folded button", "Show more")
    page.see("#messages .folded.open", "Show less")


def test_the_menu_is_that_of_the_persons_language(page, play):
    dora = play.sim("POST", "/sim/users", {"first_name": "Dora",
                                           "language_code": "de"})
    for language, text in (("", "Begin"), ("de", "Los")):
        play.sim("POST", "/bot1:PLAY/setMyCommands", {
            "language_code": language,
            "commands": [{"command": "start", "description": text}]})
    page.click("#slash")
    page.see("#commands", "Begin")
    page.click(f"#people .person[data-chat='{dora['id']}']")
    page.click("#slash")
    page.see("#commands", "Los")
    page.driver.refresh()
    page.click("#slash")
    page.see("#commands", "Los")


def test_a_typed_answer_uses_a_keyboard_for_one_time(page, play):
    call(page, play, "sendMessage", text="Where?", reply_markup={
        "keyboard": [[{"text": "Here"}]], "one_time_keyboard": True})
    page.see("#keyboard .key", "Here")
    page.type("elsewhere")
    page.wait_answer("You said: elsewhere")
    assert page.all("#keyboard .key") == []


def test_an_album_of_photos_fits_a_phone(page, play, tmp_path):
    page.width(390)
    picture = tmp_path / "grey.png"
    picture.write_bytes(PNG)
    page.all("#file")[0].send_keys(str(picture))
    page.see("#messages .row.out .photo", "")
    sent = play.sim("GET", "/sim/chats/%d/messages"
                    % play.sim("GET", "/sim/users")[0]["id"])[-1]
    photo = {"type": "photo", "media": sent["photo"][-1]["file_id"]}
    call(page, play, "sendMediaGroup", media=[photo, photo, photo])
    page.wait(lambda: len(page.all("#messages .album .photo")) == 3,
              "three photos")
    assert page.js("document.documentElement.scrollWidth") <= 390
