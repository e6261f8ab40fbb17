"""The long lists of the browser chat: where the reader is, nothing moves."""
import pytest

from browser.chromium import BOT, Keys

QUIET = BOT[:BOT.index("bot.hears(\".+\"")]
ROWS_MAX = 200  # in the document
LOG = "document.querySelector('#log')"
BELOW = f"(e => e.scrollHeight - e.clientHeight - e.scrollTop)({LOG})"
IN_SIGHT = """(([box, list]) => {
  const { top } = document.querySelector(box).getBoundingClientRect();
  for (const row of document.querySelector(list).children) {
    const place = row.getBoundingClientRect();
    if (place.bottom > top + 1)
      return { name: row.dataset.message ?? row.dataset.key,
               top: place.top };
  }
})"""
TIMELINE_ROWS = "document.querySelector('#timeline').childElementCount"
TIMELINE_END = ("(e => e.scrollHeight - e.clientHeight - e.scrollTop < 50)("
                "document.querySelector('#timeline'))")
CHAT = ["#log", "#messages"]
TIMELINE = ["#timeline", "#timeline"]


@pytest.fixture
def quiet(page, play):
    """The page of a bot that answers nothing but /start; sends(n, text) lets
    Ann write `text 1` to `text n`."""
    (play.scripts / "main.lua").write_text(QUIET)
    page.see("#messages .reload", "generation 3")
    ann = play.sim("GET", "/sim/users")[0]["id"]

    def sends(n, text):
        for i in range(1, n + 1):
            play.sim("POST", "/sim/send",
                     {"from": ann, "text": f"{text} {i}"})
    page.sends = sends
    return page


def in_sight(page, where):
    return page.js(f"{IN_SIGHT}({where})")


def last_text(page):
    return page.js("[...document.querySelectorAll('#messages .text')]"
                   ".at(-1)?.textContent")


def wait_last(page, text):
    page.wait(lambda: last_text(page) == text, f"{text!r} at the end")


def rows_in_sight(page):
    """The numbers of the messages, from above to below."""
    return page.js(f"""(box => [...document.querySelectorAll(".row")]
      .filter(row => {{
        const place = row.getBoundingClientRect();
        return place.bottom > box.top && place.top < box.bottom;
      }}).map(row => Number(row.dataset.message)))(
        {LOG}.getBoundingClientRect())""")


def wheel(page, by):
    place = page.js(f"{LOG}.getBoundingClientRect().toJSON()")
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
        "type": "mouseWheel", "x": place["x"] + 200, "y": place["y"] + 200,
        "deltaX": 0, "deltaY": by})


def test_what_comes_moves_nothing_under_the_eye(quiet):
    quiet.sends(120, "old")
    wait_last(quiet, "old 120")
    end = quiet.js(f"{LOG}.scrollTop")
    quiet.js(f"{LOG}.scrollTo(0, {end} - 500)")
    quiet.wait(lambda: quiet.js(f"{LOG}.scrollTop") == end - 500, "the place")
    before = in_sight(quiet, CHAT)
    quiet.sends(100, "new")
    quiet.see("#newer", "100 new")
    after = in_sight(quiet, CHAT)
    assert after["name"] == before["name"]
    assert abs(after["top"] - before["top"]) < 1
    quiet.click("#newer")
    wait_last(quiet, "new 100")
    assert quiet.js(BELOW) < 2


def test_thousands_of_rows_are_there_but_few_in_the_document(quiet):
    quiet.sends(2000, "line")
    wait_last(quiet, "line 2000")
    rows = "document.querySelector('#messages').childElementCount"
    assert quiet.js(rows) < ROWS_MAX
    last = quiet.all("#messages .row")[-1]
    place = int(last.get_attribute("aria-posinset"))
    assert place == int(last.get_attribute("aria-setsize")) > 2000
    log = quiet.all("#log")[0]
    log.send_keys(Keys.HOME)
    quiet.wait(lambda: "line 1" == quiet.js(
        "document.querySelector('#messages .text').textContent"), "the first")
    assert quiet.js(f"{LOG}.scrollTop") == 0
    assert quiet.js(rows) < ROWS_MAX
    log.send_keys(Keys.END)
    wait_last(quiet, "line 2000")
    assert quiet.js(BELOW) < 2
    assert quiet.js(rows) < ROWS_MAX


def test_the_wheel_walks_back_to_the_first_message(quiet):
    quiet.sends(600, "line")
    wait_last(quiet, "line 600")
    shown = set(rows_in_sight(quiet))
    while (at := quiet.js(f"{LOG}.scrollTop")) > 0:
        earliest = min(shown)
        wheel(quiet, -400)
        quiet.wait(lambda: quiet.js(f"{LOG}.scrollTop") != at, "a turn")
        rows = rows_in_sight(quiet)
        assert rows == list(range(rows[0], rows[-1] + 1))
        assert rows[0] <= earliest <= rows[-1] + 1
        shown.update(rows)
    assert shown == set(range(1, 601))


def test_the_keys_walk_past_what_is_in_the_document(quiet):
    quiet.sends(200, "line")
    wait_last(quiet, "line 200")
    quiet.all("#composer")[0].send_keys(Keys.ESCAPE)
    for _ in range(180):
        quiet.driver.switch_to.active_element.send_keys("k")
    assert quiet.js("document.activeElement.dataset.message") == "20"
    quiet.driver.switch_to.active_element.send_keys(Keys.END)
    assert quiet.js("document.activeElement.dataset.message") == "200"


def test_a_row_above_the_eye_may_grow(quiet, play):
    ann = play.sim("GET", "/sim/users")[0]["id"]
    said = play.sim("POST", "/bot1:PLAY/sendMessage",
                    {"chat_id": ann, "text": "short"})["result"]
    quiet.sends(60, "line")
    wait_last(quiet, "line 60")
    quiet.js(f"{LOG}.scrollTo(0, 400)")
    quiet.wait(lambda: quiet.js(f"{LOG}.scrollTop") == 400, "the place")
    before = in_sight(quiet, CHAT)
    play.sim("POST", "/bot1:PLAY/editMessageText", {
        "chat_id": ann, "message_id": said["message_id"],
        "text": "long\n" * 20})
    quiet.wait(lambda: "long" in quiet.text("#messages"), "the edit")
    after = in_sight(quiet, CHAT)
    assert after["name"] == before["name"]
    assert abs(after["top"] - before["top"]) < 1


def test_the_timeline_leads_to_a_message_far_above(quiet):
    quiet.sends(250, "line")
    wait_last(quiet, "line 250")
    quiet.see("#timeline", "line 250")
    assert quiet.all("#messages [data-message='60']") == []
    assert quiet.js(TIMELINE_ROWS) < ROWS_MAX
    quiet.all("#timeline")[0].send_keys(Keys.HOME)
    quiet.click("#timeline .entry-head", "line 60")
    quiet.click("#timeline .json .link", "Show message")
    assert quiet.js("document.activeElement.dataset.message") == "60"
    assert 60 in rows_in_sight(quiet)
    quiet.sends(1, "later")
    quiet.see("#newer", "1 new")
    assert 60 in rows_in_sight(quiet)


def test_a_message_leads_to_its_update_far_above(quiet):
    quiet.sends(250, "line")
    wait_last(quiet, "line 250")
    quiet.see("#timeline", "line 250")
    assert "line 60" not in quiet.text("#timeline")
    quiet.all("#log")[0].send_keys(Keys.HOME)
    quiet.click("#messages [data-message='60'] .when")
    assert quiet.see("#timeline .marked", "line 60")


def test_the_timeline_stays_where_one_reads(quiet):
    quiet.sends(200, "old")
    quiet.see("#timeline", "old 200")
    timeline = quiet.all("#timeline")[0]
    quiet.js("document.querySelector('#timeline').scrollBy(0, -500)")
    quiet.wait(lambda: not quiet.js(TIMELINE_END), "the place")
    before = in_sight(quiet, TIMELINE)
    quiet.sends(250, "new")  # the first updates are forgotten meanwhile
    quiet.see("#pane-newer", "250 new")
    after = in_sight(quiet, TIMELINE)
    assert after["name"] == before["name"]
    assert abs(after["top"] - before["top"]) < 1
    timeline.send_keys(Keys.END)
    quiet.see("#timeline", "new 250")
    assert quiet.all("#pane-newer")[0].is_displayed() is False
