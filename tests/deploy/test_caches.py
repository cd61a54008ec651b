"""Caches of other makers in front of a daemon: whatever they keep, ask for again and cut, every
client gets the bytes and the status that the daemon itself gives."""

import http.client
import os
import pathlib
import socket
import sys
import tempfile
import time
import unittest

from replicas import ROOT, Nginx, harness

sys.path.insert(0, str(ROOT / "tests/http"))

import hosting  # noqa: E402

ROUNDS = 10
FORMATS = ("npy", "raw", "safetensors", "npz", "json", "png")

SQUID = """http_port 127.0.0.1:{port} accel defaultsite=fmixd no-vhost
cache_peer {host} parent {origin} 0 no-query no-digest originserver name=fmixd
http_access allow all
cache_peer_access fmixd allow all
cache_mem 64 MB
maximum_object_size_in_memory 8 MB
memory_cache_shared off
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
pid_filename {folder}/pid
cache_log {folder}/errors
access_log none
cache_store_log none
coredump_dir {folder}
"""

HAPROXY = """global
    maxconn 100
defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
cache answers
    total-max-size 64
    max-object-size 8000000
    process-vary on
frontend clients
    bind {folder}/socket
    http-request cache-use answers
    http-response cache-store answers
    default_backend fmixd
backend fmixd
    server fmixd {host}:{origin}
"""

# As it comes varnish keeps nothing that says no-cache: here it asks for it again.
VARNISH = """vcl 4.1;
backend fmixd {{ .host = "{host}"; .port = "{origin}"; }}
sub vcl_backend_response {{
    if (beresp.http.Cache-Control ~ "no-cache" && beresp.http.ETag) {{
        set beresp.ttl = 1ms;
        set beresp.grace = 0s;
        set beresp.keep = 1h;
        return (deliver);
    }}
}}
"""


def free_port():
    """One that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Cache:
    """A program that keeps answers of the daemon, with a folder of its own, which ends with us."""

    def __init__(self, server, text, command):
        self.keeper = tempfile.TemporaryDirectory()
        folder = self.keeper.name
        os.chmod(folder, 0o777)  # squid gives up being root
        self.folder, self.port = folder, free_port()
        host, origin = server.address
        self.names = {"folder": folder, "port": self.port, "host": host, "origin": origin}
        pathlib.Path(folder, "conf").write_text(text.format(**self.names), encoding="utf-8")
        self.output = open(f"{folder}/output", "wb")
        self.process = harness.spawn([part.format(**self.names) for part in command], self.output)
        self.await_listener()

    def await_listener(self):
        """Returns once it takes connections."""
        deadline = time.monotonic() + harness.PATIENCE
        while True:
            try:
                self.connect().close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    said = self.said()
                    self.stop()
                    raise RuntimeError(said) from None
                time.sleep(0.05)

    def connect(self):
        """A connection to it: to its socket, if it has one in its folder."""
        if self.port_is_used():
            return socket.create_connection(("127.0.0.1", self.port), harness.PATIENCE)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(harness.PATIENCE)
        try:
            sock.connect(f"{self.folder}/socket")
        except OSError:
            sock.close()
            raise
        return sock

    def port_is_used(self):
        """Whether its configuration names the port, and not a socket."""
        return f":{self.port} " in pathlib.Path(self.folder, "conf").read_text(encoding="utf-8")

    def said(self):
        """What it complains of."""
        return "\n".join(path.read_text(errors="replace")
                         for name in ("output", "errors")
                         if (path := pathlib.Path(self.folder, name)).exists())

    def stop(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait(harness.PATIENCE)
        self.output.close()
        self.keeper.cleanup()


def ask(connect, method, target, headers):
    """Status, fields and body of one answer on a connection of its own."""
    connection = http.client.HTTPConnection("fmixd")
    connection.sock = connect()
    try:
        answer = harness.exchange(connection, method, target, None, headers)
    finally:
        connection.close()
    return answer


class Caches(unittest.TestCase):
    """One daemon; each test puts a cache of its own in front of it."""

    @classmethod
    def setUpClass(cls):
        sets = tempfile.TemporaryDirectory()
        cls.addClassCleanup(sets.cleanup)
        data = next(hosting.some_sets())
        hosting.write(sets.name, data)
        cls.server = harness.Server("--data", sets.name, "--log", "off", "--drain", "0")
        cls.server.start()
        cls.addClassCleanup(cls.server.stop)
        cls.digest = cls.server.get("/v1/datasets/colour").json()["digest"]

    def targets(self):
        """Kept for ever, asked for again each time, and not kept."""
        for suffix in FORMATS:
            yield f"/v1/masks.{suffix}?shape=9x8&n=3"
            yield f"/v1/datasets/colour/batches/0.{suffix}?n=4&seed=3"
            yield f"/v1/datasets/colour/batches/0.{suffix}?n=4&seed=3&digest={self.digest}"
        yield "/v1/plans.npz?shape=9x8&n=4"
        yield "/v1/masks?shape=9x8"
        yield "/v1/masks?shape=0"
        yield "/livez"

    def requests(self):
        """What clients ask, and what the daemon itself says to that."""
        for target in self.targets():
            whole = self.server.get(target)
            tag = whole.headers["ETag"]
            yield "GET", target, {}
            yield "HEAD", target, {}
            if not tag:
                continue
            yield "GET", target, {"If-None-Match": tag}
            yield "GET", target, {"If-None-Match": '"x"'}
            yield "HEAD", target, {"If-None-Match": tag}
            if whole.headers["Accept-Ranges"]:
                yield "GET", target, {"Range": "bytes=5-20"}
                yield "GET", target, {"Range": "bytes=5-20", "If-Range": tag}

    def check(self, connect, said, whole=None):
        """Ten rounds, in which each client's answer is the daemon's own. whole: the status of the
        daemon's in whose stead a cache may send 200 and all of it (RFC 9110 13.2.1, 14.2)."""
        wanted = [(request, self.server.request(request[0], request[1], None, request[2]))
                  for request in self.requests()]
        for turn in range(ROUNDS):
            for (method, target, headers), own in wanted:
                got = ask(connect, method, target, headers)
                if got.status == 200 and own.status == whole:
                    own = self.server.request(method, target)
                with self.subTest(turn=turn, method=method, target=target, headers=headers):
                    self.assertEqual(got.status, own.status, said())
                    self.assertEqual(got.body, own.body)
                    for name in ("ETag", "Content-Type", "Content-Range") * (own.status != 304):
                        self.assertEqual(got.headers[name], own.headers[name], name)

    def start(self, text, *command):
        """A cache, and how many requests reached the daemon until now."""
        cache = Cache(self.server, text, command)
        self.addCleanup(cache.stop)
        return cache

    def asked(self):
        """How often the daemon answered, and how often by 304."""
        lines = self.server.get("/metrics").body.decode().splitlines()
        value = {line.split(" ")[0]: float(line.rsplit(" ", 1)[1])
                 for line in lines if not line.startswith("#")}
        return (sum(count for name, count in value.items()
                    if name.startswith("fmixd_request_duration_seconds_count{")),
                sum(count for name, count in value.items()
                    if name.startswith("fmixd_request_duration_seconds_count{")
                    and 'code="304"' in name))

    def check_cache(self, cache, whole=None):
        """And that it is one, which does not ask for all. How many answers it had confirmed."""
        before = self.asked()
        self.check(cache.connect, cache.said, whole)
        after = self.asked()
        sent = ROUNDS * len(list(self.requests()))
        self.assertLess(after[0] - before[0], sent)
        return after[1] - before[1]

    def test_squid(self):
        confirmed = self.check_cache(self.start(SQUID, "/usr/sbin/squid", "-N", "-f",
                                                "{folder}/conf"), whole=304)
        self.assertGreater(confirmed, ROUNDS)

    def test_haproxy(self):
        self.check_cache(self.start(HAPROXY, "/usr/sbin/haproxy", "-db", "-f", "{folder}/conf"),
                         whole=206)

    def test_varnish(self):
        confirmed = self.check_cache(self.start(
            VARNISH, "/usr/sbin/varnishd", "-F", "-j", "none", "-n", "{folder}/work",
            "-a", "{folder}/socket", "-f", "{folder}/conf", "-s", "malloc,64m"))
        self.assertGreater(confirmed, ROUNDS)

    def start_nginx(self):
        """The shipped configuration, with one daemon for all replicas."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        nginx = Nginx(folder.name, [self.server] * 3)
        self.addCleanup(nginx.stop)
        return nginx

    def test_nginx(self):
        nginx = self.start_nginx()
        self.check(nginx.connect, nginx.errors)

    def test_nginx_tells_each_client_its_own_ids(self):
        nginx = self.start_nginx()
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333{}-01"
        target = "/v1/masks.npy?shape=9x8&n=3&seed=5"
        for turn in range(3):
            mine = {"X-Request-ID": f"mine-{turn}", "traceparent": parent.format(turn)}
            got = ask(nginx.connect, "GET", target, mine)
            self.assertEqual(got.headers["X-Cache-Status"], "HIT" if turn else "MISS")
            self.assertEqual(got.headers.get_all("X-Request-ID"), [mine["X-Request-ID"]])
            self.assertEqual(got.headers.get_all("traceparent"), [mine["traceparent"]])
        for wrong in ({}, {"X-Request-ID": "a b", "traceparent": "00-" + "0" * 32 + "-x-01"}):
            got = ask(nginx.connect, "GET", target, wrong)
            self.assertRegex(got.headers["X-Request-ID"], "^[0-9a-f]{32}$")
            self.assertIsNone(got.headers["traceparent"])

    def test_what_caches_keep_for_all_has_nobodys_ids(self):
        mine = {"X-Request-ID": "mine"}
        for target in self.targets():
            own = self.server.get(target, headers=mine)
            for answer in (own, self.server.get(target, headers={
                    **mine, "If-None-Match": own.headers["ETag"] or '"x"'})):
                kept = "no-store" not in answer.headers["Cache-Control"]
                self.assertEqual(answer.headers["X-Request-ID"], None if kept else "mine", target)


if __name__ == "__main__":
    unittest.main()
