"""All resources of one request: each once, whatever key it came under, and found again by whoever refers to it."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from cds.site_codes import SiteCodes
from hooks.fhir_days import instant
from hooks.fhir_loose import fields_of, members_of, read_loosely, text_of
from hooks.fhir_pointers import local_ref
from hooks.fhir_shapes import UNREADABLE_JSON, AnyResource, Entry, Resource

Kind = TypeVar("Kind", bound=Resource)

_contained = msgspec.json.Decoder(list[AnyResource])
_anything = msgspec.json.Decoder()
_sorted = msgspec.json.Encoder(order="sorted")


class Records:
    """Resources by kind, in an order that does not depend on how they arrived, and by reference. ``site``: what is
    known of codes where they come from. Each of the entries holds a resource."""

    def __init__(self, arrived: Sequence[Entry] = (), site: SiteCodes | None = None) -> None:
        self.arrived = arrived
        self.site = site
        self._contained: tuple[Resource, tuple[Resource, ...]] | None = None
        self._known: dict[type[Resource], dict[str, Resource]] | None = None
        self._urls: dict[str, Resource] | None = None

    def _by_kind(self) -> dict[type[Resource], dict[str, Resource]]:
        """Of each kind by id."""
        if self._known is None:
            self._known = self._sorted_out()
        return self._known

    def _sorted_out(self) -> dict[type[Resource], dict[str, Resource]]:
        by_kind: dict[type[Resource], dict[str, Resource]] = {}
        nameless: dict[type[Resource], dict[bytes, Resource]] = {}
        kind: type[Resource] | None = None
        known: dict[str, Resource] = {}
        for entry in self.arrived:
            resource: Resource = entry.resource  # type: ignore[assignment]
            own = resource.id
            if type(resource) is not kind:  # those of one kind come together
                kind = type(resource)
                known = by_kind.setdefault(kind, {})
            if not own:
                nameless.setdefault(kind, {})[canonical(resource)] = resource
            elif own in known:
                known[own] = newer(known[own], resource)
            else:
                known[own] = resource
        for kind, resources in nameless.items():
            known = by_kind.setdefault(kind, {})
            for count, (_, resource) in enumerate(sorted(resources.items()), start=1):
                known[f"without-id-{count}"] = resource
        return by_kind

    def of(self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        """Reference and resource of each one of this kind, by reference."""
        by_kind = self._known if self._known is not None else self._by_kind()
        if kind not in by_kind:
            return []
        known = by_kind[kind]
        name = kind.__name__ + "/"
        return [(name + own, known[own]) for own in sorted(known)]  # type: ignore[misc]

    def holds(self, kinds: frozenset[type[Resource]]) -> bool:
        """Whether there is any resource of these kinds."""
        return not kinds.isdisjoint(self._by_kind())

    def _by_url(self) -> dict[str, Resource]:
        if self._urls is not None:
            return self._urls
        by_url: dict[str, Resource] = {}
        for entry in self.arrived:
            resource: Resource = entry.resource  # type: ignore[assignment]
            url = entry.full_url
            if url is not None:
                by_url[url] = resource if url not in by_url else newer(by_url[url], resource)
                by_url.setdefault(local_ref(url), resource)
        self._urls = by_url
        return by_url

    def resolve(self, ref: str | None, holder: Resource) -> Resource | None:
        """The resource that ``holder`` refers to: contained in it, of this request, or None."""
        if ref is None:
            return None
        if ref.startswith("#"):
            inner = self._contained_in(holder)
            named = [resource for resource in inner if resource.id and resource.id.lstrip("#") == ref[1:]]
            return named[0] if named else None
        name, _, own = ref.partition("/")
        for kind, known in self._by_kind().items():
            if own in known and kind.__name__ == name:
                return known[own]
        return self._by_url().get(ref)

    def _contained_in(self, holder: Resource) -> tuple[Resource, ...]:
        """Read once for each holder, however many references it makes."""
        if self._contained is None or self._contained[0] is not holder:
            self._contained = holder, contained(holder)
        return self._contained[1]


def contained(holder: Resource) -> tuple[Resource, ...]:
    """The resources within a resource; those that cannot be read are left out."""
    raw = bytes(holder.contained)
    if not raw or raw in {b"null", b"[]"}:
        return ()
    try:
        return tuple(_contained.decode(raw))
    except UNREADABLE_JSON:
        found = (one for member in members_of(raw) for one in read_loosely(member))
        return tuple(one.resource for one in found if one.resource is not None)


def newer(one: Resource, other: Resource) -> Resource:
    """Of two versions of a resource the one updated last; else the one whose canonical JSON is greater."""
    if one == other:
        return one
    return max(one, other, key=lambda resource: (updated(resource), canonical(resource)))


def updated(resource: Resource) -> str:
    """meta.lastUpdated in UTC; empty where it is not said."""
    fields = fields_of(resource.meta) if resource.meta else None
    return instant(text_of((fields or {}).get("lastUpdated")) or "")


def canonical(resource: Resource | Any) -> bytes:
    """JSON with sorted keys, the same for the same content."""
    written = msgspec.json.encode(resource)
    try:
        return _sorted.encode(_anything.decode(written))
    except UNREADABLE_JSON:
        return written
