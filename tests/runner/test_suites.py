"""What is counted of unit programs as this machine's cmocka makes them, and how a run by pytest ends."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import programs  # noqa: E402
import suites  # noqa: E402

PROGRAM = """
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
static void passes(void **state) { (void)state; }
static void fails(void **state) { (void)state; assert_int_equal(1, 2); }
static void skips(void **state) { (void)state; skip(); }
static void crashes(void **state) { *(volatile int *)*state = 1; }
static void leaves(void **state) { (void)state; _exit(0); }
static int refuses(void **state) { (void)state; return -1; }
int main(void) {
    const struct CMUnitTest tests[] = {TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
"""
ALL = {"passes": "cmocka_unit_test(passes)", "fails": "cmocka_unit_test(fails)",
       "skips": "cmocka_unit_test(skips)", "crashes": "cmocka_unit_test(crashes)",
       "leaves": "cmocka_unit_test(leaves)",
       "is not set up": "cmocka_unit_test_setup(passes, refuses)",
       "is not torn down": "cmocka_unit_test_teardown(passes, refuses)"}


SECONDS = 5  # after which a suite has hung
NAPS = f"{os.getpid()}.25"  # seconds that nobody else sleeps: this suite may run twice at the same time
ONE_OF_EACH = """
import unittest
class Three(unittest.TestCase):
    def test_passes(self): pass
    def test_fails(self):
        with self.subTest(of="that name"): self.assertEqual(1, 2)
    @unittest.skip("a reason")
    def test_is_skipped(self): pass
"""
NOT_SET_UP = """
import unittest
class NotSetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls): raise OSError("nothing to test")
    def test_fails(self): pass
"""
SKIPS_ONE = """
import unittest
class SkipsOne(unittest.TestCase):
    def test_skips_one(self):
        for number in range(3):
            with self.subTest(number=number):
                if number == 1: self.skipTest("a reason")
    def test_fails_after(self):
        with self.subTest(): self.skipTest("another")
        self.fail()
    def test_passes(self): pass
"""
LOSES = """
import threading, unittest
class Loses(unittest.TestCase):
    def test_loses_a_thread(self):
        def breaks(): raise OSError("what it met")
        thread = threading.Thread(target=breaks)
        thread.start()
        thread.join()
    def test_passes(self): pass
"""
HANGS = f"""
import subprocess, unittest
class Hangs(unittest.TestCase):
    def test_1_passes(self): pass
    def test_2_hangs(self): subprocess.run(["sleep", "9{NAPS}"])
    def test_3_is_lost(self): pass
"""
DIES = """
import os, unittest
class Dies(unittest.TestCase):
    def test_1_dies(self): os._exit(0)
    def test_2_is_lost(self): pass
"""
PASSES = """
import unittest
class Passes(unittest.TestCase):
    def test_passes(self): pass
"""
REPORTED = """
import os, subprocess, unittest
class Reported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        path = os.environ["UBSAN_OPTIONS"].split("log_path=")[-1]
        cls.addClassCleanup(lambda: open(path + ".4321", "w").write("==4321==ERROR: as if"))
    def test_passes(self): pass
    def test_passes_too(self): pass
"""
LATE = """
import atexit, os
path = os.environ["TSAN_OPTIONS"].split("log_path=")[-1]
import unittest
class Late(unittest.TestCase):
    def test_passes(self):
        atexit.register(lambda: open(path + ".4321", "w").write("==4321==WARNING: as if"))
"""
DEFECTIVE = """
import os, subprocess, unittest
class Defective(unittest.TestCase):
    def run_unseen(self, program):
        subprocess.run([os.path.join(os.environ["DEFECTIVE"], program)], stderr=subprocess.DEVNULL)
    def test_race(self): self.run_unseen("thread")
    def test_leak(self): self.run_unseen("address")
    def test_shift(self): self.run_unseen("undefined")
"""
BROKEN = "import nothing_of_this_name\n"

RACE = """
#include <pthread.h>
static int shared;
static void *count(void *unused) { shared++; return unused; }
int main(void) {
    pthread_t one;
    pthread_create(&one, 0, count, 0);
    count(0);
    return pthread_join(one, 0);
}
"""
LEAK = """
#include <stdlib.h>
int main(void) { void *volatile lost = malloc(99); lost = 0; return 0; }
"""
SHIFT = """
int main(int argc, char **argv) { return (argc << 40) == 1; }
"""
WRONG = {"thread": (RACE, "data race"), "address": (LEAK, "99 byte(s) leaked"), "undefined": (SHIFT, "shift exponent")}


def counts(*names):
    """Passed, failed and skipped of a unit program of these tests."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder, "program"))
        tests = ",".join(ALL[name] for name in names)
        subprocess.run(["gcc", "-w", "-x", "c", "-", f"-DTESTS={tests}", "-lcmocka", "-o", program],
                       input=PROGRAM, text=True, check=True)
        return counted(names, programs.run([program]))


def counted(names, output):
    """Passed, failed and skipped of a program's output."""
    unique = [f"{i} {name}" for i, name in enumerate(names)]
    outcomes = [verdict.outcome for verdict in programs.verdicts(unique, output).values()]
    return tuple(outcomes.count(name) for name in ("passed", "failed", "skipped"))


class Programs(unittest.TestCase):
    def test_what_passes_fails_and_is_skipped_is_counted(self):
        self.assertEqual(counts("passes", "passes", "skips"), (2, 0, 1))
        self.assertEqual(counts("fails", "passes", "skips", "fails"), (1, 2, 1))

    def test_a_crash_is_one_failure(self):
        self.assertEqual(counts("passes", "crashes", "passes"), (2, 1, 0))

    def test_a_test_that_is_not_set_up_or_torn_down_fails(self):
        self.assertEqual(counts("is not set up", "passes", "is not torn down"), (1, 2, 0))

    def test_what_a_program_that_ends_early_has_not_run_fails(self):
        self.assertEqual(counts("passes", "leaves", "passes"), (1, 2, 0))

    def test_a_status_that_no_test_explains_fails_all(self):
        self.assertEqual(counted("ab", programs.Output("1..2\nok 1 - a\nok 2 - b\n", 1)), (0, 2, 0))

    def test_a_program_that_runs_other_tests_than_its_source_lists_fails(self):
        self.assertEqual(counted("a", programs.Output("1..2\nok 1 - a\nok 2 - b\n", 0)), (0, 1, 0))

    def test_a_child_that_repeats_a_line_does_not_count_twice(self):
        repeated = programs.Output("1..2\nok 1 - a\n1..2\nok 1 - a\nok 2 - b\n", 0)
        self.assertEqual(counted("ab", repeated), (2, 0, 0))

    def test_of_two_lines_of_one_test_the_failing_one_counts(self):
        for first, second in ("ok", "not ok"), ("not ok", "ok"):
            twice = programs.Output(f"1..1\n{first} 1 - a\n{second} 1 - a\n", 1)
            self.assertEqual(counted("a", twice), (0, 1, 0))

    def test_a_program_that_hangs_is_ended_with_its_children(self):
        output = programs.run(["sh", "-c", "echo begun; sleep 4321 & wait"], seconds=5)
        self.assertEqual((output.text.split()[0], output.status), ("begun", 1))

    def test_the_build_under_test_is_named_to_every_suite(self):
        output = programs.run(["sh", "-c", "echo $FMIXD"])
        self.assertEqual((output.text.strip(), output.status), (str(programs.BUILD / "fmixd"), 0))

    def test_every_unit_test_has_a_name_of_its_own(self):
        names = [source.stem for source in programs.unit_sources()]
        self.assertEqual(len(names), len(set(names)))
        for source in programs.unit_sources():
            tests = programs.unit_tests(source)
            self.assertTrue(tests, source)


class Runs(unittest.TestCase):
    """pytest over suites of these tests' own."""

    def run_suites(self, *options, seconds=programs.SUITE_SECONDS, **texts):
        """What pytest prints, and its exit status."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                pathlib.Path(folder, f"test_{name}.py").write_text(text)
            environment = {**os.environ, "BUILD": folder, "FMIX_SUITE_SECONDS": str(seconds),
                           "PYTHONPATH": str(TESTS)}
            done = subprocess.run(
                [sys.executable, "-B", "-m", "pytest", "-c", TESTS / "pytest.ini", "-p", "conftest",
                 "-n2", "--rootdir", folder, *options, folder], env=environment, cwd=folder, text=True,
                check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout, done.returncode

    def assert_ends(self, said, line):
        """The last line is the count."""
        self.assertEqual(said[0].splitlines()[-1], line, said[0])
        self.assertEqual(said[1] == 0, " 0 failed" in line)

    def test_the_last_line_counts(self):
        said = self.run_suites(each=ONE_OF_EACH, passes=PASSES)
        self.assert_ends(said, "2 passed, 1 failed, 1 skipped")
        self.assertIn("of='that name'", said[0])
        self.assertIn("a reason", said[0])

    def test_the_last_line_counts_when_nothing_failed(self):
        self.assert_ends(self.run_suites(passes=PASSES), "1 passed, 0 failed, 0 skipped")

    def test_a_sub_test_that_is_skipped_is_told_and_no_pass(self):
        said = self.run_suites(skips=SKIPS_ONE)
        self.assert_ends(said, "1 passed, 1 failed, 1 skipped")
        self.assertIn("a reason: 1", said[0])

    def test_a_thread_that_ends_by_an_exception_fails_its_test_alone(self):
        said = self.run_suites(loses=LOSES, passes=PASSES)
        self.assert_ends(said, "2 passed, 1 failed, 0 skipped")
        self.assertIn("what it met", said[0])

    def test_a_class_that_is_not_set_up_and_a_file_that_is_not_imported_fail(self):
        self.assert_ends(self.run_suites(set_up=NOT_SET_UP, broken=BROKEN, passes=PASSES),
                         "1 passed, 2 failed, 0 skipped")

    def test_a_suite_that_hangs_is_ended_and_fails_and_others_run(self):
        self.assert_ends(self.run_suites(seconds=SECONDS, hangs=HANGS, passes=PASSES), "2 passed, 2 failed, 0 skipped")
        running = []
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                running.append(process.read_bytes())
        self.assertNotIn(f"sleep\0009{NAPS}\0".encode(), running)

    def test_a_suite_whose_process_ends_fails_and_others_run(self):
        self.assert_ends(self.run_suites(dies=DIES, passes=PASSES), "1 passed, 2 failed, 0 skipped")

    def test_a_report_fails_the_test_after_which_it_is_found(self):
        said = self.run_suites(reported=REPORTED, passes=PASSES)
        self.assert_ends(said, "3 passed, 1 failed, 0 skipped")
        self.assertRegex(said[0], r"beside test_passes_too:\n.*==4321==ERROR: as if")

    def test_a_report_that_comes_after_every_test_fails_the_run(self):
        said = self.run_suites(late=LATE, passes=PASSES)
        self.assert_ends(said, "2 passed, 1 failed, 0 skipped")
        self.assertIn("==4321==WARNING: as if", said[0])

    def test_what_sanitizers_report_of_a_program_fails_its_test(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind, (text, _) in WRONG.items():
                subprocess.run(["gcc", "-w", "-O1", "-pthread", f"-fsanitize={kind}", "-x", "c", "-", "-o",
                                os.path.join(folder, kind)], input=text, text=True, check=True)
            with unittest.mock.patch.dict(os.environ, DEFECTIVE=folder):
                said = self.run_suites(defective=DEFECTIVE)
        self.assert_ends(said, "3 passed, 3 failed, 0 skipped")
        for _, expected in WRONG.values():
            self.assertIn(expected, said[0])

    def test_a_name_that_nothing_has_is_a_failure(self):
        said = self.run_suites("-k", "nothing_of_this_name", passes=PASSES)
        self.assertEqual((said[0].splitlines()[-1], said[1]), ("0 passed, 0 failed, 0 skipped", 5))


class Words(unittest.TestCase):
    """How suites and tests are picked."""

    def test_names_are_alternatives_unless_they_are_an_expression(self):
        self.assertEqual(suites.arguments(["log", "test_"])[1:], ["-k", "log or test_"])
        self.assertEqual(suites.arguments(["guard", "and", "not", "fuzz"])[1:],
                         ["-k", "guard and not fuzz"])

    def test_a_suite_and_a_file_are_found_by_their_names(self):
        self.assertEqual(suites.arguments(["test_heads"]), [str(TESTS / "http/test_heads.py")])
        self.assertEqual(suites.arguments(["test_guard.py::Class::test"]),
                         [str(TESTS / "http/test_guard.py") + "::Class::test"])


if __name__ == "__main__":
    unittest.main()
