"""From the concepts of a release and their links: which ingredients, strengths, form and brand each of them has."""

import re
from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from cds.site_codes import ReleaseDrug, ReleasePart

INGREDIENT, COMPONENT, FORM, BRAND = "IN", "SCDC", "DF", "BN"
PACKS = frozenset({"GPCK", "BPCK"})
MADE_OF: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("PIN", (INGREDIENT,)),
    ("MIN", (INGREDIENT, "PIN")),
    (BRAND, (INGREDIENT, "PIN", "MIN")),
    (COMPONENT, (INGREDIENT, "PIN")),
    ("SCD", (COMPONENT,)),
    ("SCDF", (INGREDIENT, "PIN", "MIN")),
    ("SCDG", (INGREDIENT, "PIN", "MIN")),
    ("SCDFP", ("PIN", INGREDIENT, "MIN")),
    ("SCDGP", ("PIN", INGREDIENT, "MIN")),
    ("SBDC", (COMPONENT,)),
    ("SBD", ("SCD", "SBDC", COMPONENT)),
    ("SBDF", ("SCDF", BRAND)),
    ("SBDG", ("SCDG", BRAND)),
    ("SBDFP", ("SCDFP", BRAND)),
    ("GPCK", ("SCD",)),
    ("BPCK", ("GPCK", "SBD", "SCD")),
)
"""Term types in the order of resolving, each with the types whose ingredients it has: of the first that it links to."""
TERM_TYPES = frozenset({INGREDIENT, FORM, *(kind for kind, _ in MADE_OF)})
WITH_FORM = frozenset({"SCD", "SBD", "SCDF", "SBDF", "SCDFP", "SBDFP"})
BRANDED = frozenset({"SBD", "SBDC", "SBDF", "SBDG", "SBDFP", "BPCK"})
_STRENGTH = re.compile(r".* ([0-9]+(?:\.[0-9]+)?) (MC?G)(/(?:ML|HR|MG|ACTUAT))?", re.ASCII | re.DOTALL)


class Atom(Struct, frozen=True):
    """A concept's term type and name."""

    kind: str
    name: str


class Release(Struct):
    """The concepts of a release by RxCUI, what each is linked to, and the ingredients of a watched class."""

    atoms: Mapping[int, Atom]
    links: Mapping[int, list[int]]
    watched: frozenset[int]


def resolve(release: Release) -> dict[int, ReleaseDrug]:
    """What each concept is made of. Concepts of which the links tell no ingredient are left out."""
    of_kind: dict[str, list[int]] = {}
    for rxcui, atom in sorted(release.atoms.items()):
        of_kind.setdefault(atom.kind, []).append(rxcui)
    found = {rxcui: _ingredient(rxcui, release) for rxcui in of_kind.get(INGREDIENT, ())}
    for kind, sources in MADE_OF:
        for rxcui in of_kind.get(kind, ()):
            drug = _made(rxcui, sources, release, found)
            if drug is not None:
                found[rxcui] = drug
    return found


def _ingredient(rxcui: int, release: Release) -> ReleaseDrug:
    part = ReleasePart(rxcui, release.atoms[rxcui].name, watched=rxcui in release.watched)
    return ReleaseDrug(INGREDIENT, (part,))


def _made(
    rxcui: int, sources: tuple[str, ...], release: Release, found: Mapping[int, ReleaseDrug]
) -> ReleaseDrug | None:
    atom = release.atoms[rxcui]
    linked = sorted(release.links.get(rxcui, ()))
    for source in sources:
        held = [found[other] for other in linked if other in found and found[other].kind == source]
        if held:
            break
    else:
        return None
    parts = [part for drug in held for part in drug.parts]
    if atom.kind == COMPONENT:
        parts = [_with_strength(part, atom.name) for part in parts]
    return ReleaseDrug(
        atom.kind,
        _summed(parts, atom.kind in PACKS),
        _named(FORM, linked, release) if atom.kind in WITH_FORM else _shared({drug.form for drug in held}),
        (_named(BRAND, linked, release) or _shared({drug.brand for drug in held})) if atom.kind in BRANDED else "",
    )


def _shared(names: set[str]) -> str:
    return names.pop() if len(names) == 1 else ""


def _named(kind: str, linked: list[int], release: Release) -> str:
    return next((atom.name for other in linked if (atom := release.atoms.get(other)) and atom.kind == kind), "")


def _with_strength(part: ReleasePart, name: str) -> ReleasePart:
    """The ingredient with the strength at the end of its component's name (``fentanyl 0.025 MG/HR``), in milligrams."""
    found = _STRENGTH.fullmatch(name)
    if found is None:
        return part
    amount = Decimal(found[1]) / (1000 if found[2] == "MCG" else 1)
    return replace(part, amount=f"{amount.normalize():f}", unit=f"MG{found[3] or ''}")


def _summed(parts: list[ReleasePart], pack: bool) -> tuple[ReleasePart, ...]:
    """Each ingredient once. Salts of one ingredient in a product add up; of the products in a pack the strongest
    counts, for it is not known which is taken."""
    by_name: dict[int, ReleasePart] = {}
    for part in parts:
        known = by_name.setdefault(part.rxcui, part)
        if known is not part:
            by_name[part.rxcui] = _together(known, part, pack)
    return tuple(sorted(by_name.values(), key=lambda part: part.name))


def _together(one: ReleasePart, other: ReleasePart, pack: bool) -> ReleasePart:
    if one.unit != other.unit or not one.amount:
        return replace(one, amount="", unit="")
    amounts = Decimal(one.amount), Decimal(other.amount)
    return replace(one, amount=f"{max(amounts) if pack else sum(amounts):f}")
