"""The code below each figure of the preview page: in every language it fetches what the figure shows."""

import io
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import harness
import preview_page

PROGRAMS = (("python", [sys.executable], "py"), ("javascript", ["node"], "mjs"), ("r", ["Rscript"], "R"))
UPLOADS = {"mix": "mixed.png", "rows": "mixed.safetensors"}  # the files that code writes


class Lines(preview_page.PageTest):
    """As they stand there, run."""

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
