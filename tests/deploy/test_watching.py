"""The rules, the configuration and the dashboard name what the daemon says."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))
import harness  # noqa: E402  pylint: disable=wrong-import-position
import tls_server  # noqa: E402  pylint: disable=wrong-import-position

RULES = ROOT / "deploy/prometheus/alerts.yml"
CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
README = ROOT / "deploy/README.md"
DASHBOARD = ROOT / "deploy/grafana/fmixd.json"
CASES = ROOT / "tests/deploy/alerts_test.yml"
NAME = re.compile(r"\b(?:fmixd|process)_[a-z_]+")


def promtool(*arguments):
    """Exit status and output."""
    done = subprocess.run(["promtool", *map(str, arguments)],
                          capture_output=True, text=True, timeout=harness.PATIENCE,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def expressions():
    """Title and PromQL of all that the dashboard draws."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for annotation in board["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def exported():
    """Names that /metrics has once every route has answered."""
    with harness.Server() as server:
        server.get("/v1/masks.npy?shape=8x8")
        text = server.get("/metrics").body.decode()
        text += server.get("/metrics").body.decode()
    with tempfile.TemporaryDirectory() as folder:
        pair = tls_server.make_certificate(pathlib.Path(folder), "own", ("rsa:2048",))
        with tls_server.TlsServer(*pair) as server:
            text += server.get("/metrics").body.decode()
    return set(re.findall(r"^(\w+)", text, re.M))


class Watching(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exported = exported()

    def check_names(self, text, where):
        named = set(NAME.findall(text))
        self.assertEqual(named - self.exported, set(), where)
        return named

    def test_promtool_takes_rules_and_configuration(self):
        for command, path in ("rules", RULES), ("config", CONFIG):
            status, said = promtool("check", command, path)
            self.assertEqual(status, 0, said)

    def test_each_alert_fires_when_it_should_and_no_other_does(self):
        status, said = promtool("test", "rules", CASES)
        self.assertEqual(status, 0, said)
        alerts = re.findall(r"- alert: (\w+)", RULES.read_text("utf-8"))
        fired = set(re.findall(r'alertname="(\w+)", alertstate="firing"',
                               CASES.read_text("utf-8")))
        self.assertGreaterEqual(len(alerts), 10)
        self.assertEqual(fired, set(alerts))

    def test_the_readme_counts_the_alerts(self):
        alerts = RULES.read_text("utf-8").count("- alert: ")
        told = re.search(r"three replicas and (\d+) alerts", " ".join(README.read_text("utf-8").split()))
        self.assertEqual(int(told[1]), alerts)

    def test_each_alert_says_how_bad_it_is_and_what_to_do(self):
        alerts = RULES.read_text("utf-8").split("- alert: ")[1:]
        for alert in alerts:
            for line in (r"severity: (critical|warning|info)$",
                         r"summary: \S.*", r"description: \S.*"):
                self.assertRegex(alert, re.compile(line, re.M))

    def test_what_tells_of_a_failure_has_an_alert(self):
        told = {name for name in self.exported if name.endswith(("_good", "_dropped_total"))}
        self.assertEqual(told, {"fmixd_picture_decoder_good", "fmixd_log_dropped_total"})
        rules = RULES.read_text("utf-8")
        for name in told | {"fmixd_refused_total", 'fmixd_data_pieces{state="damaged"}',
                            'fmixd_datasets{state="refused"}'}:
            self.assertIn(name, rules)

    def test_alerts_name_only_what_the_daemon_exports(self):
        rules = re.sub(r"annotations:.*?(?=- alert|\Z)", "",
                       RULES.read_text("utf-8"), flags=re.S)
        self.assertGreaterEqual(len(self.check_names(rules, RULES)), 10)

    def test_the_dashboard_draws_only_what_the_daemon_exports(self):
        for title, expression in expressions():
            with self.subTest(title, expression=expression):
                self.check_names(expression, title)

    def test_the_dashboard_leaves_out_nothing_that_the_daemon_exports(self):
        drawn = " ".join(expression for _, expression in expressions())
        families = {re.sub("_(bucket|sum|count)$", "", name)
                    for name in self.exported if NAME.match(name)}
        named = {re.sub("_(bucket|sum|count)$", "", name)
                 for name in NAME.findall(drawn)}
        self.assertEqual(families - named, set())

    def test_each_line_of_a_panel_has_a_letter_of_its_own(self):
        for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
            letters = [line["refId"] for line in panel.get("targets", [])]
            self.assertEqual(len(letters), len(set(letters)), panel["title"])

    def test_every_expression_of_the_dashboard_is_promql(self):
        rules = []
        for number, (_, expression) in enumerate(expressions()):
            for name, value in (("$__rate_interval", "5m"),
                                ("$instance", ".*")):
                expression = expression.replace(name, value)
            self.assertNotIn("$", expression)
            rules.append({"record": f"panel:{number}", "expr": expression})
        self.assertGreaterEqual(len(rules), 30)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            json.dump({"groups": [{"name": "dashboard", "rules": rules}]},
                      file)
            file.flush()
            status, said = promtool("check", "rules", file.name)
        self.assertEqual(status, 0, said)

    def test_panels_have_places_and_numbers_of_their_own(self):
        board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        numbers, taken = set(), set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24)
            self.assertFalse(cells & taken, panel["title"])
            self.assertNotIn(panel["id"], numbers)
            taken |= cells
            numbers.add(panel["id"])


if __name__ == "__main__":
    unittest.main()
