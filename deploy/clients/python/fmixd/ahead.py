"""What is made ahead, on a thread."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable
from typing import Any

AHEAD = 4  # requests that are fetched before they are asked for


class Ahead:
    """What a function makes of 0, 1, 2, …, some of it before it is asked for, on a thread."""

    def __init__(self, make: Callable[[int], Any], first: int, end: int | None = None, ahead: int = AHEAD,
                 done: Callable[[], object] = lambda: None) -> None:
        """make: is called on the thread, with first, first + 1, … below end; ahead: how many are made before they are
        taken; done: is called on the thread when it ends."""
        self._changed = threading.Condition()
        self._made: collections.deque[tuple[int, Any]] = collections.deque()
        self._room, self._stopped = ahead, False
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(make, first, end, done), daemon=True)
        self._thread.start()

    def _run(self, make: Callable[[int], Any], number: int, end: int | None, done: Callable[[], object]) -> None:
        failed: BaseException = StopIteration()
        try:
            while number != end and self._has_room():
                made = make(number)
                with self._changed:
                    self._made.append((number, made))
                    self._changed.notify_all()
                number += 1
        except BaseException as wrong:  # pylint: disable=broad-except
            failed = wrong  # whoever takes it raises it
        try:
            done()
        except BaseException as wrong:  # pylint: disable=broad-except
            if isinstance(failed, StopIteration):
                failed = wrong  # else whoever takes would wait for ever
        with self._changed:
            self._failed = failed
            self._changed.notify_all()

    def _has_room(self) -> bool:
        """Waits for it. False: nobody takes any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._made) < self._room)
            return not self._stopped

    def take(self) -> tuple[int, Any]:
        """The next number, and what was made of it. Raises StopIteration after the last, and what `make` raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._made or self._failed is not None)
            if not self._made:
                assert self._failed is not None
                raise self._failed  # so does whoever asks again
            self._changed.notify_all()
            return self._made.popleft()

    def stop(self) -> None:
        """Nothing more is made; does not wait for what is being made."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Stops the thread, and waits for its end."""
        self.stop()
        self._thread.join()
