"""Keyed hashes (HMAC-SHA-256): what stands in the records for a patient, a draft and a finding about them.

Without the key nobody can tell whose row it is, nor try out ids.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from cds.findings import Finding

PASSING = frozenset({"until", "review"})
"""Facts that change from one day to the next though nothing has happened."""
RUNNING = re.compile(r"\b\d+ days\b")
NOT_CONTENT = frozenset({"id", "meta", "text", "authoredOn", "dateWritten"})
"""What a client may write anew in a draft that nobody changed."""

_canonical = msgspec.json.Encoder(order="deterministic")


class Subject(Struct, frozen=True):
    """Whom one call is about, and who reads its answer."""

    tenant: str
    patient_id: str
    user_id: str | None = None


class Keyed:
    """Hashes under one key."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def patient(self, tenant: str, patient_id: str) -> str:
        return self._hash("patient", tenant, patient_id)

    def finding(self, subject: Subject, finding: Finding) -> str:
        """Of this patient and finding, whoever reads it and whatever draft it is about."""
        return self._hash("finding", subject.tenant, subject.patient_id, *_told(finding))

    def shown(self, subject: Subject, finding: Finding, drafts: Sequence[bytes]) -> str:
        """Of this patient, reader, finding and the drafts that it is about (``content_of``)."""
        content = [draft.decode() for draft in drafts]
        return self._hash("shown", subject.tenant, subject.patient_id, subject.user_id, *_told(finding), *content)

    def _hash(self, *parts: Any) -> str:
        return hmac.digest(self.key, _canonical.encode(parts), "sha256").hex()


def content_of(draft: dict[str, Any]) -> bytes:
    """A draft's canonical content: the same for the same order, whatever the order of its members."""
    return _canonical.encode({name: value for name, value in draft.items() if name not in NOT_CONTENT})


def _told(finding: Finding) -> tuple[Any, ...]:
    """What makes it this finding: a higher indicator, another drug or another dose is another finding, another day is
    not."""
    facts = {
        name: RUNNING.sub("days", value) if "days" in value else value
        for name, value in finding.facts.items()
        if not name.endswith("days") and name not in PASSING
    }
    return finding.rule, finding.indicator, finding.words, facts
