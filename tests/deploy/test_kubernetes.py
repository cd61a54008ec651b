"""deploy/kubernetes as kubectl renders it: the manifests agree with each other, the image and the
daemon, and keep what they promise."""

import functools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/http"))
import harness  # noqa: E402  pylint: disable=wrong-import-position

FOLDER = ROOT / "deploy/kubernetes"
IMAGE = (ROOT / "Dockerfile").read_text("utf-8")
IMPORT = yaml.safe_load((FOLDER / "import.yaml").read_text("utf-8"))
CHECKERS = ("kubernetes-models@4.5.1", "typescript@5.9.3")
NAME = {"app.kubernetes.io/name": "fmixd"}
KINDS = {"ConfigMap", "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy",
         "PodDisruptionBudget", "Service"}
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}
WITHDRAWN = 10    # seconds in which every node has surely heard of an endpoint that ends


def kubectl(*arguments):
    """What it prints."""
    done = subprocess.run(["kubectl", *map(str, arguments)], capture_output=True, text=True,
                          timeout=harness.PATIENCE, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def in_old_words(folder):
    """A copy for a kubectl before 1.21, as Debian 12's is, which knows two of the fields by other
    names."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    path = pathlib.Path(folder, "overlays/production/kustomization.yaml")
    whole = yaml.safe_load(path.read_text("utf-8"))
    whole["bases"] = [name for name in whole["resources"] if not name.endswith(".yaml")]
    whole["resources"] = [name for name in whole["resources"] if name.endswith(".yaml")]
    whole["patchesStrategicMerge"] = [patch["path"] for patch in whole.pop("patches")]
    path.write_text(yaml.safe_dump(whole), "utf-8")


@functools.cache
def render(name):
    """The documents of base or an overlay."""
    version = json.loads(kubectl("version", "--client", "-o", "json"))["clientVersion"]
    with tempfile.TemporaryDirectory() as folder:
        source = FOLDER
        if int(re.match(r"\d+", version["minor"])[0]) < 21:
            in_old_words(folder)
            source = pathlib.Path(folder)
        return list(yaml.safe_load_all(kubectl("kustomize", source / name)))


def memory(text):
    """Bytes."""
    return int(text[:-2]) * UNITS[text[-2:]]


class Rendered:
    """What base and overlays both promise."""

    folder = None
    kinds = KINDS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.documents = render(cls.folder)
        cls.by_kind = {document["kind"]: document for document in cls.documents}
        cls.deployment = cls.by_kind["Deployment"]["spec"]
        cls.pod = cls.deployment["template"]["spec"]
        cls.container, = cls.pod["containers"]
        cls.volumes = {volume["name"]: volume for volume in cls.pod["volumes"]}
        cls.mounts = {mount["name"]: mount for mount in cls.container["volumeMounts"]}
        cls.file, cls.text = next(iter(cls.by_kind["ConfigMap"]["data"].items()))

    def start(self):
        """A daemon with the settings, but for where things lie; with a data set nowhere."""
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        made = subprocess.run([harness.program(), "token", "alice"], capture_output=True,
                              text=True, timeout=harness.PATIENCE, check=True).stdout.splitlines()
        (folder / "tokens").touch(0o600)
        (folder / "tokens").write_text(made[1] + "\n", "utf-8")
        (folder / self.file).write_text(self.text, "utf-8")
        elsewhere = ["--data", str(folder)]
        if "tokens" in self.set_by_file():
            elsewhere += ["--tokens", str(folder / "tokens")]
        return self.enterContext(harness.Server("--config", str(folder / self.file), *elsewhere,
                                                "--drain", "0"))

    def effective(self):
        """Settings and where from, as the daemon says of the container's environment and file."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, self.file)
            path.write_text(self.text, "utf-8")
            environment = {entry["name"]: entry["value"] for entry in self.container["env"]}
            environment["FMIXD_CONFIG"] = str(path)
            done = subprocess.run([harness.program(), "config"], env=environment, text=True,
                                  capture_output=True, timeout=harness.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {name: (value, origin) for name, value, origin in
                re.findall(r"^(\w+) = (.*) # (\w+)$", done.stdout, re.M)}

    def set_by_file(self):
        return {name for name, (_, origin) in self.effective().items() if origin == "file"}

    def value(self, name):
        return self.effective()[name][0]

    def test_it_is_these_documents_and_each_says_whose_it_is(self):
        self.assertEqual(len(self.documents), len(self.kinds))
        self.assertEqual(set(self.by_kind), self.kinds)
        for kind, document in self.by_kind.items():
            with self.subTest(kind):
                self.assertRegex(document["apiVersion"], r"^([a-z.0-9]+/)?v\d$")
                self.assertRegex(document["metadata"]["name"], "^fmixd(-[a-z0-9]+)?$")
                if kind != "ConfigMap":
                    self.assertEqual(document["metadata"]["labels"].items() & NAME.items(),
                                     NAME.items())

    def test_there_is_no_secret_in_it(self):
        self.assertNotIn("Secret", self.by_kind)
        self.assertNotRegex(yaml.safe_dump(self.documents), r"\b[0-9a-f]{64}\b")

    def test_it_runs_the_version_of_this_repository(self):
        version, = re.findall(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
        self.assertEqual(self.container["image"], f"fmixd:{version}")

    def test_a_pod_is_nobody_and_can_change_nothing(self):
        pod, own = self.pod["securityContext"], self.container["securityContext"]
        self.assertIs(pod["runAsNonRoot"], True)
        self.assertEqual([f"{pod['runAsUser']}:{pod['runAsGroup']}"],
                         re.findall(r"^USER (.*)$", IMAGE, re.M))
        self.assertEqual(pod["runAsUser"], 65532)
        self.assertEqual(pod["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(own, {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                               "capabilities": {"drop": ["ALL"]}})
        self.assertIs(self.pod["automountServiceAccountToken"], False)
        for forbidden in "hostNetwork", "hostPID", "hostIPC":
            self.assertNotIn(forbidden, self.pod)
        for mount in self.mounts.values():
            self.assertIs(mount["readOnly"], True, mount)
        self.assertEqual(set(self.mounts), set(self.volumes))
        self.assertIs(self.volumes["sets"]["persistentVolumeClaim"]["readOnly"], True)

    def test_the_daemon_takes_the_settings_file(self):
        self.assertLessEqual({"data", "memory", "cache", "drain", "deadline"}, self.set_by_file())
        self.start()

    def test_the_settings_file_is_where_the_daemon_looks(self):
        environment = {entry["name"]: entry["value"] for entry in self.container["env"]}
        self.assertEqual(environment["FMIXD_CONFIG"],
                         f"{self.mounts['settings']['mountPath']}/{self.file}")
        self.assertEqual(self.volumes["settings"]["configMap"]["name"],
                         self.by_kind["ConfigMap"]["metadata"]["name"])

    def test_other_settings_are_a_rollout(self):
        self.assertRegex(self.by_kind["ConfigMap"]["metadata"]["name"], "^fmixd-[a-z0-9]{10}$")

    def test_each_variable_is_a_setting(self):
        for entry in self.container["env"]:
            self.assertTrue(entry["name"].startswith("FMIXD_"))
            if entry["name"] != "FMIXD_CONFIG":
                self.assertEqual(self.effective()[entry["name"][6:].lower()][1], "environment")
        self.assertNotIn("listen", self.set_by_file())  # the image's variable counts for more

    def test_data_sets_are_where_the_daemon_looks(self):
        self.assertEqual(self.value("data"), self.mounts["sets"]["mountPath"])
        self.assertEqual(self.volumes["sets"]["persistentVolumeClaim"]["claimName"], "fmixd-sets")

    def test_tokens_come_from_a_secret_that_only_the_daemon_reads(self):
        secret = self.volumes["tokens"]["secret"]
        self.assertEqual((secret["secretName"], secret["defaultMode"]), ("fmixd-tokens", 0o440))
        self.assertEqual(self.pod["securityContext"]["fsGroup"],
                         self.pod["securityContext"]["runAsGroup"])

    def test_probes_are_routes_that_answer(self):
        probes = {name: self.container[f"{name}Probe"]
                  for name in ("startup", "liveness", "readiness")}
        self.assertEqual({name: probe["httpGet"]["path"] for name, probe in probes.items()},
                         {"startup": "/startupz", "liveness": "/livez", "readiness": "/readyz"})
        server = self.start()
        for probe in probes.values():
            self.assertEqual(server.get(probe["httpGet"]["path"]).status, 200)
            self.assertEqual(probe["httpGet"]["port"], "http")

    def test_ports_agree(self):
        port, = self.container["ports"]
        exposed, = re.findall(r"^EXPOSE (\d+)$", IMAGE, re.M)
        self.assertEqual(port, {"name": "http", "containerPort": int(exposed)} | {
            key: port[key] for key in port if key == "protocol"})
        self.assertIn(f"\nENV FMIXD_LISTEN=0.0.0.0:{exposed}\n", IMAGE)
        served, = self.by_kind["Service"]["spec"]["ports"]
        self.assertEqual(served["targetPort"], port["name"])
        for rule in self.by_kind["NetworkPolicy"]["spec"]["ingress"]:
            self.assertEqual(rule["ports"], [{"protocol": "TCP", "port": port["containerPort"]}])

    def test_selectors_match_the_pods(self):
        labels = self.deployment["template"]["metadata"]["labels"].items()
        selectors = [self.deployment["selector"]["matchLabels"],
                     self.by_kind["Service"]["spec"]["selector"],
                     self.by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                     self.by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
                     *(constraint["labelSelector"]["matchLabels"]
                       for constraint in self.pod["topologySpreadConstraints"])]
        for selector in selectors:
            self.assertTrue(selector)
            self.assertLessEqual(selector.items(), labels)
        target = self.by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
        deployment = self.by_kind["Deployment"]
        self.assertEqual(target, {"apiVersion": deployment["apiVersion"], "kind": "Deployment",
                                  "name": deployment["metadata"]["name"]})

    def test_a_replica_has_time_to_end(self):
        drain, deadline = int(self.value("drain")), int(self.value("deadline"))
        hook = self.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        self.assertGreater(self.pod["terminationGracePeriodSeconds"],
                           drain + deadline + hook.get("seconds", 0))
        ready = self.container["readinessProbe"]
        self.assertGreaterEqual(drain, WITHDRAWN)
        self.assertGreater(drain, ready["periodSeconds"] * ready["failureThreshold"])

    def test_what_the_daemon_may_hold_is_below_the_limit_of_memory(self):
        limits = self.container["resources"]["limits"]
        held = int(self.value("memory")) + int(self.value("cache"))
        self.assertLess(1.1 * held + memory("64Mi"), memory(limits["memory"]))

    def test_requests_are_no_more_than_limits_and_all_of_the_memory(self):
        requests, limits = (self.container["resources"][key] for key in ("requests", "limits"))
        self.assertLessEqual(int(requests["cpu"]), int(limits["cpu"]))
        self.assertEqual(requests["memory"], limits["memory"])

    def test_no_replica_is_taken_away_before_another_serves(self):
        self.assertEqual(self.deployment["strategy"]["type"], "RollingUpdate")
        rolling = self.deployment["strategy"]["rollingUpdate"]
        self.assertEqual(rolling["maxUnavailable"], 0)
        self.assertGreater(rolling["maxSurge"], 0)

    def test_the_autoscaler_alone_says_how_many(self):
        self.assertNotIn("replicas", self.deployment)
        scaler = self.by_kind["HorizontalPodAutoscaler"]["spec"]
        self.assertGreaterEqual(scaler["minReplicas"], 3)
        self.assertGreater(scaler["maxReplicas"], scaler["minReplicas"])
        metric, = scaler["metrics"]
        self.assertEqual(metric["resource"]["name"], "cpu")
        self.assertIn("cpu", self.container["resources"]["requests"])  # it is a share of these
        self.assertEqual(self.by_kind["PodDisruptionBudget"]["spec"]["maxUnavailable"], 1)

    def test_replicas_are_spread_over_zones_and_nodes(self):
        self.assertEqual({constraint["topologyKey"]
                          for constraint in self.pod["topologySpreadConstraints"]},
                         {"topology.kubernetes.io/zone", "kubernetes.io/hostname"})

    def test_the_network_is_closed_but_to_who_may_ask(self):
        policy = self.by_kind["NetworkPolicy"]["spec"]
        self.assertEqual(policy["policyTypes"], ["Ingress", "Egress"])
        self.assertEqual(policy["egress"], [])
        for rule in policy["ingress"]:
            self.assertTrue(rule["from"])  # without it: anybody


@unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
class Base(Rendered, unittest.TestCase):
    """What an overlay begins with."""

    folder = "base"

    def test_it_is_for_any_namespace(self):
        for document in self.documents:
            self.assertNotIn("namespace", document["metadata"])

    def test_tokens_are_nobodys_duty(self):
        self.assertIs(self.volumes["tokens"]["secret"]["optional"], True)
        self.assertNotIn("tokens", self.set_by_file())


@unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
class Production(Rendered, unittest.TestCase):
    """The overlay for many trainers."""

    folder = "overlays/production"
    kinds = KINDS | {"Namespace", "PersistentVolumeClaim"}

    def test_all_of_it_is_in_its_own_namespace(self):
        name = self.by_kind["Namespace"]["metadata"]["name"]
        for kind, document in self.by_kind.items():
            if kind != "Namespace":
                self.assertEqual(document["metadata"]["namespace"], name)
        self.assertEqual(self.by_kind["Namespace"]["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"], "restricted")

    def test_it_brings_the_claim_that_pods_name(self):
        self.assertEqual(self.by_kind["PersistentVolumeClaim"]["metadata"]["name"],
                         self.volumes["sets"]["persistentVolumeClaim"]["claimName"])

    def test_nobody_is_answered_without_a_token(self):
        self.assertIs(self.volumes["tokens"]["secret"]["optional"], False)
        self.assertEqual(str(pathlib.PurePath(self.value("tokens")).parent),
                         self.mounts["tokens"]["mountPath"])
        self.assertEqual(self.start().get("/v1/masks.npy?shape=8x8").status, 401)

    def test_it_has_more_of_everything_than_base(self):
        base = {document["kind"]: document["spec"] for document in render("base")
                if "spec" in document}
        least = base["HorizontalPodAutoscaler"]["minReplicas"]
        self.assertGreater(self.by_kind["HorizontalPodAutoscaler"]["spec"]["minReplicas"], least)
        small = base["Deployment"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        large = self.container["resources"]["limits"]
        self.assertGreater(int(large["cpu"]), int(small["cpu"]))
        self.assertGreater(memory(large["memory"]), memory(small["memory"]))

    def test_its_settings_are_those_of_base_with_other_amounts(self):
        base = Base("test_it_is_for_any_namespace")
        base.setUpClass()
        self.assertEqual(self.set_by_file() - base.set_by_file(), {"tokens", "patience"})
        for name in "data", "drain", "deadline":
            self.assertEqual(self.value(name), base.value(name))


@unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
class Import(unittest.TestCase):
    """The job that writes a set."""

    def setUp(self):
        production = {document["kind"]: document for document in render("overlays/production")}
        self.claim = production["PersistentVolumeClaim"]["metadata"]["name"]
        self.replica = production["Deployment"]["spec"]["template"]["spec"]
        self.pod = IMPORT["spec"]["template"]["spec"]
        self.container, = self.pod["containers"]
        self.volumes = {volume["name"]: volume["persistentVolumeClaim"] for volume in self.pod["volumes"]}
        self.mounts = {mount["name"]: mount for mount in self.container["volumeMounts"]}

    def test_it_is_the_program_and_the_user_of_the_replicas(self):
        served, = self.replica["containers"]
        for name in "image", "securityContext":
            self.assertEqual(self.container[name], served[name])
        self.assertEqual(self.pod["securityContext"], self.replica["securityContext"])
        self.assertIs(self.pod["automountServiceAccountToken"], False)

    def test_it_writes_where_replicas_read_and_nowhere_else(self):
        self.assertEqual(self.volumes["sets"], {"claimName": self.claim})
        self.assertEqual([name for name, mount in self.mounts.items() if not mount.get("readOnly")], ["sets"])

    def test_the_program_takes_its_arguments(self):
        with tempfile.TemporaryDirectory() as folder:
            here = {mount["mountPath"]: pathlib.Path(folder, name) for name, mount in self.mounts.items()}
            for path in here.values():
                path.mkdir()
            for name in "cats", "dogs":
                pictures = here["/pictures"] / name
                pictures.mkdir()
                Image.new("RGB", (9, 7)).save(pictures / "a.png")
            arguments = self.container["args"]
            for path, own in here.items():
                arguments = [re.sub(f"^{path}(?=/|$)", str(own), word) for word in arguments]
            done = subprocess.run([harness.program(), *arguments], capture_output=True, text=True,
                                  timeout=harness.PATIENCE, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([path.name for path in here["/sets"].iterdir()], ["photos"])


@unittest.skipUnless(shutil.which("kubectl"), "there is no kubectl here")
class Schema(unittest.TestCase):
    """Kubernetes' own description of its documents, as npm has it: types at run time, and fields
    that there are not as a compiler finds them."""

    RUN = """for (const document of JSON.parse(require("fs").readFileSync(0)))
    new (require("kubernetes-models/" + document.apiVersion)[document.kind])(document).validate();
"""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("npm") or not shutil.which("node"):
            cls.missing = "there is no npm here"
            return
        cls.home = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        fetched = subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *CHECKERS],
            cwd=cls.home, capture_output=True, timeout=harness.PATIENCE, check=False)
        cls.missing = f"npm has no {' or '.join(CHECKERS)}" if fetched.returncode else None
        (cls.home / "run.js").write_text(cls.RUN, "utf-8")

    def setUp(self):
        if self.missing:
            self.skipTest(self.missing)

    def of_wrong_type(self, documents):
        """What is found so; "": nothing."""
        done = subprocess.run(["node", "run.js"], cwd=self.home, text=True, capture_output=True,
                              input=json.dumps(documents), timeout=harness.PATIENCE, check=False)
        return done.stderr if done.returncode else ""

    def unknown(self, documents):
        """Fields that Kubernetes has not, as the compiler complains of them; "": none."""
        text = "".join(f'import type {{ I{document["kind"]} as T{i} }} '
                       f'from "kubernetes-models/{document["apiVersion"]}";\n'
                       f"export const d{i}: T{i} = {json.dumps(document)};\n"
                       for i, document in enumerate(documents))
        (self.home / "all.ts").write_text(text, "utf-8")
        done = subprocess.run(
            ["node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module",
             "nodenext", "all.ts"], cwd=self.home, text=True, capture_output=True, timeout=harness.PATIENCE,
            check=False)
        return done.stdout if done.returncode else ""

    @staticmethod
    def deployment_with(path, value):
        """The base's, but for one field."""
        broken = json.loads(json.dumps(next(document for document in render("base")
                                            if document["kind"] == "Deployment")))
        *way, last = path.split(".")
        place = broken
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
        return broken

    def test_every_document_is_as_kubernetes_describes_it(self):
        documents = render("base") + render("overlays/production") + [IMPORT]
        self.assertEqual(self.of_wrong_type(documents), "")
        self.assertEqual(self.unknown(documents), "")

    def test_what_is_misspelt_or_of_another_type_would_be_found(self):
        paths = ("spec.template.spec.containers.0.livenesProbe", "spec.template.spec.hostnetwork",
                 "spec.strategy.rollingUpdate.maxUnavailabel")
        found = self.unknown([self.deployment_with(path, {}) for path in paths])
        for path in paths:
            self.assertIn(path.split(".")[-1], found)
        name = "terminationGracePeriodSeconds"
        self.assertIn(name, self.of_wrong_type(
            [self.deployment_with(f"spec.template.spec.{name}", "60")]))


if __name__ == "__main__":
    unittest.main()
