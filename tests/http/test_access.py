"""Who may ask (tokens), what of that is written down (names alone), and which pages may read (CORS)."""

import hashlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import harness
from harness import until

MASK = "/v1/masks.npy?shape=8x8"
GUARDED = (MASK, "/v1/plans.json?shape=3", "/metrics", "/version", "/nothing", "/openapi.json")
OPEN = ("/livez", "/readyz", "/startupz", "/", "/preview.css", "/preview.js")


def hashed(token):
    """What the file holds of a token."""
    return hashlib.blake2b(token.encode(), digest_size=32).hexdigest()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def raw(address, request):
    """What comes back, to the end of the connection or of the head."""
    answer = b""
    with socket.create_connection(address, harness.PATIENCE) as sock:
        sock.sendall(request)
        while b"\r\n\r\n" not in answer:
            piece = sock.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


class WithTokens(unittest.TestCase):
    """A daemon of its own and the file of its tokens."""

    ALICE, BOB = "alice-" + "a" * 37, "bob-" + "b" * 39

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "tokens"
        self.write(alice=self.ALICE, bob=self.BOB)

    def write(self, **tokens):
        lines = (f"{name} {hashed(token)}\n" for name, token in tokens.items())
        self.write_text("".join(lines))

    def write_text(self, text):
        """As an operator should: whole, or not at all, and for nobody else."""
        fresh = self.folder / "fresh"
        fresh.touch(0o600)
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, self.file)

    def start(self, *options):
        server = harness.Server("--tokens", str(self.file), "--drain", "0", *options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def reload(self, server):
        server.process.send_signal(signal.SIGHUP)

    def check_challenge(self, answer, status, error):
        self.assertEqual(answer.status, status)
        wanted = 'Bearer realm="fmixd"' + (f', error="{error}"' if error else "")
        self.assertEqual(answer.headers["WWW-Authenticate"], wanted)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")


class Tokens(WithTokens):
    def test_all_but_health_and_the_page_needs_a_token(self):
        server = self.start()
        for target in GUARDED:
            with self.subTest(target):
                self.check_challenge(server.get(target), 401, None)
        for target in OPEN:
            for headers in ({}, bearer("nobody's"), {"Authorization": "Basic eDp5"}):
                self.assertEqual(server.get(target, headers).status, 200)

    def test_each_client_is_let_in_by_its_token_and_no_other_is(self):
        server = self.start()
        for token in (self.ALICE, self.BOB):
            self.assertEqual(server.get(MASK, bearer(token)).status, 200)
            self.assertEqual(server.get("/metrics", bearer(token)).status, 200)
            self.assertEqual(server.get("/nothing", bearer(token)).status, 404)
            self.assertEqual(server.get(MASK, bearer(token + " \t")).status, 200)
        for token in ("x", self.ALICE + "a", self.ALICE[:-1], hashed(self.ALICE), "alice",
                      self.ALICE.upper(), "A" * 5000, "="):
            with self.subTest(token):
                self.check_challenge(server.get(MASK, bearer(token)), 401, "invalid_token")
        for other in ("Basic " + self.ALICE, self.ALICE, "Bearer", "Bearer ", "Digest x=1",
                      "Token " + self.ALICE, f'OAuth "{self.ALICE}"'):
            with self.subTest(other):
                self.check_challenge(server.get(MASK, {"Authorization": other}), 401, None)

    def test_a_token_made_by_the_program_lets_in(self):
        made = subprocess.run([harness.program(), "token", "carol"], check=True,
                              capture_output=True, text=True).stdout
        token, line = made.splitlines()
        self.assertEqual(line, f"carol {hashed(token)}")
        self.write_text(line + "\n")
        self.assertEqual(self.start().get(MASK, bearer(token)).status, 200)
        for wrong in ([], ["a b"], ["carol", "dave"], ["--name"]):
            done = subprocess.run([harness.program(), "token", *wrong], capture_output=True)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, b"")

    def test_a_repeated_authorization_is_400(self):
        server = self.start()
        head = f"GET {MASK} HTTP/1.1\r\nHost: x\r\n"
        good, bad = f"Authorization: Bearer {self.ALICE}\r\n", "Authorization: Bearer x\r\n"
        for fields in (good + good, good + bad, bad + good, good + good.upper()):
            answer = raw(server.address, f"{head}{fields}\r\n".encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertIn(b'error="invalid_request"', answer)

    def test_who_may_not_ask_learns_nothing_of_what_he_asked(self):
        server = self.start()
        texts = {server.get(target).body for target in
                 (MASK, "/v1/masks.npy?shape=no", "/v1/masks.gif", "/nothing?a=1", "/v1/mix")}
        texts.add(server.request("DELETE", MASK).body)
        texts.add(server.get("/v1/masks%00").body)
        texts.add(server.get(MASK, {"Accept": "text/html"}).body)
        self.assertEqual(len(texts), 1)

    def test_a_body_is_refused_before_it_is_taken(self):
        server = self.start("--body", "1G")
        head = "POST /v1/mix?layout=none HTTP/1.1\r\nHost: x\r\n"
        for fields in ("Content-Length: 9000000\r\nExpect: 100-continue\r\n",
                       "Content-Length: 9000000\r\n", "Transfer-Encoding: chunked\r\n",
                       "Content-Length: 99999999999\r\n"):
            answer = raw(server.address, f"{head}{fields}\r\n".encode())
            with self.subTest(fields):
                self.assertTrue(answer.startswith(b"HTTP/1.1 401 "), answer)
                self.assertIn(b"\r\nConnection: close\r\n", answer)

    def test_a_refusal_without_a_body_keeps_the_connection(self):
        server = self.start()
        connection = server.connect()
        self.addCleanup(connection.close)
        self.assertEqual(harness.exchange(connection, "GET", MASK).status, 401)
        first = connection.sock
        self.assertEqual(harness.exchange(connection, "GET", MASK, None,
                                          bearer(self.BOB)).status, 200)
        self.assertIs(connection.sock, first)

    def test_answers_to_clients_are_private(self):
        server = self.start()
        answer = server.get(MASK, bearer(self.ALICE))
        self.assertEqual(answer.headers["Cache-Control"], "private, max-age=31536000, immutable")
        self.assertEqual(answer.headers["Vary"], "Authorization")
        fresh = {**bearer(self.ALICE), "If-None-Match": answer.headers["ETag"]}
        self.assertEqual(server.get(MASK, fresh).status, 304)
        self.assertEqual(server.get(MASK, {"If-None-Match": answer.headers["ETag"]}).status, 401)
        answer = server.get("/v1/masks?shape=3", bearer(self.ALICE))
        self.assertEqual(answer.headers["Vary"], "Accept, Authorization")
        self.assertEqual(server.request("HEAD", MASK).status, 401)


class Reload(WithTokens):
    def test_a_reload_adds_and_removes(self):
        server = self.start()
        self.assertEqual(server.get(MASK, bearer(self.ALICE)).status, 200)
        self.write(bob=self.BOB, carol="carol's")
        self.assertEqual(server.get(MASK, bearer("carol's")).status, 401)
        self.reload(server)
        until(lambda: server.get(MASK, bearer("carol's")).status == 200)
        self.assertEqual(server.get(MASK, bearer(self.ALICE)).status, 401)
        self.assertEqual(server.get(MASK, bearer(self.BOB)).status, 200)

    def test_a_bad_file_is_said_by_line_and_changes_nothing(self):
        server = self.start()
        for text, said in ((f"carol {hashed('c')}\nalice\n", "tokens:2: "), ("", "has no tokens"),
                           ("carol secret-itself\n", "tokens:1: ")):
            self.write_text(text)
            before = len(server.log_tail(harness.LOG_MOST))
            self.reload(server)
            until(lambda: "stay in force" in server.log_tail(harness.LOG_MOST)[before:])
            self.assertIn(said, server.log_tail(harness.LOG_MOST)[before:])
            self.assertEqual(server.get(MASK, bearer(self.ALICE)).status, 200)
            self.assertEqual(server.get(MASK, bearer("c")).status, 401)
        self.file.unlink()
        self.reload(server)
        server.until_logged("cannot be read: No such file")
        self.assertEqual(server.get(MASK, bearer(self.BOB)).status, 200)
        server.stop()
        self.assertNotIn("secret-itself", server.log_tail(harness.LOG_MOST))

    def test_no_request_is_dropped_by_reloads(self):
        server = self.start("--log", "off")
        answered, wrong, stop = [0] * 4, [], threading.Event()

        def ask(number):
            connection = server.connect()
            while not stop.is_set():
                answer = harness.exchange(connection, "GET", MASK + "&n=500", None,
                                          bearer(self.ALICE))
                if (answer.status, len(answer.body)) != (200, 128 + 500 * 256):
                    wrong.append(answer.status)
                answered[number] += 1
            connection.close()

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        try:
            for turn in range(40):
                self.write(alice=self.ALICE, **{f"n{turn}": f"t{turn}"})
                self.reload(server)
                until(lambda: server.get(MASK, bearer(f"t{turn}")).status == 200)
                before = list(answered)
                until(lambda: wrong or all(now > then for now, then in zip(answered, before, strict=True))
                      or not all(thread.is_alive() for thread in threads), "each client was answered after a reload")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(min(answered), 40)

    def test_a_reload_of_nothing_is_nothing(self):
        server = harness.Server("--drain", "0")
        server.start()
        self.addCleanup(server.stop)
        for _ in range(3):
            self.reload(server)
        self.assertEqual(server.get("/livez").status, 200)
        self.assertEqual(server.get(MASK).headers["Cache-Control"],
                         "public, max-age=31536000, immutable")
        self.assertNotIn("Vary", server.get(MASK).headers)

    def test_a_reload_does_not_cut_the_drain_short(self):
        server = self.start("--drain", "3600")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/readyz", fresh=True).status == 503)
        self.reload(server)
        end = time.monotonic() + 1  # it need not have heard it at once
        while time.monotonic() < end:
            self.assertEqual(server.get("/readyz", fresh=True).status, 503)
        self.assertEqual(server.stop(), 0)


class Secrets(WithTokens):
    def test_no_token_is_ever_written_down(self):
        """In no line of the log and no answer, however the head is broken that it comes in."""
        for log in ("json", "text"):
            server = self.start("--log", log)
            token = self.ALICE
            said = b""
            for field in (f"Authorization: Bearer {token}", f"Authorization: Basic {token}",
                          f"Authorization : Bearer {token}", f"Authorization Bearer {token}",
                          f"Authorization Bearer {token}: x", f"Authorization: Bearer {token}\r",
                          f"Authorization: Bearer {token}\x01", f" Authorization: Bearer {token}",
                          f"Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",
                          f"X-Request-ID: a b\r\nAuthorization: Bearer {token}",
                          f"Expect: x\r\nAuthorization: Bearer {token}",
                          f"Transfer-Encoding: x\r\nAuthorization: Bearer {token}"):
                for target in (MASK, "/v1/masks?no=1", "/nothing"):
                    request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}"
                    said += raw(server.address, f"{request}\r\n\r\n".encode())
            said += server.get(MASK, bearer(token)).body
            self.assertEqual(server.get(MASK, bearer("b" + token)).status, 401)
            self.until_all_is_logged(server, token)
            everything = said.decode(errors="replace") + server.log_tail(harness.LOG_MOST)
            self.assertRegex(everything, " 401 " if log == "text" else '"status":401')
            for secret in (token, token[:12], hashed(token), hashed(token).upper()):
                self.assertNotIn(secret, everything)

    def until_all_is_logged(self, server, token):
        """A line is queued before its request counts as ended, and the queue keeps its order. So
        the line of one that begins when all have ended is the last."""
        until(lambda: harness.number_in(server.get("/metrics", bearer(token)).body.decode(),
                                        "fmixd_requests_in_flight") == 1)
        server.get("/the-last", bearer(token))
        server.until_logged("/the-last")

    def test_the_log_names_the_client(self):
        server = self.start()
        server.get(MASK, bearer(self.ALICE))
        server.get(MASK, bearer(self.BOB))
        server.get(MASK, bearer("x"))
        server.get("/livez", bearer(self.BOB))
        names = [json.loads(line).get("client") for line in server.until_lines(4)]
        self.assertEqual(names, ["alice", "bob", None, None])

    def test_a_file_that_others_may_read_is_a_warning(self):
        self.file.chmod(0o644)
        self.start().until_logged(f"warning: tokens: others may read '{self.file}'")
        self.file.chmod(0o640)
        server = self.start()
        server.get("/livez")
        # The log keeps its order: a warning would be in front of the line of the first request.
        line, = server.until_lines(1)
        self.assertEqual(json.loads(line)["target"], "/livez")

    def test_the_settings_name_the_file_and_show_nothing_of_it(self):
        shown = subprocess.run([harness.program(), "config", "--tokens", str(self.file)],
                               check=True, capture_output=True, text=True).stdout
        self.assertIn(f"tokens = {self.file} # flag\n", shown)
        self.assertNotIn("alice", shown)

    def test_a_wrong_file_is_refused_at_start_by_line(self):
        for text, said in (("alice\n", "tokens:1: the name must be followed by a hash"),
                           (f"bob {hashed('x')}\nal/ice {hashed('y')}\n", "tokens:2: a name has"),
                           ("# none\n", "has no tokens")):
            self.write_text(text)
            done = subprocess.run([harness.program(), "--listen", "127.0.0.1:0", "--tokens",
                                   str(self.file)], capture_output=True, text=True, timeout=harness.PATIENCE)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(said, done.stderr)


PAGE, OTHER = "https://a.example", "http://localhost:3000"
PREFLIGHT = {"Origin": PAGE, "Access-Control-Request-Method": "GET",
             "Access-Control-Request-Headers": "authorization"}


def shared(answer):
    """The CORS headers of an answer."""
    return {name: value for name, value in answer.headers.items()
            if name.lower().startswith("access-control-")}


class Cors(WithTokens):
    def start_for(self, origins, *options):
        server = harness.Server("--cors", origins, "--drain", "0", *options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def test_off_says_nothing(self):
        server = self.start()
        for headers in ({"Origin": PAGE}, PREFLIGHT):
            for method in ("GET", "OPTIONS"):
                answer = server.request(method, MASK, None, {**headers, **bearer(self.ALICE)})
                self.assertEqual(shared(answer), {})

    def test_a_listed_page_may_read_every_answer(self):
        server = self.start_for(f"{PAGE},{OTHER}")
        tag = server.get(MASK).headers["ETag"]
        for page in (PAGE, OTHER):
            for target, status, more in ((MASK, 200, {}), (MASK, 304, {"If-None-Match": tag}),
                                         (MASK, 206, {"Range": "bytes=0-9"}), ("/livez", 200, {}),
                                         (MASK, 416, {"Range": "bytes=9999-"}),
                                         ("/v1/masks", 400, {}), ("/nothing", 404, {}),
                                         ("/v1/mix", 405, {}),
                                         ("/v1/masks?shape=3", 406, {"Accept": "text/html"})):
                answer = server.get(target, {"Origin": page, **more})
                with self.subTest(target, status=status):
                    self.assertEqual(answer.status, status)
                    self.assertEqual(answer.headers["Access-Control-Allow-Origin"], page)
                    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
                    self.assertLessEqual({name for name in answer.headers
                                          if name.startswith("X-") or name in
                                          ("ETag", "Content-Range", "Allow", "Accept-Ranges")},
                                         set(exposed))
                    self.assertIn("Origin", answer.headers["Vary"].split(", "))

    def test_another_page_may_not_and_a_cache_is_told_that_it_depends(self):
        server = self.start_for(PAGE)
        for page in (OTHER, PAGE + "/", PAGE.upper(), "null", PAGE + ".evil", ""):
            for target in (MASK, "/nothing"):
                answer = server.get(target, {"Origin": page})
                self.assertEqual(shared(answer), {})
                self.assertEqual(answer.headers["Vary"], "Origin")
        self.assertEqual(shared(server.request("OPTIONS", MASK, None,
                                               {**PREFLIGHT, "Origin": OTHER})), {})
        twice = f"GET {MASK} HTTP/1.1\r\nHost: x\r\n" + 2 * f"Origin: {PAGE}\r\n" + "\r\n"
        self.assertNotIn(b"Access-Control", raw(server.address, twice.encode()))

    def test_a_star_is_every_page(self):
        server = self.start_for("*")
        for fields in ({"Origin": PAGE}, {"Origin": "null"}, {}):  # a cache keeps the last one for pages, too
            answer = server.get(MASK, fields)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")
            self.assertIn("ETag", answer.headers["Access-Control-Expose-Headers"])
            self.assertNotIn("Vary", answer.headers)

    def test_a_preflight_needs_no_token_and_is_told_what_there_is(self):
        server = self.start("--cors", PAGE)
        for target, methods in ((MASK, "GET, HEAD, OPTIONS"), ("/v1/mix", "POST, OPTIONS"),
                                ("/livez", "GET, HEAD, OPTIONS")):
            answer = server.request("OPTIONS", target, None, PREFLIGHT)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertNotIn("Content-Length", answer.headers)
            said = shared(answer)
            self.assertEqual(said["Access-Control-Allow-Origin"], PAGE)
            self.assertEqual(said["Access-Control-Allow-Methods"], methods)
            self.assertIn("Authorization", said["Access-Control-Allow-Headers"])
            self.assertEqual(said["Access-Control-Max-Age"], "86400")
        answer = server.get(MASK, {"Origin": PAGE})
        self.check_challenge(answer, 401, None)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], PAGE)
        self.assertEqual(answer.headers["Vary"], "Authorization, Origin")

    def test_a_body_too_large_amid_itself_says_it_too(self):
        server = self.start_for(PAGE, "--body", "1000")
        head = (f"POST /v1/mix HTTP/1.1\r\nHost: x\r\nOrigin: {PAGE}\r\n"
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        answer = raw(server.address, head + b"7d0\r\n" + bytes(2000) + b"\r\n0\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
        self.assertIn(f"\r\nAccess-Control-Allow-Origin: {PAGE}\r\n".encode(), answer)

    def test_options_is_answered_with_allow(self):
        server = self.start()
        for target, methods in ((MASK, "GET, HEAD, OPTIONS"), ("/v1/mix.npz", "POST, OPTIONS"),
                                ("*", "GET, HEAD, POST, OPTIONS")):
            for body in (None, b"ignored"):
                answer = server.request("OPTIONS", target, body)
                self.assertEqual((answer.status, answer.headers["Allow"]), (204, methods))
        self.assertEqual(server.request("OPTIONS", "/nothing").status, 404)

    def test_a_list_that_is_none_is_refused_at_start(self):
        for wrong in ("a.example", PAGE + "/", "https://*.a.example", "*," + PAGE, PAGE + ", x"):
            done = subprocess.run([harness.program(), "--cors", wrong], capture_output=True,
                                  text=True, timeout=harness.PATIENCE)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"cors is '{wrong}'; it must be * or origins", done.stderr)


if __name__ == "__main__":
    unittest.main()
