"""A short storm at a daemon that sanitizers watch, and the requests that once ended or misled one, as
they were sent. `make fuzz` has the long storm: tests/fuzz/storm."""

import os
import pathlib
import sys
import tempfile
import unittest

import harness
import hosting

sys.path.append(str(harness.ROOT / "tests" / "fuzz" / "storm"))

import player  # noqa: E402
import storm  # noqa: E402
import wire  # noqa: E402

CASES = harness.ROOT / "tests" / "fuzz" / "crashers" / "requests"
REQUESTS = int(os.environ.get("FMIX_STORM", "3000"))
SEED = "17"
# What each of the cases gets, if not 400.
STATUSES = {"expectation-without-content": (200, 200), "space-behind-host": (200,),
            "head-of-64-kilobytes": (431,), "range-of-no-bytes": (416,),
            "png-of-masks-by-the-layout-of-x": (200,)}


def sanitized():
    """The daemon's program as sanitizers watch it: that under test, or its sister in hostile."""
    own = pathlib.Path(harness.program())
    for path in (own.parent / "hostile" / own.name, own):
        if path.exists() and harness.has_sanitizer(path):
            return str(path)
    raise AssertionError(f"neither {own} nor its sister in hostile/ has a sanitizer: make suite builds it")


class Storm(unittest.TestCase):
    """Requests at random."""

    def test_no_request_gets_what_it_must_not(self):
        told = []
        defects, counts = storm.storm(sanitized(), SEED, REQUESTS, say=told.append)
        self.assertEqual(defects, [], "\n".join(told))
        for route in ("/v1/masks", "/v1/plans", "/v1/mix", "/v1/datasets/{name}/batches/{step}",
                      "/v1/datasets/{name}/shards", "/v1/shards/{shard}"):
            self.assertGreater(counts[f"{route} 2xx"], REQUESTS / 300, told[-1])
            self.assertGreater(counts[f"{route} 4xx"], 0, told[-1])
        self.assertGreater(counts["compared"], REQUESTS / 500, told[-1])
        kinds = "dense", "x2", "values", "sequences", "views", "maps", "pictures", "partners", "choices"
        for what in kinds if REQUESTS >= 30000 else ():
            self.assertGreater(counts[f"compared with {what}"], 5, told[-1])
        self.assertLess(counts["refused for now"], REQUESTS / 50, told[-1])
        for status in (200, 204, 206, 304, 400, 404, 405, 406, 412, 415, 416):
            self.assertGreater(counts[status], 0, told[-1])


class Crashers(unittest.TestCase):
    """Sent raw: each gets whole answers, and the daemon lives."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.root.cleanup)
        data = harness.ROOT / "tests" / "data"
        hosting.importing(f"{cls.root.name}/garments", "--from", "npy", data / "garments.npy",
                          data / "garments-labels.npy")
        cls.server = storm.Watched("--data", cls.root.name, *storm.SETTINGS, command=[sanitized()],
                                   environment=storm.ENVIRONMENT)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def answers(self, request, count):
        """Statuses of so many answers, and of what comes behind them once nothing more is sent."""
        connection, statuses = wire.Connection(self.server.address), []
        try:
            connection.send(request)
            while len(statuses) < count:
                statuses.append(connection.read(request.startswith(b"HEAD")).status)
            self.assertEqual(connection.rest(harness.ANSWER_SECONDS), b"")
        except wire.Lost as lost:
            statuses.append(str(lost))
        finally:
            connection.close()
        return tuple(statuses)

    def test_each_gets_whole_answers_and_the_daemon_lives(self):
        for path in sorted(CASES.iterdir()):
            with self.subTest(path.stem):
                wanted = STATUSES.get(path.stem, (400,))
                self.assertEqual(self.answers(path.read_bytes(), len(wanted)), wanted)
                self.assertIsNone(self.server.process.poll(), self.server.reports())
                self.assertEqual(self.server.get("/livez", fresh=True).status, 200)


class Judging(unittest.TestCase):
    """What the storm would miss if it judged wrongly."""

    def test_a_case_is_the_same_each_time_it_is_drawn(self):
        with tempfile.TemporaryDirectory() as root:
            one = storm.Storm(harness.program(), SEED, pathlib.Path(root), print)
            one.prepare()
            drawer = storm.drawer()
            for number in range(200):
                self.assertEqual(drawer.case(number).told(), drawer.case(number).told())
            self.assertGreater(len({drawer.case(number).target for number in range(200)}), 150)
        sent = [number for batch in player.batches(SEED, 0, 100) for number in batch]
        self.assertEqual(sent, list(range(100)))

    def test_a_daemon_that_ends_is_seen_and_the_case_found_that_ended_it(self):
        with tempfile.TemporaryDirectory() as root:
            one = storm.Storm(harness.program(), SEED, pathlib.Path(root), print)
            with one.serve() as server:
                server.process.kill()
                self.assertIn("ended with -9", one.end(server))
            one.alone = lambda numbers: "died" if 7 in numbers else None
            self.assertEqual(one.culprit([range(3), range(5, 9)]), ([7], "died"))
            self.assertIsNone(one.culprit([range(3)]))

    def test_malformed_heads_are_seen(self):
        good = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-A: b"
        self.assertEqual(wire.Reply(good).length, 4)
        for bad in (good + b"\r\nContent-Length: 4", good.replace(b": 4", b": +4"), good.replace(b"1.1", b"1.0"),
                    good + b"\r\nX B: c", good + b"\r\nfolded\r\n on", good.replace(b": b", b": \x01")):
            with self.assertRaises(wire.Malformed, msg=bad):
                wire.Reply(bad)

    def test_ranges_are_reckoned_as_rfc_9110_does(self):
        for sent, size, expected in (("bytes=0-0", 9, (0, 1)), ("bytes=3-", 9, (3, 9)), ("bytes=-4", 9, (5, 9)),
                                     ("bytes=-40", 9, (0, 9)), ("bytes=9-", 9, False), ("bytes=-0", 9, False),
                                     ("bytes=5-2", 9, None), ("bytes=1-2,4-5", 9, None), ("items=1-2", 9, None),
                                     ("bytes=2-99", 9, (2, 9)), ("bytes=0-", 0, False)):
            self.assertEqual(storm.player.judge.span(sent, size), expected, sent)


if __name__ == "__main__":
    unittest.main()
