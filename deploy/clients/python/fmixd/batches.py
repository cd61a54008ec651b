"""What a loader yields: which of its entries are the inputs x and their labels, and how their mix takes
their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

DEFAULT = "default"


class Fields:
    """Names x and its labels in each batch."""

    def __init__(self, inputs: Any = None, labels_getter: Any = DEFAULT) -> None:
        self.inputs, self.labels_getter = inputs, labels_getter

    def inputs_of(self, batch: Any) -> Any:
        """x."""
        key = self.inputs
        if key is None:
            key = "x" if isinstance(batch, Mapping) else 0
        return _entry(batch, key, "inputs")

    def labels_of(self, batch: Any) -> Any:
        """The labels: an array, a dictionary of one for each head, or None."""
        getter = self.labels_getter
        if getter is None:
            return None
        if callable(getter):
            return getter(batch)
        if isinstance(getter, (list, tuple)):
            return {key: _entry(batch, key, "labels_getter") for key in getter}
        if isinstance(getter, str) and getter == DEFAULT:
            getter = "y" if isinstance(batch, Mapping) else 1
        return _entry(batch, getter, "labels_getter", ", which is None if there are no labels")


def _entry(batch: Any, key: Any, option: str, hint: str = "") -> Any:
    """An entry by its name in a dictionary, or by its place."""
    if isinstance(batch, Mapping):
        if key in batch:
            return batch[key]
        raise ValueError(f"the batch is a dictionary of {', '.join(map(repr, batch)) or 'nothing'}, without {key!r}: "
                         f"tell Mixer the entry by {option}={hint}")
    if not isinstance(batch, (list, tuple)):
        raise TypeError(f"the batch is a {type(batch).__name__}; it must be a tuple, a list or a dictionary")
    if isinstance(key, int) and 0 <= key < len(batch):
        return batch[key]
    raise ValueError(f"the batch has {len(batch)} entries, without number {key!r}: tell Mixer the entry by "
                     f"{option}={hint}")


def replaced(batch: Any, mixed: list[tuple[Any, Any]], check: Callable[[Any, str], None]) -> Any:
    """The batch with the mix of each entry in its place; mixed: pairs of an entry and its mix. `check` is asked of
    every other entry, and its name. What holds a mix is made anew: dictionaries, and tuples of tuples and lists."""
    left = {id(entry) for entry, _ in mixed}

    def walk(entry: Any, name: str) -> Any:
        for own, its_mix in mixed:
            if entry is own:
                left.discard(id(own))
                return its_mix
        if isinstance(entry, Mapping):
            fields = {key: walk(value, f"{name}[{key!r}]") for key, value in entry.items()}
            return fields if any(fields[key] is not entry[key] for key in fields) else entry
        if isinstance(entry, (list, tuple)):
            items = [walk(value, f"{name}[{place}]") for place, value in enumerate(entry)]
            if all(new is old for new, old in zip(items, entry)):
                return entry
            return type(entry)(*items) if hasattr(entry, "_fields") else tuple(items)
        check(entry, name)
        return entry

    made = walk(batch, "batch")
    if left:
        raise ValueError("labels_getter gives labels that are no entry of the batch, so their mix has no place in it: "
                         "it must give entries as they are")
    return made
