"""Plans: who is mixed with whom, by which method, and by which mask or weight."""

import numpy as np

from .ahead import Ahead

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
CHOOSE = np.isin(METHODS, ("fmix", "cutmix"))  # by a mask, between a row's own elements and its partner's
SUM = np.isin(METHODS, ("mixup", "bc", "bcplus", "samplepairing"))  # both, by weights


class Plan:
    """One step's: who is mixed with whom, by which method, and by which mask or weight."""

    def __init__(self, parts, row, shape):
        self.pairing = parts["pairing"][row]
        self.lam, self.lam_eff = parts["lambda"][row], parts["lambda_eff"][row]
        self.methods = parts["method"][row]  # of each row, as a place in METHODS
        self.bits, self.shape = parts["masks"][row], shape
        self.chooses, self.sums = CHOOSE[self.methods], SUM[self.methods]  # bool [n]

    @property
    def method(self):
        """The name of the method, if all rows have the same one; else None."""
        first = self.methods[0]
        return METHODS[first] if (self.methods == first).all() else None

    def masks(self):
        """Bool [n, *shape], of rows that choose."""
        size = int(np.prod(self.shape))
        return np.unpackbits(self.bits, axis=1, count=size).reshape(-1, *self.shape).view(bool)

    def weights(self):
        """Float64 [n]: the share of a row itself, of rows that are sums."""
        return np.where(self.methods == METHODS.index("samplepairing"), 0.5, self.lam)

    def partners(self):
        """The pairing, in which a row that is not mixed is its own partner."""
        return np.where(self.chooses | self.sums, self.pairing, np.arange(len(self.pairing)))


class Stream:
    """Plans of one shape and number of rows, one step after the other. The first is fetched alone, so
    that nobody waits for more than it; blocks grow from there."""

    def __init__(self, make_source, shape, rows, steps):
        """make_source: what makes a PlanSource; the look-ahead has one of its own."""
        self._make_source, self._shape, self._rows, self._steps = make_source, shape, rows, steps
        self._ahead, self._far = None, None
        self._near = make_source()
        self._plans, self._next = {}, None
        self.used = 0

    def plan(self, number, eager):
        """That of a step; eager: what follows is fetched before it is asked for."""
        if number not in self._plans and (number != self._next or not (self._ahead or eager)):
            self._seek(number)
        elif number not in self._plans and not self._ahead:
            self._begin(number)
        if eager and not self._ahead:
            self._begin(self._next)
        while number not in self._plans:
            try:
                self._take(*self._ahead.take()[1])
            except BaseException:
                self.stop()  # whoever asks again asks the server again
                raise
        self.used += 1
        self._next = number + 1
        self._plans = {key: kept for key, kept in self._plans.items() if key >= number}
        return self._plans[number]

    def _take(self, first, parts):
        for row in range(len(parts["pairing"])):
            self._plans[first + row] = Plan(parts, row, self._shape)

    def _fetch(self, source, first, steps):
        return first, source.plans(self._shape, self._rows, first, steps)

    def _seek(self, number):
        self.stop()
        self._take(*self._fetch(self._near, number, 1))
        self._next = number + 1

    def _begin(self, number):
        """To fetch ahead from there: 1, 2, 4, … steps at a time, up to `steps`."""
        source = self._far = self._make_source()
        most, small = self._steps, self._steps.bit_length() - 1

        def block(k):
            if k < small:
                return self._fetch(source, number + 2**k - 1, 2**k)
            return self._fetch(source, number + 2**small - 1 + (k - small) * most, most)
        self._ahead = Ahead(block, 0, done=source.close)

    def stop(self):
        """Forgets what was fetched."""
        if self._ahead:
            self._ahead.stop()
            self._far.abandon()
        self._ahead, self._plans, self._next = None, {}, None

    def drop(self):
        """Ends it; the thread ends by itself."""
        self.stop()
        self._near.close()

    def close(self):
        """Waits for the thread, too."""
        ahead = self._ahead
        self.drop()
        if ahead:
            ahead.close()
