"""How a test's daemon ended is told, also where nobody asks it anything more."""

import pathlib
import signal
import sys
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402

# Says that it listens, and does not heed SIGTERM.
DEAF = ["sh", "-c", "trap '' TERM; echo 'listening on http://127.0.0.1:1'; while :; do sleep 0.1; done"]


class Ends(unittest.TestCase):
    def test_a_daemon_that_crashed_fails_its_test(self):
        for crash in signal.SIGABRT, signal.SIGSEGV:
            with self.subTest(crash), self.assertRaisesRegex(AssertionError, f"was ended by {crash.name};"):
                with harness.Server("--drain", "0") as server:
                    server.get("/livez")
                    server.process.send_signal(crash)
                    server.process.wait(harness.PATIENCE)

    def test_a_daemon_that_does_not_heed_sigterm_fails_its_test_and_ends(self):
        server = harness.Server(command=DEAF)
        with unittest.mock.patch.object(harness, "STOP_SECONDS", 0.5):
            with self.assertRaisesRegex(AssertionError, "did not end within 0.5 s of SIGTERM"), server:
                pass
        self.assertEqual(server.process.returncode, -signal.SIGKILL)

    def test_a_daemon_that_ends_by_sigterm_or_is_killed_by_its_test_fails_nothing(self):
        server = harness.Server("--drain", "0")
        server.start()
        self.assertEqual(server.stop(), 0)
        server.start()
        server.process.kill()
        self.assertEqual(server.stop(), -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
