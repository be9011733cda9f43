"""Bounds what is remembered of words and codes. Each cache is bounded by its entries; all together, here, by bytes."""

import contextlib
import ctypes
import functools
import gc
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hooks.remembered import Remembered

LOOK_AFTER_BYTES = 16_000_000
"""Bytes of requests between two looks: what they hold is remembered in several shapes, two or three times as large."""
STATM = Path("/proc/self/statm")
OWN = ("cds", "hooks")

log = logging.getLogger("firstline.memory")


class Memory:
    """Forgets all that was remembered when the process has grown by ``most`` bytes since it was small.

    ``resident`` gives the bytes that the process holds now; None: the system does not tell.
    """

    def __init__(self, most: int, resident: Callable[[], int | None] | None = None) -> None:
        self.most = most
        self.resident = resident or resident_bytes
        self.small = self.resident()
        self._unseen = 0

    def after(self, size: int) -> None:
        """A request of this size was answered."""
        self._unseen += size
        if self._unseen >= LOOK_AFTER_BYTES:
            self._unseen = 0
            self._look()

    def _look(self) -> None:
        held = self.resident()
        if held is None or self.small is None or held - self.small <= self.most:
            return
        forget()
        # What the system does not take back at once is no reason to forget again and again.
        left = self.resident()
        self.small = max(self.small, left or 0)
        log.warning("what was remembered of words is forgotten", extra={"facts": {"mb": held >> 20}})


def resident_bytes() -> int | None:
    """The resident memory of this process, where Linux tells it."""
    try:
        return int(STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def caches() -> Iterator[Any]:
    """Every bounded cache of what Firstline's functions answered."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in OWN:
            for value in list(vars(module).values()):
                if isinstance(value, Remembered) or (
                    isinstance(value, functools._lru_cache_wrapper) and value.cache_parameters()["maxsize"] is not None
                ):
                    yield value


def forget() -> None:
    """Empties the caches and gives what they held back to the system."""
    for cache in caches():
        cache.clear() if isinstance(cache, Remembered) else cache.cache_clear()
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was freed, unless it is asked
