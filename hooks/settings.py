"""The site's settings: the environment and one optional TOML file, read once, checked, then frozen."""

import os
import ssl
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, ValidationError, convert

from hooks.addresses import is_base_url, is_guarded_url, is_loopback
from hooks.tenants import OPEN, Tenant, read_open, read_tenants

__all__ = ["Settings", "SettingsError", "is_loopback", "load", "zone_of"]

PREFIX = "FIRSTLINE_"
CONFIG = PREFIX + "CONFIG"
OTHER_NAMES = {"PORT": "port", "TODAY": "today"}
"""Settings that ``make serve`` hands over without the prefix."""
TABLES = ("open", "tenants")
"""Settings that only the file can hold."""
FILES = ("local_codes", "terminology")
"""Settings that the file tells from its own folder, and the environment from where the service starts."""
ALLOWED = frozenset({"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"})
FORBIDDEN = ("NONE", "HS")
LONGEST_LIFETIME = 86_400
MOST_SKEW = 300
OPTIONAL_KEYS = frozenset({"dispenses", "procedures", "vitals", "labs", "scores"})
"""Prefetch keys that a site may leave out of discovery."""
SHORTEST_KEY = 32
NO_DATABASE = "none"
OWN_DATABASE = "sqlite:///firstline.db"
"""Where ``python -m hooks.serve`` records when the site says nothing."""


LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """Settings are wrong. Each of ``problems`` names one and says what to write."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting with its default. ``FIRSTLINE_PORT=8081`` (environment) wins over ``port = 8081`` (file)."""

    host: str = "127.0.0.1"
    """Where ``python -m hooks.serve`` listens. Without client authentication only loopback is accepted."""
    port: int = 8080
    public_url: str | None = None
    """The base address as clients see it: what their tokens are for. With it, cards link to the evidence pages."""
    max_body_bytes: int = 5_000_000
    """Larger requests get 413."""
    info_cards: bool = True
    """Whether information alone may make a card when signing (what could not be assessed always may)."""
    time_zone: str = "UTC"
    """The zone in which "today" is a date."""
    explain: bool = True
    """Whether a request may ask for every rule's outcome (``firstline.explain``)."""
    today: datetime | None = None
    """A fixed clock, for demonstrations and tests; loopback only."""
    open: Tenant = OPEN
    """How whoever calls from this machine is answered, where no client is set."""
    tenants: tuple[Tenant, ...] = ()
    """The clients. With any of them every call needs a token of one of them."""
    token_algorithms: tuple[str, ...] = ("ES384", "RS384")
    """Signatures that are believed; ``none`` and symmetric ones never."""
    token_lifetime_seconds: int = 3600
    """The longest time from ``iat`` to ``exp`` of a token."""
    clock_skew_seconds: int = 30
    """How far a client's clock may be off."""
    fhir_deadline_ms: int = 400
    """All that is fetched from a client's FHIR server for one hook request has to come within this time."""
    fhir_max_pages: int = 10
    """Pages of one search that are read; the rest of a longer one counts as not known."""
    fhir_max_bytes: int = 5_000_000
    """What a FHIR server may send for one hook request, all answers together."""
    fhir_circuit_failures: int = 5
    """Hook requests in a row that a FHIR server leaves without any answer before it is left alone."""
    fhir_circuit_seconds: int = 30
    """For how long it is left alone."""
    fhir_without_token: bool = False
    """Whether a FHIR server that is allowed is asked where the client sends no token, as the public sandbox does."""
    fhir_ca_file: str | None = None
    """A PEM file of the authorities that sign the FHIR servers' certificates, where they are the site's own."""
    prefetch_left_out: tuple[str, ...] = ()
    """Keys that discovery does not ask for: of dispenses, procedures, vitals, labs, scores."""
    database_url: str | None = None
    """Where answers and feedback are recorded: sqlite:///FILE, postgresql://USER:PASSWORD@HOST/NAME, or none. Where it
    is not set, ``python -m hooks.serve`` records in firstline.db of its folder, and an app within another program does
    not record."""
    retention_days: int = 365
    """Records are deleted when they are older; 0: never."""
    patient_key: str | None = None
    """The secret under which ids of patients are hashed; None: a random one that is kept in the database."""
    record_comments: bool = False
    """Whether the free text of an override is recorded; it may name the patient."""
    repeat_shown: bool = True
    """Whether order-sign shows again what order-select showed for the same draft (critical findings always are)."""
    override_days: int = 0
    """For how long a finding is not shown again that was overridden with a reason; 0: it is."""
    record_queue: int = 10_000
    """Answers that wait in memory while the database is down or behind; more are not recorded, and counted."""
    local_codes: str | None = None
    """A CSV file of the site's own drug codes, for clients without one of their own."""
    terminology: str | None = None
    """The store of an RxNorm release, written by ``firstline terminology load``."""
    snomed: bool = True
    """Whether codes of SNOMED CT are read. It holds for the whole process: false for a site without its licence."""
    ops_token: str | None = None
    """The secret that shows ``/live``, ``/ready``, ``/metrics`` and ``/insight``, as a bearer token. Without one they
    are there in open mode only, for this machine."""
    max_at_once: int = 200
    """Requests that are under way at once, in one process; the next ones get 503."""
    body_seconds: float = 10.0
    """How long a request may take to send its body; then it gets 408."""
    stop_seconds: int = 20
    """How long the service goes on with what is under way when it is told to stop."""
    workers: int = 1
    """Processes that serve."""
    memory_mb: int = 256
    """By how many megabytes a process may grow before it forgets the words and codes that it has met."""
    log_level: str = "info"
    """From where on Firstline logs: debug, info, warning, error."""

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.time_zone)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises ``SettingsError`` with everything that is wrong."""
    environment = os.environ if environment is None else environment
    chosen: dict[str, Any] = {}
    problems: list[str] = []
    path = environment.get(CONFIG)
    if path:
        chosen.update(_from_file(Path(path), problems))
    for name, value in environment.items():
        key = OTHER_NAMES.get(name) or (name[len(PREFIX) :].lower() if name.startswith(PREFIX) else None)
        if key is None or name == CONFIG or not value:
            continue
        if key not in Settings.__struct_fields__ or key in TABLES:
            problems.append(f"{name}: unknown setting: remove it or correct its spelling ({_known()})")
            continue
        _read_into(chosen, key, value, name, problems)
    settings = Settings(**chosen)
    problems += [f"{path}: {problem}" if path else problem for problem in _checked(settings)]
    if problems:
        raise SettingsError(*problems)
    return settings


def _known() -> str:
    return ", ".join(sorted(Settings.__struct_fields__))


def _from_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsError(f"{path}: cannot be read: give the path of a TOML file in {CONFIG}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: correct the TOML: {error}") from None
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key not in Settings.__struct_fields__:
            problems.append(f"{path}: {key}: unknown setting: remove it or correct its spelling ({_known()})")
        elif key in TABLES:
            read = read_tenants if key == "tenants" else read_open
            chosen[key], wrong = read(value, path.parent)
            problems += [f"{path}: {problem}" for problem in wrong]
        elif key in FILES and isinstance(value, str):
            chosen[key] = str(path.parent / value)
        else:
            _read_into(chosen, key, value, f"{path}: {key}", problems)
    return chosen


def _read_into(chosen: dict[str, Any], key: str, value: Any, named: str, problems: list[str]) -> None:
    """Puts the value in the type of the setting among the chosen; texts of the environment are converted."""
    try:
        chosen[key] = _read(key, value)
    except (ValidationError, ValueError):
        problems.append(f"{named}: write {_wanted(Settings.__annotations__[key])}")


def _read(key: str, value: Any) -> Any:
    kind = Settings.__annotations__[key]
    if datetime in (kind, *get_args(kind)):
        return _instant(value)
    if not isinstance(value, str):
        return convert(value, kind)
    if getattr(kind, "__origin__", None) is tuple:
        return convert([part.strip() for part in value.split(",")], kind)
    return convert(value.lower() if kind is bool else value, kind, strict=False)


def _wanted(kind: Any) -> str:
    """What a setting of this type is written as."""
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        datetime: "a date and time, as 2026-03-01T09:00:00Z",
    }
    if getattr(kind, "__origin__", None) is tuple:
        return "a list of texts"
    return next((words[one] for one in (kind, *get_args(kind)) if one in words), "a text")


def _instant(value: Any) -> datetime:
    instant = convert(value, datetime, strict=False) if "T" in str(value) else datetime.fromisoformat(str(value))
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _checked(settings: Settings) -> Iterator[str]:
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
        zone_of(settings.time_zone)
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


def _operation_problems(settings: Settings) -> Iterator[str]:
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


def _fhir_problems(settings: Settings) -> Iterator[str]:
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


def _token_problems(settings: Settings) -> Iterator[str]:
    chosen = settings.token_algorithms
    if any(name.upper().startswith(FORBIDDEN) for name in chosen):
        yield "token_algorithms: none and symmetric algorithms (HS256 and the like) are never accepted: remove them"
    elif not chosen or not set(chosen) <= ALLOWED:
        yield f"token_algorithms: write one or more of {', '.join(sorted(ALLOWED))}"
    if not 0 < settings.token_lifetime_seconds <= LONGEST_LIFETIME:
        yield f"token_lifetime_seconds: write a number from 1 to {LONGEST_LIFETIME}"
    if not 0 <= settings.clock_skew_seconds <= MOST_SKEW:
        yield f"clock_skew_seconds: write a number from 0 to {MOST_SKEW}"


def _record_problems(settings: Settings) -> Iterator[str]:
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


def zone_of(name: str) -> tzinfo:
    """The zone of this name. UTC needs no time zone database."""
    return UTC if name == "UTC" else ZoneInfo(name)
