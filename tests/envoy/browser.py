"""The sample application in a real Chromium, as a person meets it: by keyboard, by its words, and at any width.

    browser.py [--screenshots DIR] PAGE GATEWAY

PAGE is the application's address on localhost, GATEWAY that of the gateway. Ends with 0 if every story is true.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

import axe_playwright_python
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE_S = 60
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--lang=en-GB",
         "--window-size=1000,900")
AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Keeps what the gateway said, so that a story can do with a token what the page never does. What is `staged` befalls the next
# requests: another answer, one that is lost, or a wait before it is sent.
RECORDER = """
window.told = []; window.violations = []; window.staged = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
const real = window.fetch;
window.fetch = async (...request) => {
  const stage = staged.shift();
  if (stage?.wait) await new Promise((go) => setTimeout(go, stage.wait));
  const answer = stage?.status ? new Response(stage.body, stage) : await real(...request);
  told.push(await answer.clone().text());
  if (stage?.isLost) throw new TypeError("lost");
  return answer;
};
"""


class Story(unittest.TestCase):
    """A fresh page, which must have neither broken its own rules nor failed when the story is over."""

    expected_in_console = ()

    def setUp(self):
        self.open(OPTIONS.page)

    def tearDown(self):
        self.assertEqual(self.script("return window.violations"), [])
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        # A refused request is told there too: that is no mistake of the page's.
        entries = [entry for entry in browser.get_log("browser") if entry["source"] != "network"]
        unexpected = [entry for entry in entries if not any(known in entry["message"] for known in self.expected_in_console)]
        self.assertEqual(unexpected, [])

    def open(self, page):
        browser.get(page)
        self.wait(lambda: self.script("return document.readyState") == "complete")

    def script(self, text, *arguments):
        return browser.execute_script(text, *arguments)

    def wait(self, condition):
        return WebDriverWait(browser, PATIENCE_S, 0.05).until(lambda _: condition())

    def at(self, id):
        return browser.find_element(By.ID, id)

    def said(self, id):
        """What is said in a place, once something is."""
        return self.wait(lambda: self.at(id).text)

    def focus(self):
        return browser.switch_to.active_element.get_attribute("id")

    def press(self, *keys):
        ActionChains(browser).send_keys(*keys).perform()

    def log_in(self, username="MOCK_USERNAME", password="MOCK_PASSWORD"):
        for id, text in (("username", username), ("password", password)):
            self.at(id).clear()
            self.at(id).send_keys(text)
        self.at("submit").click()

    def be_logged_in(self):
        self.log_in()
        self.wait(lambda: self.at("session").is_displayed())

    def tokens(self):
        """The tokens that the gateway gave last."""
        return self.all_tokens()[-1]

    def all_tokens(self):
        return [json.loads(answer) for answer in self.script("return told") if answer.startswith('{"access_token"')]

    def claim(self, tokens, name):
        return self.script("return [...arguments[0].querySelectorAll('div')].find((row) => "
                           "row.querySelector('code')?.textContent === arguments[1])?.querySelector('dd').textContent",
                           self.at(f"{tokens}-claims"), name)

    def shoot(self, name):
        if OPTIONS.screenshots:
            OPTIONS.screenshots.mkdir(parents=True, exist_ok=True)
            browser.save_screenshot(OPTIONS.screenshots / f"{name}.png")

    def shoot_light_and_dark(self, name):
        for scheme in ("light", "dark"):
            self.prefer(scheme)
            self.shoot(f"{name}-{scheme}")

    def prefer(self, scheme):
        features = [{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def be_a_phone(self):
        metrics = {"width": 360, "height": 780, "deviceScaleFactor": 1, "mobile": True}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


class AnHourAtTheKeyboard(Story):
    def test_a_person_logs_in_sees_the_claims_calls_the_service_refreshes_and_logs_out_without_a_mouse(self):
        self.press(Keys.TAB)
        self.assertEqual(self.focus(), "username")
        self.press("MOCK_USERNAME", Keys.TAB)
        self.assertEqual(self.focus(), "password")
        self.press("MOCK_PASSWORD", Keys.ENTER)
        self.wait(lambda: self.focus() == "session-title")
        first = self.tokens()
        self.assertEqual(self.at("user").text, "MOCK_USER_ID")
        self.assertEqual(self.claim("access", "aud"), "SPA_CLIENT_ID")
        self.assertEqual(self.claim("access", "scope"), "openid")
        self.assertEqual(self.claim("id", "azp"), "SPA_CLIENT_ID")
        self.assertRegex(self.at("expiry-text").text, "good for [45]:")
        self.nothing_is_shown_or_kept_of(first)

        self.press(Keys.TAB, Keys.ENTER)
        self.assertIn("The service answered: 200", self.said("answer"))
        self.assertIn("hello from the API", self.at("answer").text)
        self.shoot_light_and_dark("after-login")

        number = self.claim("access", "jti")
        self.press(Keys.TAB, Keys.SPACE)
        self.assertIn("You have new tokens", self.said("status"))
        second = self.tokens()
        self.assertNotEqual(self.claim("access", "jti"), number)
        for token in ("access_token", "refresh_token", "id_token"):
            self.assertNotEqual(second[token], first[token])
        self.nothing_is_shown_or_kept_of(second)

        self.press(Keys.TAB, Keys.ENTER)
        self.assertIn("You are logged out", self.said("status"))
        self.assertEqual(self.focus(), "login-title")
        self.assertNotIn("MOCK_USER_ID", self.script("return document.documentElement.outerHTML"))
        self.assertEqual(renewal(second["refresh_token"]), (400, "invalid_grant"))

    def nothing_is_shown_or_kept_of(self, tokens):
        page = self.script("return document.documentElement.outerHTML")
        kept = self.script("return JSON.stringify([localStorage, sessionStorage]) + document.cookie + location.href")
        for secret in ("access_token", "refresh_token", "id_token"):
            self.assertNotIn(tokens[secret][:20], page)
        self.assertEqual(kept, f"[{{}},{{}}]{OPTIONS.page}/")
        self.assertNotIn("MOCK_PASSWORD", self.script("return document.getElementById('password').value"))


class Refusals(Story):
    def test_a_wrong_password_is_told_in_words_and_can_be_typed_again_at_once(self):
        self.log_in(password="WRONG")
        said = self.said("alert")
        self.assertIn("The user name or the password is wrong.", said)
        self.assertEqual(self.focus(), "password")
        self.assertEqual(self.script("return getSelection().toString().length"), len("WRONG"))
        self.assertEqual(self.at("password").get_attribute("aria-invalid"), "true")
        self.shoot_light_and_dark("wrong-password")
        self.press("MOCK_PASSWORD", Keys.ENTER)
        self.wait(lambda: self.focus() == "session-title")
        self.assertEqual(self.at("alert").text, "")

    def test_a_locked_account_is_told_whom_to_ask(self):
        self.log_in(username="LOCKED_USERNAME")
        self.assertIn("ask your administrator", self.said("alert"))

    def test_an_email_address_is_told_what_to_use_instead(self):
        self.log_in(username="mock@example.com")
        self.assertIn("not an e-mail address", self.said("alert"))
        self.assertEqual(self.focus(), "username")

    def test_what_is_missing_is_asked_for_before_anything_is_sent(self):
        self.at("submit").click()
        self.assertIn("Please enter your user name", self.said("alert"))
        self.assertEqual((self.focus(), self.script("return told")), ("username", []))

    def test_too_many_attempts_are_a_pause_that_can_be_seen_going_by(self):
        for _ in range(6):
            self.log_in(username="SOMEBODY", password="WRONG")
            self.wait(lambda: not self.at("alert").text == "" and not self.script("return document.body.ariaBusy"))
        self.assertIn("Too many attempts", self.said("alert"))
        self.assertRegex(self.at("alert").text, "Please wait for [23][0-9] seconds")
        left = self.said("countdown")
        self.wait(lambda: self.at("countdown").text != left)
        self.assertRegex(self.at("countdown").text, "You can try again in 0:[0-3][0-9]$")
        answers = len(self.script("return told"))
        self.press(Keys.ENTER)
        self.assertEqual((self.focus(), len(self.script("return told"))), ("submit", answers))
        self.shoot_light_and_dark("too-many-attempts")

    def test_a_busy_service_asks_for_a_moment_and_says_when_it_is_over(self):
        self.stage(503, {"retry-after": "2"}, {"error": "temporarily_unavailable"})
        self.log_in()
        self.assertIn("The service is busy", self.said("alert"))
        self.assertIn("You can try again now", self.said("status"))
        self.assertEqual((self.at("alert").text, self.at("countdown").text), ("", ""))
        self.be_logged_in()

    def stage(self, status, headers, body):
        self.befall({"status": status, "headers": headers, "body": json.dumps(body)})

    def befall(self, stage):
        self.script("staged.push(arguments[0])", stage)

    def test_an_answer_of_somebody_else_is_no_answer(self):
        self.stage(200, {"content-type": "text/html"}, "<h1>Log in to the hotel</h1>")
        self.log_in()
        self.assertIn("The gateway didn’t answer", self.said("alert"))
        self.be_logged_in()

    def test_a_lost_connection_is_told_and_loses_nothing(self):
        self.be_logged_in()
        self.offline(True)
        self.at("renew").click()
        self.assertIn("The gateway didn’t answer", self.said("alert"))
        self.offline(False)
        self.assertTrue(self.at("session").is_displayed())
        self.at("renew").click()
        self.assertIn("You have new tokens", self.said("status"))

    def test_tokens_whose_way_back_was_cut_are_asked_for_again_while_the_gateway_forgives(self):
        self.be_logged_in()
        number = self.claim("access", "jti")
        self.befall({"isLost": True})
        self.at("renew").click()
        self.assertIn("The gateway didn’t answer", self.said("alert"))
        self.wait(lambda: self.claim("access", "jti") != number)
        self.assertEqual(self.at("alert").text, "")
        self.at("renew").click()
        self.assertIn("You have new tokens", self.said("status"))

    def test_who_logs_out_while_tokens_are_renewed_is_logged_out_of_both(self):
        self.be_logged_in()
        self.befall({"wait": 1000})
        self.at("renew").click()
        self.at("logout").click()
        self.wait(lambda: "You are logged out" in self.at("status").text)
        _, renewed = self.all_tokens()
        self.assertEqual(renewal(renewed["refresh_token"]), (400, "invalid_grant"))

    def test_who_logs_out_without_a_connection_is_told_that_the_gateway_does_not_know(self):
        self.be_logged_in()
        self.offline(True)
        self.at("logout").click()
        self.assertIn("You are logged out here only", self.said("alert"))
        self.offline(False)
        self.assertFalse(self.at("session").is_displayed())

    def offline(self, is_offline):
        browser.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": is_offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        browser.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def test_a_session_that_ended_elsewhere_ends_here(self):
        self.be_logged_in()
        refresh_token = self.tokens()["refresh_token"]
        self.assertEqual(post("/oauth2/revoke", token=refresh_token)[0], 200)
        self.at("renew").click()
        self.assertIn("Your session has ended", self.said("alert"))
        self.assertEqual(self.focus(), "login-title")
        self.assertFalse(self.at("session").is_displayed())


class TimeGoesBy(Story):
    def test_tokens_are_renewed_before_they_expire(self):
        self.be_logged_in()
        number = self.claim("access", "jti")
        self.script("const now = Date.now; Date.now = () => now() + 275_000")
        self.wait(lambda: self.claim("access", "jti") != number)
        self.assertEqual(self.at("alert").text, "")


class Strangers(Story):
    expected_in_console = ("has been blocked by CORS policy",)

    def test_a_page_at_another_origin_can_read_no_answer(self):
        self.open(OPTIONS.page.replace("localhost", "127.0.0.1"))
        self.log_in()
        self.assertIn("doesn’t know this page’s address", self.said("alert"))
        self.assertEqual(self.script("return told"), [])
        self.assertFalse(self.at("session").is_displayed())


class Everybody(Story):
    def test_both_views_are_accessible_in_light_and_in_dark(self):
        self.accessible("before")
        self.at("submit").click()
        self.said("alert")
        self.accessible("with a refusal")
        self.be_logged_in()
        self.at("call").click()
        self.said("answer")
        self.accessible("after")

    def accessible(self, when):
        for scheme in ("light", "dark"):
            self.prefer(scheme)
            self.script(AXE)
            run = "const done = arguments[1]; axe.run(document, {runOnly: arguments[0]}).then(done)"
            found = browser.execute_async_script(run, WCAG)
            broken = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]]
            self.assertEqual(broken, [], f"{when}, {scheme}")
            self.assertGreater(len(found["passes"]), 20)

    def test_nothing_is_wider_than_a_phone(self):
        self.be_a_phone()
        self.fits()
        self.shoot("phone-login")
        self.log_in(password="WRONG")
        self.said("alert")
        self.fits()
        self.be_logged_in()
        self.fits()
        self.shoot_light_and_dark("phone-width")

    def fits(self):
        self.assertLessEqual(self.script("return document.documentElement.scrollWidth"), 360)


class Intruders(Story):
    expected_in_console = ("This document requires 'TrustedScript' assignment",)

    def test_the_page_runs_no_script_but_its_own(self):
        ran = self.script("const script = document.createElement('script'); script.append('window.intruder = 1');"
                          "document.body.append(script); return window.intruder ?? null")
        self.assertIsNone(ran)
        self.assertTrue(self.script("return window.violations.splice(0)"))


def renewal(refresh_token):
    status, body = post("/oauth2/token", grant_type="refresh_token", refresh_token=refresh_token)
    return status, json.loads(body).get("error")


def post(path, **parameters):
    form = urllib.parse.urlencode({"client_id": "SPA_CLIENT_ID", **parameters}).encode()
    try:
        with urllib.request.urlopen(OPTIONS.gateway + path, form, PATIENCE_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def start_browser(profile):
    options = Options()
    options.binary_location = shutil.which("chromium") or sys.exit("no chromium on the PATH")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # With the driver named, selenium looks for none; it would ask the network.
    driver = shutil.which("chromedriver") or sys.exit("no chromedriver on the PATH")
    started = webdriver.Chrome(options, Service(driver))
    started.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORDER})
    return started


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("page")
    parser.add_argument("gateway")
    return parser.parse_args()


OPTIONS = read_options()
os.environ.update(SE_OFFLINE="true", SE_AVOID_STATS="true", no_proxy="*")
with tempfile.TemporaryDirectory() as profile:
    browser = start_browser(profile)
    try:
        told = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2)
    finally:
        browser.quit()
sys.exit(not told.result.wasSuccessful())
