"""What a token permits: SMART scopes of version 1 (``user/Observation.read``) and 2 (``user/Observation.rs``)."""

import re

from msgspec import Struct

READ, SEARCH = "r", "s"
_SCOPE = re.compile(r"(patient|user|system)/(\*|[A-Za-z]+)\.(\*|read|write|c?r?u?d?s?)(\?.+)?")


class Permit(Struct, frozen=True):
    """One scope. ``acts`` of "cruds"; ``whole``: not narrowed to part of the resources of its kind."""

    whose: str
    kind: str
    acts: str
    whole: bool


class Scopes:
    """All scopes of one token. None said: nothing is ruled out, the server decides."""

    def __init__(self, text: str, patient: str | None = None, of_patient: str | None = None) -> None:
        self.unsaid = not text.strip()
        other = patient is not None and patient != of_patient
        self.permits = tuple(
            permit
            for word in text.split()
            if (permit := _permit(word)) is not None and not (other and permit.whose == "patient")
        )

    def permit(self, kind: str, act: str) -> bool:
        """Whether resources of this kind may be read (``r``) or searched (``s``)."""
        return self.unsaid or any(self._fits(permit, kind, act) for permit in self.permits)

    def permit_whole(self, kind: str, act: str) -> bool:
        """The same, and that nothing of this kind is kept back: only then does a missing record mean none."""
        return self.unsaid or any(self._fits(permit, kind, act) and permit.whole for permit in self.permits)

    def _fits(self, permit: Permit, kind: str, act: str) -> bool:
        return permit.kind in ("*", kind) and act in permit.acts


def _permit(word: str) -> Permit | None:
    found = _SCOPE.fullmatch(word)
    if found is None:
        return None
    acts = {"*": "cruds", "read": READ + SEARCH, "write": "cud"}.get(found[3], found[3])
    return Permit(found[1], found[2], acts, found[4] is None)
