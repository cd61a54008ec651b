"""A real Prometheus, with the configuration of deploy/, scrapes three daemons and is asked."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

DEPLOY = ROOT / "deploy/prometheus"
PATIENCE = harness.PATIENCE
until = harness.until
REPLICAS = 3


class Prometheus:
    """A Prometheus on loopback that lives no longer than we do."""

    def __init__(self, targets):
        self.home = tempfile.mkdtemp(prefix="fmixd-prometheus-")
        shutil.copy(DEPLOY / "alerts.yml", self.home)
        config = (DEPLOY / "prometheus.yml").read_text("utf-8")
        config = config.replace(": 15s", ": 1s")
        for i, target in enumerate(targets):
            config, count = re.subn(f"fmixd-{i + 1}:8080", target, config)
            assert count == 1, config
        self.config = pathlib.Path(self.home, "prometheus.yml")
        self.config.write_text(config, "utf-8")
        self.log = open(pathlib.Path(self.home, "log"), "w+b")
        self.process = None
        self.port = harness.reserve_port()
        self.address = "%s:%d" % self.port.getsockname()

    def start(self):
        """Until it is ready."""
        self.process = harness.spawn(
            ["prometheus", f"--config.file={self.config}",
             f"--storage.tsdb.path={self.home}/data",
             f"--web.listen-address={self.address}"], self.log)
        if not self._is_ready():
            self.log.seek(0)
            raise RuntimeError(self.log.read()[-4000:].decode(errors="replace"))

    def _is_ready(self):
        def answers():
            if self.process.poll() is not None:
                return "ended"
            try:
                with urllib.request.urlopen(
                        f"http://{self.address}/-/ready", timeout=PATIENCE):
                    return "ready"
            except (urllib.error.URLError, OSError):
                return None
        return until(answers, "a Prometheus that is ready") == "ready"

    def _end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """And nothing of it is left."""
        if self.process:
            self._end()
        self.port.close()
        self.log.close()
        shutil.rmtree(self.home)

    def api(self, path, **arguments):
        """What its HTTP API says."""
        query = urllib.parse.urlencode(arguments)
        with urllib.request.urlopen(
                f"http://{self.address}/api/v1/{path}?{query}",
                timeout=PATIENCE) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        """Labels and value of each series of an instant query."""
        return [(entry["metric"], float(entry["value"][1]))
                for entry in self.api("query", query=expression)["result"]]


class Scraped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.servers = []
        for _ in range(REPLICAS):
            server = harness.Server("--drain", "0")
            server.start()
            cls.servers.append(server)
            cls.addClassCleanup(server.stop)
        cls.prometheus = Prometheus(["%s:%d" % server.address
                                     for server in cls.servers])
        cls.addClassCleanup(cls.prometheus.stop)
        cls.prometheus.start()

    def wait_for(self, expected, expression):
        """Until the one value of an expression is so, or fails."""
        self.wait_in(self.prometheus, expected, expression)

    def test_every_replica_is_up_and_its_whole_text_was_read(self):
        self.wait_for(REPLICAS, 'sum(up{job="fmixd"})')
        # A busy machine may miss a scrape, which has a second.
        until(lambda: all((target["health"], target["lastError"]) == ("up", "")
                          for target in self.prometheus.api("targets")["activeTargets"]),
              lambda: self.prometheus.api("targets"))

    def test_every_request_is_counted_where_it_was_answered(self):
        target = "/v1/plans.json?shape=6x6&n=2"
        for count, server in enumerate(self.servers, 1):
            for _ in range(count):
                self.assertEqual(server.get(target).status, 200)
        self.wait_for(1 + 2 + 3, "sum(fmixd_requests_total"
                      '{route="/v1/plans",code="200"})')
        for count, server in enumerate(self.servers, 1):
            self.wait_for(count, "fmixd_request_duration_seconds_count"
                          '{format="json",instance="%s:%d"}' % server.address)

    def test_quantiles_of_durations_are_those_of_the_client(self):
        # Over one connection: an answer ends before the next begins.
        start = time.monotonic()
        for index in range(40):
            self.servers[0].get(f"/v1/masks.raw?shape=64x64&index={index}")
        self.servers[0].get("/livez")
        seconds = time.monotonic() - start
        selector = '{route="/v1/masks",format="raw"}'
        self.wait_for(40, f"fmixd_request_duration_seconds_count{selector}")
        for quantile in (0.5, 0.99):
            (_, value), = self.prometheus.query(
                f"histogram_quantile({quantile}, sum by (le) ("
                f"fmixd_request_duration_seconds_bucket{selector}))")
            self.assertGreater(value, 0)
            self.assertLess(value, 2.5 * seconds)  # of a bucket
        (_, total), = self.prometheus.query(
            f"fmixd_request_duration_seconds_sum{selector}")
        self.assertGreater(total, 0)
        self.assertLess(total, seconds)
        (_, size), = self.prometheus.query(
            f"fmixd_response_size_bytes_sum{selector}")
        self.assertEqual(size, 40 * 64 * 64 * 4)

    def test_types_and_helps_are_known_to_it(self):
        self.wait_for(REPLICAS, "count(fmixd_build_info)")
        known = self.prometheus.api("metadata")
        for name, kind in (("fmixd_request_duration_seconds", "histogram"),
                           ("fmixd_response_size_bytes", "histogram"),
                           ("fmixd_requests_total", "counter"),
                           ("fmixd_refused_total", "counter"),
                           ("fmixd_queue_jobs", "gauge"),
                           ("process_open_fds", "gauge")):
            self.assertEqual(known[name][0]["type"], kind, name)
            self.assertTrue(known[name][0]["help"], name)

    def test_every_rule_is_evaluated_and_none_fires(self):
        def evaluated():
            rules = [rule for group in self.prometheus.api("rules")["groups"]
                     for rule in group["rules"]]
            return all(rule["health"] != "unknown" for rule in rules) and rules
        rules = until(evaluated)
        self.assertGreaterEqual(len(rules), 10)
        for rule in rules:
            self.assertEqual(rule["health"], "ok", rule)
            self.assertNotEqual(rule["state"], "firing", rule)

    def test_a_replica_that_ends_is_seen_to_be_down(self):
        server = harness.Server("--drain", "0")
        server.start()
        own = Prometheus(["%s:%d" % each.address
                          for each in (*self.servers[:2], server)])
        self.addCleanup(own.stop)
        try:
            own.start()
            self.wait_in(own, 3, 'sum(up{job="fmixd"})')
        finally:
            server.stop()
        self.wait_in(own, 2, 'sum(up{job="fmixd"})')
        self.wait_in(own, 1, 'count(ALERTS{alertname="FmixdReplicaDown",'
                             'alertstate="pending"})')

    def wait_in(self, prometheus, expected, expression):
        """wait_for, in another Prometheus."""
        def values():
            return [value for _, value in prometheus.query(expression)]
        until(lambda: values() == [expected],
              lambda: f"{expression} is {values()}, not {expected}")


if __name__ == "__main__":
    unittest.main()
