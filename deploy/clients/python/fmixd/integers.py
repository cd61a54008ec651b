"""Whole numbers that a caller gives: Python's, NumPy's, or that of a tensor."""

from __future__ import annotations

import operator
from typing import Any


def integer(name: str, value: Any, least: int, most: int | None = None) -> int:
    """The value as Python's own. Texts, floats and truths are refused: who gives one may mean something else."""
    try:
        number = operator.index(value)
    except (TypeError, ValueError, RuntimeError):  # what a tensor raises hangs on its library
        number = None
    if number is None or isinstance(value, bool) or number < least or (most is not None and number > most):
        of_text = "; it is text: give int(…) of it" if isinstance(value, str) and value.isdigit() else ""
        raise ValueError(f"{name} is {value!r}; it must be a whole number from {least} "
                         f"{'on' if most is None else f'to {most}'}{of_text}")
    return number
