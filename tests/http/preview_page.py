"""The preview page in a browser, for tests of what it shows and of the code that it shows."""

import pathlib
import re
import tempfile
import unittest

import numpy as np

import browser
import harness
import hosting
import image_sets
from test_picture_uploads import form

DATA = harness.ROOT / "tests" / "data"
UP, DOWN = "\ue013", "\ue015"
SAFETENSORS = "application/x-safetensors"
CLASSES = ("<b>cat", "dog", "zebra & co")  # what folders, and so classes, may be called
SETTLED = """return [...document.querySelectorAll('figcaption')].every(c => c.textContent)
    && [...document.images].every(i => i.closest('[hidden]') || (i.complete && i.naturalWidth))"""
BYTES = """const hash = async url => [...new Uint8Array(await crypto.subtle.digest('SHA-256',
        await (await fetch(url)).arrayBuffer()))].map(b => b.toString(16).padStart(2, '0')).join('');
    return hash(arguments[0].src);"""


@unittest.skipUnless(browser.is_there(), "no chromium here")
class PageTest(harness.ServerTest):
    """One daemon with the garments, and one window, in which each test loads the page anew."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = pathlib.Path(cls.folder.name, "sets")
        root.mkdir()
        hosting.importing(root / "garments", "--from", "npy", DATA / "garments.npy",
                          DATA / "garments-labels.npy")
        arrays = {"near": np.arange(64)[:, None] ^ 1, "words": np.arange(9, dtype="<i4"),
                  "bounds": np.array([0, 2, 9])}
        paths = [root.parent / f"{name}.npy" for name in arrays]
        for path, array in zip(paths, arrays.values()):
            np.save(path, array)
        hosting.importing(root / "near", "--from", "npy", DATA / "garments.npy", "--neighbours", paths[0])
        hosting.importing(root / "texts", "--from", "ragged", *paths[1:])
        source = np.random.default_rng(11)
        for number in range(30):
            picture = root.parent / "pictures" / CLASSES[number % 3] / f"{number:02}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(image_sets.encoded(image_sets.photograph(source, 40 + number, 90 - number), "png"))
        hosting.importing(root / "pictures", "--from", "folder", root.parent / "pictures")
        cls.arguments = ("--data", root)
        super().setUpClass()
        cls.window = cls.enterClassContext(browser.Browser(cls.enterClassContext(tempfile.TemporaryDirectory())))

    def open(self, server=None):
        """The window with the page, drawn; what it says on its console must be nothing."""
        window = self.window
        window.go("about:blank")  # nothing of the page before is kept
        window.complaints()
        window.origin = "http://{}:{}".format(*(server or self.server).address)
        window.go(window.origin + "/")
        return window

    def settled(self, window):
        window.until(SETTLED)
        return window

    def target(self, window, view):
        """What the curl line of a view asks for."""
        line = window.run(f"return document.querySelector('#{view} code').textContent")
        return re.search(r"'http://[^/]*(/[^']*)'", line)[1]

    def moves(self, window, view, act):
        """Does something, and waits until the view's line is another and its image is drawn."""
        before = self.target(window, view)
        old = window.run(f"return document.querySelector('#{view} figure img')?.src")
        act()
        window.until(f"return !document.querySelector('#{view} code').textContent.includes("
                     "arguments[0] + \"'\")", before)
        if old:
            window.until(f"const i = document.querySelector('#{view} figure img');"
                         "return i.src !== arguments[0] && i.complete", old)
        return self.target(window, view)

    @staticmethod
    def choose(window, selector, value):
        """An option, by arrow keys: what is typed within a second counts as one word."""
        steps = window.run("""const [select, value] = [document.querySelector(arguments[0]), arguments[1]];
            select.focus();
            const values = [...select.options].filter(o => !o.disabled).map(o => o.value);
            return values.indexOf(value) - values.indexOf(select.value);""", selector, value)
        window.key(*[DOWN if steps > 0 else UP] * abs(steps))

    def shown(self, window, selector):
        """The digest of the bytes behind an image."""
        return window.run(BYTES, window.find(selector))

    def uploads(self, window, view):
        """The files that a view offers to save, and uploads."""
        names = window.run(f"return [...document.querySelectorAll('#{view} .save')].map(link => link.download)")
        return {name: bytes(window.run(f"return fetch(document.querySelectorAll('#{view} .save')[arguments[0]].href)"
                                       ".then(r => r.arrayBuffer()).then(b => [...new Uint8Array(b)])", place))
                for place, name in enumerate(names)}

    def post_all(self, target, files):
        """The answer to files, pictures as a form."""
        if list(files) == ["rows.safetensors"]:
            return self.post(target, files["rows.safetensors"], content_type=SAFETENSORS)
        return self.post(target, form(*(("x", data, name) for name, data in files.items())),
                         content_type="multipart/form-data; boundary=B")
