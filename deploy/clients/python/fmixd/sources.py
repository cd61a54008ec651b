"""Where plans come from: a daemon, or this process."""

from .connection import Connection, checked
from .safetensors import tensors


class PlanSource:
    """What draws plans. Each is used by one thread at a time, but for `abandon`."""

    def __init__(self, url, token, law):
        """url, token: of a daemon, if there is one; law: parameters of /v1/plans by their names there
        (lambda, not lam), as Python's values."""
        self.url, self.token, self.law = url, token, law

    def plans(self, shape, rows, first, steps):
        """Plans of `steps` steps from number `first` on (below 2**64), for batches of so many rows of that
        spatial shape: a dictionary of NumPy arrays, as /v1/plans.safetensors answers with dtype=bits.

        pairing: int64 [steps, rows]; lambda, lambda_eff: float64 [steps, rows]; method: uint8 [steps, rows],
        a place in METHODS; masks: uint8 [steps, rows, ceil(elements / 8)], the first element in the highest bit.
        Raises Refused for what no source would draw.
        """
        raise NotImplementedError

    def abandon(self):
        """From another thread: nobody waits for plans any more."""

    def close(self):
        """Gives back what it holds; it may be used again."""


class DaemonPlans(PlanSource):
    """Plans of a daemon."""

    def __init__(self, url, token, law):
        super().__init__(url, token, law)
        self._connection = Connection(url, token)

    def plans(self, shape, rows, first, steps):
        return tensors(self._connection.get("/v1/plans.safetensors", **self.law, shape="x".join(map(str, shape)),
                                            n=rows, dtype="bits", step=first, steps=steps))

    def abandon(self):
        self._connection.abandon()

    def close(self):
        self._connection.close()


def source_class(url):
    """What draws plans by that URL; without one, libfmix in this process."""
    if url is None:
        from . import local  # pylint: disable=import-outside-toplevel
        local.library()  # says now what is missing, and not at the first batch
        return local.LocalPlans
    checked(url)
    return DaemonPlans
