"""Meshes in the Object File Format (OFF), as ModelNet has them: ASCII, a vertex or a face a line."""

import numpy as np

DIGITS = 19  # a number of fewer digits is an int64


class NotMesh(Exception):
    """A file that is not a mesh; says which line, and why."""


def read_off(path):
    """The vertices, float64 [v, 3], and triangles, int64 [t, 3]. A polygon becomes a fan around its first corner."""
    lines = _Lines(path)
    vertices, faces = lines.counts()
    return _vertices(lines, vertices), _triangles(lines, faces, vertices)


class _Lines:
    """The lines that say something, with their numbers in the file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            split = [(number, line.split(b"#", 1)[0].strip()) for number, line in enumerate(file, 1)]
        self._lines = [entry for entry in split if entry[1]]
        self._next = 0

    def take(self, count, what):
        """The next so many of them: (number, line)."""
        taken = self._lines[self._next:self._next + count]
        if len(taken) < count:
            raise NotMesh(f"it ends early: {len(taken)} of {count} {what} are there")
        self._next += count
        return taken

    def counts(self):
        """How many vertices and faces there are. Many files of ModelNet lack the line break after OFF."""
        (number, line), = self.take(1, "line OFF")
        if line[:3] != b"OFF":
            raise NotMesh(f"line {number} is {_shown(line)}; must begin with OFF")
        rest = line[3:].strip()
        if not rest:
            (number, rest), = self.take(1, "line of counts")
        counts = [_number(word) for word in rest.split()]
        if len(counts) not in (2, 3) or min(counts) < 0:
            raise NotMesh(f"line {number} is {_shown(line[:3] + rest if rest in line else rest)}; must be the "
                          "numbers of vertices, faces and edges")
        vertices, faces = counts[:2]
        if not vertices or not faces:
            raise NotMesh(f"line {number} tells of {vertices} vertices and {faces} faces; must be 1 or more each")
        return vertices, faces


def _number(word):
    """A count or the number of a vertex; -1: it is none."""
    return int(word) if word.isdigit() and len(word) < DIGITS else -1


def _shown(line):
    """The beginning of a line, for a message."""
    return ascii(line[:40].decode("latin-1"))


def _table(taken, dtype, width):
    """Lines of so many numbers each as an array [lines, width]; None: some line is not."""
    rows = [line.split() for _, line in taken]
    if any(len(row) != width for row in rows):  # though there may be so many numbers in all
        return None
    try:
        return np.array(rows, dtype)
    except (ValueError, OverflowError):
        return None


def _vertices(lines, count):
    taken = lines.take(count, "vertices")
    vertices = _table(taken, float, 3)
    if vertices is None or not np.isfinite(vertices).all():
        number, line = next(entry for entry in taken if not _is_vertex(entry[1]))
        raise NotMesh(f"line {number} is {_shown(line)}; a vertex must be three finite numbers")
    return vertices


def _is_vertex(line):
    table = _table([(0, line)], float, 3)
    return table is not None and bool(np.isfinite(table).all())


def _triangles(lines, count, vertices):
    """What stands after the corners of a face is its colour, which is left out."""
    taken = lines.take(count, "faces")
    table = _table(taken, np.int64, 4)  # as most files have them
    if table is not None and (table[:, 0] == 3).all() and (table >= 0).all() and (table[:, 1:] < vertices).all():
        return table[:, 1:]
    return np.array([triangle for entry in taken for triangle in _fan(*entry, vertices)])


def _fan(number, line, vertices):
    """The triangles of one face."""
    corners, *rest = line.split()
    corners = _number(corners)
    face = [_number(word) for word in rest[:max(0, corners)]]
    if corners < 3 or len(face) != corners or min(face) < 0:
        raise NotMesh(f"line {number} is {_shown(line)}; a face must be a number of corners from 3 on, and so many "
                      "numbers of vertices")
    if max(face) >= vertices:
        raise NotMesh(f"line {number} names vertex {max(face)}; must be from 0 to {vertices - 1}")
    return [(face[0], *pair) for pair in zip(face[1:], face[2:])]
