"""What is fetched for one signing, in rounds: a draft's drug; the prefetch keys; the drugs that records refer to."""

import asyncio
from collections.abc import Iterable, Iterator

from msgspec import Struct

from cds.case import HISTORY_QUESTIONS
from cds.scope import in_scope
from hooks.fhir_access_address import following
from hooks.fhir_access_medications import of_drafts, of_records
from hooks.fhir_access_queries import Query, medication, query_of
from hooks.fhir_access_reading import CUT_OFF, Conversation, Reply, next_link
from hooks.fhir_access_scopes import SEARCH, Scopes
from hooks.fhir_shapes import OperationOutcome
from hooks.prefetch import TEMPLATES, unanswered
from hooks.prefetch_answers import EMPTY, FAILED, NULL, PARTIAL, Pages
from hooks.signing import Signing


class Ask(Struct, frozen=True):
    """One query and its reply. ``plainer``: the same without what a server may not know; ``onward``: the address of the
    next page, where the client sent the first one."""

    query: Query
    reply: Reply
    plainer: Query | None = None
    onward: str | None = None


class Rounds:
    """``signing`` grows with each round; what a deadline cuts off keeps the pages that came."""

    def __init__(self, signing: Signing, base: str, scopes: Scopes) -> None:
        self.signing = signing
        self.base = base
        self.scopes = scopes
        drafts = signing.read.drafts
        self.version = drafts[0].version if drafts else signing.request.default_version

    @property
    def lack_anything(self) -> bool:
        return next(self._rounds(), None) is not None

    async def run(self, talk: Conversation) -> None:
        """Asks round after round. To be cut off at any time."""
        for asks in self._rounds():
            try:
                async with asyncio.TaskGroup() as group:
                    for ask in asks:
                        group.create_task(_carry_out(ask, talk))
            finally:
                self._take(asks)

    def give_up(self) -> None:
        """Nothing can be asked any more: what would have been, failed."""
        for asks in self._rounds():
            self._take(asks)

    def _rounds(self) -> Iterator[list[Ask]]:
        """Each round that has something to ask; a round is chosen when the one before it has been taken."""
        yield from self._medications(of_drafts(self.signing, self.base))
        if not self.signing.concerned:
            return
        if any(in_scope(order) for order in self.signing.asked):
            yield from self._keys(TEMPLATES)
        else:
            # A drug that is dangerous beside an opioid: whether there is one is asked first, and the rest only then.
            yield from self._keys(HISTORY_QUESTIONS)
            yield from self._medications(of_records(self.signing.prefetched.records, self.base))
            if not self.signing.case.judged:
                return
            yield from self._keys(TEMPLATES)
        yield from self._medications(of_records(self.signing.prefetched.records, self.base))

    def _keys(self, keys: Iterable[str]) -> Iterator[list[Ask]]:
        asks = [ask for key in unanswered(self.signing.prefetched, keys) if (ask := self._ask(key)) is not None]
        if asks:
            yield asks

    def _ask(self, key: str) -> Ask | None:
        """How a key is asked for; None where it may not or need not be."""
        request, state = self.signing.request, self.signing.prefetched.states.get(key)
        if state in {NULL, EMPTY} or key in self.signing.fetched:
            return None
        query, plainer = (
            query_of(key, request.patient_id, request.encounter_id, self.version, plainly) for plainly in (False, True)
        )
        if query is None or not self.scopes.permit(query.kind, query.act):
            return None
        if state == PARTIAL and query.act == SEARCH:
            slot = request.prefetch[key]
            onward = following(next_link(slot) or "", f"{self.base}/", self.base)
            if onward is not None:
                return Ask(query, Reply(slot), onward=onward)
        if state == FAILED and plainer is not None:
            return Ask(plainer, Reply(failed=True))
        return Ask(query, Reply(), plainer)

    def _medications(self, ids: Iterable[str]) -> Iterator[list[Ask]]:
        queries = [medication(own_id) for own_id in ids]
        asks = [
            Ask(query, Reply())
            for query in queries
            if query.key not in self.signing.fetched and self.scopes.permit(query.kind, query.act)
        ]
        if asks:
            yield asks

    def _take(self, asks: Iterable[Ask]) -> None:
        fetched: dict[str, Pages] = {}
        for ask in asks:
            key, pages = ask.query.key, tuple(ask.reply.pages)
            if pages and (ask.onward is None or len(pages) > 1):
                whole = pages == (None,) or self.scopes.permit_whole(ask.query.kind, ask.query.act)
                fetched[key] = pages if whole else (*pages, CUT_OFF)
            elif not pages and key not in self.signing.prefetched.states:
                fetched[key] = (OperationOutcome(),)
        if fetched:
            self.signing = self.signing.with_fetched(fetched)


async def _carry_out(ask: Ask, talk: Conversation) -> None:
    if ask.onward is not None:
        await talk.follow(ask.query, ask.reply, ask.onward)
    else:
        await talk.ask(ask.query, ask.plainer, ask.reply)
