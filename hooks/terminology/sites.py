"""What each client's codes mean: its own file or the site's, and the release of the site. Read once, at start."""

from collections.abc import Mapping
from pathlib import Path

from cds.drug_tables import DrugTables, load_drugs
from cds.local_code_rows import Codes
from cds.site_codes import SiteCodes
from hooks.settings import Settings, SettingsError
from hooks.tenants import Tenant
from hooks.terminology.errors import TerminologyError
from hooks.terminology.local_codes import LocalCodesError, read_file
from hooks.terminology.store import Store


def read_sites(settings: Settings) -> Mapping[str, SiteCodes]:
    """By name of the client; one that brings nothing is left out. Raises ``SettingsError`` with all that is wrong."""
    tenants = settings.tenants or (settings.open,)
    problems: list[str] = []
    files = {path for tenant in tenants if (path := _file_of(tenant, settings)) is not None}
    tables = load_drugs(snomed=settings.snomed) if files else None
    codes = {path: _codes(path, tables, problems) for path in sorted(files)} if tables is not None else {}
    store = _store(settings, problems)
    if problems:
        raise SettingsError(*problems)
    sites: dict[str, SiteCodes] = {}
    shared: dict[Path | None, SiteCodes] = {}
    for tenant in tenants:
        path = _file_of(tenant, settings)
        if path is not None or store is not None:
            known = codes[path] if path is not None else {}
            sites[tenant.name] = shared.setdefault(path, SiteCodes(known, store))
    return sites


def _file_of(tenant: Tenant, settings: Settings) -> Path | None:
    if tenant.local_codes is not None:
        return tenant.local_codes
    return None if settings.local_codes is None else Path(settings.local_codes)


def _codes(path: Path, tables: DrugTables, problems: list[str]) -> Codes:
    try:
        return read_file(path, tables)
    except LocalCodesError as error:
        problems += (f"local_codes: {problem}" for problem in error.problems)
        return {}


def _store(settings: Settings, problems: list[str]) -> Store | None:
    if settings.terminology is None:
        return None
    try:
        return Store(Path(settings.terminology))
    except TerminologyError as error:
        problems.append(f"terminology: {error}")
        return None
