"""ETags, 304 and HEAD in every format."""

import itertools
import socket
import unittest

from formats import DTYPES, FOR_EVER, FormatsTest, LAST, masks_target, TYPES


class Validators(FormatsTest):
    equivalents = (
        ("shape=5x7", "shape=5x7&seed=0", "seed=0&shape=5x7", "shape=5x7&n=1",
         "shape=5x7&alpha=1", "shape=5x7&alpha=1.0", "shape=5x7&alpha=1e0",
         "shape=5x7&alpha=10E-1", "alpha=01.000&index=0&shape=5x7",
         "shape=5x7&delta=3", "shape=5x7&delta=3.0&method=fmix",
         "shape=%35x7", "shape=5x7&dtype=f32&scale=1", "seed=000&shape=5x7"),
        ("shape=9&lambda=0.5", "lambda=.5&shape=9", "shape=9&lambda=5e-1",
         "shape=9&lambda=0.50&delta=3", "shape=9&lambda=0.500000000000000000"),
        ("shape=9&lambda=0", "shape=9&lambda=0.0", "shape=9&lambda=-0",
         "shape=9&lambda=0e9"),
        ("shape=9&delta=0.1", "shape=9&delta=0.1000000000000000055",
         "shape=9&delta=1e-1"),
    )
    different = ("shape=5x7", "shape=7x5", "shape=35", "shape=5x7x1",
                 "shape=5x7&seed=1", f"shape=5x7&seed={LAST}",
                 "shape=5x7&index=1", "shape=5x7&n=2", "shape=5x7&delta=2",
                 "shape=5x7&delta=3.0000000000000004",
                 "shape=5x7&alpha=1.0000000000000002", "shape=5x7&lambda=0.5",
                 "shape=5x7&lambda=1", "shape=5x7&method=cutmix",
                 "shape=5x7&dtype=u8", "shape=5x7&dtype=bits",
                 "shape=5x7&seed=1&index=1", "shape=5x7&seed=11")

    def tag(self, query, suffix="npy"):
        return self.get(f"/v1/masks.{suffix}?{query}").headers["ETag"]

    def test_it_is_strong(self):
        for suffix in TYPES:
            self.assertRegex(self.tag("shape=5x7", suffix),
                             r'\A"[!#-+\--~]+"\Z')

    def test_it_is_one_for_every_spelling_of_a_request(self):
        for queries in self.equivalents:
            with self.subTest(queries=queries):
                self.assertEqual(len(set(map(self.tag, queries))), 1)

    def test_it_differs_between_recipes(self):
        tags = set(map(self.tag, self.different))
        self.assertEqual(len(tags), len(self.different))

    def test_it_differs_between_formats(self):
        tags = {self.tag("shape=5x7", suffix) for suffix in TYPES}
        self.assertEqual(len(tags), len(TYPES))

    def test_it_differs_between_sheets(self):
        queries = ("shape=5x7&n=9", "shape=5x7&n=9&scale=2",
                   "shape=5x7&n=9&columns=2", "shape=5x7&n=9&columns=4")
        tags = {self.tag(query, "png") for query in queries}
        self.assertEqual(len(tags), len(queries))

    def test_it_differs_between_negotiated_formats(self):
        tags = {self.ask("GET", masks_target(""), Accept=accept)
                .headers["ETag"] for accept in TYPES.values()}
        self.assertEqual(len(tags), len(TYPES))

    def test_masks_may_be_kept_for_ever(self):
        for suffix in TYPES:
            self.assertEqual(self.masks(suffix).headers["Cache-Control"],
                             FOR_EVER)

    def test_refusals_and_health_are_not_kept(self):
        for target, status in (("/v1/masks", 400), ("/v1/nothing", 404),
                               ("/v1/mix", 405), ("/livez", 200),
                               ("/metrics", 200), ("/version", 200)):
            with self.subTest(target=target):
                headers = self.get(target, status).headers
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertNotIn("ETag", headers)


class NotModified(FormatsTest):
    def matching(self, tag):
        """Values of If-None-Match that name the tag."""
        return (tag, f"W/{tag}", "*", f'"other", {tag}', f'"a",{tag},"b"',
                f'W/"a", W/{tag}', f" {tag} ", f'"a"\t,\t{tag}')

    def other(self, tag):
        """Values of If-None-Match that do not."""
        return ('"other"', tag[1:-1], f'"{tag[1:-2]}"', f'"x{tag[1:]}', '""',
                f'"W/{tag[1:]}', f"w/{tag}", '"a", "b"', '"*"', '"a,*,b"')

    def test_a_tag_that_is_named_gives_304_and_computes_nothing(self):
        for suffix in ("", *TYPES):
            target = masks_target(suffix, n=3)
            fresh = self.get(target)
            before = self.mask_count()
            for value in self.matching(fresh.headers["ETag"]):
                with self.subTest(suffix=suffix, value=value):
                    self.check_not_modified(target, value, fresh)
            self.assertEqual(self.mask_count(), before)

    def check_not_modified(self, target, value, fresh):
        for method in "GET", "HEAD":
            answer = self.ask(method, target, 304, If_None_Match=value)
            self.assertEqual(answer.body, b"")
            for name in "ETag", "Cache-Control", "Vary", "X-Fmix-Stream":
                self.assertEqual(answer.headers[name], fresh.headers[name])

    def test_other_tags_give_the_whole_answer(self):
        for suffix in ("", *TYPES):
            target = masks_target(suffix, n=3)
            fresh = self.get(target)
            for value in self.other(fresh.headers["ETag"]):
                with self.subTest(suffix=suffix, value=value):
                    answer = self.ask("GET", target, If_None_Match=value)
                    self.assertEqual(answer.body, fresh.body)

    def test_several_lines_of_if_none_match_are_one_list(self):
        target = masks_target("npy")
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.putrequest("GET", target)
        connection.putheader("If-None-Match", '"other"')
        connection.putheader("If-None-Match", self.get(target).headers["ETag"])
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 304)

    def test_what_is_refused_is_refused_whatever_is_kept(self):
        for target, status in (("/v1/masks?shape=0", 400),
                               ("/v1/masks.bmp", 404),
                               (masks_target("json", n=10**6), 413),
                               (masks_target("png", n=10**6), 413)):
            with self.subTest(target=target):
                self.ask("GET", target, status, If_None_Match="*")


class Head(FormatsTest):
    unlike = {"Date", "Content-Length", "Transfer-Encoding", "Connection",
              "X-Request-ID"}

    def headers(self, answer):
        return {name: value for name, value in answer.headers.items()
                if name not in self.unlike}

    def test_its_headers_are_those_of_get(self):
        for suffix in ("", *TYPES):
            for n in 1, 100:
                with self.subTest(suffix=suffix, n=n):
                    target = masks_target(suffix, n=n)
                    head = self.ask("HEAD", target)
                    self.assertEqual(head.body, b"")
                    self.assertEqual(self.headers(head),
                                     self.headers(self.get(target)))

    def test_the_length_of_npy_and_raw_is_known_ahead(self):
        for suffix, dtype in itertools.product(("npy", "raw"), DTYPES):
            with self.subTest(suffix=suffix, dtype=dtype):
                target = masks_target(suffix, n=33, dtype=dtype)
                head, got = self.ask("HEAD", target), self.get(target)
                self.assertEqual(head.headers["Content-Length"],
                                 str(len(got.body)))
                self.assertEqual(got.headers["Content-Length"],
                                 str(len(got.body)))

    def head_then_livez(self, target):
        """All that comes back when two requests are sent at once."""
        lines = (f"HEAD {target} HTTP/1.1\r\nHost: fmixd\r\n\r\n"
                 "GET /livez HTTP/1.1\r\nHost: fmixd\r\n"
                 "Connection: close\r\n\r\n")
        with socket.create_connection(self.server.address, 30) as connection:
            connection.sendall(lines.encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_nothing_follows_its_headers_but_the_next_answer(self):
        for suffix in ("", *TYPES):
            with self.subTest(suffix=suffix):
                got = self.head_then_livez(masks_target(suffix))
                self.assertTrue(got.startswith(b"HTTP/1.1 200"))
                rest = got.partition(b"\r\n\r\n")[2]
                self.assertIn(rest[:12], (b"HTTP/1.1 200", b""))

    def test_it_computes_nothing(self):
        before = self.mask_count()
        for suffix in ("", *TYPES):
            self.ask("HEAD", masks_target(suffix, n=50))
        self.ask("HEAD", masks_target("npy", shape=(4096, 4096), n=2**24))
        self.assertEqual(self.mask_count(), before)
        self.get(masks_target("npy", n=50))
        self.assertEqual(self.mask_count(), before + 50)

    def test_it_is_refused_as_get_is(self):
        for target, status in ((masks_target("npy", shape=(0,)), 400),
                               (masks_target("json", n=10**6), 413),
                               (masks_target("png", n=10**6), 413),
                               ("/v1/masks.bmp", 404)):
            with self.subTest(target=target):
                self.assertEqual(self.ask("HEAD", target, status).body, b"")


if __name__ == "__main__":
    unittest.main()
