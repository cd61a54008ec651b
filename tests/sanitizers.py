"""What sanitizers report of any program that a test starts: it fails that test, whatever became of the
program, and whoever read its stderr.

Sanitizers write a report into a file of its own for each process. Every process of pytest names its own
files, so that a report belongs to the test that this process ran.
"""

import os
import pathlib
import shutil

import pytest

# AddressSanitizer reads the third after its own, which some tests replace.
OPTIONS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
FOLDER = "FMIX_REPORTS"  # the variable with the folder of this run's reports


class Reports:
    """In a process that runs tests: each report fails the test after which it is found."""

    def __init__(self, worker):
        self.prefix = pathlib.Path(os.environ[FOLDER], worker)
        for name in OPTIONS:
            # The last of two equal options counts.
            os.environ[name] = f"{os.environ.get(name, '')}:log_path={self.prefix}"

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item):
        """After a test's own teardown, in which daemons end."""
        said = [taken(path) for path in sorted(self.prefix.parent.glob(self.prefix.name + ".*"))]
        if said:
            pytest.fail(f"sanitizer reports beside {item.name}:\n" + "\n".join(said), pytrace=False)


def taken(path):
    """A report's text; the file is no longer new."""
    text = path.read_text(errors="replace")
    told = path.parent / "told"
    told.mkdir(exist_ok=True)
    path.rename(told / path.name)
    return text


def begin(build):
    """In the process that starts the others: makes the folder of their reports."""
    folder = build / "reports" / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER] = str(folder)


def left():
    """The reports that no test failed for, as those of programs that outlived their suite. Removes the
    folder of this run if no program reported anything."""
    folder = pathlib.Path(os.environ[FOLDER])
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if not any(folder.iterdir()):
        folder.rmdir()
    return found
