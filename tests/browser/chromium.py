"""Debian's chromium, driven headless; and one page of the browser chat.

A console message of any level that tells of trouble, a breach of the content
policy and a request to another origin are failures of whatever test made
them: `Page.close` tells.
"""
import json
from pathlib import Path
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from selenium.common.exceptions import StaleElementReferenceException

WAIT = 15
BOT = Path(__file__).with_name("bot.lua").read_text("utf-8")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6358000000a200a17105cb410000000049454e44ae4260"
    "82")
SWITCHES = [
    "--headless=new", "--no-sandbox", "--disable-gpu",
    "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run",
    "--window-size=1440,900",
]


def start():
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    for switch in SWITCHES:
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                            options=options)


class Page:
    def __init__(self, driver, url):
        self.driver = driver
        self.url = url
        self.expected = None  # part of console messages that are no trouble
        self.width(1440)
        self.touch(False)
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(url)
        self.wait(lambda: "Live" in self.text("#pill"), "a live page")

    def close(self):
        console = [e["message"] for e in self.driver.get_log("browser")
                   if not self.expected or self.expected not in e["message"]]
        elsewhere = [u for u in self._requests() if not self._own(u)]
        self.driver.get("about:blank")
        assert console == []
        assert elsewhere == []

    def _own(self, url):
        return urlsplit(url)[:2] == urlsplit(self.url)[:2]

    def _requests(self):
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                yield event["params"]["request"]["url"]

    def wait(self, check, what):
        def without_remade_rows(_):
            try:
                return check()
            except StaleElementReferenceException:
                return False
        return WebDriverWait(self.driver, WAIT, 0.05).until(
            without_remade_rows, f"no sign of {what} in {WAIT} s")

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        """What the elements say, seen or not, a line each."""
        return "\n".join(e.get_property("textContent") for e in self.all(css))

    def see(self, css, text):
        """Waits for an element that shows the text, and returns it."""
        def shown():
            return next((e for e in self.all(css)
                         if text in e.text and e.is_displayed()), None)
        return self.wait(shown, f"{text!r} in {css}")

    def click(self, css, text=""):
        def clicked():
            self.see(css, text).click()
            return True
        self.wait(clicked, f"a click on {css}")

    def type(self, text):
        self.all("#composer")[0].send_keys(text, Keys.ENTER)

    def start(self):
        self.click(".start")
        self.wait_answer("Hello, Ann")

    def answers(self):
        return [e.text for e in self.all("#messages .row.in .text")]

    def wait_answer(self, text):
        self.wait(lambda: self.answers()[-1:] == [text],
                  f"{text!r} as the last answer")

    def js(self, code):
        return self.driver.execute_script(f"return {code}")

    def touch(self, touch):
        """Whether fingers point, in place of a mouse."""
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled",
                                    {"enabled": touch})

    def width(self, width):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1,
             "mobile": width < 720})
