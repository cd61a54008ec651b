"""What deploy/OPERATIONS.md tells of clusters, as far as it can be tried in seconds."""

import pathlib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))
import harness  # noqa: E402
import tls_server  # noqa: E402

PAGE = (ROOT / "deploy/OPERATIONS.md").read_text("utf-8")
GARMENTS = ROOT / "tests/data/garments.npy"
LABELS = ROOT / "tests/data/garments-labels.npy"
DAY = 86400
SHIM = r"""
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int listen(int fd, int backlog) {
    char line[4096];
    int sets = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        sets |= strstr(line, "/garments/data.bin") != NULL;
    if (maps)
        fclose(maps);
    dprintf(2, "listens %s its sets\n", sets ? "with" : "before");
    return (int)syscall(SYS_listen, fd, backlog);
}
"""


def write_set(root, rows=GARMENTS):
    """The garments as a hosted set; its digest."""
    done = subprocess.run([harness.program(), "import", f"{root}/garments", "--from", "npy", rows, LABELS],
                          check=True, capture_output=True, text=True)
    return re.search(r"digest (\w{64})", done.stdout + done.stderr)[1]


class Page(unittest.TestCase):
    def test_its_alerts_are_those_of_the_rules(self):
        rules = (ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8")
        named = set(re.findall(r"\bFmixd[A-Z]\w+", PAGE))
        self.assertGreater(len(named), 8)
        self.assertEqual(named - set(re.findall(r"- alert: (\w+)", rules)), set())

    def test_its_metrics_are_those_of_the_dashboard(self):
        drawn = (ROOT / "deploy/grafana/fmixd.json").read_text("utf-8")
        for name in set(re.findall(r"\bfmixd_\w+|\bprocess_\w+", PAGE)):
            self.assertIn(name, drawn)

    def test_its_client_is_the_shipped_one(self):
        source = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
        with tempfile.TemporaryDirectory() as root:
            write_set(root)
            with harness.Server("--data", root, "--drain", "0") as server:
                url = "http://{}:{}".format(*server.address)
                done = subprocess.run([sys.executable, "-c", source, url, "garments", "0.3", "7"], cwd=ROOT,
                                      check=True, capture_output=True, text=True)
        self.assertRegex(done.stdout, r"(?m)^[1-9]\d* steps, the slowest took \d+\.\d\d s$")


class Sets(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())

    def test_a_set_that_was_replaced_is_refused_to_who_pins_the_old_one(self):
        old = write_set(f"{self.folder}/sets")
        other = pathlib.Path(self.folder, "other.npy")
        rows = bytearray(GARMENTS.read_bytes())
        rows[-1] ^= 1
        other.write_bytes(rows)
        new = write_set(f"{self.folder}/next", other)
        with harness.Server("--data", f"{self.folder}/sets", "--drain", "0") as server:
            target = f"/v1/datasets/garments/batches/0.npz?n=8&digest={old}"
            self.assertEqual(server.get(target).status, 200)
            sets = pathlib.Path(self.folder, "sets")
            (sets / "garments").rename(sets / ".old")
            pathlib.Path(self.folder, "next/garments").rename(sets / "garments")
            self.assertEqual(server.get(target).status, 200)  # until it is told
            server.process.send_signal(signal.SIGHUP)
            harness.until(lambda: server.get("/v1/datasets/garments").json()["digest"] == new)
            refused = server.get(target)
            self.assertEqual(refused.status, 409)
            self.assertIn(new, refused.json()["detail"])

    def test_nobody_can_connect_before_the_sets_are_open(self):
        write_set(f"{self.folder}/sets")
        shim = f"{self.folder}/shim.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, "-x", "c", "-"], check=True, input=SHIM, text=True)
        environment = {"LD_PRELOAD": shim, "ASAN_OPTIONS": "verify_asan_link_order=0"}
        with harness.Server("--data", f"{self.folder}/sets", "--verify", "start", "--drain", "0",
                            environment=environment) as server:
            server.until_logged("listens ")
            self.assertIn("listens with its sets", server.log_tail())


class Certificates(unittest.TestCase):
    def test_one_that_ended_is_served_told_and_measured_until_it_is_renewed(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        curve = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        new, key = tls_server.make_certificate(folder, "new", curve)
        old = folder / "old.pem"
        asked = subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=old"],
                               check=True, capture_output=True).stdout
        subprocess.run(["openssl", "x509", "-req", "-signkey", key, "-out", old, "-days", "-1"],
                       check=True, capture_output=True, input=asked)  # it ended a day ago
        used = folder / "used.pem"
        used.write_bytes(old.read_bytes())
        with tls_server.TlsServer(used, key) as server:
            server.context = ssl._create_unverified_context()  # pylint: disable=protected-access
            server.until_logged(f"fmixd: tls_cert: '{used}' ended at ")
            self.assertLess(server.metric("fmixd_tls_certificate_end_seconds"), time.time())
            used.write_bytes(new.read_bytes())
            server.process.send_signal(signal.SIGHUP)
            harness.until(lambda: server.metric("fmixd_tls_certificate_end_seconds") > time.time() + DAY)


if __name__ == "__main__":
    unittest.main()
