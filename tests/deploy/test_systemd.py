"""The units for systemd: what it says of them, what the daemon tells it, and
the socket that stays while daemons come and go."""

import http.client
import os
import pathlib
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402

ROOT = harness.ROOT
UNITS = ROOT / "deploy" / "systemd"
TARGET = "/v1/masks.npy?shape=16x16&n=4&seed=3"
EXPOSURE = 10  # tenths, of at most 100: systemd's word for it is SAFE up to 20
PATIENCE = harness.PATIENCE


def settings(unit):
    """Of a unit: name to list of values."""
    found = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
class Units(unittest.TestCase):
    def test_what_is_installed_is_sound(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["make", "-s", "-C", ROOT, "install", f"DESTDIR={root}",
                            f"BUILD={pathlib.Path(harness.program()).resolve().parent}"],
                           check=True, capture_output=True)
            subprocess.run(["cp", "--parents", "/bin/kill", root], check=True)
            units = [f"{root}/usr/local/lib/systemd/system/{name}"
                     for name in ("fmixd.service", "fmixd.socket")]
            # What the program is called where it is now.
            service = pathlib.Path(units[0])
            service.write_text(service.read_text().replace("=/usr/local", f"={root}/usr/local"))
            found = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], text=True,
                                   check=False, capture_output=True)
            complaints = [line for line in found.stderr.splitlines() if "fmixd" in line]
            self.assertEqual((found.returncode, complaints), (0, []))
            accepted = subprocess.run(
                [f"{root}/usr/local/bin/fmixd", "config", "--config", f"{root}/etc/fmixd/fmixd.conf"],
                text=True, check=False, capture_output=True)
            self.assertEqual(accepted.returncode, 0, accepted.stderr)

    def test_it_is_exposed_to_little(self):
        found = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager",
             f"--threshold={EXPOSURE}", str(UNITS / "fmixd.service")],
            text=True, check=False, capture_output=True)
        self.assertEqual(found.returncode, 0, found.stdout[-2000:] + found.stderr)
        self.assertRegex(found.stdout, r"exposure level for fmixd.service: 0\.\d SAFE")

    def test_its_variables_are_settings_and_it_has_time_to_end(self):
        unit = settings("fmixd.service")
        names = [value.partition("=")[0] for value in unit["Environment"]]
        printed = subprocess.run([harness.program(), "config"], text=True, check=True,
                                 stdout=subprocess.PIPE).stdout
        values = dict(re.findall(r"^(\w+) = (\S*)", printed, re.M))
        for name in names:
            self.assertIn(name.removeprefix("FMIXD_").lower(), values)
        self.assertGreater(int(unit["TimeoutStopSec"][0]),
                           int(values["drain"]) + int(values["deadline"]))

    @unittest.skipUnless(shutil.which("strace"), "no strace here")
    def test_it_asks_the_kernel_for_nothing_that_the_unit_forbids(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = f"{folder}/trace"
            wisdom = f"{folder}/wisdom"
            # LeakSanitizer itself traces, which is not possible twice.
            with harness.Server("--wisdom", wisdom, environment={"LSAN_OPTIONS": "detect_leaks=0"}, command=[
                    "strace", "-f", "-qq", "-o", trace, harness.program()]) as server:
                self.exercise(server)
                child = int(subprocess.run(["pgrep", "-P", str(server.process.pid)], text=True,
                                           check=True, stdout=subprocess.PIPE).stdout)
                os.kill(child, signal.SIGHUP)
                self.exercise(server)
                os.kill(child, signal.SIGTERM)
                server.process.wait(PATIENCE)
            text = pathlib.Path(trace).read_text()
        # What runs the program is strace's doing.
        used = set(re.findall(r"^\d+ +(\w+)\(", text, re.M)) - {"execve"}
        self.assertIn("accept4", used)
        self.assertEqual(used - self.allowed(), set())

    def exercise(self, server):
        for target in (TARGET, "/v1/masks.png?shape=224x224&n=40", "/metrics", "/version", "/readyz"):
            self.assertEqual(server.get(target).status, 200)

    def allowed(self):
        """System calls of the unit's filters: names, and sets of them, less those that are
        taken away."""
        calls = set()
        for line in settings("fmixd.service")["SystemCallFilter"]:
            without = line.startswith("~")
            for name in line.removeprefix("~").split():
                these = self.members(name)
                calls = calls - these if without else calls | these
        return calls

    def members(self, name):
        if not name.startswith("@"):
            return {name}
        printed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], text=True,
                                 check=True, stdout=subprocess.PIPE).stdout
        lines = [line.strip() for line in printed.splitlines()[1:]]
        return set().union(*(self.members(line) for line in lines if line and line[0] != "#"))


class Notified(unittest.TestCase):
    """A daemon that is told where to say how it is."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.ear.close)
        self.ear.bind(f"{folder.name}/notify")
        self.ear.settimeout(PATIENCE)
        self.variables = {"NOTIFY_SOCKET": f"{folder.name}/notify"}

    def test_it_says_when_it_is_ready_reloads_and_stops(self):
        server = harness.Server("--drain", "0", environment=self.variables)
        server.start()
        self.assertEqual(self.ear.recv(999), b"READY=1")
        server.process.send_signal(signal.SIGHUP)
        self.assertRegex(self.ear.recv(999), rb"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertEqual(self.ear.recv(999), b"READY=1")
        self.assertEqual(server.get(TARGET).status, 200)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.ear.recv(999), b"STOPPING=1")

    def test_what_cannot_start_says_nothing(self):
        with self.assertRaises(RuntimeError):
            harness.Server("--data", "/nowhere/at/all", environment=self.variables).start()
        self.ear.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.ear.recv(999)


class Activated(unittest.TestCase):
    """A daemon that is handed its socket, which is ours."""

    def setUp(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.addCleanup(self.socket.close)
        self.address = self.socket.getsockname()
        self.processes = []
        self.addCleanup(self.end)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()

    def hand_over(self, *arguments):
        """Starts a daemon with the socket as its descriptor 3; its first line."""
        script = ('[ "$1" = 3 ] || { exec 3<&"$1"; eval "exec $1<&-"; }; shift;'
                  'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"')
        process = subprocess.Popen(
            ["bash", "-c", script, "sh", str(self.socket.fileno()), harness.program(), "--log", "off",
             "--drain", "0", *arguments],
            pass_fds=[self.socket.fileno()], stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process, process.stdout.readline()

    def get(self):
        connection = harness.http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            return harness.exchange(connection, "GET", TARGET)
        finally:
            connection.close()

    def wait_for(self, answers, count):
        harness.until(lambda: len(answers) >= count)

    def test_it_serves_there_and_nowhere_else(self):
        process, line = self.hand_over("--listen", "127.0.0.1:1")
        self.assertEqual(line, "listening on http://{}:{}\n".format(*self.address))
        self.assertEqual(self.get().status, 200)
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_who_comes_while_it_is_replaced_waits_and_is_answered(self):
        first, _ = self.hand_over()
        wanted = self.get().body
        answers, wrong, going = [], [], threading.Event()

        def ask():
            while not going.is_set():
                try:
                    answers.append(self.get())
                except (OSError, http.client.HTTPException) as error:
                    wrong.append(error)
        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        try:
            for _ in range(3):
                first.terminate()
                self.assertEqual(first.wait(PATIENCE), 0)
                # Nobody serves, and somebody asks.
                self.assertTrue(select.select([self.socket], [], [], PATIENCE)[0])
                first, _ = self.hand_over()
                self.wait_for(answers, len(answers) + 2 * len(askers))
        finally:
            going.set()
            for asker in askers:
                asker.join(PATIENCE)
        self.assertEqual(wrong, [])
        self.assertEqual({(a.status, a.body) for a in answers}, {(200, wanted)})

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "no systemd-socket-activate here")
    def test_systemd_hands_one_over(self):
        # A loopback address that nobody else has, so its port is free.
        a, b, c = (random.SystemRandom().randrange(2, 254) for _ in range(3))
        self.address = (f"127.{a}.{b}.{c}", 18080)
        process = harness.spawn(["systemd-socket-activate", "-l", "{}:{}".format(*self.address),
                                 harness.program(), "--log", "off"], subprocess.DEVNULL)

        def answers():
            try:
                return self.get()
            except ConnectionRefusedError:
                return None
        try:
            self.assertEqual(harness.until(answers).status, 200)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    unittest.main()
