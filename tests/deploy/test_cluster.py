"""`make cluster`, small and short: what it counts, and that it sees what is wrong."""

import collections
import hashlib
import pathlib
import socket
import sys
import tempfile
import threading
import unittest

from replicas import ROOT, harness

sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("cluster", "bench")]

import cluster  # noqa: E402
import image_sets  # noqa: E402
import jobs  # noqa: E402
import numpy as np  # noqa: E402
import page  # noqa: E402
import sizing  # noqa: E402
from trainers import Answer, Step, Trainer, WrongReply, train  # noqa: E402

SECONDS = 6
PICTURES = 80


def write_pictures(folder):
    """Some small ones of our own making."""
    for name in "ab":
        (folder / name).mkdir(parents=True)
    for seed in range(PICTURES):
        pixels = image_sets.photograph(np.random.default_rng(seed), 60 + seed % 7, 80)
        (folder / "ab"[seed % 2] / f"{seed:03}.jpg").write_bytes(image_sets.encoded(pixels, quality=90))


SMALL = cluster.Sizes(side=32, plans=(4, 16), rows=4, write_pictures=write_pictures)


class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.said = []
        cls.costs, cls.seen, cls.wrong = cluster.run(SECONDS, SMALL, cls.said.append)
        print("\n".join(cls.said), file=sys.stderr)

    def test_every_trainer_gets_each_step_once_with_a_lone_daemons_bytes(self):
        self.assertEqual(self.wrong, [])
        ranks = collections.Counter((answer.step.kind, answer.step.job, answer.step.rank)
                                    for answer in self.seen.answers)
        self.assertEqual(len(ranks), 64)
        self.assertIn(f"{len(self.seen.answers) + sum(cost.answers for cost in self.costs.values())} answers",
                      self.said[-1])

    def test_a_replica_is_killed_and_two_are_started_meanwhile(self):
        self.assertEqual([action for _, action, *_ in self.seen.events], ["kill", "restart", "replace"])
        self.assertGreater(self.seen.seconds, max(at for at, *_ in self.seen.events))
        self.assertGreater(self.seen.seconds, 0.9 * SECONDS)  # trainers begin a little after the clock does
        self.assertEqual(set(self.seen.processor), {"nginx", "trainers"} | {f"replica {i}" for i in range(1, 6)})

    def test_a_table_has_what_each_number_of_gpus_needs(self):
        costs = list(self.costs.values())
        text = sizing.text("Measured.", costs)
        for gpus in sizing.GPUS:
            self.assertEqual(text.count(f"\n| {gpus} |"), len(costs))


def answered(*places, digest=b"1"):
    """Answers of one rank at these epochs and steps."""
    return [Answer(Step("masks", 0, 0, epoch, step, f"/v1/masks.npy?shape=4x4&index={step}"),
                           digest, 0, 0, 0, 0) for epoch, step in places]


class Replies(unittest.TestCase):
    """A trainer, and a server that answers it with these bytes, each on a connection or to be followed
    by the next."""

    STEP = Step("masks", 0, 0, 0, 0, "/v1/masks.npy?shape=4x4")

    def answers_to(self, *replies):
        """What the trainer makes of them."""
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        thread = threading.Thread(target=self.serve, args=(listener, replies))
        thread.start()
        trainer = Trainer(listener.getsockname(), iter([self.STEP]))
        try:
            train([trainer])
        finally:
            trainer.close()
            thread.join()
        return trainer.answers

    @staticmethod
    def serve(listener, replies):
        """Replies to one request after another; {} is its name."""
        sock = None
        for reply, ends in replies:
            sock = sock or listener.accept()[0]
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += sock.recv(1000)
            name = request.decode().split("X-Request-ID: ")[1].split("\r\n")[0]
            sock.sendall(reply.format(name).replace("\n", "\r\n").encode())
            if ends:
                sock.close()
                sock = None

    WHOLE = "HTTP/1.1 200 OK\nContent-Length: 4\nX-Request-ID: {}\n\nfour"

    def test_a_step_is_asked_for_until_it_is_answered_whole(self):
        refused = "HTTP/1.1 503 Busy\nContent-Length: 2\nRetry-After: 0\nX-Request-ID: {}\n\nno"
        answer, = self.answers_to((self.WHOLE[:-1], True), (refused, False), ("", True), (self.WHOLE, True))
        self.assertEqual((answer.refused, answer.cut, answer.size), (1, 2, 4))
        self.assertEqual(answer.digest, hashlib.sha256(b"four").digest())

    def test_an_answer_to_another_request_is_told(self):
        self.assertRaises(WrongReply, self.answers_to, (self.WHOLE.replace("{}", "step-0x"), True))

    def test_more_than_the_length_says_is_told(self):
        self.assertRaises(WrongReply, self.answers_to, (self.WHOLE + "teen", True))

    def test_a_refusal_that_will_never_end_is_told(self):
        self.assertRaises(WrongReply, self.answers_to, (self.WHOLE.replace("200", "404"), True))


class Checks(unittest.TestCase):
    KINDS = [jobs.Kind("masks", 1, 1, 2, "")]

    def test_steps_that_are_left_out_or_come_twice_are_told(self):
        self.assertEqual(list(cluster.not_once(answered((0, 0), (0, 1), (1, 0)), self.KINDS)), [])
        for places in (((0, 1),), ((0, 0), (1, 0)), ((0, 0), (0, 0)), ((0, 0), (0, 1), (0, 2))):
            with self.subTest(places):
                self.assertEqual(len(list(cluster.not_once(answered(*places), self.KINDS))), 1)

    def test_bytes_that_differ_are_told(self):
        class Lone:
            """A cluster's daemon alone."""

            @staticmethod
            def daemon():
                """A new one."""
                made = harness.Server("--log", "off")
                made.start()
                return made

        given = answered((0, 0), (0, 1))
        self.assertEqual(cluster.differing(Lone, given), [answer.step for answer in given])
        with harness.Server("--log", "off") as server:
            good = [answer._replace(digest=hashlib.sha256(server.get(answer.step.target).body).digest())
                    for answer in given]
        self.assertEqual(cluster.differing(Lone, [good[0], given[1]]), [given[1].step])

    def test_a_page_takes_a_table_in_its_place_alone(self):
        path = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "page.md")
        path.write_text("before\n<!-- sizing: begin -->\n\n<!-- sizing: end -->\nafter\n")
        for text in ("| long | table |\n| 1 | 2 |\n", "| table |\n"):
            page.Place(path, "sizing").put(text)
            self.assertEqual(path.read_text(), "before\n<!-- sizing: begin -->\n\n" + text +
                             "\n<!-- sizing: end -->\nafter\n")
        self.assertRaises(ValueError, page.Place, path, "cost")

    def test_pages_have_places_for_what_is_measured(self):
        page.Place(ROOT / "deploy/README.md", "sizing")
        page.Place(ROOT / "tests/bench/LOG.md", "cost")

    def test_needs_are_the_costs_multiplied(self):
        cost = cluster.Alone(jobs.Kind("batches", 300, 1, 1, ""), 10, 1, 1e6, 0.07, 0.007, 0)
        self.assertEqual(sizing.row(8, cost), "| 8 | batches | 10.0 | 8 | 3 | 0.8 | 0.08 | 0.64 |")
        self.assertEqual(sizing.row(500, cost), "| 500 | batches | 10.0 | 500 | 33 | 50 | 0.08 | 40 |")


if __name__ == "__main__":
    unittest.main()
