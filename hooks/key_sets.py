"""Clients' public keys: read from a file or fetched from an allowed address, kept, and asked for anew when they change.

An address is fetched only where the settings name it. A fetch has a time limit and a size limit and follows no
redirect. An unknown ``kid`` causes one new look, and not more than one in ``RETRY_SECONDS``.
"""

import asyncio
import json
import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

log = logging.getLogger("firstline.keys")

FRESH_SECONDS = 600
"""How long keys are used before they are looked up again."""
STALE_SECONDS = 86_400
"""How long keys are still used while they cannot be looked up."""
RETRY_SECONDS = 30
FETCH_SECONDS = 3.0
MOST_BYTES = 256_000
FEWEST_RSA_BITS = 2048
BITS_A_CHARACTER = 6

Key = ECKey | RSAKey
Keys = Mapping[str, tuple[Key, ...]]
Clock = Callable[[], float]


class KeySetError(Exception):
    """A key set is of no use. The message says what to do and holds nothing of it."""


def read_key_set(content: bytes) -> Keys:
    """The public signature keys of a JWKS, by ``kid``. Keys of other kinds are passed over. Raises ``KeySetError``."""
    try:
        listed = json.loads(content)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        raise KeySetError('is no key set: write JSON of the form {"keys": [...]}')
    keys: dict[str, tuple[Key, ...]] = {}
    for entry in listed:
        if isinstance(entry, dict) and any(name in entry for name in ("d", "p", "q", "k")):
            raise KeySetError("holds a private or shared key: give the public parts alone")
        key = _read_key(entry) if isinstance(entry, dict) else None
        if key is not None:
            keys[entry["kid"]] = (*keys.get(entry["kid"], ()), key)
    if not keys:
        raise KeySetError("has no usable key: give EC or RSA (2048 bits or more) keys for signatures, each with a kid")
    return keys


def _read_key(entry: dict[str, Any]) -> Key | None:
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid or entry.get("use", "sig") != "sig":
        return None
    uses = entry.get("key_ops", ["verify"])
    if not isinstance(uses, list) or "verify" not in uses:
        return None
    public = {name: value for name, value in entry.items() if name not in ("use", "key_ops", "x5c", "x5u")}
    try:
        if entry.get("kty") == "EC":
            return ECKey.import_key(public)
        if entry.get("kty") == "RSA" and len(entry.get("n", "")) * BITS_A_CHARACTER >= FEWEST_RSA_BITS:
            with warnings.catch_warnings(action="ignore"):  # a short key is passed over below
                rsa = RSAKey.import_key(public)
            return rsa if rsa.public_key.key_size >= FEWEST_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):  # KeyError: a curve that is not known
        pass
    return None


class KeySet:
    """The keys at one place, a file or an address."""

    def __init__(self, place: str, clock: Clock) -> None:
        self.place = place
        self.clock = clock
        self.keys: Keys = {}
        self.read_at: float | None = None
        self.tried_at: float | None = None
        self.looking: asyncio.Task[None] | None = None

    async def named(self, kid: str) -> tuple[Key, ...]:
        """The keys of this name; none where there are none to be had."""
        now = self.clock()
        age = None if self.read_at is None else now - self.read_at
        if age is None or age > STALE_SECONDS or kid not in self.keys:
            if self._may_look(now):
                await asyncio.shield(self._look())
        elif age > FRESH_SECONDS and self._may_look(now):
            self._look()
        usable = self.read_at is not None and self.clock() - self.read_at <= STALE_SECONDS
        return self.keys.get(kid, ()) if usable else ()

    def _may_look(self, now: float) -> bool:
        return self.looking is not None or self.tried_at is None or now - self.tried_at >= RETRY_SECONDS

    def _look(self) -> asyncio.Task[None]:
        """The one look that is under way, or a new one."""
        if self.looking is None:
            self.tried_at = self.clock()
            self.looking = asyncio.create_task(self._read())
            self.looking.add_done_callback(self._looked)
        return self.looking

    def _looked(self, _: asyncio.Task[None]) -> None:
        self.looking = None

    async def _read(self) -> None:
        try:
            content = await _fetched(self.place) if "://" in self.place else Path(self.place).read_bytes()
            self.keys = read_key_set(content)
        except (KeySetError, OSError, httpx.HTTPError, TimeoutError) as error:
            log.warning("a client's keys could not be read: %s", type(error).__name__)
        else:
            self.read_at = self.clock()


async def _fetched(address: str) -> bytes:
    """The body at an allowed address. Raises ``KeySetError``, ``httpx.HTTPError`` or ``TimeoutError``."""
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=FETCH_SECONDS) as calling,
        calling.stream("GET", address, headers={"Accept": "application/json"}) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise KeySetError("was not answered")
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > MOST_BYTES:
                raise KeySetError("is too large")
        return bytes(content)
