"""Debian's Chromium without a window, driven over WebDriver."""

import base64
import hashlib
import json
import re
import shutil
import urllib.error
import urllib.request
from typing import NamedTuple

import numpy as np

import harness

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def is_there():
    """Whether there is one to drive."""
    return shutil.which("chromedriver") and shutil.which("chromium")


def drawn(rows):
    """The digests of pictures of three channels as `pixels` tells those of canvases, which are opaque."""
    return [hashlib.sha256(np.dstack([row, np.full(row.shape[:2], 255, "u1")]).tobytes()).hexdigest() for row in rows]


class Element(NamedTuple):
    """One on the page."""

    browser: "Browser"
    reference: dict

    def ask(self, what, **body):
        path = f"element/{self.reference[ELEMENT]}/{what}"
        return self.browser.call("POST" if body or what in ("click", "clear") else "GET", path, body)

    def click(self):
        self.ask("click")

    def type(self, text):
        self.ask("value", text=text)

    def text(self):
        return self.ask("text")

    def value(self):
        return self.ask("property/value")

    def name(self):
        """What a screen reader calls it."""
        return self.ask("computedlabel")

    def drag(self, dx, dy=0):
        """Presses its middle, moves and lets go."""
        move = {"type": "pointerMove", "duration": 100}
        self.browser.call("POST", "actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [
                {**move, "origin": self.reference, "x": 0, "y": 0},
                {"type": "pointerDown", "button": 0},
                {**move, "origin": "pointer", "x": dx, "y": dy},
                {"type": "pointerUp", "button": 0}]}]})


class Browser:
    """One window; it ends with its context, and with us."""

    def __init__(self, folder):
        self.log = open(f"{folder}/chromedriver.log", "w+", encoding="utf-8")
        self.process = harness.spawn(["chromedriver", "--port=0"], self.log)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", f"--user-data-dir={folder}/profile", "--window-size=1280,1000"]
        self.root = f"http://127.0.0.1:{self._port()}/session"
        answer = self._exchange("POST", self.root, {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.root += "/" + answer["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._exchange("DELETE", self.root)
        finally:
            self.process.terminate()
            self.process.wait()
            self.log.close()

    def _port(self):
        def started():
            self.log.seek(0)
            return re.search(r"successfully on port (\d+)", self.log.read())
        return harness.until(started, "a chromedriver")[1]

    @staticmethod
    def _exchange(method, url, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=harness.PATIENCE) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as wrong:
            raise RuntimeError(wrong.read().decode()) from None

    def call(self, method, path, body=None):
        """A command of the session."""
        return self._exchange(method, f"{self.root}/{path}", body)

    def go(self, url):
        self.call("POST", "url", {"url": url})

    def find(self, selector):
        return Element(self, self.call("POST", "element", {"using": "css selector", "value": selector}))

    def find_all(self, selector):
        found = self.call("POST", "elements", {"using": "css selector", "value": selector})
        return [Element(self, one) for one in found]

    def run(self, script, *arguments):
        """The value of a function's body."""
        given = [a.reference if isinstance(a, Element) else a for a in arguments]
        return self.call("POST", "execute/sync", {"script": script, "args": given})

    def until(self, script, *arguments):
        """Runs it until it is true, and returns what it was then."""
        return harness.until(lambda: self.run(script, *arguments),
                             lambda: f"{script}\n{self.complaints()}")

    def complaints(self):
        """What the page said on its console since the last time."""
        return [entry["message"] for entry in self.call("POST", "se/log", {"type": "browser"})]

    def key(self, *keys):
        """Presses one after the other, where the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def pixels(self, selector):
        """The digest of each canvas's pixels, four bytes each."""
        return self.run("""const digest = async canvas => [...new Uint8Array(await crypto.subtle.digest('SHA-256',
                canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data))].map(
                b => b.toString(16).padStart(2, '0')).join('');
            return Promise.all([...document.querySelectorAll(arguments[0])].map(digest));""", selector)

    def tools(self, command, **parameters):
        """A command of the browser's own tools for developers."""
        return self.call("POST", "goog/cdp/execute", {"cmd": command, "params": parameters})

    def prefer(self, scheme):
        """Has the page know that somebody prefers light or dark colours."""
        self.tools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def be_a_phone(self, width, height):
        """Until Emulation.clearDeviceMetricsOverride."""
        self.tools("Emulation.setDeviceMetricsOverride", width=width, height=height, screenWidth=width,
                   screenHeight=height, deviceScaleFactor=2, mobile=True)

    def picture(self, path):
        """All of the page, as png."""
        size = self.tools("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.tools("Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))
