"""The browser chat, seen in a real browser: what someone who opens the
address of `moonlet play` can do and is told."""
import urllib.error
import urllib.request

import pytest

from browser import chromium

BOT = """\
local bot = require "moonlet.bot"

bot.command("start", function(ctx)
  ctx:reply("Hello, " .. ctx.from.first_name, { reply_markup = {
    inline_keyboard = { {
      { text = "Order", callback_data = "order" },
      { text = "Rules", callback_data = "rules" },
    } },
  } })
end, { description = "Begin" })

bot.callback("^order$", function(ctx) ctx:answer_callback("Ordered") end)
bot.callback("^rules$", function(ctx)
  ctx:answer_callback("Be kind", { show_alert = true })
end)

bot.hears("^keyboard$", function(ctx)
  ctx:reply("Pick one", { reply_markup = {
    keyboard = { { { text = "Tea" }, { text = "Coffee" } } },
  } })
end)

bot.hears("^change$", function(ctx)
  local kept = ctx:reply("First words")
  local gone = ctx:reply("Short life")
  local chat = ctx.chat.id
  ctx.api.editMessageText{ chat_id = chat, message_id = kept.message_id,
    text = "Second words" }
  ctx.api.deleteMessage{ chat_id = chat, message_id = gone.message_id }
end)

bot.hears("^think$", function(ctx)
  ctx.api.sendChatAction{ chat_id = ctx.chat.id, action = "typing" }
end)

bot.hears("^fail$", function(ctx)
  local user
  ctx:reply(user.name) -- fails
end)

bot.hears("^bold$", function(ctx)
  ctx:reply("a <b>&</b> b", { entities = {
    { type = "bold", offset = 2, length = 3 } } })
end)

bot.on("message:document", function(ctx)
  ctx.api.sendDocument{ chat_id = ctx.chat.id,
    document = ctx.message.document.file_id, caption = "back" }
end)

bot.on("poll", function() end)

bot.hears(".+", function(ctx) ctx:reply("You said: " .. ctx.message.text) end)
"""
FAILING_LINE = 1 + BOT[:BOT.index("-- fails")].count("\n")
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; "
          "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
          "form-action 'self'; frame-ancestors 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")
ASSETS_MAX = 120_000


@pytest.fixture(scope="module")
def driver():
    browser = chromium.start()
    yield browser
    browser.quit()


@pytest.fixture
def page(play, driver):
    """The page of a bot that runs BOT, with Ann's chat open."""
    opened = chromium.Page(driver, f"{play.url}/play")
    (play.scripts / "main.lua").write_text(BOT)
    opened.see("#messages .reload", "reloaded, generation 2")
    yield opened
    opened.close()


def start(page):
    page.click(".start")
    page.wait_answer("Hello, Ann")


def fetch(url, **headers):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers=headers)
    return direct.open(request, timeout=10)


def test_start_leads_to_an_answer_without_typing(page):
    assert page.answers() == []
    start(page)
    assert page.see("#messages .row.out", "/start")
    assert page.see("#messages .inline .key", "Order")


def test_a_typed_message_is_answered(page):
    page.type("good morning")
    page.wait_answer("You said: good morning")
    assert "good morning" in page.text("#messages .row.out .text")
    assert page.all("#composer")[0].get_property("value") == ""


def test_shift_enter_breaks_the_line(page):
    field = page.all("#composer")[0]
    field.send_keys("one", chromium.Keys.SHIFT, chromium.Keys.ENTER,
                    chromium.Keys.NULL, "two", chromium.Keys.ENTER)
    page.wait_answer("You said: one\ntwo")


def test_a_press_shows_its_answer(page):
    start(page)
    page.click("#messages .inline .key", "Order")
    page.see(".toast", "Ordered")
    page.wait(lambda: not page.all(".key[aria-busy]"), "the spinner's end")


def test_an_alert_waits_for_its_button_and_only_here(page):
    start(page)
    page.click("#messages .inline .key", "Rules")
    page.see(".alert", "Be kind")
    page.click("#people .person", "Bob")
    page.see(".who", "as Bob")
    assert page.all(".alert") == []
    page.click("#people .person", "Ann")
    page.click(".alert button")
    page.wait(lambda: not page.all(".alert"), "the alert's end")


def test_a_reply_keyboard_writes_for_the_person(page):
    page.type("keyboard")
    page.click("#keyboard .key", "Coffee")
    page.wait_answer("You said: Coffee")


def test_an_edit_is_marked_and_a_deletion_leaves_a_ghost(page):
    page.type("change")
    page.see("#messages .row.in", "edited")
    page.see("#messages .ghost", "deleted")
    assert page.answers() == ["Second words"]
    page.click("#messages .ghost button", "show")
    page.see("#messages .row.deleted", "Short life")


def test_a_chat_action_shows_dots_until_the_answer(page):
    page.type("think")
    page.see("#typing", "is typing")
    page.type("and")
    page.wait_answer("You said: and")
    assert page.all("#typing .dots") == []


def test_a_refused_message_comes_back_with_the_reason(page):
    page.expected = "status of 400"
    page.driver.execute_script(
        "document.querySelector('#composer').value = 'x'.repeat(5000)")
    page.click(".send")
    page.see("#trouble", "Not sent")
    assert len(page.all("#composer")[0].get_property("value")) == 5000
    assert page.all("#messages .pending") == []


def test_formatted_text_is_cut_not_parsed(page):
    page.type("bold")
    page.wait_answer("a <b>&</b> b")
    assert page.text("#messages .text strong") == "<b>"


def test_a_group_message_appears_in_its_group_alone(page, play):
    people = {u["first_name"]: u["id"] for u in play.sim("GET", "/sim/users")}
    team = next(c["id"] for c in play.sim("GET", "/sim/chats")
                if c.get("title") == "Team")
    start(page)
    play.sim("POST", "/sim/send", {
        "from": people["Bob"], "chat": team, "text": "lunch?"})
    page.see(f".person[data-chat='{team}']", "lunch?")
    assert "lunch?" not in page.text("#messages")
    page.click("#groups .person", "Team")
    page.see("#messages .row.in", "lunch?")
    assert page.see("#messages .name", "Bob")
    assert "Hello, Ann" not in page.text("#messages")


def test_a_name_of_markup_is_shown_literally(page, play):
    name = "<script>alert(1)</script>"
    scripts = page.js("document.scripts.length")
    play.sim("POST", "/sim/users", {"first_name": name})
    page.click("#people .person", name)
    page.see(".who", name)
    page.click(".start")
    page.wait_answer(f"Hello, {name}")
    page.see("#timeline .update", name)
    assert name in page.driver.title
    assert page.js("document.scripts.length") == scripts


def test_a_save_shows_a_divider_and_the_new_answer(page, play):
    start(page)
    new = BOT.replace("Hello, ", "Welcome, ")
    (play.scripts / "main.lua").write_text(new)
    page.see("#messages .reload", "reloaded, generation 3")
    page.click("#messages .reload button")
    page.wait_answer("Welcome, Ann")
    assert page.answers() == ["Hello, Ann", "Welcome, Ann"]
    page.click("#people .person", "Bob")
    page.see("#messages .reload", "reloaded, generation 3")


def test_a_typo_is_told_and_the_old_answers_go_on(page, play):
    line = BOT.count("\n") + 1
    (play.scripts / "main.lua").write_text(BOT + "local = 1\n")
    page.see("#failed", f"main.lua:{line}")
    page.see("#failed", "Generation 2 goes on")
    page.type("still there?")
    page.wait_answer("You said: still there?")
    (play.scripts / "main.lua").write_text(BOT)
    page.wait(lambda: page.text("#failed") == "", "the bar's end")


def test_a_runtime_error_is_a_card_with_its_line(page):
    page.type("fail")
    card = page.see("#messages .card", f"main.lua:{FAILING_LINE}")
    assert "only you see this" in card.text
    assert "user" in card.text
    page.click("#messages .card summary")
    page.see("#messages .card pre", "main.lua")
    page.click("#messages .card button", "Show the update")
    assert f"main.lua:{FAILING_LINE}" in page.text("#timeline .marked .error")
    page.type("next")
    page.wait_answer("You said: next")


def test_the_inspector_tells_what_an_update_led_to(page):
    start(page)
    group = page.see("#timeline .group", "/start")
    assert "sendMessage" in group.text
    page.click("#timeline .call .entry-head", "sendMessage")
    page.see("#timeline .json pre", '"text": "Hello, Ann"')
    page.click("#chips .chip", "Calls")
    page.wait(lambda: not page.all("#timeline .call"), "hidden calls")
    page.click("#chips .chip", "Updates")
    page.see("#timeline", "both switched off")


def test_a_reader_above_the_end_is_left_alone(page, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    for i in range(30):
        play.sim("POST", "/sim/send", {"from": ann, "text": f"old {i}"})
    page.wait_answer("You said: old 29")
    page.js("document.querySelector('#log').scrollTo(0, 200)")
    page.wait(lambda: page.js("document.querySelector('#log').scrollTop")
              == 200, "the scrolled place")
    play.sim("POST", "/sim/send", {"from": ann, "text": "newest"})
    page.wait_answer("You said: newest")
    page.see("#newer", "2 new")
    assert page.js("document.querySelector('#log').scrollTop") == 200
    page.click("#newer")
    page.wait(lambda: page.js("(e => e.scrollHeight - e.clientHeight - "
                              "e.scrollTop)(document.querySelector('#log'))")
              < 2, "the end")


def test_an_engine_that_is_gone_is_told_and_messages_wait(page, play):
    page.expected = "net::ERR_"
    play.close()
    page.see("#pill", "Reconnecting")
    page.type("anyone?")
    page.see("#messages .pending", "waits for the engine")
    page.see("#trouble", "does not answer")


def test_everything_goes_by_keyboard(page, play):
    keys = chromium.Keys
    start(page)
    play.sim("POST", "/bot1:PLAY/setMyCommands", {"commands": [
        {"command": "start", "description": "Begin"}]})
    field = page.all("#composer")[0]
    field.send_keys("/")
    page.see("#commands", "/start")
    field.send_keys(keys.ESCAPE, keys.BACKSPACE, keys.ESCAPE)
    page.wait(lambda: page.js("document.activeElement.className")
              .startswith("row"), "the focus on a message")
    page.driver.switch_to.active_element.send_keys("1")
    page.see(".toast", "Ordered")
    page.driver.switch_to.active_element.send_keys("c")
    assert page.js("document.activeElement.id") == "composer"
    field.send_keys(keys.F6)
    assert page.js("document.activeElement.id") == "timeline"


def test_the_inspector_is_a_drawer_in_a_narrow_window(page):
    page.width(1000)
    start(page)
    assert not page.all("#pane")[0].is_displayed()
    page.click(".inspect")
    page.see("#timeline .group", "/start")
    page.driver.switch_to.active_element.send_keys(chromium.Keys.ESCAPE)
    page.wait(lambda: not page.all("#pane")[0].is_displayed(),
              "the closed drawer")
    inspect = page.all(".inspect")[0]
    assert page.driver.switch_to.active_element == inspect
    page.click("#messages .row.out .when")
    page.see("#timeline .marked", "/start")


def test_the_chosen_colours_outlive_a_reload(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.click("#theme", "Auto")
    page.click("#theme", "Light")
    page.see("#theme", "Dark")
    page.driver.refresh()
    page.see("#theme", "Dark")
    assert page.js(ground) == "rgb(15, 18, 23)"
    page.click("#theme", "Dark")
    page.see("#theme", "Auto")
    assert page.js(ground) == "rgb(246, 247, 249)"


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_scrolls_sideways(page, play, width):
    page.width(width)
    start(page)
    page.type("fail")
    page.see("#messages .card", "main.lua")
    page.type("w" * 300)
    (play.scripts / "main.lua").write_text(BOT + "local = 1\n")
    page.see("#failed", "main.lua")
    for pane in ["rail", "chat", "pane"]:
        if width < 720:
            page.click(f"#tabs [data-to={pane}]")
        assert page.js("document.documentElement.scrollWidth") <= width
        assert page.js("Math.max(...[...document.querySelectorAll("
                       "'#log, #timeline, #rail')].map("
                       "e => e.scrollWidth - e.clientWidth))") <= 0


def test_the_files_are_small_and_guarded(page, play):
    names = set(page.js("performance.getEntriesByType('resource')"
                        ".map(e => e.name)"))
    assets = {n for n in names if "/a/" in n}
    assert any(n.endswith(".css") for n in assets)
    total = 0
    for url in assets | {f"{play.url}/play"}:
        answer = fetch(url)
        total += len(answer.read())
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-cache"
        with pytest.raises(urllib.error.HTTPError) as known:
            fetch(url, **{"If-None-Match": answer.headers["ETag"]})
        assert known.value.code == 304
    assert 10_000 < total < ASSETS_MAX


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6358000000a200a17105cb410000000049454e44ae4260"
    "82")


def test_files_go_both_ways(page, play, tmp_path):
    """A document comes back with a link that serves it; a photo is seen."""
    text = tmp_path / "list of things.csv"
    text.write_bytes(b"a,b\n" * 300)
    page.all("#composer")[0].send_keys("mine")
    page.all("#file")[0].send_keys(str(text))
    page.see("#messages .row.out .carried", "list of things.csv")
    page.see("#messages .row.out .text", "mine")
    page.wait_answer("back")
    link = page.see("#messages .row.in .carried a", "list of things.csv")
    page.see("#messages .row.in .carried", "1.2 kB")
    assert link.get_attribute("download") == text.name
    answer = fetch(link.get_property("href"))
    assert answer.read() == text.read_bytes()
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    picture = tmp_path / "grey.png"
    picture.write_bytes(PNG)
    page.all("#file")[0].send_keys(str(picture))
    page.wait(lambda: page.js(
        "document.querySelector('.photo')?.naturalWidth") == 1, "a picture")
    large = tmp_path / "large.bin"
    large.write_bytes(b"x" * 8_000_001)
    page.all("#file")[0].send_keys(str(large))
    page.see("#trouble", "large.bin has 8 MB")


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
    start(page)
    keys = chromium.Keys
    page.all("#composer")[0].send_keys(keys.ESCAPE)
    page.driver.switch_to.active_element.send_keys("r")
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
        '<tg-spoiler>secret</tg-spoiler> <a href="https://a.example/">a</a>'
        '<pre><code class="language-lua">return 1</code></pre>'
        "<blockquote expandable>a long quotation</blockquote>"))
    assert page.see("#messages pre", "return 1").get_attribute(
        "data-language") == "lua"
    page.click("#messages .spoiler")
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
