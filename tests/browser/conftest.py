import pytest

from browser import chromium


@pytest.fixture(scope="session")
def driver():
    browser = chromium.start()
    yield browser
    browser.quit()


@pytest.fixture
def page(play, driver):
    """The page of a bot that runs bot.lua, with Ann's chat open."""
    opened = chromium.Page(driver, f"{play.url}/play")
    (play.scripts / "main.lua").write_text(chromium.BOT)
    opened.see("#messages .reload", "reloaded, generation 2")
    yield opened
    opened.close()
