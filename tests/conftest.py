"""How pytest runs the suites: each file of tests is a suite, and runs in one process.

The Python suites are unittest classes, which pytest knows. This file adds the C programs, the order
(the longest suites first, those that nothing may run beside last), a limit of time, and the last line
of the report: N passed, N failed.
"""

import collections
import contextlib
import fcntl
import os
import pathlib
import signal
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import programs  # noqa: E402
import pytest  # noqa: E402
import sanitizers  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # noqa: E402

# The longest first, so that no core waits for the last of them.
LONG = ("test_debian", "test_image", "test_deb", "test_preview", "test_preview_lines", "test_recipes", "test_clients",
        "test_killed_imports", "test_wheel", "test_memory_hostile", "test_faults_http", "test_train", "test_agreement",
        "test_sameness", "test_clients_epochs", "test_clients_mixing", "test_soak", "test_client_loaders",
        "test_daemon", "test_prometheus")
# Nothing runs beside these, which measure time when they are told to.
ALONE = {"test_hostile_uploads"} if os.environ.get("FMIX_LATENCY") else set()
SHOWN = 15  # suites whose times are told

os.environ["FMIXD"] = str(programs.BUILD / "fmixd")


class UnitProgram(pytest.File):
    """A source in tests/unit, of which each test is an item. The program runs once."""

    verdicts = None

    def collect(self):
        for name in programs.unit_tests(self.path):
            yield UnitTest.from_parent(self, name=name)

    def verdict(self, name):
        """What came of a test."""
        if self.verdicts is None:
            output = programs.run([str(programs.unit_program(self.path))])
            self.verdicts = programs.verdicts(programs.unit_tests(self.path), output)
        return self.verdicts[name]


class ProgramFailed(Exception):
    """A C test failed; its program's output is the message."""


class ProgramItem(pytest.Item):
    """A test in a C program."""

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance((ProgramFailed, OSError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class UnitTest(ProgramItem):
    """A function of a unit test."""

    def runtest(self):
        verdict = self.parent.verdict(self.name)
        if verdict.outcome == "skipped":
            pytest.skip(verdict.text)
        if verdict.outcome == "failed":
            raise ProgramFailed(verdict.text)


class FuzzTarget(pytest.File):
    """A source in tests/fuzz, of which each input is an item."""

    def collect(self):
        for path in programs.fuzz_inputs(self.path):
            yield FuzzInput.from_parent(self, name=f"{path.parts[-3]}/{path.name}", input_path=path)


class FuzzInput(ProgramItem):
    """A file over which a fuzz target is replayed."""

    def __init__(self, *, input_path, **options):
        super().__init__(**options)
        self.input_path = input_path

    def runtest(self):
        output = programs.run([str(programs.BUILD / "fuzz" / self.path.stem), str(self.input_path)])
        if output.status:
            raise ProgramFailed(f"exit status {output.status}\n{output.text}")


def pytest_collect_file(file_path, parent):
    """C sources, beside the Python files that pytest collects."""
    if file_path.suffix != ".c":
        return None
    folder = file_path.relative_to(programs.ROOT / "tests").parts[0]
    if folder == "unit" and file_path.name.startswith("test_"):
        return UnitProgram.from_parent(parent, path=file_path)
    if folder == "fuzz" and programs.fuzz_inputs(file_path):
        return FuzzTarget.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items):
    """The order in which suites are handed out."""
    def rank(item):
        suite = item.path.stem
        return suite in ALONE, LONG.index(suite) if suite in LONG else len(LONG)
    items.sort(key=rank)


def pytest_xdist_auto_num_workers():
    """Two more than there are cores: a suite often waits for what a daemon is to do after a time."""
    return len(os.sched_getaffinity(0)) + 2


class SuiteScheduling(LoadScopeScheduling):
    """Hands out whole files, in the order of the collection.

    xdist's own classes put files of many tests first (from 3.4 on), and try a test again that ended its
    process.
    """

    def _split_scope(self, nodeid):
        return nodeid.split("::", 1)[0]

    def schedule(self):
        if self.collection is None and self._check_nodes_have_same_collection():
            self.collection = list(next(iter(self.registered_collections.values())))
            for nodeid in self.collection:
                unit = self.workqueue.setdefault(self._split_scope(nodeid), collections.OrderedDict())
                unit[nodeid] = False
        # A worker runs a test when it knows the next: twice, for files of one or two tests.
        for node in 2 * self.nodes:
            self._reschedule(node)

    def remove_node(self, node):
        suites = [(scope, unit) for scope, unit in self.assigned_work.pop(node).items()
                  if not all(unit.values())]
        if not suites:
            return None
        ended, *lost = (nodeid for nodeid, done in suites[0][1].items() if not done)
        for nodeid in lost:
            self._report_lost(nodeid)
        for scope, unit in reversed(suites[1:]):
            self.workqueue[scope] = unit
            self.workqueue.move_to_end(scope, last=False)
        for other in self.nodes:
            self._reschedule(other)
        return ended

    def _report_lost(self, nodeid):
        """Reports a test as failed that was to run in a process that has ended."""
        where = (self._split_scope(nodeid), None, nodeid)
        self.config.hook.pytest_runtest_logreport(report=pytest.TestReport(
            nodeid, where, {}, "failed", "did not run: the process of its suite ended", "call"))


def pytest_xdist_make_scheduler(config, log):
    """That scheduler, in place of xdist's own."""
    return SuiteScheduling(config, log)


class Turns:
    """In a worker: lets a suite begin when it may, and ends the process of one that takes too long."""

    def __init__(self, lock):
        self.lock = lock
        self.timer = None

    def begin(self, path):
        """Waits until the suite may run."""
        fcntl.flock(self.lock, fcntl.LOCK_EX if path.stem in ALONE else fcntl.LOCK_SH)
        self.timer = threading.Timer(programs.SUITE_SECONDS, os.killpg, (0, signal.SIGKILL))
        self.timer.daemon = True
        self.timer.start()

    def end(self):
        """Lets others run."""
        self.timer.cancel()
        self.timer = None
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item, nextitem):
        """A test, and what is to be done before the first and after the last of its suite."""
        if self.timer is None:
            self.begin(item.path)
        yield
        if nextitem is None or nextitem.path != item.path:
            self.end()


def pytest_configure(config):
    """A worker has a process group of its own, which ends with a suite that takes too long."""
    if hasattr(config, "workerinput"):
        os.setpgid(0, 0)
        lock = open(programs.BUILD / "suites.lock", "w", encoding="utf-8")
        config.pluginmanager.register(Turns(lock))
    else:
        sanitizers.begin(programs.BUILD)
        config.pluginmanager.register(Report(config))
    if hasattr(config, "workerinput") or not config.getoption("numprocesses"):
        worker = getattr(config, "workerinput", {}).get("workerid", "main")
        config.pluginmanager.register(sanitizers.Reports(worker))


class Report:
    """In the process that reports: the time that each suite took, and the last line."""

    def __init__(self, config):
        self.config = config
        self.seconds = collections.Counter()
        self.left = []  # reports of sanitizers that no test failed for

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        """A report fails the run also if it came after the last test of its process."""
        self.left = sanitizers.left()
        if self.left:
            session.exitstatus = 1

    def pytest_runtest_logreport(self, report):
        """Adds up what a suite's tests took."""
        self.seconds[report.nodeid.split("::", 1)[0]] += report.duration

    def pytest_terminal_summary(self, terminalreporter):
        """The suites that took longest."""
        terminalreporter.write_sep("=", "longest suites")
        for suite, seconds in self.seconds.most_common(SHOWN):
            terminalreporter.write_line(f"{seconds:7.1f} s  {suite}")
        for path in self.left:
            terminalreporter.write_sep("=", "a sanitizer's report that no test failed for")
            terminalreporter.write_line(path.read_text(errors="replace"))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        """The last line."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter and not self.config.option.collectonly:
            count = {name: len(reports) for name, reports in reporter.stats.items()}
            failed = count.get("failed", 0) + count.get("error", 0) + len(self.left)
            reporter.write_line(f"{count.get('passed', 0)} passed, {failed} failed, "
                                f"{count.get('skipped', 0)} skipped")


SKIPPED = []  # subTests of the test that runs, and why


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A test of which a subTest was skipped is told as skipped, if the others have passed."""
    report = (yield).get_result()
    if call.when != "call":
        return
    if SKIPPED and report.passed:
        path, line, _ = item.location
        report.outcome, report.longrepr = "skipped", (path, line, f"Skipped: {'; '.join(SKIPPED)}")
    SKIPPED.clear()


@contextlib.contextmanager
def named_sub_test(_, *message, **parameters):
    """TestCase.subTest for pytest, which would not name the one that failed."""
    try:
        yield
    except unittest.SkipTest as skipped:
        print("subTest skipped:", skipped, *message, *parameters.values())
        SKIPPED.append(f"{skipped}: {' '.join(map(str, (*message, *parameters.values())))}")
    except BaseException:
        print("subTest:", *message, *(f"{name}={value!r}" for name, value in parameters.items()))
        raise


unittest.TestCase.subTest = named_sub_test
