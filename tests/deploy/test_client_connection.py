"""fmixd.Connection and what stands on it, when servers refuse, break off and come again."""

import os
import random
import socket
import threading
import time
import unittest
import unittest.mock
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from python_client import write_safetensors  # it knows where the following are
import fmixd


class Trouble(unittest.TestCase):
    """Servers that refuse, break off and come again."""

    def serve(self, answers):
        """A server that answers so, one after the other and with the last for ever; its URL and what
        it was asked; `self.ports` are those of the clients."""
        asked, ports = [], []
        self.ports = ports

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(self.path)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(f"{self.path} {body.decode()}")

            def answer(self, what):
                asked.append(what)
                ports.append(self.client_address[1])
                status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}", asked

    def test_what_passes_is_tried_again(self):
        url, asked = self.serve([(503, {"Retry-After": "0.1"}, b"{}"), (None, {}, b""), (429, {}, b""),
                                 (200, {}, b"here")])
        self.assertEqual(fmixd.Connection(url).get("/x", a=1), b"here")
        self.assertEqual(asked, ["/x?a=1"] * 4)

    def test_sides_of_shapes_are_joined_by_x_and_other_lists_by_commas(self):
        url, asked = self.serve([(200, {}, b"here")])
        for sides in (48, 32), [48, 32], np.array([48, 32]), "48x32":
            fmixd.Connection(url).get("/x", shape=sides, size=sides, x_shape=sides, weights=(48, 32))
        self.assertEqual(asked, ["/x?shape=48x32&size=48x32&x_shape=48x32&weights=48%2C32"] * 4)

    def test_a_retry_after_of_nothing_or_of_a_date_is_no_reason_to_hurry_or_to_break(self):
        later = "Fri, 27 Nov 2026 01:00:00 GMT"
        none = "\xb2", "9" * 5000, "0", later, "0", "x"
        url, asked = self.serve([(503, {"Retry-After": after}, b"{}") for after in none] + [(200, {}, b"here")])
        begun = time.monotonic()
        self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        self.assertGreaterEqual(time.monotonic() - begun, 6 * fmixd.connection.MOMENT)
        self.assertEqual(len(asked), 7)

    def test_a_refusal_is_tried_again_on_another_connection(self):
        for status in 429, 503:
            url, _ = self.serve([(200, {}, b"one"), (status, {"Retry-After": "0"}, b"{}"), (200, {}, b"two")])
            connection = fmixd.Connection(url)
            self.addCleanup(connection.close)
            self.assertEqual([connection.get("/x") for _ in range(2)], [b"one", b"two"])
            self.assertEqual(self.ports[0], self.ports[1])
            self.assertNotEqual(self.ports[1], self.ports[2])

    def test_an_upload_is_tried_again_too_and_so_often_at_most(self):
        url, asked = self.serve([(503, {"Retry-After": "0"}, b"{}"), (200, {}, b"here")])
        self.assertEqual(fmixd.Connection(url).post("/x", b"body", a=1), b"here")
        self.assertEqual(asked, ["/x?a=1 body"] * 2)
        url, asked = self.serve([(503, {"Retry-After": "0"}, b'{"detail": "too much"}')])
        with self.assertRaisesRegex(ConnectionError, "asked 3 times: too much"):
            fmixd.Connection(url, tries=3).post("/x", b"body")
        self.assertEqual(len(asked), 3)

    def test_what_does_not_is_told_at_once(self):
        url, asked = self.serve([(400, {}, b'{"detail": "no such thing"}')])
        with self.assertRaisesRegex(fmixd.Refused, "no such thing"):
            fmixd.Connection(url).get("/x")
        self.assertEqual(len(asked), 1)

    def test_a_mixer_that_was_refused_asks_again_when_it_is_called_again(self):
        plans = {"pairing": np.array([[1, 0]]), "lambda": np.full((1, 2), 0.25),
                 "lambda_eff": np.full((1, 2), 0.25), "method": np.array([[2, 2]]),
                 "masks": np.zeros((1, 2, 1), np.uint8)}
        refusal = (403, {}, b'{"detail": "not yet"}')
        answer = (200, {}, write_safetensors(plans))
        url, _ = self.serve([answer, refusal, refusal, answer])
        mix = fmixd.Mixer(url, layout="none", steps=1)
        self.addCleanup(mix.close)
        x = np.array([[0, 4], [8, 0]], "f4")
        self.assertEqual(mix(x, None, 0)[0].tolist(), [[6, 1], [2, 3]])
        for _ in range(2):
            with self.assertRaisesRegex(fmixd.Refused, "not yet"):
                mix(x, None, 1)
        self.assertEqual(mix(x, None, 1)[0].tolist(), [[6, 1], [2, 3]])

    def test_silence_is_warned_of_while_it_goes_on(self):
        url, _ = self.serve([(503, {"Retry-After": "1"}, b'{"detail": "too much"}')] * 2 + [(200, {}, b"here")])
        with unittest.mock.patch.object(fmixd.connection, "SILENCE", 0.2), \
                self.assertWarnsRegex(UserWarning, "too much"):
            self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            url = "http://127.0.0.1:{}".format(deaf.getsockname()[1])
            with unittest.mock.patch.multiple(fmixd.connection, SILENCE=0.2, TIMEOUT=1), \
                    self.assertWarnsRegex(UserWarning, "not answered"), self.assertRaises(ConnectionError):
                fmixd.Connection(url, tries=1).get("/x")

    def test_what_is_not_fmixd_s_answer_is_said(self):
        url, _ = self.serve([(200, {}, b"<html>please log in</html>")])
        with self.assertRaisesRegex(fmixd.Refused, "not fmixd's answer.*html"):
            fmixd.Mixer(url)(np.zeros((2, 1, 4, 4), "f4"), None, 0)
        for body in b"<html>please log in</html>", b"[1]", b"{}":
            url, _ = self.serve([(200, {}, body)])
            with self.subTest(body), self.assertRaisesRegex(fmixd.Refused, f"^{url}: this is not fmixd's answer"):
                fmixd.describe(url, "colour")

    def test_whoever_does_not_answer_is_named(self):
        url, _ = self.serve([(404, {}, b'{"detail": "no such thing"}'), (503, {}, b'{"detail": "too much"}')])
        with self.assertRaisesRegex(fmixd.Refused, f"^{url}/x: 404 no such thing$"):
            fmixd.Connection(url).get("/x")
        with self.assertRaisesRegex(ConnectionError, f"^{url}/x: no answer, asked 1 times: too much$"):
            fmixd.Connection(url, tries=1).get("/x")

    def test_what_a_proxy_says_is_shown_as_text(self):
        url, _ = self.serve([(404, {}, b"<html>no such page</html>")])
        with self.assertRaisesRegex(fmixd.Refused, f"^{url}/x: 404 <html>no such page</html>$"):
            fmixd.Connection(url).get("/x")

    def test_trying_again_draws_no_random_numbers_of_the_program_s_own(self):
        url, asked = self.serve([(503, {"Retry-After": "0"}, b"{}"), (200, {}, b"here")])
        random.seed(7)
        before = random.getstate()
        self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        self.assertEqual(len(asked), 2)
        self.assertEqual(random.getstate(), before)

    def test_forks_wait_for_times_of_their_own(self):
        drawn = []
        for _ in range(4):
            read, write = os.pipe()
            child = os.fork()
            if not child:
                os.write(write, repr(fmixd.connection._JITTER.uniform(1, 1.3)).encode())
                os._exit(0)
            os.close(write)
            with open(read, encoding="utf-8") as told:
                drawn.append(told.read())
            os.waitpid(child, 0)
        self.assertEqual(len(set(drawn)), 4)

    def test_arguments_with_which_it_would_never_end_are_refused(self):
        for name, wrong in (("patience", float("nan")), ("patience", -1), ("patience", "9"), ("patience", None),
                            ("tries", 0), ("tries", 1.5), ("tries", "2")):
            with self.subTest(name, wrong=wrong), self.assertRaisesRegex(ValueError, f"{name} is .*; it must be"):
                fmixd.Connection("http://localhost", **{name: wrong})

    def test_a_path_that_no_request_can_have_is_said_at_once(self):
        url, asked = self.serve([(200, {}, b"here")])
        with self.assertRaisesRegex(ValueError, "the path is '/a b'"):
            fmixd.Connection(url).get("/a b")
        self.assertEqual(asked, [])

    def test_parameters_of_none_are_left_out(self):
        url, asked = self.serve([(200, {}, b"here")])
        fmixd.Connection(url).get("/x", a=None)
        fmixd.Connection(url).get("/x", a=None, b=2)
        self.assertEqual(asked, ["/x", "/x?b=2"])

    def test_a_look_ahead_whose_end_fails_says_so_to_who_waits(self):
        def broken():
            raise OSError("it cannot be closed")
        ahead = fmixd.Ahead(lambda number: number, 0, 1, done=broken)
        self.assertEqual(ahead.take(), (0, 0))
        for _ in range(2):
            with self.assertRaisesRegex(OSError, "cannot be closed"):
                ahead.take()
        ahead.close()
        ahead = fmixd.Ahead(lambda number: {}[number], 0, 1, done=broken)
        with self.assertRaises(KeyError):  # what was wrong first
            ahead.take()
        ahead.close()

    def test_closing_waits_for_no_daemon_that_is_silent(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            connection = fmixd.Connection("http://127.0.0.1:{}".format(deaf.getsockname()[1]))
            ahead = fmixd.Ahead(lambda number: connection.get("/x"), 0)
            deaf.accept()
            begun = time.monotonic()
            connection.abandon()
            ahead.close()
            self.assertLess(time.monotonic() - begun, fmixd.connection.TIMEOUT / 2)

    def test_a_look_ahead_at_a_dead_daemon_ends_at_once(self):
        url, _ = self.serve([(503, {"Retry-After": "60"}, b"{}")])
        connection = fmixd.Connection(url)
        ahead = fmixd.Ahead(lambda number: connection.get("/x"), 0)
        with self.assertRaisesRegex(ConnectionError, "nobody waits"):
            connection.abandon()
            ahead.take()
        ahead.close()

    def test_patience_ends(self):
        url, _ = self.serve([(503, {}, b'{"detail": "too much"}')] * 50)
        with self.assertRaisesRegex(ConnectionError, "too much"):
            fmixd.Connection(url, patience=0.5).get("/x")


if __name__ == "__main__":
    unittest.main()
