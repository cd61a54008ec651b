"""All requests together hold no more than the memory they are given."""

import http.client
import re
import socket
import threading
import unittest

import numpy as np

import harness
from harness import until
from process import SHADOW, resident
from containers import write_safetensors

LIMIT = 96 << 20
CACHE = 16 << 20
SLACK = 1.1
OPTIONS = ("--memory", "96M", "--cache", "16M", "--threads", "2",
           "--body", "64M")


class Budget(harness.ServerTest):
    def setUp(self):
        self.own = harness.Server(*OPTIONS)
        self.own.start()
        self.addCleanup(self.own.stop)
        self.quiet = resident(self.own.process)

    def metric(self, name):
        return self.own.metric(f"fmixd_{name}")

    def until_settled(self, stuck):
        """Waits until so many requests for masks, whose answers nobody
        reads, have ended or hold all that they will ever hold."""
        def settled():
            text = self.own.get("/metrics", fresh=True).body.decode()
            ended = re.findall(r'^fmixd_requests_total\{route="/v1/masks",.*\} '
                               r'(\d+)', text, re.M)
            unfinished, running, waiting = (
                harness.number_in(text, f"fmixd_{name}") for name in
                ("requests_in_flight", "slices_running", "queue_waiting"))
            return (unfinished - 1 + sum(map(int, ended)) == stuck
                    and running == waiting == 0)
        until(settled)

    def crowd(self, ask, count):
        """What so many clients get who ask at once."""
        answers, lock = [], threading.Lock()

        def client(i):
            answer = ask(i)
            with lock:
                answers.append((i, answer))
        threads = [threading.Thread(target=client, args=(i,))
                   for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), count)
        return answers

    def upload(self, target, body, before_end):
        """The answer to a body of which the last byte is sent once a function returns."""
        connection = self.own.connect()
        try:
            connection.putrequest("POST", target)
            connection.putheader("Content-Type", harness.NPY)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            connection.send(body[:-1])
            before_end()
            connection.send(body[-1:])
            answer = connection.getresponse()
            return harness.Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def check_held(self):
        """At most the limit and the cache, and all given back after."""
        most = resident(self.own.process, "VmHWM") - self.quiet
        if not SHADOW:
            self.assertLess(most, (LIMIT + CACHE) * SLACK)
        self.own.until_metric("fmixd_memory_bytes", 0)

    def check_answers(self, answers, expected):
        """Right, or a 503 that says when to come again; some of each."""
        counts = {200: 0, 503: 0}
        for i, answer in answers:
            counts[answer.status] += 1
            if answer.status == 200:
                self.assertEqual(answer.body, expected(i))
            else:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertGreater(counts[200], 0, counts)
        return counts

    def test_uploads_past_the_budget_get_503_and_the_others_their_answer(self):
        """Two have room. What is refused is freed by a compute thread, whenever that runs: uploads
        that grow together may all be refused, so the two come first, and end last."""
        x = np.arange(24 << 20, dtype="u1").reshape(24, 1 << 20)
        body = harness.write_npy(x)
        target = "/v1/mix.npy?method=none"
        over, fitting = threading.Event(), []
        early = threading.Thread(target=lambda: fitting.extend(self.crowd(
            lambda i: self.upload(target, body, lambda: over.wait(harness.PATIENCE)), 2)))
        early.start()
        until(lambda: self.metric("memory_bytes") >= 2 * (len(body) - 1))
        refused = self.crowd(lambda i: self.upload(target, body, lambda: None), 10)
        until(lambda: self.metric("memory_bytes") < 2 * len(body) + (1 << 20))
        over.set()
        early.join()
        self.assertEqual([answer.status for _, answer in fitting + refused], 2 * [200] + 10 * [503])
        self.check_answers(fitting + refused, lambda i: body)
        self.check_held()

    def connect_from(self, source):
        connection = http.client.HTTPConnection(*self.own.address, timeout=harness.PATIENCE,
                                                source_address=(source, 0))
        self.addCleanup(connection.close)
        return connection

    def test_a_client_that_holds_most_gets_429_while_another_finds_room(self):
        """Requests have 66 MiB of the 96, of which one client may hold eight ninths."""
        body, most = harness.write_npy(np.zeros((6, 1 << 20), np.uint8)), 9
        upload = "POST", "/v1/mix.npy?method=none&layout=none"
        sent = {"Content-Type": harness.NPY, "Content-Length": str(len(body))}
        asked = (("GET", "/v1/masks.npy?shape=224x224&n=8", None, {}),
                 (*upload, harness.write_npy(np.zeros((1, 1 << 20), np.uint8)), {"Content-Type": harness.NPY}))
        modest = self.connect_from("127.0.0.3")
        greedy = [self.connect_from("127.0.0.2") for _ in range(most + 1)]

        def check_modest():
            for request in asked:
                self.assertEqual(harness.exchange(modest, *request).status, 200, request[1])
        check_modest()
        for i in range(most):
            greedy[i].putrequest(*upload)
            for name, value in sent.items():
                greedy[i].putheader(name, value)
            greedy[i].endheaders(body[:-1])
            until(lambda held=i + 1: self.metric("memory_bytes") >= held * (len(body) - 1))
        check_modest()
        held = self.metric("memory_bytes")
        refused = harness.exchange(greedy[most], *upload, body, sent)
        self.assertEqual(refused.status, 429, refused.body[:300])
        self.assertIn("hold most of the memory", refused.json()["detail"])
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        until(lambda: self.metric("memory_bytes") <= held)
        check_modest()
        self.assertEqual(self.own.metric('fmixd_refused_total{reason="share"}'), 1)
        for connection in greedy:
            connection.close()
        self.check_held()

    def test_answers_past_the_budget_get_503_and_the_others_are_right(self):
        target = "/v1/masks.npy?method=cutmix&shape=1024x1024&n=9&seed="
        expected = {i: self.get(f"{target}{i}").body for i in range(4)}
        answers = self.crowd(lambda i: self.own.get(f"{target}{i % 4}",
                                                    fresh=True), 24)
        self.check_answers(answers, lambda i: expected[i % 4])
        self.check_held()

    def test_of_archives_that_are_built_whole_some_are_refused_for_memory(self):
        """Several have room at a time. All that grow together may be refused, so crowds come until both were seen."""
        target = "/v1/masks.npz?method=cutmix&shape=1024x1024&n=4&seed="
        expected = {i: self.get(f"{target}{i}").body for i in range(4)}
        answers = []

        def both_seen():
            answers.extend(self.crowd(lambda i: self.own.get(f"{target}{i % 4}", fresh=True), 24))
            return {200, 503} <= {answer.status for _, answer in answers}
        until(both_seen)
        self.check_answers(answers, lambda i: expected[i % 4])
        self.assertGreaterEqual(self.own.metric('fmixd_refused_total{reason="memory"}'), 1)
        self.check_held()

    def test_readers_that_stop_hold_no_more_than_the_budget(self):
        request = ("GET /v1/masks.npy?method=cutmix&shape=2048x2048&n=99"
                   "&seed=%d HTTP/1.1\r\nHost: x\r\n\r\n")
        stuck = []
        for i in range(40):
            sock = self.enterContext(
                socket.create_connection(self.own.address, harness.PATIENCE))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall((request % i).encode())
            stuck.append(sock)
        self.until_settled(len(stuck))
        self.assertGreater(self.metric("memory_bytes"), 0)
        self.assertLessEqual(self.metric("memory_bytes"), self.metric("memory_limit_bytes"))
        self.assertEqual(self.own.get("/livez").status, 200)
        for sock in stuck:
            sock.close()
        self.check_held()

    def test_many_small_answers_nobody_reads_hold_no_more_either(self):
        request = ("GET /v1/masks.npy?method=cutmix&shape=256x256&n=1"
                   "&seed=%d HTTP/1.1\r\nHost: x\r\n\r\n")
        stuck = []
        for i in range(300):  # of the connections that a quarter is for
            sock = self.enterContext(
                socket.create_connection(self.own.address, harness.PATIENCE))
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.sendall((request % i).encode())
            stuck.append(sock)
        self.until_settled(len(stuck))
        self.assertLessEqual(self.metric("memory_bytes"), self.metric("memory_limit_bytes"))
        for sock in stuck:
            sock.close()
        self.check_held()

    def test_labels_that_never_fit_as_numbers_are_413(self):
        body = write_safetensors({"x": np.zeros((64, 4), np.uint8), "y": np.zeros((64, 150_000), bool)})
        with harness.Server("--memory", "64M", "--cache", "8M", "--drain", "0") as server:
            answer = server.post("/v1/mix.npy?parts=mixed&layout=none", body, content_type="application/x-safetensors")
            self.assertEqual((answer.status, answer.json()["errors"][0]["parameter"]), (413, "y"))

    def test_an_upload_beside_which_its_answer_never_fits_is_413(self):
        """Rows and their npz fit into the 44 MiB that an idle daemon has for requests, but for the upload that
        is held beside them. This is known before anything is computed, and is not the refusal of a busy one."""
        with harness.Server("--memory", "64M", "--threads", "2") as server:
            target = "/v1/mix.{}?layout=none&method=cutmix&parts=mixed&x_dtype=u8&x_shape=20x1000000"
            for kind, status in (("npy", 200), ("npz", 413)):
                answer = server.post(target.format(kind), bytes(20_000_000), "application/octet-stream", fresh=True)
                self.assertEqual(answer.status, status, answer.body[:300])
                until(lambda: server.metric("fmixd_memory_bytes") == 0)  # the client may have its answer before
            self.assertIn("the answer would need 19 MiB of memory", answer.json()["errors"][0]["detail"])

    def test_what_no_budget_could_hold_is_413_at_once(self):
        for target in ("/v1/masks.npy?shape=4096x4096",
                       "/v1/masks.npz?shape=1024x1024&n=60",
                       "/v1/plans.npy?shape=2&n=16777216&parts=pairing"):
            answer = self.own.get(target)
            self.assertEqual(answer.status, 413, answer.body[:300])
            self.assertIn("memory", answer.json()["detail"])
        self.assertEqual(self.metric("memory_bytes"), 0)

    def test_large_masks_of_all_kinds_stay_within_it(self):
        kinds = ("", "&soft=0.3", "&output=grey", "&spectrum=official",
                 "&dtype=f64")
        for suffix in "npy", "png", "npz":
            answers = self.crowd(lambda i: self.own.get(
                f"/v1/masks.{suffix}?shape=560x560&n=2{kinds[i % 5]}",
                fresh=True), 10)
            statuses = [answer.status for _, answer in answers]
            self.assertLessEqual(set(statuses), {200, 503})
            self.assertIn(200, statuses)
        self.check_held()


if __name__ == "__main__":
    unittest.main()
