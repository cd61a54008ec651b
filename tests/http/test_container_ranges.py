"""Ranges of answers as npy, raw and safetensors."""

import random
import re
import unittest

import numpy as np

from harness import write_npy
from test_containers import ContainersTest


class Ranges(ContainersTest):
    formats = "npy", "raw", "safetensors"
    n, shape = 500, (24, 32)

    def part(self, suffix, text, status=206, method="GET", **headers):
        """The range of masks that a header asks for."""
        target = (f"/v1/masks.{suffix}?n={self.n}&seed=3&shape="
                  + "x".join(map(str, self.shape)))
        sent = {name.replace("_", "-"): value
                for name, value in headers.items()}
        if text is not None:
            sent["Range"] = text
        return self.expect(status, f"{target} {sent}",
                           self.server.request(method, target, None, sent))

    def mask_count(self):
        """How many masks the daemon has computed."""
        text = self.get("/metrics").body.decode()
        return int(re.search(r"^fmixd_masks_total (\d+)$", text, re.M)[1])

    def rows_in(self, suffix, whole, first, last):
        """Masks that a range touches."""
        row = 4 * self.shape[0] * self.shape[1]
        masks = {"npy": len(whole) - self.n * row, "raw": 0,
                 "safetensors": len(whole) - self.n * row}[suffix]
        if last < masks:
            return 0
        return (last - masks) // row - max(0, first - masks) // row + 1

    def test_200_random_slices_are_the_body_and_cost_only_their_rows(self):
        source = random.Random("ranges")
        for suffix in self.formats:
            whole = self.part(suffix, None, 200).body
            for number in range(200):
                first = source.randrange(len(whole)) >> source.choice(
                    (0, 0, 4, 12))
                last = min(len(whole) - 1, first + source.randrange(
                    1 << source.randrange(1, 22)))
                with self.subTest(format=suffix, number=number, first=first,
                                  last=last):
                    self.check_part(suffix, whole, first, last)

    def check_part(self, suffix, whole, first, last):
        before = self.mask_count()
        answer = self.part(suffix, f"bytes={first}-{last}")
        self.assertEqual(answer.body, whole[first:last + 1])
        self.assertEqual(answer.headers["Content-Range"],
                         f"bytes {first}-{last}/{len(whole)}")
        self.assertEqual(int(answer.headers["Content-Length"]),
                         last + 1 - first)
        self.assertEqual(self.mask_count() - before,
                         self.rows_in(suffix, whole, first, last))

    def test_open_ends_and_suffixes_are_ranges(self):
        for suffix in self.formats:
            whole = self.part(suffix, None, 200).body
            size = len(whole)
            for text, first, last in (
                    ("0-", 0, size - 1), ("7-", 7, size - 1), ("-1", size - 1,
                                                               size - 1),
                    ("-5000", size - 5000, size - 1), (f"-{size + 9}", 0,
                                                       size - 1),
                    (f"{size - 1}-", size - 1, size - 1),
                    (f"9-{size + 9}", 9, size - 1), (f"9-{10**30}", 9,
                                                     size - 1)):
                with self.subTest(format=suffix, text=text):
                    answer = self.part(suffix, f"bytes={text}")
                    self.assertEqual(answer.body, whole[first:last + 1])
                    self.assertEqual(answer.headers["Content-Range"],
                                     f"bytes {first}-{last}/{size}")

    def test_a_part_says_what_the_whole_says(self):
        for suffix in self.formats:
            whole = self.part(suffix, None, 200)
            part = self.part(suffix, "bytes=0-99")
            for name in ("ETag", "Cache-Control", "Content-Type", "Vary",
                         "X-Fmix-Shape", "X-Fmix-Dtype", "X-Fmix-Stream"):
                self.assertEqual(part.headers[name], whole.headers[name])
            for answer in part, whole:
                self.assertEqual(answer.headers["Accept-Ranges"], "bytes")

    def test_bytes_that_there_are_not_are_416_with_the_length(self):
        for suffix in self.formats:
            size = len(self.part(suffix, None, 200).body)
            before = self.mask_count()
            for text in f"{size}-", f"{size}-{size}", "-0", f"{10**30}-":
                answer = self.part(suffix, f"bytes={text}", 416)
                self.assertEqual(answer.headers["Content-Range"],
                                 f"bytes */{size}")
                self.check_refused(answer, str(size))
                self.assertNotIn("ETag", answer.headers)
            self.assertEqual(self.mask_count(), before)

    def test_other_ranges_are_ignored(self):
        for suffix in self.formats:
            whole = self.part(suffix, None, 200).body
            for text in ("bytes=0-1,5-6", "bytes=2-1", "bytes=-", "items=0-1",
                         "bytes=a-b", "0-1", "bytes=0-1;", ""):
                with self.subTest(format=suffix, text=text):
                    answer = self.part(suffix, text, 200)
                    self.assertEqual(answer.body, whole)
                    self.assertNotIn("Content-Range", answer.headers)

    def test_if_range_takes_the_strong_tag_alone(self):
        for suffix in self.formats:
            tag = self.part(suffix, None, 200).headers["ETag"]
            part = self.part(suffix, "bytes=5-9", If_Range=tag)
            self.assertEqual(len(part.body), 5)
            for other in (f"W/{tag}", '"other"', tag[:-1], "*", f"{tag}, {tag}",
                          "Sat, 29 Oct 2022 19:43:31 GMT"):
                self.part(suffix, "bytes=5-9", 200, If_Range=other)
                self.part(suffix, "bytes=99999999-", 200, If_Range=other)

    def test_what_the_client_has_is_304_whatever_its_range(self):
        for suffix in self.formats:
            tag = self.part(suffix, None, 200).headers["ETag"]
            for text in "bytes=5-9", "bytes=99999999-":
                self.part(suffix, text, 304, If_None_Match=tag)

    def test_head_ignores_it_and_says_that_there_are_ranges(self):
        for suffix in self.formats:
            size = len(self.part(suffix, None, 200).body)
            for text in "bytes=5-9", "bytes=99999999-":
                head = self.part(suffix, text, 200, "HEAD")
                self.assertEqual(int(head.headers["Content-Length"]), size)
                self.assertEqual(head.headers["Accept-Ranges"], "bytes")
                self.assertNotIn("Content-Range", head.headers)

    def test_what_is_built_whole_has_no_ranges(self):
        for suffix in "json", "npz", "png":
            answer = self.part(suffix, "bytes=5-9", 200)
            self.assertNotIn("Accept-Ranges", answer.headers)
            self.assertNotIn("Content-Range", answer.headers)

    def test_a_mixed_batch_has_no_ranges(self):
        body = write_npy(np.zeros((5, 12), np.uint8))
        answer = self.post("/v1/mix.npy", body, headers={"Range": "bytes=5-9"})
        self.assertNotIn("Accept-Ranges", answer.headers)
        self.assertEqual(answer.npy().shape, (5, 12))

    def test_the_statuses_are_counted(self):
        self.part("raw", "bytes=5-9")
        self.part("raw", "bytes=99999999-", 416)
        text = self.get("/metrics").body.decode()
        for code in 206, 416:
            self.assertRegex(text, rf'route="/v1/masks",code="{code}"')


if __name__ == "__main__":
    unittest.main()
