"""The OpenAPI document, and answers held against it: requests are drawn from
the document alone, sound ones and unsound ones."""

import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

import jsonschema
import numpy as np

import harness
import hosting
import pictures

DATA = harness.ROOT / "tests" / "data"
REDOCLY = "@redocly/cli"
ROUNDS = int(os.environ.get("FMIX_OPENAPI", "60"))  # of each operation
SMALL = 40  # sides and rows are drawn small: what is asked for is computed
VIEWED = re.compile("[?&](size|view|area|ratio|short|filter|flip)=")  # parameters of pictures


class Document:
    """The document, with its references followed."""

    def __init__(self, root):
        self.root = root

    def follow(self, node):
        """The node, or what it refers to."""
        while "$ref" in node:
            at = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def operations(self):
        """Path, method and operation, of each."""
        for path, methods in self.root["paths"].items():
            for method, operation in methods.items():
                yield path, method.upper(), operation

    def validator(self, schema):
        """Of a schema whose references are the document's."""
        whole = {**schema, "components": self.root["components"]}
        return jsonschema.Draft202012Validator(whole)


def draw_pattern(pattern, rng):
    """A string for the patterns that the document has."""
    if "x[1-9]" in pattern:
        sides = rng.randint(1, int(re.search(r"\{0,(\d)\}\$", pattern)[1]) + 1)
        return "x".join(str(rng.randint(1, SMALL)) for _ in range(sides))
    digits = re.search(r"\[0-9a-f\]\{(\d+)\}", pattern)
    if digits:
        return "".join(rng.choices("0123456789abcdef", k=int(digits[1])))
    return "garments"


def draw(schema, rng):
    """A value that the schema allows, as text."""
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema["type"]
    if kind == "string":
        return draw_pattern(schema["pattern"], rng)
    if kind == "array":
        count = rng.randint(schema["minItems"], 3)
        values = [draw(schema["items"], rng) for _ in range(count)]
        return ",".join(dict.fromkeys(values) if schema.get("uniqueItems") else values)
    least, most = schema["minimum"], schema.get("maximum", 2 ** 64 - 1)
    if kind == "integer":
        return str(rng.choice([least, rng.randint(least, min(most, least + SMALL)),
                               schema.get("default", least)]))
    return f"{rng.uniform(least, most):.5g}"


def spoil(schema, rng):
    """A value that the schema does not allow."""
    kind = schema["type"]
    bad = ["", "-", "a b", "\u00e9", "1e999x"]
    if kind in ("integer", "number"):
        bad += ["nan", "0x1", str(schema["minimum"] - 1)]
        bad += [str(schema["maximum"] + 1)] if "maximum" in schema else [str(2 ** 64)]
    return rng.choice(bad)


class Openapi(harness.ServerTest):
    """A daemon with a data set."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        hosting.importing(f"{folder.name}/garments", "--from", "npy", DATA / "garments.npy",
                          DATA / "garments-labels.npy")
        cls.arguments = ("--data", folder.name)
        super().setUpClass()
        cls.document = Document(cls.server.get("/openapi.json").json())

    def parameters(self, operation, place):
        return [p for p in map(self.document.follow, operation["parameters"])
                if p["in"] == place]

    def target(self, path, operation, rng, bad=False):
        """A path with its names filled in, and a query: of a few parameters,
        one of them spoiled."""
        for p in self.parameters(operation, "path"):
            value = draw(p["schema"], rng)
            path = path.replace("{%s}" % p["name"], urllib.parse.quote(value))
        pairs, known = [], self.parameters(operation, "query")
        for p in known:
            if p["required"] or rng.random() < 2 / len(known):
                pairs.append([p["name"], draw(p["schema"], rng), p["schema"]])
        if bad and known and rng.random() < 0.8:
            p = rng.choice(known)
            pairs = [pair for pair in pairs if pair[0] != p["name"]]
            pairs.append([p["name"], spoil(p["schema"], rng), None])
        elif bad:
            pairs.append(["nothing", "1", None])
        return path + "?" * bool(pairs) + "&".join(
            f"{name}={urllib.parse.quote(value, safe=',')}" for name, value, _ in pairs)

    def body(self, target, operation, rng):
        """A body of a type that the operation takes: a picture where it is viewed, else two rows."""
        if "requestBody" not in operation:
            return None, {}
        if VIEWED.search(target):
            self.assertIn("image/png", operation["requestBody"]["content"])
            pixels = np.frombuffer(rng.randbytes(189), np.uint8).reshape(9, 7, 3)
            return pictures.png(pixels, 8, 2), {"Content-Type": "image/png"}
        x = np.frombuffer(rng.randbytes(2 * 3 * 8 * 8), np.uint8).reshape(2, 3, 8, 8)
        self.assertIn(harness.NPY, operation["requestBody"]["content"])
        return harness.write_npy(x), {"Content-Type": harness.NPY}

    def check(self, operation, answer):
        """The answer is one of those that the document has for it."""
        self.assertIn(str(answer.status), operation["responses"])
        response = self.document.follow(operation["responses"][str(answer.status)])
        kind = answer.headers["Content-Type"]
        self.assertIn(kind, response["content"])
        for name, header in response.get("headers", {}).items():
            self.assertIn(name, answer.headers)
            if header["schema"].get("type") == "integer":
                self.assertTrue(answer.headers[name].isdigit())
        if "json" in kind:
            schema = response["content"][kind].get("schema")
            self.assertIsNotNone(schema, "json without a schema")
            self.document.validator(schema).validate(answer.json())

    def ask(self, method, target, operation, rng):
        if "requestBody" in operation and VIEWED.search(target) and "size=" not in target:
            target += "&size=5"
        body, headers = self.body(target, operation, rng)
        answer = self.server.request(method, target, body, headers)
        with self.subTest(f"{method} {target}"):
            self.check(operation, answer)
        return answer

    def test_every_route_is_in_the_document(self):
        listed = {re.sub(r"\.\{format\}$", "", p) for p in self.document.root["paths"]}
        missing = self.get("/nowhere", status=404).json()["detail"]
        named = set(re.findall(r"(/[^ ,]*)", missing.partition("the paths are:")[2]))
        self.assertEqual(listed, named)

    def test_answers_to_sound_requests_are_as_the_document_says(self):
        rng = random.Random(20)
        for path, method, operation in self.document.operations():
            good = 0
            for _ in range(ROUNDS):
                answer = self.ask(method, self.target(path, operation, rng), operation, rng)
                good += answer.status == 200
                self.assertLess(answer.status, 500)
            if "shard}" not in path:  # whose names the document does not tell
                self.assertGreater(good, ROUNDS / 30, f"{method} {path}")

    def test_answers_to_unsound_requests_are_as_the_document_says(self):
        rng = random.Random(21)
        for path, method, operation in self.document.operations():
            for _ in range(ROUNDS):
                target = self.target(path, operation, rng, bad=True)
                answer = self.ask(method, target, operation, rng)
                self.assertIn(answer.status, range(400, 500), target)
                if answer.status == 400:
                    self.assertIn("parameter", answer.json()["errors"][0], target)

    def test_defaults_are_what_leaving_out_means(self):
        base = "/v1/plans.json?shape=4x4&n=3"
        operation = self.document.root["paths"]["/v1/plans"]["get"]
        plain = self.get(base).body
        for p in self.parameters(operation, "query"):
            schema = p["schema"]
            if "default" in schema:
                default = schema["default"]
                text = ",".join(map(str, default if isinstance(default, list) else [default]))
                answer = self.get(f"{base}&{p['name']}={text}")
                self.assertEqual(answer.body, plain, p["name"])

    def test_a_checker_of_documents_finds_nothing_wrong(self):
        if not shutil.which("npm"):
            self.skipTest("no npm here")
        with tempfile.TemporaryDirectory() as folder:
            fetched = subprocess.run(
                ["npm", "install", "--silent", "--no-audit", "--no-fund", REDOCLY],
                cwd=folder, capture_output=True, text=True)
            if fetched.returncode:
                self.skipTest(f"npm has no {REDOCLY}")
            (pathlib.Path(folder) / "openapi.json").write_text(json.dumps(self.document.root))
            found = subprocess.run(
                ["node_modules/.bin/redocly", "lint", "--format=json", "openapi.json"],
                cwd=folder, capture_output=True, text=True,
                env={**os.environ, "REDOCLY_TELEMETRY": "off"})
            problems = json.loads(found.stdout[found.stdout.index("{"):])["problems"]
        # {step} and {step}.{format} look alike to it; a step has no point.
        rules = {p["ruleId"] for p in problems} - {"no-ambiguous-paths"}
        self.assertEqual((found.returncode, rules), (0, set()), found.stderr)


if __name__ == "__main__":
    unittest.main()
