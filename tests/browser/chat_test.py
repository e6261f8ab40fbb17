"""The browser chat, seen in a real browser: what someone who opens the
address of `moonlet play` can do and is told."""
import urllib.error
import urllib.request

import pytest

from browser import chromium
from browser.chromium import BOT, PNG

FAILING_LINE = 1 + BOT[:BOT.index("-- fails")].count("\n")
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; "
          "img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
          "form-action 'self'; frame-ancestors 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")
ASSETS_MAX = 120_000


def fetch(url, **headers):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers=headers)
    return direct.open(request, timeout=10)


def test_start_leads_to_an_answer_without_typing(page):
    assert page.answers() == []
    page.start()
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
    page.start()
    page.click("#messages .inline .key", "Order")
    page.see(".toast", "Ordered")
    page.wait(lambda: not page.all(".key[aria-busy]"), "the spinner's end")


def test_an_alert_waits_for_its_button_and_only_here(page):
    page.start()
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
    page.click("#messages .row.in .was", "edited")
    assert page.see("#messages .row.in .earlier", "First words")
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
    page.start()
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
    page.start()
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
    page.start()
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
    page.start()
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
    page.start()
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
    page.start()
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


@pytest.mark.parametrize("width", [320, 390, 800])
def test_wide_content_stays_in_its_column(page, play, width):
    """Code, long words and long buttons widen neither page nor column."""
    ann = play.sim("GET", "/sim/users")[0]["id"]
    page.width(width)
    play.sim("POST", "/bot1:PLAY/sendMessage", {
        "chat_id": ann, "parse_mode": "HTML",
        "text": f"<pre>{'wide code ' * 40}</pre>", "reply_markup": {
            "inline_keyboard": [[{"text": "long " * 40, "callback_data": "a"},
                                 {"text": "w" * 90, "callback_data": "b"}]]}})
    page.see("#messages pre", "wide code")
    right = page.js("[...document.querySelectorAll('#chat, #form, .send, "
                    ".row, .key')].map(e => e.getBoundingClientRect().right)")
    assert max(right) <= width


@pytest.mark.parametrize("touch, height", [(False, 36), (True, 44)])
def test_the_longest_row_of_buttons_fits_a_small_phone(page, play, touch,
                                                       height):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    page.width(320)
    page.touch(touch)
    play.sim("POST", "/bot1:PLAY/sendMessage", {
        "chat_id": ann, "text": "Pick", "reply_markup": {"inline_keyboard": [
            [{"text": f"{n}", "callback_data": f"{n}"} for n in row]
            for row in (range(1, 9), range(92, 100))]}})
    page.see("#messages .key", "99")
    keys = page.js("[...document.querySelectorAll('#messages .key')]"
                   ".map(e => e.getBoundingClientRect().toJSON())")
    assert max(key["right"] for key in keys) <= 304
    assert {key["height"] for key in keys} == {height}
    assert min(key["width"] for key in keys) >= 24


def test_short_words_on_buttons_are_not_broken(page, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    play.sim("POST", "/bot1:PLAY/sendMessage", {
        "chat_id": ann, "text": "Pick", "reply_markup": {"inline_keyboard": [[
            {"text": t, "callback_data": t}
            for t in ("Alert", "Ok", "Never", "Url")]]}})
    page.see("#messages .key", "Never")
    heights = page.js("[...document.querySelectorAll('#messages .key')]"
                      ".map(e => e.offsetHeight)")
    assert set(heights) == {36}


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
