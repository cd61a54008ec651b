"""What Linux says of a process that runs: memory, processor time, descriptors."""

import os
import pathlib

SHADOW = bool(os.environ.get("FMIX_SHADOW"))  # a sanitizer has memory of its own


def resident(process, field="VmRSS"):
    """Bytes that it has in memory: now, at most so far (VmHWM), or without those of files (RssAnon)."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(text.split(f"\n{field}:")[1].split()[0]) << 10


def _stat(process):
    """The fields of its line from the state on: its name, which is before, may hold spaces."""
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def processor_seconds(process):
    """Of all its threads so far, of the user and of the system."""
    fields = _stat(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def state(process):
    """T: it is stopped."""
    return _stat(process)[0]


def descriptors(process):
    """How many it has open."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))
