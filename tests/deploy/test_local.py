"""fmixd.Mixer(None): the same bits without a daemon, from libfmix.so in the trainer's own process."""

import ctypes
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/http")]

import harness  # noqa: E402
import locally  # noqa: E402
from hosting import ref  # noqa: E402
from locally import fmixd, local  # noqa: E402
from fmixd import parameters, shared_library  # noqa: E402

HAS_TORCH = importlib.util.find_spec("torch") is not None
STEPS, ROWS, CLASSES = 10, 16, 10
LAWS = ({"method": "fmix"}, {"method": "fmix,mixup", "alpha": [1, 0.2]}, {"method": "cutmix", "scope": "batch"},
        {"method": "fmix,cutmix,mixup", "switch": "sample", "prob": 0.7, "pairing": "flip"})


def setUpModule():
    locally.require()


def batch(step):
    """Samples and class numbers of a step."""
    noise = np.random.default_rng(step)
    return noise.standard_normal((ROWS, 1, 12, 10)).astype("f4"), noise.integers(0, CLASSES, ROWS)


def trained_by_numpy(mix):
    """Every batch as bytes, and the weights of a layer after ten steps of softmax regression."""
    weights, seen = np.zeros((120, CLASSES), "f4"), []
    for step in range(STEPS):
        x, y = mix(*batch(step), step, epoch=3)
        seen.append((x.tobytes(), y.tobytes()))
        flat = x.reshape(ROWS, -1)
        scores = np.exp(flat @ weights)
        weights -= 0.1 * flat.T @ (scores / scores.sum(axis=1, keepdims=True) - y) / ROWS
    return seen, weights.tobytes()


def trained_by_torch(mix):
    """The same of a network in PyTorch."""
    import torch
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(),
                                torch.nn.Linear(4 * 10 * 8, CLASSES))
    optimizer, seen = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), []
    for step in range(STEPS):
        x, y = mix(*map(torch.from_numpy, batch(step)), step, epoch=3)
        seen.append((x.numpy().tobytes(), y.numpy().tobytes()))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    return seen, b"".join(p.detach().numpy().tobytes() for p in model.parameters())


class Training(harness.ServerTest):
    """Each way: by a daemon, and in process."""

    def check(self, train):
        url = "http://{}:{}".format(*self.server.address)
        for law in LAWS:
            with self.subTest(**law):
                with fmixd.Mixer(url, seed=7, classes=CLASSES, **law) as mix:
                    served, served_weights = train(mix)
                with fmixd.Mixer(None, seed=7, classes=CLASSES, **law) as mix:
                    drawn, drawn_weights = train(mix)
                self.assertEqual(drawn, served)
                self.assertEqual(drawn_weights, served_weights)
                self.assertNotEqual(served[0][0], batch(0)[0].tobytes())  # for it is mixed

    def test_ten_steps_of_numpy_are_the_same_bytes_each_way(self):
        self.check(trained_by_numpy)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_ten_steps_of_torch_are_the_same_bytes_each_way(self):
        self.check(trained_by_torch)

    def test_ranks_mix_as_they_do_by_a_daemon(self):
        url = "http://{}:{}".format(*self.server.address)
        for rank in range(2):
            with fmixd.Mixer(url, rank=rank, world=2, classes=CLASSES) as served:
                with fmixd.Mixer(None, rank=rank, world=2, classes=CLASSES) as drawn:
                    for theirs, ours in zip(served(*batch(1), 5, epoch=1), drawn(*batch(1), 5, epoch=1)):
                        self.assertEqual(ours.tobytes(), theirs.tobytes())

    def test_both_refuse_a_law_by_the_same_class_and_for_the_same_reason(self):
        url = "http://{}:{}".format(*self.server.address)
        for law in ({"alpha": 0}, {"colour": "red"}, {"weights": "1,2", "policy": "random"}):
            reasons = []
            for where in (url, None):
                with fmixd.Mixer(where, **law) as mix, self.assertRaises(fmixd.Refused) as refused:
                    mix(batch(0)[0], None, 0)
                reasons.append(re.sub(r"^\S+: 400 ", "", str(refused.exception)))
            with self.subTest(**law):
                self.assertEqual(*reasons)


class Plans(unittest.TestCase):
    """What is drawn."""

    def test_known_plans_are_those_of_the_reference(self):
        for options, told in local.KNOWN:
            query = {name: str(value) for name, value in options.items()}
            shape = tuple(map(int, query["shape"].split("x")))
            made = ref.make_plans(ref.recipe_of(query), shape, int(query["step"]), int(query["steps"]), int(query["n"]),
                                  int(query["index"]) if "index" in query else None, query["dtype"])
            arrays = {"masks": np.stack([plan.masks for plan in made]),
                      "pairing": np.array([plan.pairing for plan in made], "<i8"),
                      "lambda": np.array([plan.lam for plan in made]),
                      "lambda_eff": np.array([plan.lam_eff for plan in made]),
                      "method": np.array([plan.method for plan in made], "u1")}
            digest = hashlib.blake2b(b"".join(arrays[name].tobytes() for name in parameters.PLAN_PARTS), digest_size=16)
            self.assertEqual(digest.hexdigest(), told)

    def test_threads_draw_at_once_what_one_draws_alone(self):
        def draw(seed):
            return local.plans(shape=(40, 40), n=20, seed=seed, dtype="bits")["masks"].tobytes()
        alone, found = [draw(seed) for seed in range(8)], {}
        threads = [threading.Thread(target=lambda seed=seed: found.update({seed: [draw(seed) for _ in range(5)]}))
                   for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[seed] for seed in range(8)], [[one] * 5 for one in alone])

    def test_other_threads_run_while_masks_are_drawn(self):
        values = parameters.plan_values({"shape": "512x512", "n": 50, "dtype": "u8", "seed": 99})
        found, ticks, drawn, out = local.library(), [], threading.Event(), np.empty((50, 512, 512), "u1")

        def tick():
            while not drawn.wait(0.0005):
                ticks.append(None)
        thread = threading.Thread(target=tick)
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        thread.start()
        sys.setswitchinterval(3600)  # between two lines of Python nobody else comes in
        try:
            with found.scratch() as scratch, found.mixer(local._recipe(values), local._choice(values)) as mixer:
                rows, before = shared_library.Rows(0, 50, 0, None), len(ticks)
                found.fmix_mixer_masks(mixer, scratch, rows, 0, 50, shared_library.DTYPES["u8"], out.ctypes.data)
                during = len(ticks) - before
        finally:
            drawn.set()
            thread.join()
        self.assertGreater(during, 0)

    def test_plans_that_nobody_waits_for_are_not_drawn_to_their_end(self):
        source = local.LocalPlans(None, None, {"method": "fmix"})
        failed = []

        def draw():
            with self.assertRaises(ConnectionError) as given_up:
                source.plans((16, 16), 2, 0, 2**20)  # of minutes
            failed.append(given_up.exception)
        thread = threading.Thread(target=draw)
        thread.start()
        source.abandon()
        thread.join(harness.PATIENCE)
        self.assertEqual(len(failed), 1)

    def test_a_mask_that_is_settled_exactly_is_given_up_amid_it(self):
        """Both values of a mask of this index are equal, so no double tells which is above."""
        law = {"shape": "2", "method": "fmix", "lambda": 0.5, "index": 1166203367, "dtype": "u8", "parts": ["masks"]}
        values, stop = parameters.plan_values(law), threading.Event()
        whole = local._drawn(local.library(), values, stop)["masks"]
        with unittest.mock.patch.object(stop, "is_set", side_effect=[False, True]) as asked:  # before it, then amid it
            with self.assertRaisesRegex(ConnectionError, "nobody waits for these plans any more"):
                local._drawn(local.library(), values, stop)
        self.assertEqual(asked.call_count, 2)
        np.testing.assert_array_equal(local._drawn(local.library(), values)["masks"], whole)

    def test_a_fork_amid_a_call_of_another_thread_draws_on(self):
        """The call holds a lock of the library meanwhile, which the child takes, too: a new shape has a transform to
        plan."""
        expected = local.plans(shape=(24, 25), n=8, seed=5, dtype="bits")["masks"].tobytes()
        begun, forks = threading.Event(), 0

        def tune(side):
            local.plans(shape=(side, 250), n=600, dtype="bits")  # so often that measuring is worth the time
            begun.set()
            local.library().tune()
        for side in (224, 240, 256):
            begun.clear()
            thread = threading.Thread(target=tune, args=(side,))
            thread.start()
            begun.wait()
            while thread.is_alive():
                forks += 1
                self.assertEqual(forked(lambda side=side: local.plans(shape=(side, 7), n=1) and local.plans(
                    shape=(24, 25), n=8, seed=5, dtype="bits")["masks"].tobytes()), expected)
        self.assertGreater(forks, 0)

    def test_a_mixer_goes_on_in_a_fork(self):
        with fmixd.Mixer(None, seed=3, classes=CLASSES) as mix:
            mix(*batch(0), 0)
            there = forked(lambda: mix(*batch(1), 1)[0].tobytes())
            self.assertEqual(there, mix(*batch(1), 1)[0].tobytes())


def forked(work):
    """The bytes that a child makes, which is killed if it does not come to an end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            harness.die_with(os.getppid())
            os.close(reading)
            with os.fdopen(writing, "wb") as stream:
                stream.write(work())
        finally:
            os._exit(0)
    os.close(writing)
    late = threading.Timer(harness.PATIENCE, os.kill, (child, 9))
    late.start()
    try:
        with os.fdopen(reading, "rb") as stream:
            return stream.read()
    finally:
        late.cancel()
        os.waitpid(child, 0)


class Header(unittest.TestCase):
    """shared_library.py says what lib/fmix.h says."""

    STRUCTURES = {"fmix_shape": shared_library.Shape, "fmix_recipe": shared_library.Recipe,
                  "fmix_choice": shared_library.Choice, "fmix_rows": shared_library.Rows,
                  "fmix_row": shared_library.Row}
    NUMBERS = {"FMIX_ERROR_MEMORY": shared_library.ERROR_MEMORY, "FMIX_MAX_ELEMENTS": parameters.MAX_ELEMENTS,
               "FMIX_ERROR_CANCELLED": shared_library.ERROR_CANCELLED,
               "FMIX_MAX_BATCH": parameters.MAX_BATCH, "FMIX_MAX_METHODS": parameters.LIST,
               **{f"FMIX_DTYPE_{name.upper()}": number for name, number in shared_library.DTYPES.items()},
               **{f"FMIX_{stem}_{name.upper()}": number for stem, names in (
                   ("POLICY", parameters.POLICIES), ("PAIRING", parameters.PAIRINGS), ("SCOPE", parameters.SCOPES),
                   ("FREQUENCY", parameters.FREQUENCIES), ("SPECTRUM", parameters.SPECTRA), ("BOX", parameters.BOXES))
                  for number, name in enumerate(names)}}

    def printed(self, lines):
        """What a C program prints, a number a line."""
        program = '#include "lib/fmix.h"\n#include <stdio.h>\nint main(void) {\n%s\nreturn 0;\n}\n' % "\n".join(
            f'printf("%llu\\n", (unsigned long long)({line}));' for line in lines)
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "told.c").write_text(program)
            subprocess.run(["cc", "-I", str(ROOT), f"{folder}/told.c", "-o", f"{folder}/told"], check=True)
            return list(map(int, subprocess.run([f"{folder}/told"], check=True, capture_output=True).stdout.split()))

    def test_structures_have_the_layout_of_the_header(self):
        lines, told = [], []
        for name, structure in self.STRUCTURES.items():
            lines.append(f"sizeof({name})")
            told.append(ctypes.sizeof(structure))
            for field, _ in structure._fields_:
                lines += [f"offsetof({name}, {field})", f"sizeof((({name} *)0)->{field})"]
                told += [getattr(structure, field).offset, getattr(structure, field).size]
        self.assertEqual(dict(zip(lines, told)), dict(zip(lines, self.printed(lines))))

    def test_numbers_are_those_of_the_header(self):
        self.assertEqual(self.NUMBERS, dict(zip(self.NUMBERS, self.printed(self.NUMBERS))))


class Finding(unittest.TestCase):
    """Which library, and what is said where there is none."""

    def run_python(self, code, package=ROOT / "deploy/clients/python", **environment):
        """A process of its own, in which nothing is loaded."""
        kept = {name: value for name, value in os.environ.items() if name not in ("FMIX_LIBRARY", "PYTHONPATH")}
        done = subprocess.run([sys.executable, "-B", "-c", f"import fmixd\n{code}"], text=True, check=False,
                              capture_output=True, cwd="/", env={**kept, "PYTHONPATH": str(package), **environment})
        return done.stdout + done.stderr

    def elsewhere(self):
        """The package alone, outside of any sources."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        shutil.copytree(ROOT / "deploy/clients/python/fmixd", folder / "fmixd", ignore=shutil.ignore_patterns("*.pyc"))
        return folder

    def compiled(self, source):
        """A shared library of some C."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        pathlib.Path(folder, "other.c").write_text(source)
        subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-soname,libfmix.so.1", f"{folder}/other.c", "-o",
                        f"{folder}/libfmix.so.1"], check=True)
        return folder

    def test_without_a_library_the_error_says_what_is_missing_and_how_to_get_it(self):
        package = self.elsewhere()
        (package / "fmixd" / "libfmix.txt").write_text("no C compiler (gcc)\n")
        said = self.run_python("fmixd.Mixer(None)", package, LD_LIBRARY_PATH="/nowhere")
        for words in ("LibraryError", "there is no libfmix.so here", "was built without it: no C compiler (gcc)",
                      "libfftw3-dev", "libmpfr-dev", "libsodium-dev", "make install-lib", "FMIX_LIBRARY",
                      "URL of a daemon", str(package / "fmixd" / "libfmix.so")):
            self.assertIn(words, said)

    def test_the_package_works_by_a_daemon_where_there_is_no_library(self):
        self.assertEqual(self.run_python("fmixd.Mixer('http://localhost:1').close(); print('made')", self.elsewhere(),
                                         LD_LIBRARY_PATH="/nowhere"), "made\n")

    def test_a_file_that_is_named_and_is_not_there_is_an_error(self):
        self.assertIn("FMIX_LIBRARY is '/nowhere/libfmix.so', and there is no such file",
                      self.run_python("fmixd.Mixer(None)", FMIX_LIBRARY="/nowhere/libfmix.so"))

    def test_the_package_s_own_library_is_taken_before_the_system_s(self):
        package = self.elsewhere()
        shutil.copy(locally.LIBRARY, package / "fmixd" / "libfmix.so")
        code = "from fmixd import local; print(local.library().path)"
        self.assertEqual(self.run_python(code, package, LD_LIBRARY_PATH=self.compiled("int nothing;")).strip(),
                         str((package / "fmixd" / "libfmix.so").resolve()))

    def test_a_library_without_the_calls_is_refused(self):
        said = self.run_python("fmixd.Mixer(None)", FMIX_LIBRARY=f"{self.compiled('int nothing;')}/libfmix.so.1")
        self.assertIn("has no fmix_context_new: it is not the libfmix.so of this version", said)

    def test_a_library_of_the_system_that_draws_other_bits_is_refused(self):
        """As one would whose structures have other fields: here a call is another's."""
        folder = self.compiled(f"""
            #include "{ROOT}/lib/fmix.h"
            #include <dlfcn.h>
            #include <stdlib.h>
            #define REAL(name) ((__typeof__(&name))dlsym(dlopen(getenv("REAL"), RTLD_NOW | RTLD_LOCAL), #name))
            const char *fmix_status_text(fmix_status s) {{ return REAL(fmix_status_text)(s); }}
            fmix_status fmix_context_new(size_t b, fmix_context **o) {{ return REAL(fmix_context_new)(b, o); }}
            fmix_status fmix_context_tune(fmix_context *c, double s, bool *t, bool *m) {{ return FMIX_OK; }}
            fmix_status fmix_scratch_new(fmix_scratch **o) {{ return REAL(fmix_scratch_new)(o); }}
            void fmix_scratch_trim(fmix_scratch *s) {{ }}
            void fmix_scratch_watch(fmix_scratch *s, bool (*c)(void *), void *u) {{ }}
            void fmix_mixer_free(fmix_mixer *m) {{ }}
            fmix_status fmix_pairing(fmix_pairing_kind k, uint64_t s, uint64_t b, uint32_t n, int64_t *o) {{
                return REAL(fmix_pairing)(k, s, b, n, o); }}
            fmix_status fmix_mixer_row(const fmix_mixer *m, const fmix_rows *r, uint64_t i, fmix_method *k,
                                       fmix_row *o) {{
                return REAL(fmix_mixer_row)(m, r, i, k, o); }}
            fmix_status fmix_mixer_masks(const fmix_mixer *m, fmix_scratch *s, const fmix_rows *r, uint64_t f,
                                         uint64_t n, fmix_dtype d, void *o) {{
                return REAL(fmix_mixer_masks)(m, s, r, f, n, d, o); }}
            fmix_status fmix_mixer_new(fmix_context *c, const fmix_recipe *r, const fmix_choice *h, fmix_mixer **o) {{
                fmix_recipe other = *r;
                other.seed += getenv("OTHER") != NULL;
                return REAL(fmix_mixer_new)(c, &other, h, o);
            }}
            """)
        package, real = self.elsewhere(), str(locally.LIBRARY)
        code = "fmixd.Mixer(None).close(); print('taken')"
        self.assertEqual(self.run_python(code, package, LD_LIBRARY_PATH=folder, REAL=real), "taken\n")
        said = self.run_python(code, package, LD_LIBRARY_PATH=folder, REAL=real, OTHER="1")
        self.assertIn("libfmix.so.1 does not draw what this package needs", said)
        self.assertNotIn("taken", said)


if __name__ == "__main__":
    unittest.main()
