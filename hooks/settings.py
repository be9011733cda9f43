"""The site's settings: the environment and one optional TOML file, read once, checked, then frozen."""

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

from msgspec import Struct, ValidationError, convert

from hooks.addresses import is_loopback
from hooks.settings_checks import problems_of
from hooks.tenants import OPEN, Tenant, read_open, read_tenants

__all__ = ["Settings", "SettingsError", "is_loopback", "load", "zone_of"]

PREFIX = "FIRSTLINE_"
CONFIG = PREFIX + "CONFIG"
OTHER_NAMES = {"PORT": "port", "TODAY": "today"}
"""Settings that ``make serve`` hands over without the prefix."""
TABLES = ("open", "tenants")
"""Settings that only the file can hold."""
FILES = ("local_codes", "terminology", "fhir_ca_file")
"""Settings that the file tells from its own folder, and the environment from where the service starts."""


class SettingsError(Exception):
    """Settings are wrong. Each of ``problems`` names one and says what to write; ``settings`` is what could be read."""

    def __init__(self, *problems: str, settings: "Settings | None" = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.settings = settings


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
    repeat_shown: bool | None = None
    """Whether order-sign shows again what order-select showed for the same draft (critical findings always are). Left
    out: in open mode only, where equal requests are to have equal answers; with clients under [tenants] it does not."""
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
    def shows_again(self) -> bool:
        """``repeat_shown``, decided."""
        return not self.tenants if self.repeat_shown is None else self.repeat_shown

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
    problems += [f"{path}: {problem}" if path else problem for problem in problems_of(settings)]
    if problems:
        raise SettingsError(*problems, settings=settings)
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
    return convert(value.lower() if bool in (kind, *get_args(kind)) else value, kind, strict=False)


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


def zone_of(name: str) -> tzinfo:
    """The zone of this name. UTC needs no time zone database."""
    return UTC if name == "UTC" else ZoneInfo(name)
