"""Runs the golden sets of recipes under everything that may differ, and compares. `make sameness`.

A line a variant: the digest of all answers, which must be one and the same, and that of the values
before anything was decided, which must not: where nothing differed underneath, nothing was proved.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from typing import NamedTuple

import cross
import served

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECIPES = 3000
SETS = {"recipes": (ROOT / "tests" / "golden" / "sameness.txt", RECIPES),
        "choices": (ROOT / "tests" / "golden" / "sameness-choices.txt", 2000),
        "views": (ROOT / "tests" / "golden" / "sameness-views.txt", 1000)}
WITH_VALUES = ("recipes", "choices")  # of which values lie underneath; views are integers throughout
PLANS = ("estimate", "measure", "patient", "nosimd", "unaligned",
         "whole", "whole, measure", "whole, nosimd")
SERVED = ("gcc -O0", "clang -O3")  # builds of which the daemon is asked too
KERNELS = ("x86-64-v4", "x86-64-v3", "plain")


class Build(NamedTuple):
    """libfmix and the program, compiled in one way."""

    name: str
    compiler: str
    opt: str
    flags: str = ""

    def folder(self):
        """Where it is built."""
        return ROOT / "build" / "sameness" / re.sub(r"[^a-z0-9]+", "-", self.name.lower())

    def make(self, target="sameness/golden"):
        """Builds it; its program, or another."""
        folder = self.folder()
        environment = {**os.environ, "CFLAGS": self.flags}
        for name in ("MAKEFLAGS", "BUILD"):
            environment.pop(name, None)
        target = folder / target
        subprocess.run(["make", "--no-print-directory", "-s", "-j2", f"BUILD={folder}",
                        f"CC={self.compiler}", f"OPT={self.opt}", "WARN=", str(target)],
                       cwd=ROOT, env=environment, check=True)
        return target


class Variant(NamedTuple):
    """A command, its options, and what is around it."""

    name: str
    command: list
    options: tuple = ()
    environment: dict = {}


class Outcome(NamedTuple):
    """What a run printed."""

    digests: list
    answers: str
    raw: str
    underneath: str


def run(variant, golden, recipes):
    """Its outcome of so many recipes of a golden set."""
    done = subprocess.run([*variant.command, "--set", golden, "--recipes", str(recipes),
                           *variant.options],
                          env={**os.environ, **variant.environment}, text=True, check=True,
                          stdout=subprocess.PIPE)
    *digests, answers, underneath = done.stdout.splitlines()
    _, _, raw, rest = underneath.split(" ", 3)
    return Outcome(digests, answers.split()[1], raw, rest)


def builds():
    """Compilers, their zeal, and what they may use."""
    for compiler in ("gcc", "clang"):
        for opt in ("-O0", "-O1", "-O2", "-O3"):
            yield Build(f"{compiler} {opt}", compiler, opt)
    yield Build("gcc -O3, no vector clones", "gcc", "-O3", "-DFMIX_ONE_CLONE")
    for level in ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"):
        if level != "x86-64-v4" or "avx512dq" in pathlib.Path("/proc/cpuinfo").read_text():
            yield Build(f"gcc -O3 -march={level}", "gcc", "-O3", f"-march={level}")


def variants_of(program, preloaded):
    """What may differ around one program."""
    for name in KERNELS:
        if subprocess.run([program, "--recipes", "1", "--kernels", name], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            yield Variant(f"kernels {name}", [program], ("--kernels", name))
    for plans in PLANS:
        yield Variant(f"plans {plans}", [program], (),
                      {"LD_PRELOAD": str(preloaded), "FMIX_PLANS": plans,
                       "ASAN_OPTIONS": "verify_asan_link_order=0"})
    yield Variant("glibc without FMA and AVX2", [program], (),
                  {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX512F"})
    for threads in ("2", "7"):
        yield Variant(f"{threads} threads", [program], ("--threads", threads))
    yield Variant("a row at a time", [program], ("--single",))


class Matrix:
    """Compares outcomes with what is pinned, and with each other."""

    def __init__(self, recipes=RECIPES):
        share = recipes / RECIPES
        self.pinned = {golden: file.read_text(encoding="ascii").splitlines()[:round(count * share)]
                       for golden, (file, count) in SETS.items()}
        self.raw = {golden: set() for golden in SETS}
        self.count = self.wrong = 0
        self.hosted = None  # what a service says of itself, and the digests of its data sets

    def take(self, variant):
        """Runs one and says how it went."""
        self.count += 1
        self.wrong += not all([self.is_same(variant, golden) for golden in SETS])

    def is_same(self, variant, golden):
        """Runs one golden set of one."""
        start, pinned = time.monotonic(), self.pinned[golden]
        outcome = run(variant, golden, len(pinned))
        same = outcome.digests == pinned
        self.raw[golden].add(outcome.raw)
        print(f"{'same' if same else 'DIFFERENT':9}  {variant.name:28} {golden}  "
              f"raw {outcome.raw[:8]}  {outcome.underneath}  {time.monotonic() - start:.1f} s",
              flush=True)
        if not same:
            pairs = zip(pinned, outcome.digests)
            print("  first at recipe "
                  + next((ours.split()[1] for pin, ours in pairs if pin != ours), "?"))
        return same

    def serve(self, service, entries):
        """Runs one service and says how it went."""
        start = time.monotonic()
        count, wrong, versions = served.run(service, entries)
        self.count += 1
        self.wrong += bool(wrong)
        print(f"{'DIFFERENT' if wrong else 'same':9}  {service.name:32} {count} requests, "
              f"{', '.join(v['kernels'] for v in versions)}  {time.monotonic() - start:.1f} s",
              flush=True)
        for target in wrong[:3]:
            print(f"  {target}")

    def host(self, service):
        """Compares its self-test and what it makes of data sets with what the first of these made."""
        start = time.monotonic()
        status, said = served.selftest(service)
        made = (said, served.hosted(service) if status == 0 else "not asked")
        self.hosted = self.hosted or made
        same = status == 0 and made == self.hosted
        self.count += 1
        self.wrong += not same
        print(f"{'same' if same else 'DIFFERENT':9}  {service.name}: data sets  {made[1]}  "
              f"self-test: {said}  {time.monotonic() - start:.1f} s", flush=True)

    def verdict(self):
        """True: all the same, though they computed differently."""
        different = {golden: len(self.raw[golden]) for golden in WITH_VALUES}
        vacuous = min(different.values()) < 3
        counts = ", ".join(f"{len(pinned)} {golden}" for golden, pinned in self.pinned.items())
        print(f"{self.count} variants of {counts}: {self.wrong} different; different sets of values "
              f"underneath: {different}" + (": nothing was proved" if vacuous else ""))
        return not self.wrong and not vacuous


def main():
    """The whole matrix."""
    first = Build("gcc -O3", "gcc", "-O3")
    program = first.make()
    preloaded = first.folder() / "sameness" / "plans.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", preloaded,
                    HERE / "plans.c", "-ldl"], check=True)
    if sys.argv[1:] == ["--pin"]:
        for golden, (file, count) in SETS.items():
            text = "\n".join(run(Variant("", [program]), golden, count).digests) + "\n"
            if file.exists() and file.read_text(encoding="ascii") != text:
                sys.exit("what is pinned is not changed: a released byte would be")
            file.write_text(text, encoding="ascii")
    matrix = Matrix()
    for variant in variants_of(program, preloaded):
        matrix.take(variant)
    entries = served.catalogue.entries()
    matrix.host(served.Service("served", [first.make("fmixd")]))
    for service in served.services_of(first.make("fmixd"), preloaded):
        matrix.serve(service, entries)
    for build in builds():
        matrix.take(Variant(build.name, [build.make()]))
        if build.name in SERVED:
            service = served.Service(f"served, {build.name}", [build.make("fmixd")])
            matrix.serve(service, entries)
            matrix.host(service)
    for architecture in cross.ARCHITECTURES:
        name = f"{architecture.name} under qemu"
        matrix.take(Variant(name, cross.build(architecture, "sameness/golden")))
        service = served.Service(f"served, {name}", cross.build(architecture, "fmixd"))
        matrix.serve(service, entries)
        matrix.host(service)
    return 0 if matrix.verdict() else 1


if __name__ == "__main__":
    sys.exit(main())
