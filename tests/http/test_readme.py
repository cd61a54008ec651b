"""What the README says of parameters and formats is what the daemon says of itself."""

import re
import unittest

import harness

README = (harness.ROOT / "README.md").read_text(encoding="utf-8")
RESOURCES = {"masks": "GET", "plans": "GET", "mix": "POST"}


def table_rows():
    """Cells of every row of every table."""
    for line in README.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def documented(resource):
    """Parameters that the README gives a resource."""
    names = set()
    for cells in table_rows():
        if len(cells) == 5 and {"all", resource} & set(cells[1].split(", ")):
            names.update(re.findall(r"`(\w+)`", cells[0]))
    return names


class Readme(harness.ServerTest):
    def ask(self, resource, target, status):
        if RESOURCES[resource] == "GET":
            return self.get(target, status).json()["detail"]
        return self.post(target, b"", status).json()["detail"]

    def test_every_parameter_of_a_resource_is_in_the_table_and_no_other(self):
        for resource in RESOURCES:
            with self.subTest(resource):
                detail = self.ask(resource, f"/v1/{resource}?no=1", 400)
                known = set(detail.split("there are: ")[1].split(", "))
                self.assertEqual(documented(resource), known)

    def test_every_format_of_a_resource_is_in_the_table_and_no_other(self):
        rows = {cells[0]: cells[1:] for cells in table_rows() if len(cells) == 7}
        names = rows[""]
        for resource in RESOURCES:
            row = next(cells for label, cells in rows.items() if resource in label.split(", "))
            said = {name for name, cell in zip(names, row) if cell == "✓"}
            detail = self.ask(resource, f"/v1/{resource}.nothing", 404)
            with self.subTest(resource):
                self.assertEqual(said, set(re.findall(r"(\w+) \(", detail)))

    def test_the_curl_lines_answer(self):
        lines = re.findall(r"^    curl (.*)$", README, re.M)
        self.assertGreaterEqual(len(lines), 6)
        for line in lines:
            target = re.search(r"'localhost:8080(/[^']*)'", line)[1]
            with self.subTest(line):
                if "--data-binary" in line:
                    name = re.search(r"@(\S+)", line)[1]
                    self.post(target, (harness.ROOT / name).read_bytes())
                else:
                    self.get(target)


if __name__ == "__main__":
    unittest.main()
