"""What a function answered, found again by one look: for what is asked dozens of times by every request."""

from collections.abc import Callable
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST = 8192


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
