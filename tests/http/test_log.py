"""One line a request on stderr, and what of it the client sees."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

import harness

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Logged(unittest.TestCase):
    """A daemon whose stderr is read."""

    def start(self, *options):
        server = harness.Server("--drain", "0", *options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def test_a_request_is_a_line_of_json_that_says_what_it_was(self):
        server = self.start()
        body = server.get("/v1/masks.npy?shape=5&n=3").body
        server.get("/nothing")
        first, second = map(json.loads, server.until_lines(2))
        self.assertRegex(first.pop("time"),
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertRegex(first.pop("id"), "^[0-9a-f]{32}$")
        self.assertGreater(first.pop("ms"), 0)
        self.assertEqual(first, {
            "peer": "127.0.0.1", "method": "GET", "route": "/v1/masks",
            "target": "/v1/masks.npy?shape=5&n=3", "format": "npy",
            "status": 200, "bytes": len(body)})
        self.assertEqual((second["status"], second["route"]), (404, "none"))
        self.assertEqual((second["format"], second["reason"]),
                         ("none", "request"))

    def test_head_sends_no_bytes_and_is_logged_so(self):
        server = self.start()
        for target in "/livez", "/v1/masks.npy?shape=5", "/nothing":
            server.request("HEAD", target)
        for line in server.until_lines(3):
            self.assertEqual(json.loads(line)["bytes"], 0)

    def test_ids_are_echoed_if_well_formed_and_made_if_not(self):
        server = self.start()
        for sent, kept in (("abc-DEF_1.2", True), ("a" * 64, True),
                           ("a" * 65, False), ("a b", False), ("<x>", False)):
            answer = server.get("/livez", headers={"X-Request-ID": sent})
            echoed = answer.headers["X-Request-ID"]
            self.assertEqual(echoed == sent, kept)
            if not kept:
                self.assertRegex(echoed, "^[0-9a-f]{32}$")
        ids = {server.get("/livez").headers["X-Request-ID"]
               for _ in range(20)}
        self.assertEqual(len(ids), 20)

    def test_traceparents_are_echoed_if_well_formed_and_logged(self):
        server = self.start()
        bad = ("01" + PARENT[2:], PARENT.upper(), PARENT[:-1], PARENT + "0",
               PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
               PARENT.replace("b7ad6b7169203331", "0" * 16), "x")
        for sent in (PARENT, *bad):
            answer = server.get("/livez", headers={"traceparent": sent})
            self.assertEqual(answer.headers["traceparent"],
                             sent if sent == PARENT else None)
        first, second, *_ = map(json.loads, server.until_lines(1 + len(bad)))
        self.assertEqual(first["traceparent"], PARENT)
        self.assertNotIn("traceparent", second)

    def test_no_request_can_forge_a_line(self):
        server = self.start()
        with socket.create_connection(server.address) as sock:
            sock.sendall(b'GET /x"\\\xff\x01{}?a="} HTTP/1.1\r\nHost: x\r\n'
                         b'X-Request-ID: "}{\r\n\r\n')
            sock.recv(65536)
        line, = server.until_lines(1)
        entry = json.loads(line)
        self.assertEqual(entry["status"], 400)
        self.assertTrue(line.isascii())
        self.assertTrue(entry["target"].startswith('/x"\\'))

    def test_a_client_that_leaves_is_499(self):
        server = self.start()
        with socket.create_connection(server.address) as sock:
            sock.sendall(b"GET /v1/masks.npy?shape=512x512&n=20000 HTTP/1.1"
                         b"\r\nHost: x\r\n\r\n")
            sock.recv(1000)
        line, = server.until_lines(1)
        entry = json.loads(line)
        self.assertEqual(entry["status"], 499)
        self.assertLess(entry["bytes"], 20000 * 512 * 512 * 4)

    def test_text_is_a_line_too(self):
        server = self.start("--log", "text")
        server.get("/livez")
        line, = server.until_lines(1)
        self.assertRegex(line, r"^\S+Z 127\.0\.0\.1 [0-9a-f]{32} "
                               r"GET /livez 200 6 bytes [0-9.]+ ms$")

    def test_off_is_no_line_in_front_of_the_message_that_follows(self):
        """The log keeps its order, and the first request's line would be queued before the second is read."""
        tokens = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "tokens")
        tokens.write_text(f"alice {'0' * 64}\n")
        tokens.chmod(0o600)
        server = self.start("--log", "off", "--tokens", str(tokens))
        server.get("/livez")
        server.get("/livez")
        tokens.unlink()
        server.process.send_signal(signal.SIGHUP)
        said = server.until_logged("the previous tokens stay in force").splitlines()
        self.assertEqual([line for line in said if not line.startswith("fmixd: tokens: ")], [])

    def test_a_log_that_cannot_be_written_stops_nobody(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            process = subprocess.Popen(
                [harness.program(), "--listen", "127.0.0.1:0"],
                stdout=subprocess.PIPE, stderr=full, text=True)
        try:
            port = int(re.search(r":(\d+)$", process.stdout.readline())[1])
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                    self.assertIn(b" 200 ", sock.recv(65536))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    unittest.main()
