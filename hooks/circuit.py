"""A circuit breaker: a server that answers nothing is left alone for a while, then asked once before it is trusted."""

from collections.abc import Callable

CLOSED, OPEN, PROBING = "closed", "open", "probing"


class Circuit:
    """The state of one server. ``failures`` in a row open it for ``seconds``; then one request at a time may probe."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float]) -> None:
        self.failures = failures
        self.seconds = seconds
        self.clock = clock
        self._failed = 0
        self._opened: float | None = None
        self._probed: float | None = None

    @property
    def state(self) -> str:
        if self._opened is None:
            return CLOSED
        return OPEN if self._rests(self._opened) else PROBING

    def admits(self) -> bool:
        """Whether a request may go to the server now. A probe that never reports counts for ``seconds``."""
        if self._opened is None:
            return True
        if self._rests(self._opened) or (self._probed is not None and self._rests(self._probed)):
            return False
        self._probed = self.clock()
        return True

    def succeeded(self) -> None:
        self._failed = 0
        self._opened = self._probed = None

    def failed(self) -> None:
        self._failed += 1
        if self._failed >= self.failures:
            self._opened, self._probed = self.clock(), None

    def withdrawn(self) -> None:
        """The request ended without having learned anything of the server: the next one may probe."""
        self._probed = None

    def _rests(self, since: float) -> bool:
        return self.clock() - since < self.seconds
