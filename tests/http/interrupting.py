"""Imports that are stopped, watched and killed while they run, at moments that do not depend on how fast the machine
is."""

import os
import signal
import subprocess
import time

import harness
from test_import import Importing

SAVE_EVERY = 2  # seconds after which an import saves how far it has come


class Interrupting(Importing):
    """Imports under the tests' folder for sets."""

    def start(self, name, arguments, **options):
        """An import that runs; it is killed at the latest when the test ends."""
        process = subprocess.Popen([harness.program(), "import", self.root / name, "--from", *arguments],
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def written(self, name):
        """Bytes of pictures on the disk, and whether a run may go on with them."""
        partial = self.root / f".{name}.partial"
        try:
            return os.path.getsize(partial / "data.bin"), (partial / "journal").exists()
        except OSError:
            return 0, False

    def stop(self, process, name, before=0):
        """Stops an import once it has written something, or leaves it as it has ended."""
        harness.until(lambda: process.poll() is not None or self.written(name)[0] not in (0, before))
        process.send_signal(signal.SIGSTOP)

    def pause(self, process, name, before=0):
        """Stops an import for so long that it then saves its next row."""
        self.stop(process, name, before)
        time.sleep(1.1 * SAVE_EVERY)
        process.send_signal(signal.SIGCONT)

    def killed(self, *arguments):
        """An import into the set `set` that is killed once it has saved some of its rows."""
        process = self.start("set", arguments)
        self.pause(process, "set")
        harness.until(lambda: process.poll() is not None or self.written("set")[1])
        process.send_signal(signal.SIGKILL)
        said = process.stderr.read()
        self.assertEqual(process.wait(), -signal.SIGKILL, said)
