"""What is wrong with the settings of a site, key by key."""

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfoNotFoundError

from hooks.addresses import NO_DATABASE, is_base_url, is_guarded_url, is_loopback
from hooks.tenants import OPEN

if TYPE_CHECKING:
    from hooks.settings import Settings

ALLOWED = frozenset({"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"})
FORBIDDEN = ("NONE", "HS")
LONGEST_LIFETIME = 86_400
MOST_SKEW = 300
OPTIONAL_KEYS = frozenset({"dispenses", "procedures", "vitals", "labs", "scores"})
"""Prefetch keys that a site may leave out of discovery."""
SHORTEST_KEY = 32
LOG_LEVELS = ("debug", "info", "warning", "error")


def problems_of(settings: "Settings") -> Iterator[str]:
    """Everything that is wrong with the settings: ``key: what to write``."""
    if not settings.tenants and not is_loopback(settings.host):
        yield (
            "host: open mode (no client authentication) listens on loopback only: write 127.0.0.1, or set clients"
            " under [tenants]"
        )
    if not 0 <= settings.port <= 65535:
        yield "port: write a number from 0 to 65535"
    if settings.max_body_bytes <= 0:
        yield "max_body_bytes: write a number above 0"
    if settings.public_url is not None and not is_base_url(settings.public_url):
        yield "public_url: write an absolute address, as https://cds.example.org/firstline"
    elif settings.tenants and not is_guarded_url(settings.public_url or ""):
        yield "public_url: with clients under [tenants], write the https address that their tokens are for"
    try:
        _ = settings.zone
    except (ZoneInfoNotFoundError, ValueError):
        yield "time_zone: write a name of the time zone database, as Europe/Vienna"
    if settings.tenants and settings.open is not OPEN:
        yield "open: with clients under [tenants] nobody is answered without a token: remove [open]"
    if settings.today is not None and not is_loopback(settings.host):
        yield "today: a fixed day is for demonstrations on loopback: remove it"
    yield from _operation_problems(settings)
    yield from _record_problems(settings)
    yield from _token_problems(settings)
    yield from _fhir_problems(settings)


def _operation_problems(settings: "Settings") -> Iterator[str]:
    token = settings.ops_token
    if token is not None and (len(token) < SHORTEST_KEY or not token.isascii() or not token.isprintable()):
        yield f"ops_token: write a secret of {SHORTEST_KEY} or more plain characters"
    for name in ("max_at_once", "body_seconds", "workers", "memory_mb"):
        if getattr(settings, name) <= 0:
            yield f"{name}: write a number above 0"
    if settings.stop_seconds < 0:
        yield "stop_seconds: write a number of seconds, 0 or more"
    if settings.log_level not in LOG_LEVELS:
        yield f"log_level: write one of {', '.join(LOG_LEVELS)}"


def _fhir_problems(settings: "Settings") -> Iterator[str]:
    for name in ("fhir_deadline_ms", "fhir_max_pages", "fhir_max_bytes", "fhir_circuit_failures"):
        if getattr(settings, name) <= 0:
            yield f"{name}: write a number above 0"
    if settings.fhir_circuit_seconds < 0:
        yield "fhir_circuit_seconds: write a number of seconds, 0 or more"
    if settings.fhir_ca_file is not None and not _is_ca_file(settings.fhir_ca_file):
        yield "fhir_ca_file: give the path of a PEM file of certificates"
    if not OPTIONAL_KEYS.issuperset(settings.prefetch_left_out):
        yield f"prefetch_left_out: write keys of {', '.join(sorted(OPTIONAL_KEYS))}"


def _is_ca_file(path: str) -> bool:
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


def _token_problems(settings: "Settings") -> Iterator[str]:
    chosen = settings.token_algorithms
    if any(name.upper().startswith(FORBIDDEN) for name in chosen):
        yield "token_algorithms: none and symmetric algorithms (HS256 and the like) are never accepted: remove them"
    elif not chosen or not set(chosen) <= ALLOWED:
        yield f"token_algorithms: write one or more of {', '.join(sorted(ALLOWED))}"
    if not 0 < settings.token_lifetime_seconds <= LONGEST_LIFETIME:
        yield f"token_lifetime_seconds: write a number from 1 to {LONGEST_LIFETIME}"
    if not 0 <= settings.clock_skew_seconds <= MOST_SKEW:
        yield f"clock_skew_seconds: write a number from 0 to {MOST_SKEW}"


def _record_problems(settings: "Settings") -> Iterator[str]:
    if settings.database_url not in (None, NO_DATABASE):
        from hooks.records.database import DatabaseUrlError, read_url  # not loaded where nothing is recorded

        try:
            read_url(str(settings.database_url))
        except DatabaseUrlError:
            yield "database_url: write sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME, or none"
    if settings.patient_key is not None and len(settings.patient_key) < SHORTEST_KEY:
        yield f"patient_key: write a secret of {SHORTEST_KEY} or more characters"
    if settings.retention_days < 0:
        yield "retention_days: write a number of days, or 0 to keep records for ever"
    if not 0 <= settings.override_days <= (settings.retention_days or settings.override_days):
        yield "override_days: write a number of days from 0 to retention_days"
    if settings.record_queue <= 0:
        yield "record_queue: write a number above 0"
