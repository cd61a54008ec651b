"""Where a job is: the epoch and its next step, as a dictionary that a checkpoint holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .connection import text

# Steps of an epoch, and epochs of a rank, that have numbers of their own.
STEPS, EPOCHS = 2**24, 2**16


def recipe(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as a daemon reads them: what must be the same where a job goes on."""
    return {name: text(_plain(value), name) for name, value in sorted(options.items()) if value is not None}


def _plain(value: Any) -> Any:
    """A number as it is written shortest: 1 and 1.0 are the same."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def position_of(state: Mapping[str, Any], own: dict[str, str]) -> tuple[int, int]:
    """The epoch, and the number of its next step. Refuses a state of another recipe."""
    try:
        epoch, step, told = state["epoch"], state["step"], state["recipe"]
    except (KeyError, TypeError):
        raise ValueError(f"state is {state!r}; it must be what state_dict gave, with epoch, step and recipe") from None
    for name, value, limit in (("epoch", epoch, 2**63), ("step", step, 2**63)):
        if not isinstance(value, int) or not 0 <= value < limit:
            raise ValueError(f"{name} of the state is {value!r}; it must be a whole number below {limit}")
    for name in sorted({*told, *own}):
        if told.get(name) != own.get(name):
            raise ValueError(f"the state is of {name}={told.get(name, 'the default')}, and this of {name}="
                             f"{own.get(name, 'the default')}: it would go on with other batches. Make it with the "
                             "same, or tell `start` instead of loading the state")
    return epoch, step
