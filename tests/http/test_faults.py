"""What clients, disks, descriptors and signals do to a daemon, and what it
does about it: no answer is broken, nothing is left behind."""

import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import numpy as np

import harness
import pictures
from harness import PATIENCE, until
from process import descriptors, processor_seconds, state
from test_picture_uploads import form

TARGET = "/v1/masks.npy?shape=64x64&n=16&seed=5"
REQUEST = f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
LIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def reset(sock):
    """Ends a connection with RST: whatever was sent or due is forgotten."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


class Faulty(unittest.TestCase):
    """Daemons of which something is taken away."""

    def start(self, *options, drain="0", **others):
        server = harness.Server("--drain", drain, *options, **others)
        server.start()
        self.addCleanup(server.stop)
        return server

    def is_as_before(self, server, open_before, right):
        """Nothing is in flight, nothing open, and answers are right."""
        server.until_metric("fmixd_requests_in_flight", 1)
        until(lambda: descriptors(server.process) <= open_before,
              lambda: f"{descriptors(server.process)} descriptors, "
                      f"{open_before} before")
        self.assertEqual(server.get(TARGET, fresh=True).body, right)


class Vanishing(Faulty):
    """Clients that are gone before they are answered."""

    def setUp(self):
        self.server = self.start("--log", "off")
        self.right = self.server.get(TARGET, fresh=True).body
        self.random = random.Random(20021)
        self.server.until_metric("fmixd_requests_in_flight", 1)
        self.before = descriptors(self.server.process)

    def vanish(self, sock):
        """Half of them close, half reset."""
        if self.random.random() < 0.5:
            reset(sock)
        else:
            sock.close()

    def test_clients_that_vanish_amid_a_body_are_forgotten(self):
        x = harness.write_npy(np.arange(40000, dtype=np.uint8)
                              .reshape(100, 20, 20))
        head = (f"POST /v1/mix?layout=none HTTP/1.1\r\nHost: x\r\n"
                f"Content-Length: {len(x)}\r\n\r\n").encode()
        for _ in range(400):
            sock = socket.create_connection(self.server.address)
            sock.sendall((head + x)[:self.random.randrange(len(head + x))])
            self.vanish(sock)
        self.is_as_before(self.server, self.before, self.right)
        self.server.until_metric("fmixd_memory_bytes", 0)

    def test_clients_that_vanish_amid_a_reply_are_forgotten(self):
        targets = ("/v1/masks.npy?shape=256x256&n=400",
                   "/v1/masks.npz?shape=64x64&n=100",
                   "/v1/plans.json?shape=16x16&n=100", TARGET)
        for i in range(200):
            sock = socket.create_connection(self.server.address)
            sock.sendall(f"GET {targets[i % 4]}&index={i} HTTP/1.1\r\n"
                         f"Host: x\r\n\r\n".encode())
            wanted = self.random.choice((0, 1, 1000, 100000))
            while wanted > 0:
                wanted -= len(sock.recv(min(wanted, 65536))) or wanted
            self.vanish(sock)
        self.is_as_before(self.server, self.before, self.right)
        self.server.until_metric("fmixd_memory_bytes", 0)
        self.server.until_metric("fmixd_queue_jobs", 0)

    def test_clients_that_vanish_while_their_pictures_are_decoded_are_forgotten(self):
        picture = pictures.jpeg(np.full((1400, 1800, 3), 77, np.uint8))
        body = form(*[("x", picture)] * 60)
        head = (f"POST /v1/mix.npy?size=32 HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
                "Content-Type: multipart/form-data; boundary=B\r\n\r\n").encode()
        for _ in range(8):
            begun = self.server.metric("fmixd_slices_total")
            sock = socket.create_connection(self.server.address)
            sock.sendall(head + body)
            until(lambda: self.server.metric("fmixd_memory_bytes") > len(body)
                  or self.server.metric("fmixd_slices_total") > begun)  # pylint: disable=cell-var-from-loop
            self.vanish(sock)
        self.server.until_metric("fmixd_memory_bytes", 0)
        self.server.until_metric("fmixd_queue_jobs", 0)
        self.is_as_before(self.server, self.before, self.right)

    def test_a_storm_of_resets_leaves_nothing_behind(self):
        cuts = (0, 1, 20, len(REQUEST) - 1, len(REQUEST))
        for i in range(3000):
            sock = socket.create_connection(self.server.address)
            sock.sendall(REQUEST[:cuts[i % len(cuts)]])
            reset(sock)
            if i % 500 == 0:  # others are served meanwhile
                self.assertEqual(
                    self.server.get(TARGET, fresh=True).body, self.right)
        self.is_as_before(self.server, self.before, self.right)


class Disks(Faulty):
    """Streams that take no more."""

    def serve_on(self, stderr):
        """A daemon whose log goes there; its process and port."""
        process = subprocess.Popen(
            [harness.program(), "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, int(re.search(rb":(\d+)$",
                                      process.stdout.readline().strip())[1])

    def serves(self, port, count):
        """Answers so many requests on one connection; its metrics."""
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
            for _ in range(count):
                sock.sendall(LIVE)
                self.assertEqual(harness.read_reply(sock)[1], b"alive\n")
            sock.sendall(LIVE.replace(b"/livez", b"/metrics"))
            return harness.read_reply(sock)[1].decode()

    def dropped(self, text):
        return int(re.search(r"^fmixd_log_dropped_total (\d+)$", text,
                             re.M)[1])

    def ends(self, process):
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(harness.STOP_SECONDS), 0)

    def test_a_full_disk_under_the_log_stops_nobody_and_is_counted(self):
        with open("/dev/full", "wb") as full:
            process, port = self.serve_on(full)
        self.serves(port, 50)
        until(lambda: self.dropped(self.serves(port, 1)) >= 50, "dropped lines")
        self.ends(process)

    def test_a_log_nobody_reads_stops_nobody_and_is_counted(self):
        reads, writes = os.pipe()
        self.addCleanup(os.close, reads)
        process, port = self.serve_on(writes)
        os.close(writes)
        until(lambda: self.dropped(self.serves(port, 500)) > 0, "dropped lines")
        self.ends(process)

    def test_a_log_whose_reader_is_gone_stops_nobody(self):
        reads, writes = os.pipe()
        process, port = self.serve_on(writes)
        os.close(writes)
        os.close(reads)
        self.serves(port, 50)
        until(lambda: self.dropped(self.serves(port, 1)) >= 50, "dropped lines")
        self.ends(process)

    def test_what_does_not_reach_stdout_is_said_and_is_no_success(self):
        for command in ((), ("config",), ("version",), ("selftest",), ("api",), ("settings",)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [harness.program(), *command, *(
                        () if command else ("--listen", "127.0.0.1:0"))],
                    stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE,
                    check=False)
            self.assertEqual(done.returncode, 1, command)
            self.assertIn(b"cannot write to stdout: No space left",
                          done.stderr)


class Descriptors(Faulty):
    """More clients than there may be descriptors."""

    LIMIT, CLIENTS = 160, 200
    THREADS = "--io-threads", "2"  # each needs some of them

    def answered(self, socks):
        """Those of the clients that have a reply to read."""
        poll = select.poll()
        for sock in socks:
            poll.register(sock, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(1000)}
        return [sock for sock in socks if sock.fileno() in ready]

    def test_too_many_clients_wait_and_nobody_spins(self):
        server = self.start("--log", "off", *self.THREADS,
                            descriptors=self.LIMIT)
        server.until_logged("only 160 file descriptors, so connections is 68")
        process, right = server.process, server.get(TARGET, fresh=True).body
        server.until_metric("fmixd_requests_in_flight", 1)
        before = descriptors(process)
        waiting = [socket.create_connection(server.address, PATIENCE)
                   for _ in range(self.CLIENTS)]
        for sock in waiting:
            self.addCleanup(sock.close)
            sock.sendall(LIVE)
        served = until(lambda: len(found := self.answered(waiting)) == 68
                       and found, lambda: len(self.answered(waiting)))
        spent = processor_seconds(process)
        time.sleep(1)
        self.assertLess(processor_seconds(process) - spent, 0.2)
        self.assertLess(descriptors(process), self.LIMIT)
        for sock in served:  # who is in is served again
            self.assertEqual(harness.read_reply(sock)[1], b"alive\n")
            sock.sendall(REQUEST)
            self.assertEqual(harness.read_reply(sock)[1], right)
        while waiting:  # who leaves makes room for others
            for sock in self.answered(waiting):
                if sock not in served:
                    self.assertEqual(harness.read_reply(sock)[1], b"alive\n")
                waiting.remove(sock)
                sock.close()
            for sock in served:
                if sock in waiting:
                    waiting.remove(sock)
                sock.close()
            served = []
        self.is_as_before(server, before, right)

    def test_too_few_descriptors_for_any_service_are_refused(self):
        with self.assertRaisesRegex(RuntimeError,
                                    "only 100 file descriptors; it needs "
                                    "at least 108"):
            self.start(*self.THREADS, descriptors=100)


class Signals(Faulty):
    """What the machine tells a daemon."""

    def test_signals_without_a_meaning_change_nothing(self):
        server = self.start()
        right = server.get(TARGET).body
        for name in ("PIPE", "USR1", "USR2", "WINCH", "CHLD", "URG", "CONT"):
            server.process.send_signal(getattr(signal, "SIG" + name))
            self.assertEqual(server.get(TARGET).body, right)
        self.assertEqual(server.stop(), 0)

    def test_a_daemon_that_was_stopped_goes_on_where_it_was(self):
        server = self.start()
        target = "/v1/masks.npy?shape=256x256&n=100"
        right = server.get(target, fresh=True).body
        with socket.create_connection(server.address, PATIENCE) as sock:
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            begun = sock.recv(100)
            server.process.send_signal(signal.SIGSTOP)
            until(lambda: state(server.process) == "T")
            server.process.send_signal(signal.SIGCONT)
            self.assertEqual(harness.read_reply(sock, begun)[1], right)

    def test_sigint_is_as_good_as_sigterm(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            server = self.start()
            server.process.send_signal(number)
            self.assertEqual(server.process.wait(PATIENCE), 0)

    def test_a_second_signal_ends_the_delay(self):
        for second in (signal.SIGTERM, signal.SIGINT):
            server = self.start(drain="3600")
            server.process.send_signal(signal.SIGTERM)
            until(lambda: server.get("/readyz", fresh=True).status == 503)
            server.process.send_signal(second)
            self.assertEqual(server.process.wait(PATIENCE), 0)


class Client(threading.Thread):
    """Asks again and again, until nobody listens any more."""

    def __init__(self, address, answers, keeps):
        super().__init__()
        self.address, self.answers, self.keeps = address, answers, keeps
        self.right = self.late = 0
        self.term = None  # when SIGTERM was sent
        self.broken = []
        self.sock = None
        self.end = time.monotonic() + 3 * PATIENCE

    def run(self):
        targets = list(self.answers)
        turn = 0
        while time.monotonic() < self.end:
            fresh = self.sock is None
            try:
                if fresh:
                    self.sock = socket.create_connection(self.address,
                                                         PATIENCE)
            except (ConnectionRefusedError, ConnectionResetError):
                return  # nobody listens
            turn += 1
            self.ask(targets[turn % len(targets)], fresh)
            if self.sock and not self.keeps:
                self.drop()
        self.broken.append("it never ended")

    def drop(self):
        self.sock.close()
        self.sock = None

    def ask(self, target, fresh):
        """One request: right, cut off, or not begun to be answered, which
        is no fault where the connection had been idle and the daemon ends."""
        begun = time.monotonic()
        head = body = b""
        try:
            self.sock.sendall(f"GET {target} HTTP/1.1\r\n"
                              f"Host: x\r\n\r\n".encode())
            head, body = harness.read_reply(self.sock)
        except (ConnectionError, TimeoutError) as error:
            head = head or b"" if not isinstance(error, TimeoutError) \
                else b"late"
        if not head and not fresh and self.term is not None:
            self.drop()
        elif head.startswith(b"HTTP/1.1 200 ") \
                and body == self.answers[target]:
            self.right += 1
            self.late += self.term is not None and begun > self.term
            if b"Connection: close" in head:
                self.drop()
        else:
            self.broken.append((target, fresh, head, len(body)))
            self.drop()


class Ending(Faulty):
    """SIGTERM while many ask."""

    TARGETS = (TARGET, "/livez", "/v1/masks.json?shape=8x8&n=4",
               "/v1/plans.npz?shape=32x32&n=16&steps=4",
               "/v1/masks.npy?shape=128x128&n=40")

    def end_under_load(self, drain):
        server = self.start("--log", "off", drain=drain)
        answers = {target: server.get(target, fresh=True).body
                   for target in self.TARGETS}
        clients = [Client(server.address, answers, keeps=i % 2)
                   for i in range(8)]
        for client in clients:
            client.start()
        until(lambda: min(client.right for client in clients) > 5)
        for client in clients:
            client.term = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        if drain != "0":
            until(lambda: min(client.late for client in clients) > 1)
            server.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.join()
        self.assertEqual(server.process.wait(harness.STOP_SECONDS), 0)
        self.assertEqual([client.broken for client in clients if
                          client.broken], [])

    def test_every_answer_that_begins_ends_and_none_is_broken(self):
        for _ in range(3):
            self.end_under_load("0")

    def test_requests_are_served_while_it_drains(self):
        """Of each client, until a second signal."""
        self.end_under_load("3600")


if __name__ == "__main__":
    unittest.main()
