"""Runs a daemon of its own for a test class and talks to it on loopback.

FMIXD names the program; without it build/fmixd of this tree is meant.
"""

import ctypes
import http.client
import io
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from typing import NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Seconds until a test gives up waiting for what must come: far more than a slow and busy machine or a
# sanitized daemon takes, because only a test that fails waits so long.
PATIENCE = 600
START_SECONDS = STOP_SECONDS = ANSWER_SECONDS = PATIENCE
NEVER = "86400"  # for a deadline of the daemon that no test may come to
LOG_MOST = 1 << 24  # bytes of a log that are looked at
# By which nobody ends a daemon of a test but the daemon itself.
CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE}
# A busy machine must have no answer refused and no connection cut off for its slowness, where
# that is not what is tested. A kept connection of ours may rest while a browser is waited for.
PATIENT = {"FMIXD_PATIENCE": "600000", "FMIXD_IDLE": NEVER, "FMIXD_HEAD": NEVER,
           "FMIXD_UPLOAD": NEVER, "FMIXD_STALL": NEVER}
# FMIX_IO_THREADS=4 FMIX_THREADS=64: every daemon has so many threads that talk HTTP and that compute, as on a
# machine of so many cores.
IO_THREADS = {f"FMIXD_{name[5:]}": value for name, value in os.environ.items()
              if name in ("FMIX_IO_THREADS", "FMIX_THREADS")}
NPY = "application/x-npy"

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_BANNER = re.compile(rb"listening on https?://(127(?:\.\d+){3}):(\d+)\r?\n")


def program():
    """The daemon under test."""
    return os.environ.get("FMIXD", str(ROOT / "build" / "fmixd"))


def has_sanitizer(path, kinds="asan|tsan|ubsan"):
    """Whether a program is watched by one of these."""
    return re.search(rf"__({kinds})_".encode(), pathlib.Path(path).read_bytes()) is not None


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def npy(self):
        """The body as the array it holds."""
        return read_npy(self.body)

    def json(self):
        """The body as the JSON it holds."""
        return json.loads(self.body)


def until(condition, what="what was waited for"):
    """Waits for what another process or thread is about to do; what the condition is then. The
    last word is the condition's: it is asked once more after the time is over. `what` may be a
    function, which is called only if it is needed."""
    deadline = time.monotonic() + PATIENCE
    while True:
        late = time.monotonic() > deadline
        value = condition()
        if value:
            return value
        if late:
            raise AssertionError(f"did not come to be: {what() if callable(what) else what}")
        time.sleep(0.01)


def refuses(address):
    """Whether nobody listens there, as after a SIGTERM without a drain."""
    try:
        socket.create_connection(address, PATIENCE).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def number_in(text, name):
    """The value of a metric without labels, in the text of /metrics."""
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])


def read_npy(body):
    """The array in npy bytes; nothing in them is executed."""
    return np.load(io.BytesIO(body), allow_pickle=False)


def write_npy(array):
    """An array as npy bytes."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


class Server:
    """A daemon that lives as long as its context, and never outlives us."""

    def __init__(self, *arguments, environment=None, descriptors=None, command=None):
        self.arguments = arguments
        self.command = command or [program()]
        self.environment = environment or {}
        self.descriptors = descriptors  # it may have; None: as many as we
        self.address = None
        self.process = None
        self._log = None
        self._last_words = ""
        self._kept = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Start the daemon and wait until it answers."""
        self._log = self._open_log()
        parent = os.getpid()
        self.process = subprocess.Popen(
            [*self.command, "--listen", "127.0.0.1:0", *self.arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=self._log, env=self._child_environment(),
            preexec_fn=lambda: _begin(parent, self.descriptors))
        try:
            self.address = self._read_address()
        except BaseException:
            self.stop()
            raise

    def _open_log(self):
        """Where the daemon's stderr goes."""
        return tempfile.TemporaryFile()

    def _child_environment(self):
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("FMIXD")}
        return {**inherited, **PATIENT, **IO_THREADS, **self.environment}

    def _read_address(self):
        line = self._read_first_line(time.monotonic() + START_SECONDS)
        banner = _BANNER.fullmatch(line)
        if banner is None:
            raise RuntimeError(f"{program()} began with {line!r}; its log "
                               f"ends:\n{self.log_tail()}")
        return banner[1].decode(), int(banner[2])

    def _read_first_line(self, deadline):
        stream, line = self.process.stdout.fileno(), b""
        while not line.endswith(b"\n"):
            patience = max(0, deadline - time.monotonic())
            ready, _, _ = select.select([stream], [], [], patience)
            byte = os.read(stream, 1) if ready else b""
            if not byte:
                break
            line += byte
        return line

    def log_tail(self, size=4000):
        """The end of what the daemon wrote to stderr so far; of a daemon that was stopped, all."""
        if self._log.closed:
            return self._last_words[-size:]
        end = self._log.seek(0, os.SEEK_END)
        return os.pread(self._log.fileno(), size,
                        max(0, end - size)).decode(errors="replace")

    def log_after(self, start):
        """What the daemon wrote to stderr behind so many bytes, as far as it has written it."""
        return os.pread(self._log.fileno(), LOG_MOST, start)

    def until_logged(self, text):
        """Waits for a text in the log, and returns all of the log. A line is written some time
        after its request was answered."""
        until(lambda: text in self.log_tail(LOG_MOST),
              lambda: f"{text!r} in\n{self.log_tail()}")
        return self.log_tail(LOG_MOST)

    def until_logged_like(self, pattern):
        """Waits for what a regular expression finds in the log, and returns all of the log."""
        until(lambda: re.search(pattern, self.log_tail(LOG_MOST)),
              lambda: f"{pattern!r} in\n{self.log_tail()}")
        return self.log_tail(LOG_MOST)

    def until_lines(self, count):
        """Waits until the log has so many lines; it must not have more."""
        until(lambda: self.log_tail(LOG_MOST).count("\n") >= count,
              lambda: f"{count} lines in\n{self.log_tail()}")
        lines = self.log_tail(LOG_MOST).splitlines()
        if len(lines) != count:
            raise AssertionError(f"{len(lines)} lines instead of {count}:\n{self.log_tail()}")
        return lines

    def metric(self, *names):
        """Numbers of /metrics, asked for at once over a connection of its own; or the one."""
        text = self.get("/metrics", fresh=True).body.decode()
        found = [number_in(text, name) for name in names]
        return found if len(found) > 1 else found[0]

    def until_metric(self, name, value):
        """Waits until a number of /metrics is so: most change only some time after the answer."""
        until(lambda: self.metric(name) == value,
              lambda: f"{name} is {self.metric(name)}, not {value}")

    def stop(self):
        """Terminate the daemon, kindly first; returns its exit status. A daemon that crashed, whenever that
        was, or that does not heed SIGTERM fails its test."""
        if self._kept is not None:
            self._kept.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
            wrong = f"was ended by {signal.Signals(-status).name}" if -status in CRASHES else None
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
            wrong = f"did not end within {STOP_SECONDS} s of SIGTERM"
        self.process.stdout.close()
        self._last_words = self.log_tail(LOG_MOST)
        self._log.close()
        if wrong:
            raise AssertionError(f"{self.command[0]} {wrong}; its log ends:\n{self.log_tail()}")
        return status

    def connect(self):
        """A fresh connection, for the caller to close."""
        return http.client.HTTPConnection(*self.address,
                                          timeout=ANSWER_SECONDS)

    def get(self, target, headers=None, fresh=False):
        """GET over the kept connection, or over one of its own."""
        return self.request("GET", target, None, headers, fresh)

    def post(self, target, body, content_type=NPY, headers=None, fresh=False):
        """POST over the kept connection, or over one of its own."""
        headers = {"Content-Type": content_type, **(headers or {})}
        return self.request("POST", target, body, headers, fresh)

    def request(self, method, target, body=None, headers=None, fresh=False):
        """Any request over the kept connection, or over one of its own."""
        if not fresh:
            self._kept = self._kept or self.connect()
            return exchange(self._kept, method, target, body, headers)
        connection = self.connect()
        try:
            return exchange(connection, method, target, body, headers)
        finally:
            connection.close()


def exchange(connection, method, target, body=None, headers=None):
    """One request and its whole answer."""
    try:
        connection.request(method, target, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    except BaseException:
        connection.close()
        raise


def length_of(head):
    """The body's length that a head announces."""
    return int(re.search(rb"\r\nContent-Length: (\d+)", head)[1])


def read_reply(sock, data=b""):
    """One reply off a kept connection, of which some has come: its head and
    body, which is shorter than announced if it was cut off. No head: there
    was no reply."""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return b"", b""
        data += more
    head, _, begun = data.partition(b"\r\n\r\n")
    body, length = bytearray(begun), length_of(head)
    while len(body) < length:
        more = sock.recv(65536)
        if not more:
            break
        body += more
    return head, body


def spawn(command, output=None):
    """A process that never outlives us, and writes where we do or to a file."""
    parent = os.getpid()
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            stdout=output, stderr=output,
                            preexec_fn=lambda: _begin(parent, None))


def _begin(parent, descriptors):
    """In the child: have so many descriptors, and be killed as soon as the
    parent is gone."""
    if descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors,) * 2)
    die_with(parent)


def allow_descriptors(test, wanted):
    """Lets this test have so many descriptors, or skips it where the hard limit is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        test.skipTest(f"only {hard} descriptors are allowed, the test needs {wanted}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        test.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))


def reserve_port():
    """A socket that holds a free port of loopback until it is closed. A server that sets SO_REUSEADDR
    can listen there meanwhile; nobody else is given the port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


def die_with(parent):
    """From here on this process is killed as soon as its parent is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class ServerTest(unittest.TestCase):
    """Tests that share one daemon, started with `arguments`."""

    arguments = ()
    environment = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = Server(*cls.arguments, environment=cls.environment)
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)

    def get(self, target, status=200, **options):
        """GET, expecting a status."""
        return self.expect(status, target, self.server.get(target, **options))

    def post(self, target, body, status=200, **options):
        """POST, expecting a status."""
        return self.expect(status, target,
                           self.server.post(target, body, **options))

    def expect(self, status, target, answer):
        """The answer, if it has the status."""
        self.assertEqual(answer.status, status,
                         f"{target}\n{answer.body[:2000]!r}")
        return answer
