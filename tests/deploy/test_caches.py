"""Caches of other makers in front of a daemon: whatever they keep, ask for again and cut, every
client gets the bytes and the status that the daemon itself gives."""

import http.client
import re
import sys
import tempfile
import unittest

from caches import HAPROXY, SQUID, VARNISH, Cache
from replicas import ROOT, Nginx, harness

sys.path.insert(0, str(ROOT / "tests/http"))

import hosting  # noqa: E402

ROUNDS = 10
FORMATS = ("npy", "raw", "safetensors", "npz", "json", "png")


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
        cache = Cache(self.server.address, text, command)
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
        confirmed = self.check_cache(self.start(*SQUID), whole=304)
        self.assertGreater(confirmed, ROUNDS)

    def test_haproxy(self):
        self.check_cache(self.start(*HAPROXY), whole=206)

    def test_varnish(self):
        confirmed = self.check_cache(self.start(*VARNISH))
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

    def test_nginx_looks_into_its_cache_only_for_what_never_changes(self):
        nginx = self.start_nginx()
        shards = self.server.get("/v1/datasets/colour/shards?n=4").json()["urls"]
        others = ("/v1/datasets", "/v1/datasets/colour", "/v1/datasets/colour/shards?n=4", "/version",
                  re.sub(r"\{(\d+)\.\.\d+\}", r"\1", shards))
        seen = set()
        for target in (*self.targets(), *others):
            own = self.server.get(target)
            if own.status != 200:
                continue
            never_changes = "immutable" in own.headers["Cache-Control"]
            seen.add(never_changes)
            with self.subTest(target):
                for kept in "MISS", "HIT":
                    got = ask(nginx.connect, "GET", target, {})
                    self.assertEqual(got.headers["X-Cache-Status"], kept if never_changes else None)
                got = ask(nginx.connect, "GET", target, {"Authorization": "Bearer x"})
                self.assertIsNone(got.headers["X-Cache-Status"])
        self.assertEqual(seen, {True, False})

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
