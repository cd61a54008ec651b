"""What tests/run.py counts: of unit programs as this machine's cmocka makes them, and of others."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import run  # noqa: E402

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


def counts(*names):
    """Passed, failed and skipped of a unit program of these tests."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(pathlib.Path(folder, "program"))
        tests = ",".join(ALL[name] for name in names)
        subprocess.run(["gcc", "-w", "-x", "c", "-", f"-DTESTS={tests}", "-lcmocka", "-o", program],
                       input=PROGRAM, text=True, check=True)
        output, status = run.output_of([program], folder)
        return run.counted(output, status)


class Counts(unittest.TestCase):
    def test_what_passes_fails_and_is_skipped_is_counted(self):
        self.assertEqual(counts("passes", "passes", "skips"), (2, 0, 1))
        self.assertEqual(counts("fails", "passes", "skips", "fails"), (1, 2, 1))

    def test_a_crash_is_one_failure(self):
        self.assertEqual(counts("passes", "crashes", "passes"), (2, 1, 0))

    def test_a_test_that_is_not_set_up_or_torn_down_fails(self):
        self.assertEqual(counts("is not set up", "passes", "is not torn down"), (1, 2, 0))

    def test_what_a_program_that_ends_early_has_not_run_fails(self):
        self.assertEqual(counts("passes", "leaves", "passes"), (1, 2, 0))

    def test_a_failing_status_alone_is_a_failure(self):
        self.assertEqual(run.counted("1..1\nok 1 - a\n", 1), (1, 1, 0))
        self.assertEqual(run.counted("Ran 3 tests in 1.0s\n\nOK\n", 1), (3, 1, 0))
        self.assertEqual(run.counted("7 inputs\n", 1), (7, 1, 0))

    def test_no_count_at_all_is_a_failure(self):
        self.assertEqual(run.counted("", 0), (0, 1, 0))

    def test_unittest_is_counted(self):
        said = "Ran 9 tests in 1.0s\n\nFAILED (failures=1, errors=2, skipped=3)\n"
        self.assertEqual(run.counted(said, 1), (3, 3, 3))
        self.assertEqual(run.counted("Ran 0 tests in 1.0s\n\nFAILED (errors=1)\n", 1), (0, 1, 0))

    def test_a_child_that_repeats_a_line_does_not_count_twice(self):
        self.assertEqual(run.counted("1..2\nok 1 - a\n1..2\nok 1 - a\nok 2 - b\n", 0), (2, 0, 0))

    def test_the_build_under_test_is_named_to_every_suite(self):
        output, status = run.output_of(["sh", "-c", "echo $FMIXD"], os.getcwd())
        self.assertEqual((output.strip(), status), (str(run.BUILD / "fmixd"), 0))


if __name__ == "__main__":
    unittest.main()
