"""The preview page in a browser: what it shows is what the lines below it
fetch, and it can be used by mouse, by keyboard, by ear and on a phone."""

import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import browser
import harness
import hosting
import image_sets
from test_picture_uploads import form
from tensors import read_safetensors

DATA = harness.ROOT / "tests" / "data"
LEFT, UP, RIGHT, DOWN, TAB = "\ue012", "\ue013", "\ue014", "\ue015", "\ue004"
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
SAFETENSORS = "application/x-safetensors"
CLASSES = ("<b>cat", "dog", "zebra & co")  # what folders, and so classes, may be called
PROGRAMS = (("python", [sys.executable], "py"), ("javascript", ["node"], "mjs"), ("r", ["Rscript"], "R"))
UPLOADS = {"mix": "mixed.png", "rows": "mixed.safetensors"}  # the files that code writes
SETTLED = """return [...document.querySelectorAll('figcaption')].every(c => c.textContent)
    && [...document.images].every(i => i.closest('[hidden]') || (i.complete && i.naturalWidth))"""
BYTES = """const hash = async url => [...new Uint8Array(await crypto.subtle.digest('SHA-256',
        await (await fetch(url)).arrayBuffer()))].map(b => b.toString(16).padStart(2, '0')).join('');
    return hash(arguments[0].src);"""


def digest(data):
    return hashlib.sha256(data).hexdigest()


@unittest.skipUnless(browser.is_there(), "no chromium here")
class Preview(harness.ServerTest):
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

    def test_a_dragged_slider_redraws_what_its_line_fetches(self):
        window = self.settled(self.open())
        slider = window.find("#masks [name=delta]")
        target = self.moves(window, "masks", lambda: slider.drag(40))
        self.assertIn("delta=", target)
        self.assertGreater(float(slider.value()), 3)
        self.assertEqual(self.shown(window, "#masks img"), digest(self.get(target).body))
        target = self.moves(window, "masks", window.find("#masks [name=fixed]").click)
        self.assertIn("lambda=0.5", target)
        self.assertEqual(window.complaints(), [])

    def test_images_that_are_dropped_or_chosen_are_mixed(self):
        window = self.settled(self.open())
        old = [self.shown(window, f"#mix [data-method={m}]") for m in ("fmix", "mixup")]
        images = "return [...document.querySelectorAll('#mix figure img')]"
        srcs = window.run(images + ".map(i => i.src)")
        window.run("""const canvas = new OffscreenCanvas(60, 40), pen = canvas.getContext('2d');
            pen.fillStyle = 'rgb(10, 200, 30)';
            pen.fillRect(0, 0, 60, 40);
            return canvas.convertToBlob().then(blob => {
                const data = new DataTransfer();
                data.items.add(new File([blob], 'green.png', {type: 'image/png'}));
                document.querySelectorAll('.drop')[0].dispatchEvent(
                    new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
            });""")
        window.until(images + ".every((i, n) => i.src !== arguments[0][n] && i.complete)", srcs)
        srcs = window.run(images + ".map(i => i.src)")
        window.find_all(".drop input")[1].type(str(DATA / "readme.png"))
        window.until(images + ".every((i, n) => i.src !== arguments[0][n] && i.complete)", srcs)
        pair = self.uploads(window, "mix")
        self.assertEqual(list(pair), ["first.png", "second.png"])
        self.assertEqual(pair["second.png"], (DATA / "readme.png").read_bytes())
        target = self.target(window, "mix")
        rows = self.post_all(target.replace(".png", ".npy").replace("fmix", "none"), pair).npy()
        self.assertTrue((rows[0] == [10, 200, 30]).all())
        for method in ("fmix", "cutmix", "mixup"):
            mixed = self.post_all(target.replace("method=fmix", f"method={method}"), pair).body
            self.assertEqual(self.shown(window, f"#mix [data-method={method}]"), digest(mixed))
            self.assertNotIn(digest(mixed), old)
        window.find_all(".drop input")[0].type(str(DATA / "garments.npy"))
        window.until("return document.querySelector('#mix .wrong')?.textContent.includes('read garments.npy')")
        self.assertEqual(window.complaints(), [])

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

    def check_rows(self, window):
        """Every row is what the line fetches, and says how it was made; the answer."""
        answer = self.post_all(self.target(window, "rows"), self.uploads(window, "rows"))
        made = read_safetensors(answer.body)
        said = []
        for row, (method, lam, partner) in enumerate(zip(made["method"], made["lambda"], made["pairing"])):
            name, share = METHODS[method], "" if METHODS[method] == "samplepairing" else f" λ {lam:.2f},"
            said.append(f"{row} unmixed" if name == "none" else f"{row} {name}{share} with\xa0row\xa0{partner}")
        window.until("return JSON.stringify([...document.querySelectorAll('#rows li')].map(l => l.textContent))"
                     " === arguments[0]", json.dumps(said, ensure_ascii=False, separators=(",", ":")))
        self.assertEqual(made["mixed"].shape, (8, 112, 112, 3))
        self.assertEqual(window.pixels("#rows li canvas"), browser.drawn(made["mixed"]))
        self.assertEqual([canvas.name() for canvas in window.find_all("#rows li canvas")],
                         [f"Row {text}" for text in said])
        return made

    def test_a_recipe_is_shown_row_by_row(self):
        window = self.settled(self.open())
        batch = read_safetensors(self.uploads(window, "rows")["rows.safetensors"])
        self.assertEqual((batch["x"].shape, batch["y"].tolist()), ((8, 112, 112, 3), [0, 1] * 4))
        target = self.target(window, "rows")
        for pair in "method=fmix,cutmix,mixup", "alpha=1,1,0.4", "prob=0.75", "switch=sample":
            self.assertIn(pair, target)
        made = self.check_rows(window)
        names = {METHODS[method] for method in made["method"]}
        self.assertIn("none", names)
        self.assertGreater(len(names), 2)
        unmixed = made["method"] == METHODS.index("none")
        self.assertTrue((made["mixed"][unmixed] == batch["x"][unmixed]).all())
        self.assertIn(f"{8 - unmixed.sum()} of 8 rows are mixed",
                      window.find("#rows figcaption").text())
        self.assertEqual(window.complaints(), [])

    def test_a_recipe_s_line_says_what_its_form_says(self):
        window = self.settled(self.open())
        mixup, pairing = (window.find(f"#rows [name=method][value={name}]") for name in ("mixup", "samplepairing"))
        self.moves(window, "rows", pairing.click)
        self.check_rows(window)
        self.moves(window, "rows", pairing.click)
        target = self.moves(window, "rows", mixup.click)
        self.assertIn("method=fmix,cutmix&prob", target)
        self.check_rows(window)
        target = self.moves(window, "rows", lambda: self.choose(window, "#rows [name=scope]", "pair"))
        self.assertIn("scope=pair&pairing=flip", target)
        lam = self.check_rows(window)["lambda"]
        self.assertEqual(lam.tolist(), lam[::-1].tolist())
        self.moves(window, "rows", lambda: self.choose(window, "#rows [name=scope]", "batch"))
        self.moves(window, "rows", lambda: self.choose(window, "#rows [name=pairing]", "other_class"))
        made = self.check_rows(window)
        self.assertTrue((made["pairing"] % 2 != np.arange(8) % 2).all())
        self.assertEqual(window.complaints(), [])
        for name in "fmix", "cutmix":
            window.find(f"#rows [name=method][value={name}]").click()
        window.until("return document.querySelector('#rows .wrong')?.textContent.includes('at least one method')")
        self.moves(window, "rows", mixup.click)
        self.assertIn("method=mixup&alpha=0.4&", self.target(window, "rows"))

    def test_batches_of_a_data_set_are_turned_by_keyboard(self):
        window = self.settled(self.open())
        window.run("document.querySelector('#data [name=step]').focus()")
        target = self.moves(window, "data", lambda: window.key(RIGHT))
        self.assertIn("/v1/datasets/garments/batches/1.png", target)
        self.assertEqual(self.shown(window, "#data img"), digest(self.get(target).body))
        self.assertEqual(window.complaints(), [])

    def test_what_a_data_set_has_is_what_can_be_chosen(self):
        window = self.settled(self.open())
        barred = "return [...document.querySelectorAll('#data option:disabled')].map(o => o.value)"
        self.assertEqual(window.run(barred), ["bcplus", "neighbour"])
        target = self.moves(window, "data", lambda: self.choose(window, "#data [name=set]", "near"))
        self.assertIn("/near/batches/", target)
        self.assertEqual(window.run(barred), ["bcplus", "other_class", "same_class"])
        self.choose(window, "#data [name=pairing]", "neighbour")
        target = self.target(window, "data")
        self.assertIn("pairing=neighbour", target)
        wanted = digest(self.get(target).body)
        harness.until(lambda: self.shown(window, "#data img") == wanted)
        self.moves_tiles(window, lambda: self.choose(window, "#data [name=set]", "pictures"))
        self.assertNotIn("pairing", self.target(window, "data"))  # what this set has not is not asked for
        self.choose(window, "#data [name=set]", "texts")
        window.until("return document.querySelector('#data figcaption').textContent === arguments[0]",
                     "texts holds 2 sequences of i32. This page draws images alone.")
        self.assertFalse(window.run("return document.querySelector('#data img').checkVisibility()"))
        self.assertEqual(window.complaints(), [])

    def check_pictures(self, window, wanted, unwanted=()):
        """Every tile is its row of what the line fetches, with its labels; the line's target."""
        lines = window.run("return document.querySelector('#data code').textContent")
        target = self.target(window, "data")
        for pair in wanted:
            self.assertIn(pair, target)
        for name in unwanted:
            self.assertNotIn(name, lines)
        rows = self.get(re.sub(r"\.png(.*)&columns=4", r".npy\1", target)).npy()
        made = self.get(re.sub(r"\.png(.*)&columns=4", r".json\1&parts=rows,labels", target)).json()
        said = []
        for row, label in zip(made["rows"], made["labels"]):
            heavy = sorted((place for place in range(3) if label[place]), key=lambda place: -label[place])
            said.append(f"row {row}" + ", ".join(CLASSES[place] if label[place] == 1 else
                                                 f"{CLASSES[place]} {label[place]:.2f}" for place in heavy))
        window.until("return JSON.stringify([...document.querySelectorAll('#data .rows li')].map(l => l.textContent))"
                     " === arguments[0]", json.dumps(said, ensure_ascii=False, separators=(",", ":")))
        self.assertEqual(window.pixels("#data .rows canvas"), browser.drawn(rows))
        names = [canvas.name() for canvas in window.find_all("#data .rows canvas")]
        self.assertEqual([name.replace(": ", "", 1) for name in names], [f"R{text[1:]}" for text in said])
        return target

    def test_an_image_set_is_browsed_picture_by_picture(self):
        window = self.settled(self.open())
        forms = "return [...document.querySelectorAll('#data [data-of]')].filter(e => e.checkVisibility()).map(" \
                "e => e.querySelector('input, select').name)"
        self.assertEqual(window.run(forms), ["crop"])
        self.moves_tiles(window, lambda: self.choose(window, "#data [name=set]", "pictures"))
        self.assertEqual(window.run(forms), ["size", "view", "area", "filter"])
        self.assertFalse(window.run("return document.querySelector('#data img').checkVisibility()"))
        self.check_pictures(window, ("/pictures/batches/0.png", "n=12", "size=224"), ("area", "view", "crop"))
        window.find("#data [data-language=r]").click()
        self.assertIn("12 * 224 * 224 * 3", window.find("#data code").text())
        window.find("#data [data-language=curl]").click()
        window.run("document.querySelector('#data [name=size]').focus()")
        self.moves_tiles(window, lambda: window.key(*[LEFT] * 6))
        window.run("document.querySelector('#data [name=area]').focus()")
        self.moves_tiles(window, lambda: window.key(RIGHT))
        self.check_pictures(window, ("size=32", "area=0.09,1"))
        for name, value in ("view", "center"), ("filter", "bicubic"), ("method", "none"):
            self.moves_tiles(window, lambda of=name, to=value: self.choose(window, f"#data [name={of}]", to))
        self.moves_tiles(window, window.find("#data [name=flip]").click)
        self.check_pictures(window, ("view=center", "filter=bicubic", "method=none", "flip=1"), ("area",))
        self.assertEqual(window.complaints(), [])
        self.moves(window, "data", lambda: self.choose(window, "#data [name=set]", "garments"))
        self.assertEqual(window.run(forms), ["crop"])
        self.assertFalse(window.run("return document.querySelector('#data .rows').checkVisibility()"))

    def moves_tiles(self, window, act):
        """Does something, and waits until the line is another and the tiles are."""
        before = self.target(window, "data")
        window.run("document.querySelector('#data .rows').replaceChildren()")
        act()
        window.until("return !document.querySelector('#data code').textContent.includes(arguments[0] + \"'\")"
                     " && document.querySelector('#data .rows li')", before)

    def test_batches_of_pictures_are_turned_by_buttons_as_far_as_there_are_any(self):
        window = self.settled(self.open())
        self.moves_tiles(window, lambda: self.choose(window, "#data [name=set]", "pictures"))
        back, forward = window.find_all("#data [data-by]")
        self.assertEqual([back.name(), forward.name()], ["Back", "Forward"])
        barred = "return [...document.querySelectorAll('#data [data-by]')].map(b => b.disabled)"
        self.assertEqual(window.run(barred), [True, False])
        self.moves_tiles(window, forward.click)
        self.assertEqual(window.run(barred), [False, False])
        self.check_pictures(window, ("/batches/1.png",))
        self.moves_tiles(window, forward.click)
        self.check_pictures(window, ("/batches/2.png",))
        self.assertEqual(window.run("return document.querySelectorAll('#data .rows li').length"), 30 - 2 * 12)
        window.until("return document.querySelector('#data figcaption').textContent === arguments[0]",
                     "Batch 2 of 3: 6 of 30 pictures")
        self.assertEqual(window.run(barred), [False, True])
        self.moves_tiles(window, back.click)
        self.check_pictures(window, ("/batches/1.png",))
        self.assertEqual(window.complaints(), [])

    def test_a_volume_is_shown_slice_by_slice(self):
        window = self.settled(self.open())
        mask = self.get(self.target(window, "volume")).npy()[0]
        window.run("document.querySelector('#volume [name=slice]').focus()")
        for slice_number in (25, 26):
            window.key(RIGHT)
            window.until("return document.querySelector('#volume figcaption')"
                         ".textContent.includes(arguments[0])", f"Slice {slice_number} ")
            pixels = window.run("""const c = document.querySelector('#volume canvas');
                return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]""")
            shown = np.array(pixels).reshape(*mask.shape[1:], 4)[..., 0]
            self.assertTrue((shown == 255 * mask[slice_number]).all())

    def test_the_lines_it_shows_do_what_they_say(self):
        window = self.settled(self.open())
        with tempfile.TemporaryDirectory() as folder:
            for view in UPLOADS:
                for name, data in self.uploads(window, view).items():
                    pathlib.Path(folder, name).write_bytes(data)
            for language, run, suffix in (("curl", ["sh"], "sh"), *PROGRAMS):
                window.find(f"#masks [data-language={language}]").click()
                for view in ("masks", "mix", "rows", "data", "volume"):
                    code = window.run(f"return document.querySelector('#{view} code').textContent")
                    if language != "curl":
                        self.assertLessEqual(len(code.splitlines()), 3)
                    file = pathlib.Path(folder, f"{view}.{suffix}")
                    file.write_text(code + self.printing(language, view))
                    with self.subTest(f"{language} {view}"):
                        if not shutil.which(run[0]):
                            self.skipTest(f"no {run[0]} here")
                        done = subprocess.run([*run, file.name], cwd=folder, text=True, check=False,
                                              capture_output=True, timeout=harness.PATIENCE)
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.check_code(window, language, view, done.stdout, folder)

    def test_lines_of_soft_masks_read_their_floats(self):
        window = self.settled(self.open())
        target = self.moves(window, "masks", lambda: window.find("#masks [name=soft]").drag(30))
        self.assertIn("soft=", target)
        wanted = float(self.get(target.replace(".png", ".npy")).npy().sum(dtype="f8"))
        with tempfile.TemporaryDirectory() as folder:
            for language, run, suffix in PROGRAMS:
                window.find(f"#masks [data-language={language}]").click()
                code = window.run("return document.querySelector('#masks code').textContent")
                self.assertIn("array", code)
                if not shutil.which(run[0]):
                    continue
                file = pathlib.Path(folder, f"soft.{suffix}")
                file.write_text(code + self.printing(language, "masks"))
                said = subprocess.run([*run, file.name], cwd=folder, text=True, check=True, stdout=subprocess.PIPE,
                                      timeout=harness.PATIENCE).stdout
                self.assertAlmostEqual(float(said), wanted, delta=1, msg=language)

    @staticmethod
    def printing(language, view):
        """What has a program say the sum of what it fetched."""
        if language == "python":
            array = {"mix": "mixed", "rows": "arrays['mixed']"}.get(view, "array")
            return f"\nprint(int({array}.sum(dtype='f8')))\n"
        if view in UPLOADS:
            return "\n"
        return {"javascript": "\nconsole.log(array.reduce((a, b) => a + b, 0));\n",
                "r": "\ncat(sum(array))\n"}.get(language, "\n")

    def check_code(self, window, language, view, output, folder):
        target = self.curl_target(window, view)
        ask = self.get
        if view in UPLOADS:
            answer = pathlib.Path(folder, UPLOADS[view])

            def ask(path):
                return self.post_all(path, self.uploads(window, view))
        if view in UPLOADS and language != "python":
            self.assertEqual(answer.read_bytes(), ask(target).body)
            answer.unlink()
        elif language == "curl":
            name = "array.npy" if view == "volume" else "image.png"
            self.assertEqual(pathlib.Path(folder, name).read_bytes(), ask(target).body)
        elif view == "rows":
            mixed = np.load(io.BytesIO(ask(target.replace(".safetensors", ".npz")).body))["mixed"]
            self.assertEqual(int(output), int(mixed.sum(dtype="f8")))
        else:
            self.assertEqual(int(output), int(ask(target.replace(".png", ".npy")).npy().sum(dtype="f8")))

    def curl_target(self, window, view):
        """The curl line's, whatever language is shown."""
        shown = window.find(f"#{view} [aria-pressed=true]")
        window.find(f"#{view} [data-language=curl]").click()
        target = self.target(window, view)
        shown.click()
        return target

    def test_it_asks_nobody_else(self):
        window = self.settled(self.open())
        urls = window.run("return performance.getEntriesByType('resource').map(e => e.name)")
        self.assertTrue(urls)
        for url in urls:
            self.assertTrue(url.startswith((window.origin, f"blob:{window.origin}", "data:")), url)

    def test_everything_has_a_name_and_is_reached_by_tab(self):
        window = self.settled(self.open())
        shown = ", ".join(f"{kind}:not([hidden] *)" for kind in (
            "input", "select", "button", "a", "canvas", "main img"))
        controls = window.find_all(shown)
        self.assertGreater(len(controls), 40)
        for control in controls:
            self.assertNotEqual(control.name().strip(), "", window.run(
                "return arguments[0].outerHTML", control))
        wanted = window.run("""return [...document.querySelectorAll('input, select, button, a')]
            .filter(e => !e.disabled && !e.closest('[hidden]')).length""")
        reached = set()
        for _ in range(wanted + 8):
            window.key(TAB)
            reached.add(window.run("""const all = [...document.querySelectorAll(
                'input, select, button, a')]; return all.indexOf(document.activeElement)"""))
        self.assertEqual(len(reached - {-1}), wanted)

    def test_a_phone_shows_all_of_it(self):
        self.addCleanup(self.window.tools, "Emulation.clearDeviceMetricsOverride")
        self.window.be_a_phone(390, 844)
        window = self.settled(self.open())
        # A phone makes a page that is too wide smaller, and innerWidth grows with the page.
        fits = "return document.documentElement.scrollWidth <= screen.width"
        window.until(fits)
        self.assertEqual(window.run("return screen.width"), 390)
        window.run("document.querySelector('header').style.width = '400px'")
        self.assertFalse(window.run(fits))

    def test_it_is_dark_where_dark_is_preferred(self):
        colour = "return getComputedStyle(document.body).backgroundColor"
        self.addCleanup(self.window.prefer, "light")
        for dark in (False, True):
            self.window.prefer("dark" if dark else "light")
            window = self.open()
            sum_of = sum(map(int, re.findall(r"\d+", window.run(colour))[:3]))
            self.assertEqual(sum_of < 3 * 128, dark)

    def test_what_is_refused_is_said_where_it_was_asked(self):
        with harness.Server("--elements", "4096") as small:
            window = self.open(small)
            window.until("return document.querySelector('#masks .wrong')")
            said = window.run("return document.querySelector('#masks figcaption').textContent")
            refused = small.get("/v1/masks.png?shape=128x128").json()["detail"]
            self.assertEqual(said, refused)
            self.assertIn("fmixd import", window.until(
                "return document.querySelector('#data figcaption').textContent"))

    def test_a_token_is_asked_for_where_one_is_needed(self):
        made = subprocess.run([harness.program(), "token", "me"], text=True, check=True,
                              stdout=subprocess.PIPE).stdout.splitlines()
        tokens = pathlib.Path(self.folder.name, "tokens")
        tokens.write_text(made[1] + "\n")
        with harness.Server("--tokens", str(tokens)) as guarded:
            window = self.open(guarded)
            window.until("return !document.querySelector('#token').hidden")
            self.assertEqual(window.find("#token input").name(), "This server requires a token")
            window.find("#token input").type(made[0])
            window.find("#token button").click()
            window.until("return document.querySelector('#masks img').naturalWidth")
            window.until("return document.querySelector('#token').hidden")
            self.check_guarded_code(self.settled(window), made[0])

    def check_guarded_code(self, window, token):
        """The lines have a place for the token, and do with it what they say."""
        with tempfile.TemporaryDirectory() as folder:
            for name, data in {**self.uploads(window, "mix"), **self.uploads(window, "rows")}.items():
                pathlib.Path(folder, name).write_bytes(data)
            for language, run, suffix in (("curl", ["sh"], "sh"), *PROGRAMS):
                window.find(f"#masks [data-language={language}]").click()
                for view in ("masks", "mix", "rows", "volume"):
                    code = window.run(f"return document.querySelector('#{view} code').textContent")
                    self.assertEqual(code.count("Bearer TOKEN"), 1, code)
                    if not shutil.which(run[0]):
                        continue
                    file = pathlib.Path(folder, f"guarded.{suffix}")
                    file.write_text(code.replace("TOKEN", token) + self.printing(language, view))
                    done = subprocess.run([*run, file.name], cwd=folder, text=True, check=False, capture_output=True,
                                          timeout=harness.PATIENCE)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    if language != "python" and view in UPLOADS:
                        answer = pathlib.Path(folder, UPLOADS[view])
                        self.assertNotEqual(answer.read_bytes()[:1], b"{", f"{language} {view}")
                        answer.unlink()
                    elif language == "curl":
                        answer = pathlib.Path(folder, "array.npy" if view == "volume" else "image.png")
                        self.assertNotEqual(answer.read_bytes()[:1], b"{", view)
                        answer.unlink()
                    else:
                        self.assertGreater(float(done.stdout), 0)


if __name__ == "__main__":
    unittest.main()
