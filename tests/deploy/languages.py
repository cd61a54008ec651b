"""The clients in JavaScript and R as programs that tests give cases to, and a proxy that troubles them."""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402

DRIVERS = pathlib.Path(__file__).resolve().parent / "drivers"
CLIENTS = harness.ROOT / "deploy" / "clients"
PATIENCE = 3 * harness.PATIENCE  # a language's start, and all that it asks


def require(needs):
    """Skips where one of Debian's packages is missing: by name, what works where it is."""
    for package, probe in needs.items():
        if subprocess.run(probe, shell=True, check=False, capture_output=True).returncode:
            raise unittest.SkipTest(f"there is no {package} here")


def run(command, text=None, environment=None):
    """A program that has ended; it ran at the top of the repository."""
    return subprocess.run(command, input=text, text=True, check=False, capture_output=True, timeout=PATIENCE,
                          env=environment, cwd=harness.ROOT)


class JavaScript:
    """Needs nothing but Node."""

    needs = {"nodejs": "node --version"}
    natural = True  # reads every number as the nearest float64

    def __init__(self, _):
        require(self.needs)

    def script(self, text, *arguments):
        """A program of these lines, which has ended."""
        return run(["node", "--input-type=module", "-e", text, "--", *arguments])

    def command(self, script):
        return ["node", str(DRIVERS / f"{script}.mjs")]

    def environment(self):
        return None


class R:
    """With the package installed into a folder of its own."""

    needs = {"r-base-core": "Rscript --version", "r-cran-curl": "Rscript -e 'library(curl)'"}
    natural = False

    def __init__(self, folder):
        require(self.needs)
        self.library = pathlib.Path(folder, "library")
        self.library.mkdir()
        # A copy, for R builds in the folder of the sources.
        source = shutil.copytree(CLIENTS / "r", pathlib.Path(folder, "fmixd"))
        done = run(["R", "CMD", "INSTALL", "--no-test-load", "-l", str(self.library), str(source)])
        if done.returncode:
            raise AssertionError(f"R CMD INSTALL failed:\n{done.stderr}")

    def script(self, text, *arguments):
        """A program of these lines, which has ended."""
        return run(["Rscript", "-e", text, *arguments], environment=self.environment())

    def command(self, script):
        return ["Rscript", str(DRIVERS / f"{script}.R")]

    def environment(self):
        return {**os.environ, "R_LIBS": str(self.library)}


def mixed(language, url, cases):
    """What a language's client makes of such batches."""
    done = run([*language.command("mix"), url], "".join(json.dumps(case) + "\n" for case in cases),
               language.environment())
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    if len(outcomes) != len(cases):
        raise AssertionError(f"{len(outcomes)} outcomes of {len(cases)}:\n{done.stderr}")
    return outcomes


def epochs(language, url, cases):
    """The batches of each of such epochs, (set, options), by one program; what it said on stderr, and its exit
    status. An error ends the program."""
    done = run([*language.command("epochs"), url],
               "".join(json.dumps({"set": name, "options": options}) + "\n" for name, options in cases),
               language.environment())
    made = [[]]
    for batch in map(json.loads, done.stdout.splitlines()):
        if batch is None:
            made.append([])
        else:
            made[-1].append(batch)
    return made[:len(cases)], done.stderr, done.returncode


class Trouble(http.server.BaseHTTPRequestHandler):
    """Passes a request on to a daemon, unless its server's `trouble(path)` says otherwise: by a status
    and headers, or by "cut", half of an answer, or "gone", none."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        trouble = self.server.trouble(self.path)
        if trouble == "gone":
            self.close_connection = True
            return
        if isinstance(trouble, tuple):
            status, headers, body = *trouble, b'{"detail": "too much to do"}'
        else:
            answer = self.server.daemon.request("GET", self.path, None, {}, fresh=True)
            status, headers, body = answer.status, {}, answer.body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if trouble == "cut" else body)
        self.close_connection = trouble == "cut"

    def log_message(self, *_):
        pass


class Proxy:
    """A daemon behind somebody who makes trouble, for as long as a `with` lasts; its URL."""

    def __init__(self, daemon, trouble):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trouble)
        self._server.daemon, self._server.trouble, self._server.daemon_threads = daemon, trouble, True
        self._server.handle_error = lambda *_: None  # who has seen enough may hang up
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self):
        self._thread.start()
        return "http://127.0.0.1:{}".format(self._server.server_address[1])

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
