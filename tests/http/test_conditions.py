"""What a client has already, and what it sends: RFC 9110 8.4, 8.6, 13, 15.4.5 and 15.5.16."""

import gzip
import socket
import tempfile
import unittest

import harness
import hosting

FORMATS = ("npy", "raw", "safetensors", "npz", "json", "png")
KNOWN = ("npy", "raw", "safetensors")  # their length is known before they are made
MASK = "/v1/masks.{}?shape=9x8&n=3"
BODY = harness.write_npy(harness.np.zeros((2, 5), "u1"))
MIX = "/v1/mix.npy?layout=none"


def ask(address, request):
    """All that comes back on a connection that is then closed by us."""
    with socket.create_connection(address, timeout=harness.PATIENCE) as sock:
        sock.sendall(request + b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := sock.recv(65536):
            answer += more
    return answer


def fields_of(head):
    """Names in small letters, and values."""
    return {name.lower(): value for name, value in
            (line.split(": ", 1) for line in head.decode().split("\r\n")[1:])}


class WithSet(harness.ServerTest):
    """A daemon with one hosted set, whose batches without a digest are asked for again."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.hosted = next(hosting.some_sets())
        hosting.write(folder.name, cls.hosted)
        cls.arguments = ("--data", folder.name)
        super().setUpClass()

    def targets(self, formats=FORMATS):
        for suffix in formats:
            yield suffix, MASK.format(suffix)
            yield suffix, f"/v1/datasets/colour/batches/0.{suffix}?n=4&seed=3"


class NotModified(WithSet):
    def reply(self, method, target, *fields):
        """Status and fields of a reply without a body, and what comes behind its head."""
        lines = "".join(f"{field}\r\n" for field in fields)
        answer = ask(self.server.address,
                     f"{method} {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), fields_of(head), rest

    def check_rest(self, found, rest):
        """Nothing follows but the next answer, if the connection goes on."""
        if found.get("connection") == "close":
            self.assertEqual(rest, b"")
        else:
            self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK\r\n"), rest[:80])

    def test_304_says_what_the_200_says_of_itself_and_no_other_length(self):
        for method in ("GET", "HEAD"):
            for suffix, target in self.targets():
                with self.subTest(method=method, target=target):
                    whole = self.get(target)
                    status, found, rest = self.reply(
                        method, target, f"If-None-Match: {whole.headers['ETag']}")
                    self.assertEqual(status, 304)
                    for name in ("ETag", "Cache-Control", "Vary", "X-Fmix-Stream"):
                        self.assertEqual(found.get(name.lower()), whole.headers[name], name)
                    self.assertIn("date", found)
                    length = str(len(whole.body)) if suffix in KNOWN else None
                    self.assertEqual(found.get("content-length"), length)
                    self.assertNotIn("transfer-encoding", found)
                    self.assertNotIn("connection", found)
                    self.check_rest(found, rest)

    def test_head_says_the_length_of_get_or_none(self):
        for suffix, target in self.targets():
            with self.subTest(target=target):
                status, found, rest = self.reply("HEAD", target)
                self.assertEqual(status, 200)
                length = str(len(self.get(target).body)) if suffix in KNOWN else None
                self.assertEqual(found.get("content-length"), length)
                self.check_rest(found, rest)

    def test_204_has_no_length(self):
        for target in ("*", "/v1/masks", "/v1/mix"):
            status, found, rest = self.reply("OPTIONS", target)
            self.assertEqual(status, 204)
            self.assertNotIn("content-length", found)
            self.assertNotIn("transfer-encoding", found)
            self.check_rest(found, rest)

    def test_206_and_416_say_how_much_there_is(self):
        for suffix, target in self.targets(KNOWN):
            whole = self.get(target)
            part = self.get(target, 206, headers={"Range": "bytes=3-9"})
            self.assertEqual(part.body, whole.body[3:10])
            self.assertEqual(part.headers["Content-Length"], "7")
            self.assertEqual(part.headers["Content-Range"], f"bytes 3-9/{len(whole.body)}")
            for name in ("ETag", "Cache-Control", "Vary"):
                self.assertEqual(part.headers[name], whole.headers[name])
            beyond = self.get(target, 416, headers={"Range": f"bytes={len(whole.body)}-"})
            self.assertEqual(beyond.headers["Content-Range"], f"bytes */{len(whole.body)}")
            self.assertEqual(beyond.headers["Content-Length"], str(len(beyond.body)))


class IfMatch(WithSet):
    def check_failed(self, answer):
        told = answer.json()
        self.assertEqual(told["status"], 412)
        self.assertEqual(told["errors"][0]["parameter"], "If-Match")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_the_answer_comes_only_if_it_is_named(self):
        for _, target in self.targets():
            tag = self.get(target).headers["ETag"]
            for value in (tag, "*", f'"x", {tag}', f'W/"x",{tag} '):
                with self.subTest(target=target, value=value):
                    self.get(target, headers={"If-Match": value})
            for value in ('"x"', f"W/{tag}", f"{tag}x", tag.strip('"'), "", '"x", *'):
                with self.subTest(target=target, value=value):
                    self.check_failed(self.get(target, 412, headers={"If-Match": value}))

    def test_it_comes_before_if_none_match_and_range(self):
        target = MASK.format("npy")
        tag = self.get(target).headers["ETag"]
        for more in ({"If-None-Match": tag}, {"If-None-Match": "*"}, {"Range": "bytes=0-3"},
                     {"Range": "bytes=99999-"}):
            self.check_failed(self.get(target, 412, headers={"If-Match": '"x"', **more}))
        self.get(target, 304, headers={"If-Match": tag, "If-None-Match": tag})
        self.get(target, 206, headers={"If-Match": tag, "Range": "bytes=0-3"})

    def test_head_is_refused_like_get(self):
        answer = self.server.request("HEAD", MASK.format("npy"), headers={"If-Match": '"x"'})
        self.assertEqual((answer.status, answer.body), (412, b""))
        self.assertGreater(int(answer.headers["Content-Length"]), 100)

    def test_a_resource_without_a_tag_has_none_to_name(self):
        for target in ("/livez", "/v1/datasets", "/version"):
            self.get(target, headers={"If-Match": "*"})
            self.check_failed(self.get(target, 412, headers={"If-Match": '"x"'}))

    def test_what_is_mixed_does_not_exist_before(self):
        self.post(MIX, BODY)
        for value in ("*", '"x"'):
            self.check_failed(self.post(MIX, BODY, 412, headers={"If-Match": value}))

    def test_what_would_fail_anyway_fails_as_it_would(self):
        for target, status in (("/v1/masks?shape=0", 400), ("/nowhere", 404)):
            self.get(target, status, headers={"If-Match": '"x"'})

    def test_a_tag_with_anything_behind_it_is_not_the_tag(self):
        target = MASK.format("npy")
        tag = self.get(target).headers["ETag"]
        for value in (f"{tag}x", f'{tag} "x"', f"x{tag}", '"x"y, *'):
            self.get(target, headers={"If-None-Match": value})


class Uploads(harness.ServerTest):
    def test_a_content_coding_is_415_before_the_body_is_taken(self):
        for coding in ("gzip", "br", "deflate, identity", "x-unknown"):
            with self.subTest(coding):
                answer = self.post(MIX, gzip.compress(BODY), 415,
                                   headers={"Content-Encoding": coding})
                self.assertEqual(answer.headers["Accept-Encoding"], "identity")
                error = answer.json()["errors"][0]
                self.assertEqual(error["parameter"], "Content-Encoding")
                self.assertIn(coding, error["detail"])
        head = ask(self.server.address, b"POST /v1/mix HTTP/1.1\r\nHost: x\r\n"
                   b"Expect: 100-continue\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 415 "), head[:80])

    def test_identity_is_no_coding(self):
        self.post(MIX, BODY, headers={"Content-Encoding": "identity"})
        self.get("/livez", headers={"Content-Encoding": "gzip"})


if __name__ == "__main__":
    unittest.main()
