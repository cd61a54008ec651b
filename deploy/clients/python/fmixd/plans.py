"""Plans: who is mixed with whom, by which method, and by which mask or weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ahead import Ahead
from .sources import PlanSource

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
CHOOSE = np.isin(METHODS, ("fmix", "cutmix"))  # by a mask, between a row's own elements and its partner's
SUM = np.isin(METHODS, ("mixup", "bc", "bcplus", "samplepairing"))  # both, by weights


class Plan:
    """One step's, of n rows: who is mixed with whom, by which method, and by which mask or weight.

    pairing: int64 [n], the number of each row's partner; lam, lam_eff: float64 [n], λ as drawn, and the weight of
    a row's own label; methods: uint8 [n], places in METHODS; chooses, sums: bool [n], whether a row's method copies
    elements by a mask, or sums; bits: uint8 [n, ⌈elements / 8⌉], masks as bits; shape: the sides of a mask.
    """

    def __init__(self, parts: dict[str, NDArray[Any]], row: int, shape: tuple[int, ...]) -> None:
        self.pairing = parts["pairing"][row]
        self.lam, self.lam_eff = parts["lambda"][row], parts["lambda_eff"][row]
        self.methods = parts["method"][row]  # of each row, as a place in METHODS
        self.bits, self.shape = parts["masks"][row], shape
        self.chooses, self.sums = CHOOSE[self.methods], SUM[self.methods]  # bool [n]

    @property
    def method(self) -> str | None:
        """The name of the method, if all rows have the same one; else None."""
        first = self.methods[0]
        return METHODS[first] if (self.methods == first).all() else None

    def masks(self) -> NDArray[Any]:
        """Bool [n, *shape]: where a row that chooses keeps its own elements."""
        size = int(np.prod(self.shape))
        return np.unpackbits(self.bits, axis=1, count=size).reshape(-1, *self.shape).view(bool)

    def mask(self, row: int) -> NDArray[Any]:
        """Uint8 [*shape]: that of a row, of 0 and 1."""
        return np.unpackbits(self.bits[row], count=int(np.prod(self.shape))).reshape(self.shape)

    def weights(self) -> NDArray[Any]:
        """Float64 [n]: the share of a row itself, of rows that are sums."""
        return np.where(self.methods == METHODS.index("samplepairing"), 0.5, self.lam)

    def partners(self) -> NDArray[Any]:
        """Int64 [n]: the pairing, in which a row that is not mixed is its own partner."""
        return np.where(self.chooses | self.sums, self.pairing, np.arange(len(self.pairing)))


class Stream:
    """Plans of one shape and number of rows, one step after the other. The first is fetched alone, so
    that nobody waits for more than it; blocks grow from there."""

    def __init__(self, make_source: Callable[[], PlanSource], shape: tuple[int, ...], rows: int, steps: int) -> None:
        """make_source: what makes a PlanSource; the look-ahead has one of its own."""
        self._make_source, self._shape, self._rows, self._steps = make_source, shape, rows, steps
        self._ahead: Ahead | None = None
        self._far: PlanSource | None = None
        self._near = make_source()
        self._plans: dict[int, Plan] = {}
        self._next: int | None = None
        self.used = 0

    def plan(self, number: int, eager: bool) -> Plan:
        """That of a step; eager: what follows is fetched before it is asked for."""
        if number not in self._plans and (number != self._next or not (self._ahead or eager)):
            self._seek(number)
        elif number not in self._plans and not self._ahead:
            self._begin(number)
        if eager and not self._ahead:
            assert self._next is not None
            self._begin(self._next)
        while number not in self._plans:
            assert self._ahead is not None
            try:
                self._take(*self._ahead.take()[1])
            except BaseException:
                self.stop()  # whoever asks again asks the server again
                raise
        self.used += 1
        self._next = number + 1
        self._plans = {key: kept for key, kept in self._plans.items() if key >= number}
        return self._plans[number]

    def _take(self, first: int, parts: dict[str, NDArray[Any]]) -> None:
        for row in range(len(parts["pairing"])):
            self._plans[first + row] = Plan(parts, row, self._shape)

    def _fetch(self, source: PlanSource, first: int, steps: int) -> tuple[int, Any]:
        return first, source.plans(self._shape, self._rows, first, steps)

    def _seek(self, number: int) -> None:
        self.stop()
        self._take(*self._fetch(self._near, number, 1))
        self._next = number + 1

    def _begin(self, number: int) -> None:
        """To fetch ahead from there: 1, 2, 4, … steps at a time, up to `steps`."""
        source = self._far = self._make_source()
        most, small = self._steps, self._steps.bit_length() - 1

        def block(k: int) -> tuple[int, Any]:
            if k < small:
                return self._fetch(source, number + 2**k - 1, 2**k)
            return self._fetch(source, number + 2**small - 1 + (k - small) * most, most)
        self._ahead = Ahead(block, 0, done=source.close)

    def stop(self) -> None:
        """Forgets what was fetched."""
        if self._ahead and self._far:
            self._ahead.stop()
            self._far.abandon()
        self._ahead, self._plans, self._next = None, {}, None

    def drop(self) -> None:
        """Ends it; the thread ends by itself."""
        self.stop()
        self._near.close()

    def close(self) -> None:
        """Waits for the thread, too."""
        ahead = self._ahead
        self.drop()
        if ahead:
            ahead.close()
