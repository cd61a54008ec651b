"""fmixd(1), libfmix(3) and --help, compared with the program and the headers."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "deploy/fmixd.1"
COMMANDS = ("serve", "import", "info", "verify", "token", "healthcheck", "selftest", "config", "settings", "api",
            "version", "help")


def program():
    """The daemon that is tested."""
    return os.environ.get("FMIXD", str(ROOT / "build/fmixd"))


def run(*arguments, **environment):
    """fmixd with these arguments, ended."""
    return subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=600,
                          env={**os.environ, **environment}, check=False)


def table():
    """The rows of `fmixd settings`: name, meaning, default, range."""
    rows = run("settings").stdout.splitlines()[2:]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


def plain(source):
    """The words of an mdoc page or a table, without markup and line ends."""
    lines = (re.sub(r"^\.[A-Z][a-z]\b *", "", line) for line in source.splitlines())
    return " ".join(" ".join(lines).split())


class TheManualPage(unittest.TestCase):
    def setUp(self):
        self.page = PAGE.read_text()
        entries = re.split(r"^\.It ", self.page.split(".Sh SETTINGS")[1].split(".Sh ")[0], flags=re.M)
        self.entries = {entry.split()[1].lstrip("-"): plain(entry) for entry in entries[1:]}

    def test_every_setting_has_its_entry_and_no_other(self):
        self.assertEqual(list(self.entries), [row[0].replace("_", "-") for row in table()])

    def test_an_entry_says_the_meaning_the_default_and_the_range(self):
        for name, meaning, default, limits in table():
            entry = self.entries[name.replace("_", "-")]
            with self.subTest(name):
                self.assertIn(meaning[1:], entry)
                self.assertEqual(default != "none", "Default:" in entry)
                if default != "none":
                    self.assertIn(f"Default: {default}{f', range {limits}' if limits else ''}.", entry)

    def test_every_command_is_described(self):
        for command in COMMANDS:
            with self.subTest(command):
                self.assertRegex(self.page, rf"(?m)^\.It Cm {command}\b")

    def test_every_kind_of_files_to_import_is_named(self):
        kinds = run("import", "--help").stdout.split("Kinds of files:")[1].split("Options:")[0]
        kinds = re.findall(r"(?m)^  (\w+)", kinds)
        entry = self.page.split(".It Cm import")[1].split(".It Cm")[0]
        words = " ".join(re.sub(r"(?m)^\.[A-Z][a-z] ", "", entry).split()).replace(" ,", ",")
        self.assertIn(f"{', '.join(kinds[:-1])} or {kinds[-1]} .", words)

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_groff_has_no_warning(self):
        done = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8", str(PAGE)], capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stderr, "")
        self.assertIn("EXIT STATUS", re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout))

    @unittest.skipUnless(shutil.which("mandoc"), "no mandoc")
    def test_mandoc_has_no_warning(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(PAGE)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 0))


class TheLibrarysManualPage(unittest.TestCase):
    def setUp(self):
        self.page = (ROOT / "deploy/libfmix.3").read_text()

    def test_every_call_is_named_once_and_no_other(self):
        symbols = (ROOT / "deploy/debian/libfmix1.symbols").read_text()
        named = re.findall(r"\bFn (fmix_\w+)", self.page)
        self.assertEqual(sorted(named), re.findall(r"^ (fmix_\w+)@", symbols, re.M))

    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_groff_has_no_warning(self):
        done = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8", ROOT / "deploy/libfmix.3"], capture_output=True,
                              text=True, check=True)
        self.assertEqual(done.stderr, "")


class TheHelpText(unittest.TestCase):
    def test_help_is_on_stdout_however_it_is_asked_for(self):
        printed = run("--help")
        self.assertEqual((printed.returncode, printed.stderr), (0, ""))
        for arguments in (("-h",), ("help",), ("serve", "--help"), ("config", "-h"),
                          ("--queue", "5", "--help")):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments).stdout, printed.stdout)

    def test_it_has_a_synopsis_every_command_every_setting_and_examples(self):
        text = run("--help").stdout
        self.assertTrue(text.startswith("Usage: fmixd "))
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command}\b")
        for name, *_ in table():
            self.assertRegex(text, rf"(?m)^  --{name.replace('_', '-')} ")
        self.assertIn("Examples:", text)

    def test_help_texts_have_at_most_80_columns(self):
        for arguments in (("--help",), ("token", "--help"), ("token",)):
            done = run(*arguments)
            for line in (done.stdout + done.stderr).splitlines():
                self.assertLessEqual(len(line), 80, line)

    def test_help_needs_no_valid_settings(self):
        self.assertEqual(run("help", FMIXD_QUEUE="none").returncode, 0)
        self.assertEqual(run("--help", FMIXD_QUEUE="none").returncode, 0)

    def test_the_version_is_one_line_however_it_is_asked_for(self):
        printed = run("version").stdout
        self.assertRegex(printed, r"^fmixd \d+\.\d+\.\d+, stream \d+\n$")
        for flag in ("--version", "-V"):
            self.assertEqual(run(flag).stdout, printed)

    def test_a_mistyped_word_is_answered_with_the_nearest_right_one(self):
        for arguments, said in ((("srve",), "unknown command 'srve'; did you mean serve?"),
                                (("imprt", "x"), "did you mean import?"),
                                (("--io-thread", "5"), "did you mean --io-threads?"),
                                (("config", "queue"), "unexpected argument 'queue'"),
                                (("zzz",), "unknown command 'zzz'; see fmixd --help")):
            done = run(*arguments)
            with self.subTest(arguments):
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
