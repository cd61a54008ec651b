"""The preview page in a browser: what it shows is what the lines below it
fetch, and it can be used by mouse, by keyboard, by ear and on a phone."""

import hashlib
import json
import re
import unittest

import numpy as np

import browser
import harness
import preview_page
from preview_page import CLASSES, DATA
from tensors import read_safetensors

LEFT, RIGHT, TAB = "\ue012", "\ue014", "\ue004"
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Preview(preview_page.PageTest):
    """Each test loads the page anew."""

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


if __name__ == "__main__":
    unittest.main()
