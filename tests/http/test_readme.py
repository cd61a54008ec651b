"""What the pages say of parameters, formats and settings is what the daemon says of itself."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

import harness
import hosting

PAGES = {name: (harness.ROOT / name).read_text(encoding="utf-8")
         for name in ("README.md", "deploy/README.md", "deploy/API.md")}
RESOURCES = {"masks": "GET", "plans": "GET", "mix": "POST", "batches": "GET"}
PATHS = {"batches": "datasets/garments/batches/0"}


def table_rows(heading):
    """Cells of every row of the table below a heading of API.md."""
    table = PAGES["deploy/API.md"].split(f"### {heading}\n\n")[1].split("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in table.splitlines() if not line.startswith("|---")]


def documented(resource):
    """Each parameter that the page gives a resource, with its default and its values."""
    return {cells[0].strip("`"): cells[3:] for cells in table_rows("Parameters")
            if resource in cells[1].split(", ")}


def printed(command):
    """What the program prints of its tables."""
    return subprocess.run([harness.program(), command], check=True, capture_output=True,
                          text=True).stdout


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
                self.assertEqual(set(documented(resource)), known)

    def test_what_the_table_says_of_a_parameter_is_what_the_daemon_says(self):
        for resource in RESOURCES:
            self.said = documented(resource)
            for name in sorted(self.said):
                target = f"/v1/{PATHS.get(resource, resource)}?{name}=!"
                self.check_said(name, self.ask(resource, target, 400))

    def check_said(self, name, detail):
        expected, *default = detail.split("it must be ")[1].split("; the default is ")
        said_default, values = self.said[name]
        with self.subTest(name, detail=detail):
            self.assertEqual(expected, values)
            self.assertEqual("".join(default), said_default)

    def test_every_format_of_a_resource_is_in_the_table_and_no_other(self):
        head, *rows = table_rows("Formats")
        for resource in RESOURCES:
            said = {cells[0].strip("`") for cells in rows if cells[head.index(resource)] == "✓"}
            detail = self.ask(resource, f"/v1/{PATHS.get(resource, resource)}.nothing", 404)
            with self.subTest(resource):
                self.assertEqual(said, set(re.findall(r"(\w+) \(", detail)))

    def test_pages_hold_the_tables_that_the_program_prints(self):
        for page, command in (("deploy/README.md", "settings"), ("deploy/API.md", "api")):
            with self.subTest(page):
                table = printed(command)
                self.assertGreater(len(table.splitlines()), 20)
                self.assertIn(f"\n\n{table}", PAGES[page])

    def test_what_a_page_links_to_is_there(self):
        for page, text in PAGES.items():
            folder = (harness.ROOT / page).parent
            for link in re.findall(r'(?:\]\(|src=")([\w./-]+)(?:#[\w-]+)?[)"]', text):
                self.assertTrue((folder / link).exists(), link)

    def test_a_contents_line_leads_to_every_section_of_the_readme(self):
        sections = re.findall(r"^## (.*)$", PAGES["README.md"], re.M)
        anchors = {re.sub(r"[^\w-]", "", section.lower().replace(" ", "-")) for section in sections}
        contents = PAGES["README.md"].split("**Contents**")[1].split("\n\n")[0]
        self.assertEqual(set(re.findall(r"\(#([\w-]+)\)", contents)), anchors)

    def test_as_many_recipes_are_compared_as_the_readme_says(self):
        program = harness.ROOT / "tests/http/recipes_compared.py"
        long = re.search(r"^LONG := FMIX_AGREEMENT=(\d+) ", (harness.ROOT / "tests/tests.mk").read_text(), re.M)[1]
        environment = {name: value for name, value in os.environ.items() if name != "FMIX_AGREEMENT"}
        printed = [subprocess.run([sys.executable, "-B", program], env=environment | more, check=True, text=True,
                                  capture_output=True).stdout for more in ({}, {"FMIX_AGREEMENT": long})]
        said = re.search(r"on ([\d,]+) and\s+JavaScript and Python on (\d+); in a `make long`, on ([\d,]+) and "
                         r"([\d,]+)\.", PAGES["README.md"]).groups()
        self.assertEqual([number.replace(",", "") for number in said], " ".join(printed).split())

    def test_the_rooms_have_the_ranks_that_lint_checks(self):
        ranks = (harness.ROOT / "tests/lint").read_text(encoding="utf-8").split("\nranks='")[1].split("'")[0]
        table = PAGES["README.md"].split("\n| rank | room")[1].split("\n\n")[0].splitlines()[2:]
        said = [f"{room} {rank}" for rank, rooms in (re.split(r" *\| *", row)[1:3] for row in table)
                for room in re.findall(r"`(.+?)`", rooms)]
        self.assertEqual(sorted(said), sorted(ranks.splitlines()))

    def test_the_readme_is_short_and_narrow(self):
        lines = PAGES["README.md"].splitlines()
        self.assertLess(len(lines), 400)
        self.assertEqual([line for line in lines if len(line) > 100], [])


if __name__ == "__main__":
    unittest.main()
