"""The site's settings: the environment and one optional TOML file, read once, checked, then frozen."""

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, ValidationError, convert

PREFIX = "FIRSTLINE_"
CONFIG = PREFIX + "CONFIG"
OTHER_NAMES = {"PORT": "port", "TODAY": "today"}
"""Settings that ``make serve`` hands over without the prefix."""


class SettingsError(Exception):
    """A setting is wrong. The message names it and says what to write."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Every setting with its default. ``FIRSTLINE_PORT=8081`` (environment) wins over ``port = 8081`` (file)."""

    host: str = "127.0.0.1"
    """Where ``python -m hooks.serve`` listens. Without client authentication only loopback is accepted."""
    port: int = 8080
    public_url: str | None = None
    """The base address as clients see it; with it, cards link to the evidence pages."""
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

    @property
    def zone(self) -> tzinfo:
        return _zone(self.time_zone)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises ``SettingsError``."""
    environment = os.environ if environment is None else environment
    chosen: dict[str, Any] = {}
    path = environment.get(CONFIG)
    if path:
        chosen.update(_from_file(Path(path)))
    for name, value in environment.items():
        key = OTHER_NAMES.get(name) or (name[len(PREFIX) :].lower() if name.startswith(PREFIX) else None)
        if key is None or name == CONFIG or not value:
            continue
        if key not in Settings.__struct_fields__:
            raise SettingsError(f"{name}: unknown setting: remove it or correct its spelling ({_known()})")
        chosen[key] = _read(key, value, name)
    return _checked(convert(chosen, Settings))


def _known() -> str:
    return ", ".join(sorted(Settings.__struct_fields__))


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsError(f"{CONFIG}: {path} cannot be read: give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: correct the TOML: {error}") from None
    for key, value in table.items():
        if key not in Settings.__struct_fields__:
            raise SettingsError(f"{path}: {key}: unknown setting: remove it or correct its spelling ({_known()})")
        table[key] = _read(key, value, f"{path}: {key}")
    return table


def _read(key: str, value: Any, named: str) -> Any:
    """The value in the type of the setting; texts of the environment are converted ("true", "8080")."""
    if key == "today":
        return _instant(value, named)
    kind = Settings.__annotations__[key]
    try:
        if kind is bool and isinstance(value, str):
            return convert(value.lower(), bool, strict=False)
        return convert(value, kind, strict=not isinstance(value, str))
    except ValidationError:
        wanted = {bool: "true or false", int: "a whole number"}.get(kind, "a text")
        raise SettingsError(f"{named}: write {wanted}") from None


def _instant(value: Any, named: str) -> datetime:
    try:
        instant = convert(value, datetime, strict=False) if "T" in str(value) else datetime.fromisoformat(str(value))
    except (ValidationError, ValueError):
        raise SettingsError(f"{named}: write a date and time, as 2026-03-01T09:00:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _checked(settings: Settings) -> Settings:
    if not is_loopback(settings.host):
        raise SettingsError("host: open mode (no client authentication) listens on loopback only: write 127.0.0.1")
    if not 0 <= settings.port <= 65535:
        raise SettingsError("port: write a number from 0 to 65535")
    if settings.max_body_bytes <= 0:
        raise SettingsError("max_body_bytes: write a number above 0")
    if settings.public_url is not None and not _is_base_url(settings.public_url):
        raise SettingsError("public_url: write an absolute address, as https://cds.example.org/firstline")
    try:
        _zone(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsError("time_zone: write a name of the time zone database, as Europe/Vienna") from None
    return settings


def _zone(name: str) -> tzinfo:
    """UTC needs no time zone database."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _is_base_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether this address or name can only be reached from the machine itself."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
