"""Three replicas behind the nginx that is shipped, with an image set, and what their processors do."""

import os
import pathlib
import shutil
import signal
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/http", "tests/deploy")]

import harness  # noqa: E402
import hosting  # noqa: E402
from replicas import Nginx, own_address  # noqa: E402

REPLICAS = 3
SET = "tiles"
# As deploy/compose has them, but for the threads: three replicas share this machine's cores. And
# trainers that ask a step ahead rather wait in a queue than be refused and ask again.
SETTINGS = ("--threads", "1", "--io-threads", "1", "--memory", "512M", "--cache", "128M",
            "--drain", "2", "--deadline", "20", "--patience", "10000")
SHARED_DISK = {"max_size=8g": "max_size=1g"}  # this machine's disk is not all ours
TICKS = os.sysconf("SC_CLK_TCK")


def used(pid):
    """Seconds of the processors, user and system; None: the process is gone."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


class Meter:
    """What processes have used so far, by their names; also those that are gone, as last seen."""

    def __init__(self):
        self.names, self.seconds = {}, {}

    def add(self, name, pid):
        """Watches one more, from now on."""
        self.names[pid], self.seconds[pid] = name, used(pid)

    def look(self):
        """Looks at each."""
        for pid in self.names:
            now = used(pid)
            if now is not None:
                self.seconds[pid] = now

    def totals(self):
        """Seconds by name."""
        self.look()
        sums = dict.fromkeys(self.names.values(), 0.0)
        for pid, name in self.names.items():
            sums[name] += self.seconds[pid]
        return sums


class Cluster:
    """Replicas, nginx and their set, as long as the context lasts."""

    def __init__(self, write_pictures):
        self.write_pictures = write_pictures
        self.meter, self.replicas, self.starts = Meter(), [], 0

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="fmixd-cluster-"))
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        """Writes the set and starts everything."""
        self.write_pictures(self.folder / "pictures")
        (self.folder / "sets").mkdir()
        hosting.importing(self.folder / "sets" / SET, "--from", "folder", self.folder / "pictures",
                          "--store", "files")
        self.meter.add("trainers", os.getpid())
        self.replicas = [self.replica(own_address()) for _ in range(REPLICAS)]
        (self.folder / "nginx").mkdir()
        self.nginx = Nginx(str(self.folder / "nginx"), self.replicas, SHARED_DISK, own_address())
        self.meter.add("nginx", self.nginx.process.pid)
        self.facts = self.replicas[0].get(f"/v1/datasets/{SET}").json()

    def __exit__(self, *_):
        if hasattr(self, "nginx"):
            self.nginx.stop()
        for replica in self.replicas:  # at the same time, and without a delay
            for _ in range(3):
                replica.process.send_signal(signal.SIGTERM)
        for replica in self.replicas:
            replica.stop()
        shutil.rmtree(self.folder)

    def daemon(self, *settings):
        """One with the set, which is started."""
        made = harness.Server("--log", "off", "--data", str(self.folder / "sets"), *settings)
        made.start()
        return made

    def replica(self, address):
        """A new one, there."""
        made = self.daemon(*SETTINGS, "--listen", address)
        self.starts += 1
        self.meter.add(f"replica {self.starts}", made.process.pid)
        return made

    def kill(self, number):
        """Kills one, as a node that fails does."""
        self.meter.look()
        self.replicas[number].process.kill()
        self.replicas[number].process.wait(harness.PATIENCE)

    def restart(self, number):
        """Starts another where one has ended, as an orchestrator does."""
        old = self.replicas[number]
        old.stop()
        self.replicas[number] = self.replica("{}:{}".format(*old.address))

    def replace(self, number):
        """Ends one kindly, as `stop` does, and starts another in its place."""
        self.restart(number)
