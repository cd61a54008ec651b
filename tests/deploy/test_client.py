"""deploy/clients/python/fmixd.py against a daemon: what it makes is what the daemon makes."""

import importlib.util
import multiprocessing
import pathlib
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy/clients/python"), str(ROOT / "tests/http")]

import fmixd  # noqa: E402
import harness  # noqa: E402
import hosting  # noqa: E402
from test_containers import read_safetensors, write_safetensors  # noqa: E402

HAS_TORCH = importlib.util.find_spec("torch") is not None


class Served(harness.ServerTest):
    """A daemon with data sets."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in hosting.some_sets()}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()
        cls.url = "http://{}:{}".format(*cls.server.address)


class Mixing(Served):
    """A batch of one's own."""

    def mixer(self, **law):
        """One that ends with the test."""
        mixer = fmixd.Mixer(self.url, steps=3, **law)
        self.addCleanup(mixer.close)
        return mixer

    def batch(self, shape=(6, 3, 8, 9)):
        """Any, with class numbers."""
        source = np.random.default_rng(3)
        return source.random(shape, dtype="f4"), source.integers(0, 5, shape[0])

    def of_daemon(self, x, y, step, **query):
        """The same by /v1/mix."""
        body = write_safetensors({"x": x, "y": y})
        target = "&".join(f"{key}={value}" for key, value in query.items())
        answer = self.post(f"/v1/mix.safetensors?{target}&classes=5&step={step}", body,
                           content_type="application/x-safetensors")
        return read_safetensors(answer.body)[0]

    def test_masks_choose_the_very_bytes_that_the_daemon_chooses(self):
        x, y = self.batch()
        for method in ("fmix", "cutmix", "none"):
            mix = self.mixer(seed=7, method=method, classes=5)
            for step in range(7):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=7, method=method)
                mixed, labels = mix(x, y, step)
                self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

    def test_interpolations_are_the_daemon_s_but_for_rounding(self):
        x, y = self.batch()
        for method in ("mixup", "bc", "samplepairing", "fmix,mixup"):
            mix = self.mixer(seed=2**63 + 1, method=method, classes=5, alpha=0.4)
            for step in (5, 6, 7, 8, 2):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=2**63 + 1,
                                      method=method, alpha=0.4)
                mixed, labels = mix(x, y, step)
                np.testing.assert_allclose(mixed, made["mixed"], atol=1e-6)
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

    def test_layouts_and_ranks_of_x(self):
        for shape, layout in (((5, 7), "none"), ((5, 4, 6, 2), "channels_last"), ((5, 2, 9), "channels_first"),
                              ((4, 3, 4, 5), "none")):
            x, y = self.batch(shape)
            mixed, _ = self.mixer(seed=1, layout=layout, classes=5)(x, y, 3)
            made = self.of_daemon(x, y, 3, layout=layout, seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_a_last_batch_of_fewer_rows_has_a_plan_of_its_own(self):
        mix = self.mixer(seed=1, classes=5)
        x, y = self.batch()
        for step, rows in ((0, 6), (1, 6), (2, 4), (3, 6)):
            mixed, _ = mix(x[:rows], y[:rows], step)
            made = self.of_daemon(x[:rows], y[:rows], step, layout="channels_first", seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_what_cannot_be_is_told(self):
        x, y = self.batch()
        with self.assertRaisesRegex(fmixd.Refused, "delta"):
            self.mixer(delta=11, classes=5)(x, y, 0)
        with self.assertRaisesRegex(ValueError, "classes"):
            self.mixer()(x, y, 0)
        with self.assertRaisesRegex(ValueError, "soft"):
            self.mixer(soft=0.1)
        with self.assertRaisesRegex(TypeError, "namespace"):
            self.mixer()._mix(self.mixer().plan((3,), 2, 0), [1, 2], None)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_torch_tensors_are_mixed_alike(self):
        import torch
        x, y = self.batch()
        numpy, torched = self.mixer(seed=7, method="fmix,mixup", classes=5), self.mixer(
            seed=7, method="fmix,mixup", classes=5)
        for step in range(4):
            a, b = numpy(x, y, step), torched(torch.from_numpy(x), torch.from_numpy(y), step)
            self.assertIsInstance(b[0], torch.Tensor)
            np.testing.assert_allclose(a[0], b[0].numpy(), atol=1e-6)
            np.testing.assert_allclose(a[1], b[1].numpy(), atol=1e-6)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_that_collates_with_it_mixes_batch_by_batch(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5), start=4)
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        for number, (mixed, labels) in enumerate(loader):
            part = slice(6 * number, 6 * number + 6)
            expected = alone(x[part], y[part], 4 + number)
            self.assertEqual(mixed.numpy().tobytes(), expected[0].tobytes())
            np.testing.assert_allclose(labels.numpy(), expected[1], atol=1e-6)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_s_second_epoch_goes_on_where_the_first_ended(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        got = [mixed.numpy().tobytes() for _ in range(2) for mixed, _ in loader]
        parts = [(x[:6], y[:6]), (x[6:], y[6:])] * 2
        self.assertEqual(got, [alone(*part, step)[0].tobytes() for step, part in enumerate(parts)])

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_with_workers_is_refused(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate, num_workers=1,
                                             timeout=harness.PATIENCE)
        with self.assertRaisesRegex(RuntimeError, "num_workers=0"):
            list(loader)

    def test_a_fork_goes_on_with_a_look_ahead_of_its_own(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        mix(x, y, 0)
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe()

        def child():
            theirs.send([mix(x, y, step)[0].tobytes() for step in range(1, 40)])
            mix.close()
        process = fork.Process(target=child, daemon=True)
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        self.assertTrue(ours.poll(harness.PATIENCE), "the fork does not come to its steps")
        self.assertEqual(ours.recv(), [mix(x, y, step)[0].tobytes() for step in range(1, 40)])


class Epochs(Served):
    """Hosted data."""

    def all(self, name="colour", **options):
        """The batches of an epoch, as bytes."""
        return [(x.tobytes(), y.tobytes()) for x, y in fmixd.epoch(self.url, name, **options)]

    def test_batches_are_those_of_the_daemon(self):
        batches = list(fmixd.epoch(self.url, "colour", epoch=2, batch=7, seed=3, shuffle=1))
        self.assertEqual([len(x) for x, _ in batches], [7, 7, 7, 2])
        for step, (x, y) in enumerate(batches):
            made = read_safetensors(self.get(
                f"/v1/datasets/colour/batches/{step}.safetensors?epoch=2&n=7&seed=3&shuffle=1").body)[0]
            self.assertEqual(x.tobytes(), made["mixed"].tobytes())
            self.assertEqual(y.tobytes(), made["labels"].tobytes())

    def test_an_epoch_can_be_taken_up_at_any_step(self):
        whole = self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1)
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1, start=3), whole[3:])
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, start=50), [])

    def test_ranks_share_each_batch(self):
        whole = self.all(batch=6, seed=2)
        shares = [self.all(batch=6, seed=2, rank=rank, world=2) for rank in range(2)]
        self.assertEqual([tuple(a + b for a, b in zip(*parts)) for parts in zip(*shares)], whole)

    def test_labels_of_several_heads_are_told_by_name(self):
        x, y = next(fmixd.epoch(self.url, "heads", batch=4))
        self.assertEqual((len(x), set(y)), (4, {"a", "b"}))
        x, y = next(fmixd.epoch(self.url, "voxels", batch=4))
        self.assertIsNone(y)

    def test_what_is_not_there_is_told(self):
        with self.assertRaisesRegex(fmixd.Refused, "there is no data set"):
            next(fmixd.epoch(self.url, "nobody"))

    def test_leaving_early_stops_the_thread(self):
        before = threading.active_count()
        batches = fmixd.epoch(self.url, "colour", batch=1)
        next(batches)
        batches.close()
        self.assertEqual(threading.active_count(), before)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_torch_loaders_share_the_steps(self):
        import torch
        data = fmixd.Epochs(self.url, "colour", batch=5, seed=9, shuffle=1)
        data.set_epoch(1)
        whole = self.all(epoch=1, batch=5, seed=9, shuffle=1)
        for workers in (0, 2):
            loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
            got = [(x.numpy().tobytes(), y.numpy().tobytes()) for x, y in loader]
            self.assertEqual(sorted(got), sorted(whole))


class Trouble(unittest.TestCase):
    """Servers that refuse, break off and come again."""

    def serve(self, answers):
        """A server that answers so, one after the other and with the last for ever; its URL and what
        it was asked."""
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(self.path)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(f"{self.path} {body.decode()}")

            def answer(self, what):
                asked.append(what)
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

    def test_a_retry_after_of_nothing_or_of_a_date_is_no_reason_to_hurry_or_to_break(self):
        later = "Fri, 27 Nov 2026 01:00:00 GMT"
        url, asked = self.serve([(503, {"Retry-After": after}, b"{}") for after in ("0", later, "0", "x")]
                                + [(200, {}, b"here")])
        begun = time.monotonic()
        self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        self.assertGreaterEqual(time.monotonic() - begun, 4 * fmixd.MOMENT)
        self.assertEqual(len(asked), 5)

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

    def test_patience_ends(self):
        url, _ = self.serve([(503, {}, b'{"detail": "too much"}')] * 50)
        with self.assertRaisesRegex(ConnectionError, "too much"):
            fmixd.Connection(url, patience=0.5).get("/x")


if __name__ == "__main__":
    unittest.main()
