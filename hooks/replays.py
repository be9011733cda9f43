"""Tokens that were used: each is good for one call. In memory; a database stands in where several processes serve."""

import heapq
from datetime import datetime
from hashlib import sha256
from typing import Protocol

MOST_REMEMBERED = 200_000
"""A bound on memory, about 40 MB. Past it nobody is let in until older tokens end: forgetting one would let it be used
twice."""


class Replays(Protocol):
    """Where used tokens are remembered until they end."""

    async def first_use(self, jti_hash: str, expires: datetime) -> bool:
        """Remembers the token; false where it was known already. ``expires`` (UTC): when it may be forgotten."""
        ...


class ReplaysInMemory:
    """Remembers the tokens that this process has seen."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self.most = most
        self.known: set[str] = set()
        self.ending: list[tuple[float, str]] = []

    def first_use_at(self, jti_hash: str, expires: float, now: float) -> bool:
        """Instants are seconds since 1970. False, too, where no more can be remembered."""
        while self.ending and self.ending[0][0] <= now:
            self.known.discard(heapq.heappop(self.ending)[1])
        if jti_hash in self.known or len(self.known) >= self.most:
            return False
        self.known.add(jti_hash)
        heapq.heappush(self.ending, (expires, jti_hash))
        return True


def jti_hash(issuer: str, jti: str) -> str:
    """What stands for a token in memory and in a database: nothing of it can be read from this."""
    return sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()
