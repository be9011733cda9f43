"""A request that lacks parts of its chart, answered with access to a FHIR server; and what was asked of that server."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

from hooks.answer import Answerer
from hooks.fhir_access import FhirAccess
from hooks.services import SERVICES
from hooks.settings import Settings
from hooks.tenants import Tenant
from tests.calling import NOW
from tests.fhir_server import TOKEN
from tests.sentences import request_of

NEUROPATHY = "has diabetic polyneuropathy (E11.42), since 2021-04-12"
OXYCODONE = (
    "orders Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], 1 tablet every 6 hours as needed, for 14 days"
)
ALPRAZOLAM = "takes alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, since 2026-02-10, for 30 days"
AMOXICILLIN = "orders amoxicillin 500 mg oral capsule, 1 capsule three times a day, for 7 days"
LORAZEPAM = "orders lorazepam 1 mg oral tablet, 1 tablet twice a day, for 14 days"
EGFR = "eGFR 75 on 2026-02-20"
CHART = (NEUROPATHY, OXYCODONE, ALPRAZOLAM)
DRAFTED = ("orders",)


class Told(NamedTuple):
    """An answer: ``status`` and content."""

    status: int
    content: dict[str, Any]

    @property
    def cards(self) -> list[str]:
        return [card["summary"] for card in self.content["cards"]]

    @property
    def review(self) -> dict[str, Any]:
        review: dict[str, Any] = self.content["extension"]["firstline.review"]
        return review

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.review.get("findings", [])}

    def why(self, key: str) -> str | None:
        """What ``notAssessed`` says of a prefetch key; None: nothing."""
        said = [entry.partition(": ")[2] for entry in self.review.get("notAssessed", []) if entry.startswith(f"{key}:")]
        return said[0] if said else None


def records_of(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of a prefetch, each with its patient."""
    found: list[dict[str, Any]] = []
    for sent in request["prefetch"].values():
        resources = [sent] if sent and sent["resourceType"] != "Bundle" else []
        resources += [entry["resource"] for entry in (sent or {}).get("entry", [])]
        for resource in resources:
            whose = {"AllergyIntolerance": "patient", "Patient": None}.get(resource["resourceType"], "subject")
            found.append({**resource, **({whose: {"reference": "Patient/p1"}} if whose else {})})
    return found


def lacking(sentences: Sequence[str], server: str | None, scope: str = "user/*.read", **fields: Any) -> dict[str, Any]:
    """The request of these sentences with an empty prefetch, and access to a server."""
    request = {**request_of(sentences), "prefetch": {}}
    if server is not None:
        request["fhirServer"] = server
        request["fhirAuthorization"] = {
            "access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": scope, "subject": "firstline",
        }  # fmt: skip
    return {**request, **fields}


def told(
    request: Mapping[str, Any],
    servers: Sequence[str] = (),
    *,
    service: str = "firstline-order-sign",
    access: FhirAccess | None = None,
    **chosen: Any,
) -> Told:
    """The answer, where a client of these FHIR servers asks. ``chosen`` are settings."""
    return told_in_turn([request], servers, service=service, access=access, **chosen)[0]


def answerer_of(settings: Settings, access: FhirAccess) -> Answerer:
    """Reads the knowledge once for all tests."""
    answerer = copy(_readied())
    answerer.settings, answerer.access, answerer.ways = settings, access, {}
    return answerer


@lru_cache
def _readied() -> Answerer:
    return Answerer(Settings())


def told_in_turn(
    requests: Sequence[Mapping[str, Any]],
    servers: Sequence[str] = (),
    *,
    service: str = "firstline-order-sign",
    access: FhirAccess | None = None,
    **chosen: Any,
) -> list[Told]:
    """One answer after the other, from the same process."""
    settings = Settings(**{"fhir_deadline_ms": 5000, **chosen})
    answerer = answerer_of(settings, access or FhirAccess(settings))
    tenant = Tenant(fhir_servers=tuple(servers))

    async def answered() -> list[Told]:
        try:
            return [
                Told(status, json.loads(body))
                for request in requests
                for status, body in [
                    await answerer.answered(SERVICES[service], json.dumps(request).encode(), NOW, tenant)
                ]
            ]
        finally:
            await answerer.access.aclose()

    return asyncio.run(answered())
