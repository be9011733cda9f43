"""Clients, and what the site set for each: whom to believe, where their FHIR is, how they are answered."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from cds.local_numbers import STRICTER, is_looser, standard_number
from hooks.addresses import is_guarded_url
from hooks.dialects import DIALECTS
from hooks.fhir_access_address import base_url
from hooks.key_sets import KeySetError, read_key_set

MOST = 100_000
FHIR_VERSIONS = ("STU3", "R4", "R5")
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class Threshold(Struct, frozen=True):
    """A site's own number in place of a rule's; a looser one needs a stated reason."""

    value: Decimal
    reason: str | None = None


class Tenant(Struct, frozen=True):
    """One client. ``None`` means: as the site has it."""

    name: str = "open"
    issuers: tuple[str, ...] = ()
    """Whose tokens are this client's: the exact ``iss``."""
    token_tenant: str | None = None
    """The ``tenant`` claim that a token must hold, where one issuer speaks for several clients."""
    jku: tuple[str, ...] = ()
    """The addresses of key sets that a token may name, exactly."""
    jwks: str | None = None
    """A file or address of the client's keys; where it is set, keys come from there alone."""
    fhir_servers: tuple[str, ...] = ()
    """Base addresses that may be asked for what a prefetch lacks."""
    fhir_version: str | None = None
    """STU3, R4 or R5: the version of a draft whose shape does not show it."""
    dialect: str | None = None
    """1.0, 2.0, epic or sandbox; None: by the hook."""
    info_cards: bool | None = None
    explain: bool | None = None
    time_zone: str | None = None
    local_codes: Path | None = None
    """A CSV file of the client's own drug codes."""
    thresholds: Mapping[str, Threshold] = {}
    """By rule id and name of the number: ``DD-23.mme_per_day``."""

    @property
    def is_open(self) -> bool:
        """Nobody in particular: whoever calls from this machine."""
        return not self.issuers


OPEN = Tenant()


# Reading


def read_tenants(value: Any, folder: Path) -> tuple[tuple[Tenant, ...], list[str]]:
    """The clients of ``[tenants.NAME]``; and all that is wrong, each as ``key: what to write``. Files are looked for
    from ``folder``."""
    if not isinstance(value, dict):
        return (), ["tenants: write a table for each client: [tenants.north]"]
    read = [_Reader(name, f"tenants.{name}", table, folder) for name, table in value.items()]
    tenants = tuple(reader.tenant() for reader in read)
    problems = [problem for reader in read for problem in reader.problems]
    return tenants, problems + list(_shared_issuers(tenants))


def read_open(value: Any, folder: Path) -> tuple[Tenant, list[str]]:
    """What ``[open]`` says of callers from this machine; and all that is wrong."""
    reader = _Reader("open", "open", value, folder)
    return reader.tenant(), reader.problems


def _shared_issuers(tenants: tuple[Tenant, ...]) -> Iterator[str]:
    seen: dict[tuple[str, str | None], str] = {}
    for tenant in tenants:
        for issuer in dict.fromkeys(tenant.issuers):
            shared = [name for (known, claim), name in seen.items() if known == issuer and _alike(claim, tenant)]
            if shared:
                yield (
                    f"tenants.{tenant.name}.issuers: {shared[0]} has the same issuer: give each a token_tenant of its"
                    " own"
                )
            seen[issuer, tenant.token_tenant] = tenant.name


def _alike(claim: str | None, tenant: Tenant) -> bool:
    return claim is None or tenant.token_tenant is None or claim == tenant.token_tenant


class _Reader:
    """Reads the table of one client and keeps what is wrong with it."""

    def __init__(self, name: str, at: str, table: Any, folder: Path) -> None:
        self.name, self.at, self.folder = name, at, folder
        self.problems: list[str] = []
        self.table: dict[str, Any] = table if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            self.problems.append(f"{at}: write a table: [{at}]")

    def refuse(self, key: str, remedy: str) -> None:
        self.problems.append(f"{self.at}.{key}: {remedy}")

    def tenant(self) -> Tenant:
        known = [name for name in Tenant.__struct_fields__ if name != "name"]
        for key in self.table:
            if key not in known:
                self.refuse(key, f"unknown setting: remove it or correct its spelling ({', '.join(known)})")
        if not NAME.fullmatch(self.name):
            self.problems.append(f"{self.at}: name a client in small letters, digits and hyphens")
        self._check_trust()
        return Tenant(
            name=self.name,
            issuers=self.texts("issuers"),
            token_tenant=self.text("token_tenant"),
            jku=self.addresses("jku"),
            jwks=self.key_set(),
            fhir_servers=self.fhir_bases("fhir_servers"),
            fhir_version=self.one_of("fhir_version", FHIR_VERSIONS),
            dialect=self.one_of("dialect", tuple(DIALECTS)),
            info_cards=self.yes_or_no("info_cards"),
            explain=self.yes_or_no("explain"),
            time_zone=self.zone(),
            local_codes=self.file("local_codes"),
            thresholds=self.thresholds(),
        )

    def _check_trust(self) -> None:
        if self.at == "open":
            for key in ("issuers", "token_tenant", "jku", "jwks"):
                if key in self.table:
                    self.refuse(key, "is for clients with tokens: set them under [tenants.NAME]")
        elif self.table:
            if not self.table.get("issuers"):
                self.refuse("issuers", "write the exact iss of its tokens, in a list")
            if not (self.table.get("jku") or self.table.get("jwks")):
                self.refuse(
                    "jwks", "give a file or an https address of its keys, or under jku those that tokens may name"
                )

    def text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        self.refuse(key, "write a text that is not empty")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if isinstance(value, list) and all(isinstance(entry, str) and entry.strip() for entry in value):
            return tuple(value)
        self.refuse(key, "write a list of texts")
        return ()

    def addresses(self, key: str) -> tuple[str, ...]:
        found = self.texts(key)
        if all(is_guarded_url(address) for address in found):
            return found
        self.refuse(key, "write https addresses (http on loopback alone), without a user and without #")
        return ()

    def fhir_bases(self, key: str) -> tuple[str, ...]:
        """Base addresses in their one spelling."""
        found = [base_url(address) for address in self.texts(key)]
        if None in found:
            self.refuse(key, "write https base addresses (http on loopback alone), without a user, ? and #")
        return tuple(base for base in found if base is not None)

    def one_of(self, key: str, values: tuple[str, ...]) -> str | None:
        value = self.table.get(key)
        if value is None or value in values:
            return value
        self.refuse(key, f"write one of {', '.join(values)}, in quotes")
        return None

    def yes_or_no(self, key: str) -> bool | None:
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.refuse(key, "write true or false")
        return None

    def zone(self) -> str | None:
        value = self.text("time_zone")
        try:
            if value is not None and value != "UTC":
                ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            self.refuse("time_zone", "write a name of the time zone database, as Europe/Vienna")
        return value

    def file(self, key: str) -> Path | None:
        value = self.text(key)
        if value is None:
            return None
        path = self.folder / value
        try:
            path.open("rb").close()
        except OSError:
            self.refuse(key, "the file cannot be read: give its path, from the folder of the settings")
        return path

    def key_set(self) -> str | None:
        value = self.text("jwks")
        if value is None:
            return None
        if "://" in value:
            if not is_guarded_url(value):
                self.refuse("jwks", "write an https address (http on loopback alone) or a file")
            return value
        path = self.file("jwks")
        if path is not None and path.is_file():
            try:
                read_key_set(path.read_bytes())
            except KeySetError as error:
                self.refuse("jwks", str(error))
        return str(path)

    def thresholds(self) -> Mapping[str, Threshold]:
        """The site's own numbers: ``[….thresholds.DD-23]`` with ``mme_per_day = 40``."""
        value = self.table.get("thresholds", {})
        found: dict[str, Threshold] = {}
        if not isinstance(value, dict):
            self.refuse("thresholds", f"write a table for each rule: [{self.at}.thresholds.DD-23]")
            return found
        for rule, numbers in value.items():
            if not isinstance(numbers, dict):
                self.refuse(f"thresholds.{rule}", f"write a table: [{self.at}.thresholds.{rule}]")
                continue
            for name, entry in numbers.items():
                threshold = self.threshold(rule, name, entry)
                if threshold is not None:
                    found[f"{rule}.{name}"] = threshold
        return found

    def threshold(self, rule: str, name: str, entry: Any) -> Threshold | None:
        """A number, or ``{ value = 60, reason = "…" }``, which a looser one needs."""
        key, at = f"{rule}.{name}", f"thresholds.{rule}.{name}"
        if key not in STRICTER:
            self.refuse(at, f"is no number that a site may set: choose among {', '.join(STRICTER)}")
            return None
        value, reason = (entry.get("value"), entry.get("reason")) if isinstance(entry, dict) else (entry, None)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 < value < MOST:
            self.refuse(at, 'write a number above 0, or { value = 60, reason = "why it is looser" }')
            return None
        own = Decimal(str(value))
        if name.endswith("_days") and own != own.to_integral_value():
            self.refuse(at, "write a whole number of days")
            return None
        if reason is not None and not (isinstance(reason, str) and reason.strip()):
            self.refuse(f"{at}.reason", "write why it is looser")
            return None
        standard = standard_number(key)
        if reason is None and is_looser(key, own, standard):
            self.refuse(at, f'is looser than {standard}: write {{ value = {own}, reason = "why" }}')
            return None
        return Threshold(own, reason)
