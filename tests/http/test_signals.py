"""Signals are heard whatever the daemon is at, and no wait hangs on the wall clock."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import numpy as np

import harness
from harness import PATIENCE, until
from hosting import importing
from imports import Importing
from test_access import MASK, WithTokens, bearer

# An hour ahead of the kernel's clock: what was read off it before it was set back.
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *out) {
    int (*real)(clockid_t, struct timespec *) =
        (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, out);
    out->tv_sec += id == CLOCK_REALTIME ? 3600 : 0;
    return code;
}
int gettimeofday(struct timeval *out, void *zone) {
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}
"""

# A thread that has accepted a connection does not go on while the file is there; it then says so in the other.
HOLDING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags) {
    int (*real)(int, struct sockaddr *, socklen_t *, int) =
        (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
    int client = real(fd, peer, size, flags);
    while (client >= 0 && access(getenv("HOLD"), F_OK) == 0) {
        close(open(getenv("HELD"), O_CREAT | O_WRONLY, 0600));
        usleep(1000);
    }
    return client;
}
"""


def write_large(path):
    """A set of zeros, which the disk need not hold; to read it takes a quarter of an hour. ThreadSanitizer
    leaves no room for a mapping of a TiB in some processes, and makes reading slow."""
    rows = 1 << (17 if harness.has_sanitizer(harness.program(), "tsan") else 20)
    beside = path.parent / ".large"
    beside.mkdir()
    with open(beside / "data.bin", "wb") as file:
        file.truncate(rows << 20)
    (beside / "manifest.json").write_text(json.dumps({
        "fmixd": 1, "count": rows, "dtype": "u8", "shape": [1024, 1024], "layout": "none",
        "heads": [], "digest": "0" * 64}))
    beside.rename(path)


def full_pipe():
    """Its ends, of which the second takes nothing more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, b"\n" * 4096):
            pass
    except BlockingIOError:
        os.set_blocking(writer, True)  # as a daemon would find it
    return reader, writer


class Unread(harness.Server):
    """A daemon on whose stderr nobody reads, and which is full."""

    def _open_log(self):
        self.reader, writer = full_pipe()
        return os.fdopen(writer, "wb", 0)

    def log_tail(self, size=4000):
        return ""


class Hearing(WithTokens):
    """A daemon with tokens; Bob's are taken back."""

    def start(self, *options, kind=harness.Server, **more):
        server = kind("--tokens", str(self.file), *options, **more)
        server.start()
        self.addCleanup(server.stop)
        return server

    def mapped(self, server):
        """Whether it reads the large set."""
        return "large/data.bin" in pathlib.Path(f"/proc/{server.process.pid}/maps").read_text()

    def revoke(self, server):
        """Bob's token, by SIGHUP; waits until it is in force."""
        self.assertEqual(server.get(MASK, bearer(self.BOB), fresh=True).status, 200)
        self.write(alice=self.ALICE)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.get(MASK, bearer(self.BOB), fresh=True).status == 401, "revoked")
        self.assertEqual(server.get(MASK, bearer(self.ALICE), fresh=True).status, 200)

    def ahead(self, source):
        """The environment in which a daemon calls these functions instead of the C library's."""
        shim = self.folder / "shim.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, "-x", "c", "-", "-ldl"], check=True,
                       input=source, text=True)
        # A sanitizer wants to be the first library.
        return {"LD_PRELOAD": str(shim), "ASAN_OPTIONS": "verify_asan_link_order=0:"
                + os.environ.get("ASAN_OPTIONS", "")}

    def ends(self, server):
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(PATIENCE), 0)


class Reloading(Hearing):
    def test_a_token_is_revoked_while_sets_are_read(self):
        root = self.folder / "sets"
        root.mkdir()
        server = self.start("--data", str(root), "--drain", "0")
        write_large(root / "large")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: self.mapped(server), "reading")
        self.revoke(server)
        self.assertTrue(self.mapped(server))  # it still reads
        self.ends(server)

    def test_a_scan_that_is_asked_for_during_one_follows_it(self):
        root = self.folder / "sets"
        root.mkdir()
        server = self.start("--data", str(root), "--drain", "0")
        write_large(root / "large")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: self.mapped(server), "reading")
        np.save(self.folder / "x.npy", np.zeros((4, 3, 3), np.uint8))
        importing(root / "small", "--from", "npy", self.folder / "x.npy", "--layout", "none")
        server.process.send_signal(signal.SIGHUP)
        os.truncate(root / "large" / "data.bin", 0)  # so it ends soon
        small = "/v1/datasets/small"
        until(lambda: server.get(small, bearer(self.BOB)).status == 200, "the second scan")
        refused = server.get("/v1/datasets/large", bearer(self.BOB))
        self.assertEqual(refused.status, 503)
        self.assertIn("data set 'large'", refused.json()["detail"])

    def test_a_token_is_revoked_while_the_daemon_drains(self):
        server = self.start("--drain", "3000")
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.get("/readyz", fresh=True).status == 503, "draining")
        self.revoke(server)
        self.ends(server)

    def test_a_supervisor_that_does_not_read_what_it_is_told_holds_nothing_up(self):
        ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(ear.close)
        ear.bind(str(self.folder / "notify"))  # and nobody ever reads
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(filler.close)
        filler.setblocking(False)
        with self.assertRaises(BlockingIOError):
            for _ in range(10000):
                filler.sendto(b"x", str(self.folder / "notify"))
        server = self.start("--drain", "0",
                            environment={"NOTIFY_SOCKET": str(self.folder / "notify")})
        self.revoke(server)
        self.ends(server)


class Ending(Hearing):
    """SIGTERM, whatever else does not go on."""

    def test_a_fifo_where_a_file_should_be_is_refused_at_start(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        for name in ("tokens", "config", "tls_cert", "wisdom"):
            more = ["--tls-key", str(self.file)] if name == "tls_cert" else []
            process = subprocess.Popen(
                [harness.program(), "--listen", "127.0.0.1:0", f"--{name.replace('_', '-')}",
                 str(fifo), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            if name == "wisdom":  # which it can do without
                self.assertIn("listening", process.stdout.readline())
                process.terminate()
            _, said = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode,
                             {"wisdom": 0, "config": 2}.get(name, 1), said)
            self.assertIn(f"{name}: '{fifo}' is a FIFO; it must be a regular file", said)

    def test_a_fifo_at_a_reload_leaves_the_tokens_in_force(self):
        server = self.start("--drain", "0")
        os.mkfifo(self.folder / "fifo")
        os.replace(self.folder / "fifo", self.file)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "is a FIFO" in server.log_tail() and "stay in force" in server.log_tail(),
              "refused")
        self.assertEqual(server.get(MASK, bearer(self.BOB)).status, 200)
        self.ends(server)

    def test_messages_that_nobody_reads_hold_nothing_up(self):
        server = self.start("--drain", "0", kind=Unread)
        self.addCleanup(os.close, server.reader)
        self.write_text("this is no token\n")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)  # it may get to hang, if it does
        self.revoke(server)
        self.ends(server)

    def test_output_that_nobody_reads_holds_up_no_end(self):
        reader, writer = full_pipe()
        self.addCleanup(os.close, reader)
        process = harness.spawn([harness.program(), "--listen", "127.0.0.1:0", "--drain", "0"],
                                writer)
        os.close(writer)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        threads = pathlib.Path(f"/proc/{process.pid}/task")
        until(lambda: any(comm.read_text().startswith("MHD") for comm in threads.glob("*/comm")),
              "started")
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_a_second_signal_ends_the_delay_and_a_third_what_is_in_flight(self):
        server = self.start("--drain", "3000", "--deadline", "3000", "--upload", "3000")
        with socket.create_connection(server.address, PATIENCE) as sock:
            sock.sendall(f"POST /v1/mix?layout=none HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
                         f"Authorization: Bearer {self.BOB}\r\n\r\n1".encode())
            until(lambda: b"in_flight 2" in server.get("/metrics", bearer(self.BOB)).body, "2")
            server.process.send_signal(signal.SIGTERM)
            until(lambda: server.get("/readyz", fresh=True).status == 503, "draining")
            server.process.send_signal(signal.SIGTERM)
            until(lambda: self.is_closed(server.address), "closed")
            self.assertIsNone(server.process.poll())
            self.ends(server)

    def is_closed(self, address):
        try:
            socket.create_connection(address, PATIENCE).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return True
        return False

    def test_a_clock_that_was_set_back_delays_no_end(self):
        server = self.start("--drain", "1", "--deadline", "1", "--upload", "3000", kind=Unread,
                            environment=self.ahead(SHIM))
        self.addCleanup(os.close, server.reader)
        with socket.create_connection(server.address, PATIENCE) as silent, \
                socket.create_connection(server.address, PATIENCE) as sock:
            sock.sendall(f"POST /v1/mix?layout=none HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n"
                         f"Authorization: Bearer {self.BOB}\r\n\r\n1".encode())
            until(lambda: b"in_flight 2" in server.get("/metrics", bearer(self.BOB)).body, "2")
            self.ends(server)
            del silent

    def test_a_connection_that_is_accepted_but_not_open_is_served(self):
        hold, held = self.folder / "hold", self.folder / "held"
        server = self.start("--drain", "0", environment={**self.ahead(HOLDING), "HOLD": str(hold), "HELD": str(held)})
        hold.touch()
        with socket.create_connection(server.address, PATIENCE) as sock:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            until(held.exists, "held")
            server.process.send_signal(signal.SIGTERM)
            time.sleep(2)  # it may get to end, if it does
            hold.unlink()
            head, _ = harness.read_reply(sock)
        self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
        self.assertEqual(server.process.wait(PATIENCE), 0)


class Streams(unittest.TestCase):
    def test_closed_ones_are_nobody_elses_files(self):
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                ["sh", "-c", f"exec '{harness.program()}' --listen 127.0.0.1:0 <&- 2>&-"],
                stdout=said)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            until(lambda: os.pread(said.fileno(), 99, 0).endswith(b"\n"), "listening")
            for fd in (0, 2):
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)


def heed_interrupts():
    """In a child: a shell starts background jobs with Ctrl-C ignored, and an import would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Interrupted(Importing):
    """SIGTERM and Ctrl-C end an import, also in a container, and the next one takes over."""

    ROWS, SIDE = 16, 1024

    def setUp(self):
        super().setUp()
        self.x = self.file("x.npy", harness.write_npy(np.zeros((self.ROWS, self.SIDE, self.SIDE), np.uint8)))

    def interrupt(self, number, prefix=()):
        """The status of an import that is sent a signal amid itself: it stands still until it is stopped, and is let
        go on once the signal waits for it."""
        process = self.held_import("npy", self.x, "--layout", "none", prefix=prefix, preexec_fn=heed_interrupts)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        target = int(children or process.pid)
        os.kill(target, signal.SIGSTOP)
        os.kill(target, number)
        reader = threading.Thread(target=self.let_go, args=(process,))
        reader.start()
        os.kill(target, signal.SIGCONT)
        reader.join()
        return process.returncode

    def check(self, number, statuses, prefix=()):
        self.assertIn(self.interrupt(number, prefix), statuses)
        self.assertFalse((self.root / "set").exists())
        (self.root / ".set.partial").rename(self.folder / f"left{len(prefix)}{number}")

    def test_by_either_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.check(number, {-number, 128 + number})  # the latter under a sanitizer
        self.interrupt(signal.SIGTERM)
        self.take("npy", self.file("y.npy", harness.write_npy(np.zeros((2, 3), np.uint8))))
        self.assertFalse((self.root / ".set.partial").exists())

    def test_also_as_the_first_process_of_a_container(self):
        container = ("unshare", "--pid", "--fork", "--kill-child")
        if subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no namespace of processes may be made here")
        for number in (signal.SIGTERM, signal.SIGINT):
            self.check(number, {128 + number}, container)


if __name__ == "__main__":
    unittest.main()
