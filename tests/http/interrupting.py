"""Imports that are held, killed and changed under their hands while they run, at moments that do not depend on how fast
the machine is."""

import fcntl
import os
import re
import select
import signal
import subprocess
import time

import harness
from imports import Importing

SAVE_EVERY = 2  # seconds after which an import saves how far it has come


class Interrupting(Importing):
    """Imports under the tests' folder for sets."""

    def start(self, name, arguments, **options):
        """An import that stands still whenever it says something, until what it said before is read. It says so each
        tenth of its rows. It is killed at the latest when the test ends."""
        reads, writes = os.pipe2(os.O_DIRECT | os.O_CLOEXEC)  # each write is a packet
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)  # for which there is room for one
        process = subprocess.Popen([harness.program(), "import", self.root / name, "--from", *arguments],
                                   stderr=writes, **options)
        os.close(writes)
        process.said, process.packets = b"", reads
        self.addCleanup(os.close, reads)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def step(self, process):
        """Lets an import go on until it has said two things more, of which the first is read. False: it has ended."""
        self.assertTrue(select.select([process.packets], [], [], harness.PATIENCE)[0], process.said)
        packet = os.read(process.packets, 1 << 16)
        process.said += packet
        return bool(packet)

    def rest(self, process):
        """Lets an import go on to its end; all that it said."""
        while self.step(process):
            pass
        return process.said.decode()

    def written(self, name):
        """Bytes of pictures on the disk, and whether a run may go on with them."""
        partial = self.root / f".{name}.partial"
        try:
            return os.path.getsize(partial / "data.bin"), (partial / "journal").exists()
        except OSError:
            return 0, False

    def hold(self, process):
        """Holds an import between a tenth of its rows and half of them, or, if it goes on with an earlier one, soon
        after it has begun; or leaves it as it has ended."""
        while not re.search(rb"\d %, \d+ rows", process.said) and self.step(process):
            pass

    def pause(self, process, name):
        """Holds an import for so long that it saves its next row, and lets it go on until it has."""
        self.hold(process)
        time.sleep(1.1 * SAVE_EVERY)
        while not self.written(name)[1] and self.step(process):
            pass

    def killed(self, *arguments):
        """An import into the set `set` that is killed once it has saved some of its rows."""
        process = self.start("set", arguments)
        self.pause(process, "set")
        process.send_signal(signal.SIGKILL)
        said = self.rest(process)
        self.assertEqual(process.wait(), -signal.SIGKILL, said)
