"""The example clients, each in its language: they agree with the daemon, and
say so when they do not."""

import hashlib
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np

for folder in ("http", "reference"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

import fmixref as ref  # noqa: E402
import harness  # noqa: E402
import languages  # noqa: E402

CLIENTS = harness.ROOT / "deploy" / "clients"
GOLDEN = json.loads((harness.ROOT / "tests" / "golden" / "clients.json").read_text())
GOOD = "batch 0: ok\nbatch 1: ok\ngolden digest: ok\n"
PATIENCE = 3 * harness.PATIENCE  # a language's start, and all that it asks
TRIES = 10
PROBLEM = {"Content-Type": "application/problem+json"}

daemon = harness.Server("--drain", "0")


def setUpModule():
    daemon.start()


def tearDownModule():
    daemon.stop()


class Between(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the daemon, and changes what comes back as its server says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body):
        # Accept is not passed on: paths say the format.
        status, headers, reply = self.server.change(self.path, lambda: self.pass_on(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def pass_on(self, body):
        kind = {"Content-Type": "application/octet-stream"} if body else {}
        return daemon.request(self.command, self.path, body, kind, fresh=True).body

    def log_message(self, *_):
        pass


class Client:
    """What is asked of each language's, made once."""

    needs = {}  # Debian's packages, and what works where they are

    @classmethod
    def setUpClass(cls):
        for package, probe in cls.needs.items():
            if subprocess.run(probe, shell=True, check=False, capture_output=True).returncode:
                raise unittest.SkipTest(f"there is no {package} here")
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.program = cls.make(pathlib.Path(folder))

    @classmethod
    def make(cls, _):
        """Makes a program in a folder; its command."""
        return [*cls.runs, str(cls.source)]

    def run_it(self, *arguments):
        return subprocess.run([*self.program, *arguments], text=True, check=False,
                              capture_output=True, timeout=PATIENCE)

    def through(self, change):
        """Runs it against a daemon behind somebody who changes answers."""
        between = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
        between.change, between.daemon_threads = change, True
        between.handle_error = lambda *_: None  # who has seen enough may hang up
        thread = threading.Thread(target=between.serve_forever, args=(0.05,))
        thread.start()
        try:
            return self.run_it("http://127.0.0.1:{}".format(between.server_address[1]))
        finally:
            between.shutdown()
            between.server_close()
            thread.join()

    def test_it_agrees_with_the_daemon(self):
        done = self.run_it("http://{}:{}".format(*daemon.address))
        self.assertEqual((done.returncode, done.stdout), (0, GOOD), done.stderr)

    def test_it_sees_a_golden_byte_that_differs(self):
        def change(path, ask):
            body = bytearray(ask())
            body[0] ^= path == GOLDEN["target"]
            return 200, {}, bytes(body)
        done = self.through(change)
        self.assertEqual(done.returncode, 1)
        self.assertIn("golden digest: WRONG", done.stdout + done.stderr)

    def test_it_sees_a_batch_that_differs(self):
        def change(path, ask):
            body = bytearray(ask())
            if "/mix" in path and "step=1" in path:
                body[-2] ^= 64
            return 200, {}, bytes(body)
        done = self.through(change)
        self.assertEqual(done.returncode, 1)
        self.assertIn("batch 0: ok", done.stdout)
        self.assertIn("batch 1: WRONG", done.stdout + done.stderr)

    def test_it_says_what_the_daemon_has_against_it(self):
        problem = json.dumps({"title": "Bad request", "detail": 'alpha is "0"; it must be more'})
        for resource in ("/v1/plans", "/v1/mix", "/v1/masks"):
            with self.subTest(resource):
                done = self.through(lambda path, ask, resource=resource: (
                    (400, PROBLEM, problem.encode()) if path.startswith(resource)
                    else (200, {}, ask())))
                self.assertEqual(done.returncode, 1)
                self.assertIn('alpha is "0"; it must be more', done.stderr)
                self.assertNotIn("Bad request", done.stderr)

    def test_it_says_the_status_where_there_is_no_problem_to_read(self):
        done = self.through(lambda path, ask: (404, {"Content-Type": "text/html"}, b"<html>nobody"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("404", done.stderr)

    def test_it_asks_again_when_it_is_told_to_and_not_before(self):
        asked = {}

        def change(path, ask):
            asked.setdefault(path, []).append(time.monotonic())
            if len(asked[path]) > 1:
                return 200, {}, ask()
            if len(asked) == 1:
                return 503, {**PROBLEM, "Retry-After": "1"}, b"{}"
            return 429, {**PROBLEM, "Retry-After": "0"}, b"{}"
        done = self.through(change)
        self.assertEqual((done.returncode, done.stdout), (0, GOOD), done.stderr)
        first, again = next(iter(asked.values()))
        self.assertGreaterEqual(again - first, 0.99)
        self.assertTrue(any("/mix" in path for path in asked))
        self.assertIn(GOLDEN["target"], asked)

    def test_it_does_not_ask_for_ever(self):
        asked = []

        def change(path, ask):
            if "/mix" not in path:
                return 200, {}, ask()
            asked.append(path)
            return 503, {**PROBLEM, "Retry-After": "0"}, b'{"detail": "too much to do"}'
        done = self.through(change)
        self.assertEqual((done.returncode, len(asked)), (1, TRIES))
        self.assertIn("too much to do", done.stderr)

    def test_it_says_how_it_is_used(self):
        done = self.run_it()
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"usage: example\S* URL")

    def test_its_golden_digest_is_the_pinned_one(self):
        text = self.source.read_text()
        self.assertIn(GOLDEN["target"], text)
        self.assertEqual(re.findall(r"\b[0-9a-f]{64}\b", text), [GOLDEN["sha256"]])


class Python(Client, unittest.TestCase):
    source = CLIENTS / "python" / "example.py"
    runs = [sys.executable, "-B"]


class JavaScript(Client, unittest.TestCase):
    source = CLIENTS / "javascript" / "example.mjs"
    runs = ["node"]
    needs = {"nodejs": "node --version"}


class R(Client, unittest.TestCase):
    source = CLIENTS / "r" / "example.R"
    needs = languages.R.needs

    @classmethod
    def make(cls, folder):
        return ["env", f"R_LIBS={languages.R(folder).library}", "Rscript", str(cls.source)]


class RawClient(Client):
    """One that reads bare numbers, whose count nothing else tells."""

    def test_it_takes_no_answer_of_another_length(self):
        for change in (lambda body: body + bytes(8), lambda body: body[:-8]):
            for resource in ("parts=masks", "parts=pairing", "/v1/mix"):
                with self.subTest(resource):
                    done = self.through(lambda path, ask, resource=resource, change=change: (
                        200, {}, change(ask()) if resource in path else ask()))
                    self.assertEqual((done.returncode, done.stdout), (1, ""))
                    self.assertIn(resource, done.stderr)


class Go(RawClient, unittest.TestCase):
    source = CLIENTS / "go" / "example.go"
    needs = {"golang-go": "go version"}

    @classmethod
    def make(cls, folder):
        subprocess.run(["go", "build", "-o", str(folder / "example"), str(cls.source)], check=True,
                       env={**os.environ, "GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod",
                            "GOPATH": str(folder / "path")})
        return [str(folder / "example")]


class C(RawClient, unittest.TestCase):
    source = CLIENTS / "c" / "example.c"
    needs = {"gcc": "gcc --version", "pkg-config": "pkg-config --version",
             "libcurl4-openssl-dev": "pkg-config --exists libcurl",
             "libsodium-dev": "pkg-config --exists libsodium",
             "libjansson-dev": "pkg-config --exists jansson"}

    @classmethod
    def make(cls, folder):
        # As the head of the file says.
        line = re.search(r"cc example\.c -o example (.*)", cls.source.read_text())[1]
        subprocess.run(f"gcc -std=c11 -Wall -Wextra -Werror {cls.source} -o {folder}/example {line}",
                       shell=True, check=True)
        return [str(folder / "example")]


class Golden(unittest.TestCase):
    def test_the_pinned_digest_is_the_references(self):
        body = daemon.get(GOLDEN["target"]).body
        self.assertEqual(hashlib.sha256(body).hexdigest(), GOLDEN["sha256"])
        masks = np.unpackbits(np.frombuffer(body, np.uint8)).reshape(16, 32, 32)
        self.assertTrue((masks == ref.make_masks(ref.Recipe(seed=7), (32, 32), 0, 16).masks).all())


if __name__ == "__main__":
    unittest.main()
