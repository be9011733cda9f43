"""One conversation with a FHIR server: queries, their pages, and what a server may not do to us."""

import asyncio
import logging
from collections.abc import Iterator, Mapping

import httpx
import msgspec
from msgspec import Raw, Struct

from hooks.fhir_access_address import following
from hooks.fhir_access_queries import Query
from hooks.fhir_access_scopes import READ
from hooks.fhir_loose import fields_of, members_of, read_loosely, text_of
from hooks.fhir_pointers import pointers
from hooks.fhir_shapes import UNREADABLE_JSON, AnyResource, Bundle, Link, OperationOutcome, Resource
from hooks.prefetch import LATEST_FIRST
from hooks.prefetch_answers import Answer, Slot

log = logging.getLogger("firstline.fhir")
PAUSE_SECONDS = 0.025
"""Before a read is tried again."""
BUSY = frozenset({429, 500, 502, 503, 504})
"""A server that says this has answered nothing."""
AGAIN = frozenset({502, 503, 504})
GONE = frozenset({404, 410})
NOT_SO = frozenset({400, 422})
"""A server that does not know a part of the query."""
JUNK = Raw(b"0")
CUT_OFF = Bundle(link=[Link("next", "")])
"""A page that says that more exists, and not where."""

_resource = msgspec.json.Decoder(AnyResource)


class Limits(Struct, frozen=True):
    """``pages`` of one query; ``size`` in bytes, of all answers to one hook request together."""

    pages: int
    size: int


class NoAnswerError(Exception):
    """The server gave nothing that can be read. ``status``: what it said, where it said anything."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status


class Reply:
    """What came of one query so far: whole pages only. ``failed``: the query has failed before, so it is not tried
    twice."""

    def __init__(self, *pages: Slot, failed: bool = False) -> None:
        self.pages: list[Slot] = list(pages)
        self.failed = failed


class Conversation:
    """Everything that is asked of one server for one hook request. ``heard``: whether it has answered at all."""

    def __init__(
        self, client: httpx.AsyncClient, base: str, headers: Mapping[str, str], patient_id: str, limits: Limits
    ) -> None:
        self.client = client
        self.base = base
        self.headers = headers
        self.patient_id = patient_id
        self.limits = limits
        self.heard = False
        self.asked = False
        self._size = 0

    def __repr__(self) -> str:
        return "Conversation(...)"

    async def ask(self, query: Query, plainer: Query | None, reply: Reply) -> None:
        """Asks, and follows the pages. ``plainer`` takes the query's place where the server does not know part of
        it."""
        address = f"{self.base}/{query.path}"
        try:
            try:
                body = await self._get(address, again=not reply.failed)
            except NoAnswerError as error:
                if error.status not in NOT_SO or plainer is None or plainer == query:
                    raise
                address = f"{self.base}/{plainer.path}"
                body = await self._get(address, again=False)
        except NoAnswerError as error:
            if query.act == READ and error.status in GONE:
                reply.pages = [None]
            return
        page = self._read(query, body)
        reply.pages = [page]
        if query.act != READ:
            await self.follow(query, reply, self._next(query, page, address), frozenset({address}))

    async def follow(self, query: Query, reply: Reply, address: str | None, seen: frozenset[str] = frozenset()) -> None:
        """Reads the page at this address and all that follow, up to the limit; stops where a server goes in circles."""
        while address is not None and address not in seen and len(reply.pages) < self.limits.pages:
            try:
                body = await self._get(address, again=True)
            except NoAnswerError:
                return
            page = self._read(query, body)
            reply.pages.append(page)
            seen |= {address}
            address = self._next(query, page, address)

    def _next(self, query: Query, page: Slot, asked: str) -> str | None:
        """Where the next page is; None where there is none, none that may be asked, or none that is needed."""
        if query.key in LATEST_FIRST and Answer((page,)).holds(query.key):
            return None
        return following(next_link(page) or "", asked, self.base)

    def _read(self, query: Query, body: bytes) -> Slot:
        """The answer as a page; junk where it is not what was asked for."""
        page = slot_of(body)
        if query.act == READ:
            fits = isinstance(page, Resource) and page.type_name == query.kind and page.id == query.id
            return page if fits or isinstance(page, OperationOutcome) else JUNK
        if isinstance(page, Resource) and not isinstance(page, Bundle | OperationOutcome):
            return JUNK
        if any(owner != self.patient_id for owner in owners(Raw(body))):
            log.warning("a FHIR server answered a search with records of another patient: not read")
            return JUNK
        return page

    async def _get(self, address: str, again: bool) -> bytes:
        """The body of a 200. Raises ``NoAnswerError``. ``again``: once more where the server was busy or hung up."""
        self.asked = True
        try:
            return await self._once(address)
        except httpx.TransportError as error:
            if not again or isinstance(error, httpx.TimeoutException):
                raise NoAnswerError from None
        except NoAnswerError as error:
            if not again or error.status not in AGAIN:
                raise
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            return await self._once(address)
        except httpx.TransportError:
            raise NoAnswerError from None

    async def _once(self, address: str) -> bytes:
        chunks = []
        async with self.client.stream("GET", address, headers=self.headers) as response:
            if response.status_code not in BUSY:
                self.heard = True
            if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                raise NoAnswerError
            async for chunk in response.aiter_raw():
                self._size += len(chunk)
                if self._size > self.limits.size:
                    raise NoAnswerError
                chunks.append(chunk)
        if response.status_code != 200:
            raise NoAnswerError(response.status_code)
        return b"".join(chunks)


def slot_of(body: bytes) -> Slot:
    """A body as a prefetch key would hold it."""
    try:
        resource: Resource = _resource.decode(body)
    except UNREADABLE_JSON:
        return Raw(body)
    return resource


def next_link(page: Slot) -> str | None:
    """Where the next page is said to be."""
    if isinstance(page, Raw):
        found = next(read_loosely(page), None)
        page = found.resource if found is not None else None
    return page.next_page if isinstance(page, Bundle) else None


def owners(raw: Raw) -> Iterator[str]:
    """The ids of the patients whose records a Bundle holds, as far as they are said by reference."""
    fields = fields_of(raw) or {}
    if "entry" in fields:
        for entry in members_of(fields["entry"]):
            yield from owners((fields_of(entry) or {}).get("resource", JUNK))
        return
    if text_of(fields.get("resourceType")) == "Patient":
        own_id = text_of(fields.get("id"))
        yield from [own_id] if own_id else []
    for name in ("subject", "patient"):
        for pointer in (pointers(bytes(fields[name])) or ()) if name in fields else ():
            kind, _, own_id = (pointer.ref or "").rpartition("/")
            if kind == "Patient":
                yield own_id
