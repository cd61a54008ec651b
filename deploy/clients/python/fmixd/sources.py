"""Where plans come from: a daemon, or this process."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from .connection import Connection, checked
from .safetensors import tensors


class PlanSource:
    """What draws plans. Each is used by one thread at a time, but for `abandon`."""

    def __init__(self, url: str | None, token: str | None, law: dict[str, Any]) -> None:
        """url, token: of a daemon, if there is one; law: parameters of /v1/plans by their names there
        (lambda, not lam), as Python's values."""
        self.url, self.token, self.law = url, token, law

    def plans(self, shape: tuple[int, ...], rows: int, first: int, steps: int) -> dict[str, NDArray[Any]]:
        """Plans of `steps` steps from number `first` on (below 2**64), for batches of so many rows of that
        spatial shape: a dictionary of NumPy arrays, as /v1/plans.safetensors answers with dtype=bits.

        pairing: int64 [steps, rows]; lambda, lambda_eff: float64 [steps, rows]; method: uint8 [steps, rows],
        a place in METHODS; masks: uint8 [steps, rows, ceil(elements / 8)], the first element in the highest bit.
        Raises Refused for what no source would draw.
        """
        raise NotImplementedError

    def abandon(self) -> None:
        """From another thread: nobody waits for plans any more."""

    def close(self) -> None:
        """Gives back what it holds; it may be used again."""


class DaemonPlans(PlanSource):
    """Plans of a daemon."""

    def __init__(self, url: str, token: str | None, law: dict[str, Any]) -> None:
        super().__init__(url, token, law)
        self._connection = Connection(url, token)

    def plans(self, shape: tuple[int, ...], rows: int, first: int, steps: int) -> dict[str, NDArray[Any]]:
        return tensors(self._connection.get("/v1/plans.safetensors", **self.law, shape="x".join(map(str, shape)),
                                            n=rows, dtype="bits", step=first, steps=steps))

    def abandon(self) -> None:
        self._connection.abandon()

    def close(self) -> None:
        self._connection.close()


def source_class(url: str | None) -> type[Any]:
    """What draws plans by that URL; without one, libfmix in this process."""
    if url is None:
        from . import local  # pylint: disable=import-outside-toplevel
        local.library()  # says now what is missing, and not at the first batch
        return local.LocalPlans
    checked(url)
    return DaemonPlans
