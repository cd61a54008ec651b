"""Every command and every snippet of README.md and deploy/README.md is run as it is printed.

They run in a folder of their own that has the repository's files as links. What differs from what a
reader does: `localhost:8080` is the address of the test's daemon, the daemon is told a free port by
`--listen` behind its printed line, and curl has a .curlrc by which it ends with an error where it is
refused. What is not run stands in NOT_RUN, with the reason; a block that is neither run nor there
fails the test, and so does a line of the table that no page has any more. README's recipe is run by
test_loops. Of commands amid sentences those of make, fmixd, curl and suites are looked at.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
import pictures  # noqa: E402
from tensors import read_safetensors, write_safetensors  # noqa: E402

sys.path.insert(0, str(harness.ROOT / "deploy" / "clients" / "python"))

PAGES = ("README.md", "deploy/README.md", "deploy/API.md")
DOCKER = "Docker's engine is not there; test_image builds the Dockerfile with buildah"
BUILDAH = "test_image builds without asking a registry for the base"
COMPOSE = "Docker's engine is not there; test_compose checks the file"
CLUSTER = "there is no cluster; test_kubernetes checks the files"
WHEEL = "test_wheel builds and installs the package offline"
PACKAGES = "test_deb builds the packages, and `make test-deb` installs them"
ROOT = "changes the machine's services; test_systemd does it where it may"
NOT_RUN = {
    "make run": "serves until it is ended; test_what_run_prints_runs starts deploy/run",
    "make test": "is what runs this",
    "python3 -m venv --system-site-packages venv": WHEEL,
    "venv/bin/pip install ./deploy/clients/python": WHEEL,
    "docker build -t fmixd . && docker run --rm -p 8080:8080 fmixd": DOCKER,
    "docker build -t fmixd .": DOCKER,
    "docker run --rm -p 8080:8080 --read-only --stop-timeout 30 fmixd": DOCKER,
    "docker create --name fmixd-copy fmixd": DOCKER,
    "docker cp fmixd-copy:/usr/share/doc/fmixd/sbom.spdx.json .": DOCKER,
    "buildah build --timestamp $(git log -1 --format=%ct) -t fmixd \\\n"
    "    --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) .": BUILDAH,
    "buildah inspect --type image --format '{{.FromImageID}}' fmixd": BUILDAH,
    "docker compose -f deploy/compose/compose.yaml up --build --detach": COMPOSE,
    "fmixd token trainer | tee /dev/stderr | tail -1 >> tokens": CLUSTER,
    "kubectl create namespace fmixd": CLUSTER,
    "kubectl --namespace fmixd create secret generic fmixd-tokens --from-file tokens": CLUSTER,
    "kubectl apply -k deploy/kubernetes/overlays/production": CLUSTER,
    "make deb && sudo apt install ./build/deb/fmixd_*.deb": PACKAGES,
    "fmixd token trainer | tee /dev/stderr | tail -1 | sudo tee -a /etc/fmixd/tokens": PACKAGES,
    "sudo systemctl enable --now fmixd.socket fmixd.service": ROOT,
}
SHELL = ("build/", "buildah ", "curl ", "docker ", "fmixd ", "kubectl ", "make ", "python3 ", "sudo ", "venv/")
MAGIC = {".png": b"\x89PNG\r\n", ".npy": b"\x93NUMPY", ".npz": b"PK\x03\x04"}


class Block(NamedTuple):
    """A block of code of a page."""

    page: str
    line: int
    kind: str  # shell, python, javascript, r, or tree: names of folders and what is in them
    text: str

    def commands(self):
        """A shell's, each with its continued lines and without its comment."""
        return [re.sub(r"\s+# .*", "", line) for line in re.split(r"(?<!\\)\n", self.text) if line]


def kind_of(text):
    """What an indented block is; None: nothing known."""
    lines = [line for line in text.splitlines() if line and not line.startswith(" ")]
    if all(line.startswith(SHELL) for line in lines):
        return "shell"
    if lines[0].startswith("const "):
        return "javascript"
    if "<-" in lines[0]:
        return "r"
    if all(re.match(r"\w+/ ", line) for line in lines):
        return "tree"
    if re.search(r"^(import|for|mix|url) ?", text):
        return "python"
    return None


def blocks_of(page):
    """All of a page: between fences, or by four spaces behind an empty line."""
    text = (harness.ROOT / page).read_text(encoding="utf-8")
    fenced = r"^```(?P<kind>\w*)\n(?P<fenced>.*?)^```$"
    indented = r"(?<=\n\n)(?P<indented> {4}\S[^\n]*\n(?:(?: {4}[^\n]*)?\n)*)"
    for found in re.finditer(f"{fenced}|{indented}", text, re.M | re.S):
        body = found["fenced"] or re.sub(r"^ {4}", "", found["indented"], flags=re.M).strip("\n")
        yield Block(page, text.count("\n", 0, found.start()) + 1, found["kind"] or kind_of(body), body)


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks(kind):
    """Those of a kind."""
    return [block for block in BLOCKS if block.kind == kind]


def block_with(text):
    """The only one with this text in it."""
    block, = (block for block in BLOCKS if text in block.text)
    return block


def inline():
    """What the pages' sentences set as code."""
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", (harness.ROOT / page).read_text(encoding="utf-8"),
                      flags=re.M | re.S)
        yield from re.findall(r"`([^`\n]+)`", text)


def curled(folder):
    """An environment in which curl fails where it is refused."""
    pathlib.Path(folder, ".curlrc").write_text("fail\nsilent\nshow-error\n", encoding="utf-8")
    return {**os.environ, "HOME": str(folder)}


def copy_of_the_tree(folder):
    """Links to what commands read; what they write stays in the folder."""
    os.symlink(harness.ROOT / "tests", folder / "tests")
    (folder / "build").mkdir()
    os.symlink(pathlib.Path(harness.program()).resolve(), folder / "build" / "fmixd")
    (folder / "cat.jpg").write_bytes(pictures.jpeg(pictures.photo(300, 400)))
    (folder / "dog.png").write_bytes(pictures.png(pictures.photo(350, 240), 8, 2))


class Words(unittest.TestCase):
    """A folder, and a daemon that serves the garments, imported as README says."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        copy_of_the_tree(cls.folder)
        cls.environment = curled(cls.folder)
        command, = (command for block in blocks("shell") for command in block.commands()
                    if command.startswith("build/fmixd import "))
        cls.done = subprocess.run(command, shell=True, cwd=cls.folder, check=True, env=cls.environment,
                                  capture_output=True, text=True)
        serve, = (command for block in blocks("shell") for command in block.commands()
                  if command.startswith("build/fmixd --"))
        cls.server = cls.enterClassContext(harness.Server(
            "--drain", "0", command=["sh", "-c", f'cd {cls.folder} && exec {serve} "$@"', "sh"]))
        cls.address = "{}:{}".format(*cls.server.address)

    def here(self, text):
        """With the daemon's address for the printed one."""
        return text.replace("localhost:8080", self.address)

    def run_line(self, command):
        """A command's output."""
        done = subprocess.run(self.here(command), shell=True, cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=harness.PATIENCE)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stderr.decode(errors='replace')}")
        return done.stdout


class Blocks(Words):
    def test_every_block_is_of_a_known_kind(self):
        for block in BLOCKS:
            with self.subTest(page=block.page, line=block.line):
                self.assertIn(block.kind, ("shell", "python", "javascript", "r", "tree"), block.text)
        self.assertGreater(len(BLOCKS), 15)

    def test_what_is_listed_as_not_run_is_there(self):
        printed = {command for block in blocks("shell") for command in block.commands()}
        self.assertEqual(set(NOT_RUN) - printed, set())

    def test_every_command_that_is_not_listed_runs(self):
        count = 0
        for block in blocks("shell"):
            for command in block.commands():
                if command in NOT_RUN or command.startswith("build/fmixd "):
                    continue  # setUpClass ran these
                with self.subTest(command):
                    count += 1
                    self.check_output(command, self.run_line(command))
        self.assertGreater(count, 9)

    def check_output(self, command, output):
        """curl's: the file that it wrote begins as its name says; else it is JSON."""
        written = re.search(r"-o (\S+)", command)
        if not written:
            self.assertTrue(json.loads(output))
            return
        data = (self.folder / written[1]).read_bytes()
        if written[1].endswith(".safetensors"):
            self.assertIn("mixed", read_safetensors(data))
        else:
            self.assertTrue(data.startswith(MAGIC[pathlib.Path(written[1]).suffix]), data[:20])

    def test_folders_of_the_tree_are_there(self):
        for block in blocks("tree"):
            for name in re.findall(r"^(\w+)/ ", block.text, re.M):
                self.assertTrue((harness.ROOT / name).is_dir(), name)

    def test_r_reads_masks_by_row_and_column(self):
        self.needs("Rscript --version", "r-base-core")
        block, = blocks("r")
        script = self.here(block.text) + '\nwriteBin(as.raw(aperm(masks, c(3, 2, 1))), "r.raw")\n'
        (self.folder / "r.R").write_text(script, encoding="utf-8")
        self.run_line("Rscript r.R")
        self.assertEqual((self.folder / "r.raw").read_bytes(), self.masks().tobytes())

    def test_javascript_mixes_as_the_daemon_does(self):
        self.needs("node --version", "nodejs")
        block, = blocks("javascript")
        source = np.random.default_rng(3).random((64, 1, 28, 28), "f4")
        numbers = np.arange(64, dtype="i8") % 10
        source.tofile(self.folder / "js-x")
        (self.folder / "js.mjs").write_text(
            f'import {{ mixer }} from "{harness.ROOT}/deploy/clients/javascript/fmixd.mjs";\n'
            'import { readFileSync, writeFileSync } from "node:fs";\n'
            'const data = new Float32Array(new Uint8Array(readFileSync("js-x")).buffer), step = 3, epoch = 0;\n'
            f'const numbers = {numbers.tolist()};\n{self.here(block.text)}\nmix.close();\n'
            'for (const [name, { data }] of Object.entries({ mixed: x, labels: y }))\n'
            '  writeFileSync(`js-${name}`, new Uint8Array(data.buffer));\n', encoding="utf-8")
        self.run_line("node js.mjs")
        told = self.server.post("/v1/mix.safetensors?layout=channels_first&seed=7&step=3&method=fmix,mixup&classes=10",
                                write_safetensors({"x": source, "y": numbers}),
                                content_type="application/x-safetensors")
        for name in "mixed", "labels":
            self.assertEqual((self.folder / f"js-{name}").read_bytes(), read_safetensors(told.body)[name].tobytes())

    def needs(self, probe, package):
        if subprocess.run(probe, shell=True, check=False, capture_output=True).returncode:
            self.skipTest(f"there is no {package} here")

    def masks(self):
        return self.server.get("/v1/masks.npy?shape=32x32&n=128&seed=7&dtype=u8").npy()

    def test_what_run_prints_runs(self):
        """`make run` ends in deploy/run, on a port that it is told."""
        holder = harness.reserve_port()
        self.addCleanup(holder.close)
        port = holder.getsockname()[1]
        with open(self.folder / "said", "w+", encoding="utf-8") as said:
            running = harness.spawn(["sh", "-c", f"cd {self.folder} && exec {harness.ROOT}/deploy/run "
                                     f"build/fmixd {port}"], said)
            self.addCleanup(running.wait, harness.PATIENCE)
            self.addCleanup(running.terminate)
            text = (self.folder / "said").read_text
            harness.until(lambda: "mixed.npy" in text() or running.poll() is not None, text)
        lines = re.findall(r"^  (curl .*)$", text(), re.M)
        self.assertGreater(len(lines), 2, text())
        for line in lines:
            with self.subTest(line):
                self.check_output(line, self.run_line(line))


class Sentences(Words):
    """Commands amid the text."""

    def test_make_has_every_target(self):
        makefile = "".join((harness.ROOT / name).read_text(encoding="utf-8")
                           for name in ("Makefile", "tests/tests.mk"))
        targets = {name for line in re.findall(r"^([a-z][\w -]*):", makefile, re.M) for name in line.split()}
        commands = (command for text in inline() for command in text.split(" && "))
        named = {name for command in commands if re.match(r"make\b", command)
                 for name in re.findall(r"\b[a-z][\w-]+", re.sub(r"\w+=\S+", "", command))} - {"make"}
        self.assertGreater(len(named), 10)
        self.assertEqual(named - targets, set())

    def test_every_suite_that_is_named_is_there(self):
        named = {name for text in inline() for name in re.findall(r"^(?:\S+ |make \w+ K=)?(test_\w+)$", text)}
        self.assertGreater(len(named), 4)
        for name in named:
            self.assertTrue([*harness.ROOT.glob(f"tests/*/{name}.*")], name)

    def test_every_file_of_the_tree_that_is_named_is_there(self):
        examples = {"tests/unit/formats/test_NAME.c", "tests/fuzz/crashers/TARGET", "tests/fuzz/crashers/TARGET/",
                    "server/formats/NAME.c"}
        for text in set(inline()) - examples:
            if re.fullmatch(r"(?:tests|server|lib|deploy)/[\w./-]+", text):
                self.assertTrue((harness.ROOT / text).exists() or text == "deploy/compose/sets", text)

    def test_the_commands_of_fmixd_run(self):
        named = {text for text in inline() if re.match(r"(?:build/)?fmixd [a-z]+( NAME)?$", text)}
        self.assertGreaterEqual(named, {"fmixd selftest", "fmixd config", "fmixd settings",
                                        "fmixd token NAME", "fmixd healthcheck", "fmixd api"})
        for text in named - {"fmixd import"}:
            with self.subTest(text):
                listen = f" --listen {self.address}" if text == "fmixd healthcheck" else ""
                self.run_line(re.sub("^fmixd", "build/fmixd", text) + listen)

    def test_the_curl_commands_run(self):
        for text in inline():
            if text.startswith("curl ") and "localhost" in text:
                self.assertIn("golden", json.loads(self.run_line(text)))

    def test_hosted_batches_are_mixed_by_default_and_say_their_method(self):
        answers = {method: self.server.get("/v1/datasets/garments/batches/0.safetensors?n=64" + query).body
                   for method, query in (("fmix", ""), ("none", "&method=none"))}
        for method, body in answers.items():
            self.assertIn(f" method={method} ".encode(), body[:2000])
        source = np.load(harness.ROOT / "tests/data/garments.npy")
        made = {method: read_safetensors(body)["mixed"] for method, body in answers.items()}
        np.testing.assert_array_equal(made["none"], source)
        self.assertTrue((made["fmix"] != source).any())


class Python(Words):
    """The snippets of Train, on garments."""

    def run_block(self, text, **given):
        """What is there after the only block with this text in it."""
        import fmixd  # pylint: disable=import-outside-toplevel
        names = {"fmixd": fmixd, "np": np, **given}
        exec(compile(self.here(block_with(text).text), text, "exec"), names)  # pylint: disable=exec-used
        return names

    def test_every_python_block_is_run_here(self):
        indented = [block for block in blocks("python") if not self.is_recipe(block)]
        self.assertEqual(len(indented), 3)

    @staticmethod
    def is_recipe(block):
        text = (harness.ROOT / block.page).read_text(encoding="utf-8")
        return f"```python\n{block.text}```" in text

    def test_a_plan_by_numpy_is_the_mix_of_the_daemon(self):
        source = np.random.default_rng(1)
        x = source.random((128, 3, 32, 32), dtype="f4")
        y = np.eye(10, dtype="f4")[source.integers(0, 10, 128)]
        names = self.run_block("urllib.request.urlopen", x=x, y=y)
        sent = write_safetensors({"x": x, "y": y})
        told = self.server.post("/v1/mix.safetensors?layout=channels_first&seed=7&parts=mixed,labels", sent,
                                content_type="application/x-safetensors")
        there = read_safetensors(told.body)
        np.testing.assert_allclose(names["mixed"], there["mixed"], atol=1e-6)
        np.testing.assert_allclose(names["labels"], there["labels"], atol=1e-6)

    def test_a_loop_over_epochs_mixes_each_step_by_a_plan_of_its_own(self):
        source = np.random.default_rng(2)
        loader = [(source.random((8, 1, 28, 28), dtype="f4"), np.arange(8)) for _ in range(2)]
        names = self.run_block("for epoch in range(90):", loader=loader)
        x, y = names["mix"](*loader[1], 1, epoch=89)
        names["mix"].close()
        np.testing.assert_array_equal(names["x"], x)
        np.testing.assert_array_equal(names["y"], y)

    def test_a_hosted_epoch_is_that_of_the_daemon(self):
        names = self.run_block("for x, y in fmixd.epoch(\"http")
        there = self.server.get("/v1/datasets/garments/batches/0.safetensors?epoch=3&n=64&seed=7&shuffle=1"
                                "&out_dtype=f32&parts=mixed,labels")
        np.testing.assert_array_equal(names["x"], read_safetensors(there.body)["mixed"])


if __name__ == "__main__":
    unittest.main()
