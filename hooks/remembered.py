"""What a function answered, found again by one look: for what is asked dozens of times by every request."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Raw

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 8192
LONGEST = 1024
"""Longer elements are rare, and seldom the same."""


class Remembered(dict[Asked, Answer]):
    """``remembered[asked]`` is ``answer(asked)``, worked out the first time; when it is full, the oldest is forgotten.

    As ``functools.lru_cache`` at half its price: no call, no tuple of arguments, no order of use.
    """

    __slots__ = ("answer",)

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        super().__init__()
        self.answer = answer

    def __missing__(self, asked: Asked) -> Answer:
        found = self.answer(asked)
        if len(self) >= MOST:
            self.pop(next(iter(self)), None)
        self[asked] = found
        return found


class Elements(Remembered[bytes, Answer]):
    """What is remembered by the bytes of an element. ``of`` compares it with the last one of its length before it is
    copied and hashed, which is most of the price: the same codes come with every request."""

    __slots__ = ("last",)

    def __init__(self, answer: Callable[[bytes], Answer]) -> None:
        super().__init__(answer)
        self.last: dict[int, tuple[Raw, Answer]] = {}

    def of(self, element: Raw) -> Answer:
        last = self.last.get(len(element))
        if last is not None and last[0] == element:
            return last[1]
        raw = bytes(element)
        answer = self[raw]
        if len(raw) <= LONGEST:
            self.last[len(raw)] = Raw(raw), answer
        return answer

    def clear(self) -> None:
        super().clear()
        self.last.clear()
