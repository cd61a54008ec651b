"""A place in a page of Markdown that a measurement writes, between two comments."""

import os
import re


def beside():
    """A sentence on what else runs, for figures that are about to be measured."""
    return (f"Measured on {len(os.sched_getaffinity(0))} cores, with a load of {os.getloadavg()[0]:.1f} of other "
            "programs beside.")


class Place:
    """The place of a name; it is an error at once if the page has none, or several."""

    def __init__(self, path, name):
        self.path = path
        self.found = re.compile(rf"(<!-- {name}: begin -->\n\n).*?(<!-- {name}: end -->)", re.S)
        if len(self.found.findall(self._text())) != 1:
            raise ValueError(f"{path} has not one place for {name}")

    def _text(self):
        return self.path.read_text(encoding="utf-8")

    def put(self, text):
        """Writes lines there, instead of those that were there."""
        page = self.found.sub(lambda place: f"{place[1]}{text}\n{place[2]}", self._text())
        self.path.write_text(page, encoding="utf-8")
