"""What the README says of parameters and formats is what the daemon says of itself."""

import re
import subprocess
import tempfile
import unittest

import harness
import hosting

README = (harness.ROOT / "README.md").read_text(encoding="utf-8")
OPERATORS = (harness.ROOT / "deploy/README.md").read_text(encoding="utf-8")
RESOURCES = {"masks": "GET", "plans": "GET", "mix": "POST", "batches": "GET"}
PATHS = {"batches": "datasets/garments/batches/0"}


def table_rows():
    """Cells of every row of every table."""
    for line in README.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def said_of(name):
    """The README's row of a parameter, as text."""
    return next(" ".join(cells) for cells in table_rows()
                if len(cells) == 5 and f"`{name}`" in cells[0])


def default_of(name):
    """The README's default of a parameter."""
    return next(cells[3] for cells in table_rows()
                if len(cells) == 5 and f"`{name}`" in cells[0])


def documented(resource):
    """Parameters that the README gives a resource."""
    names = set()
    for cells in table_rows():
        if len(cells) == 5 and {"all", resource} & set(cells[1].split(", ")):
            names.update(re.findall(r"`(\w+)`", cells[0]))
    return names


class Readme(harness.ServerTest):
    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        data = harness.ROOT / "tests/data"
        hosting.importing(f"{root}/garments", "--from", "npy", data / "garments.npy",
                          data / "garments-labels.npy")
        cls.arguments = ("--data", root)
        super().setUpClass()

    def ask(self, resource, target, status):
        if RESOURCES[resource] == "GET":
            return self.get(target, status).json()["detail"]
        return self.post(target, b"", status).json()["detail"]

    def test_every_parameter_of_a_resource_is_in_the_table_and_no_other(self):
        for resource in RESOURCES:
            with self.subTest(resource):
                detail = self.ask(resource, f"/v1/{PATHS.get(resource, resource)}?no=1", 400)
                known = set(detail.split(" are: ")[1].split(", "))
                self.assertEqual(documented(resource), known)

    def test_what_the_table_says_of_a_parameter_is_what_the_daemon_says(self):
        for resource in RESOURCES:
            for name in sorted(documented(resource)):
                target = f"/v1/{PATHS.get(resource, resource)}?{name}=!"
                self.check_said(name, self.ask(resource, target, 400))

    def check_said(self, name, detail):
        detail, *default = detail.split("; the default is ")
        limits = re.search(r"from (\S+) to (\S+)", detail)
        choices = re.search(r": (?!whole)([a-z][\w, ]*)", detail)
        said = said_of(name)
        with self.subTest(name, detail=detail):
            if limits and len(limits[2]) < 8 and limits[2] != "16777216":
                low, high = limits.groups()
                self.assertIn(f"{low} to {high}".rstrip(".,"), said)
            elif choices and name not in ("x_dtype", "out_dtype", "reformulate"):
                for choice in re.findall(r"\w+", choices[1]):
                    self.assertIn(f"`{choice}`", said)
            for value in default:
                self.assertIn(re.match(r"[\w.]+", value)[0], default_of(name))

    def test_every_format_of_a_resource_is_in_the_table_and_no_other(self):
        rows = {cells[0]: cells[1:] for cells in table_rows() if len(cells) == 7}
        names = rows[""]
        for resource in RESOURCES:
            row = next(cells for label, cells in rows.items() if resource in label.split(", "))
            said = {name for name, cell in zip(names, row) if cell == "✓"}
            detail = self.ask(resource, f"/v1/{PATHS.get(resource, resource)}.nothing", 404)
            with self.subTest(resource):
                self.assertEqual(said, set(re.findall(r"(\w+) \(", detail)))

    def test_the_operators_table_of_settings_is_the_programs(self):
        printed = subprocess.run([harness.program(), "settings"], check=True,
                                 capture_output=True, text=True).stdout
        self.assertGreater(len(printed.splitlines()), 20)
        self.assertIn(f"\n\n{printed}\n", OPERATORS)

    def test_what_the_page_links_to_is_there(self):
        for folder, text in (("", README), ("deploy", OPERATORS)):
            for link in re.findall(r'(?:\]\(|src=")([\w./-]+)[)"]', text):
                self.assertTrue((harness.ROOT / folder / link).exists(), link)


if __name__ == "__main__":
    unittest.main()
