"""Runs what proves this tree, one target of make after another, and writes what came of each. `make proof`.

    proof.py FILE [TARGET...]

Each row has the commit, when the target began, its seconds, how it ended and the last line of its output,
which follows meanwhile. A target that fails does not keep the next from running; the end is then a failure.
"""

import os
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGETS = ("lint", "test", "asan", "tsan", "test13", "test-deb", "old-version", "sameness", "soak",
           "fuzz MINUTES=60", "long")
HEAD = "| target | commit | begun | seconds | ended | last line |\n|---|---|---|---|---|---|\n"


def git(*words):
    """What git says, or nothing where there is no repository."""
    done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def commit():
    """Of what is run: and whether files differ from it."""
    name = git("rev-parse", "--short", "HEAD") or "unknown"
    return name + (" and changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def run(target):
    """Its exit status and its last line that says anything; all of them are passed on."""
    last = ""
    make = os.environ.get("MAKE", "make")
    with subprocess.Popen([make, "--no-print-directory", *shlex.split(target)], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                          stdin=subprocess.DEVNULL) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return process.returncode, last


def main(place, targets):
    """The page, written after each target; exit status 1 if one failed."""
    page, failed = HEAD, 0
    place.parent.mkdir(parents=True, exist_ok=True)
    for target in targets:
        name, begun, start = commit(), time.strftime("%Y-%m-%d %H:%M", time.gmtime()), time.monotonic()
        status, last = run(target)
        failed += status != 0
        page += (f"| make {target} | {name} | {begun} UTC | {time.monotonic() - start:.0f} | "
                 f"{f'failed ({status})' if status else 'passed'} | {last.replace('|', chr(92) + '|')} |\n")
        place.write_text(page, encoding="utf-8")
    print(f"\n{page}\n{len(targets) - failed} of {len(targets)} targets passed; this is {place}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:] or TARGETS))
