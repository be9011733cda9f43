"""Which ingredients, strengths, form, route and release a coded or named drug has."""

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import force_setattr

from cds.drug_choice import Candidate, chosen
from cds.drug_names import DrugReading, Manner, read_manner, read_name, settled
from cds.drug_tables import ATC, NDC, RXNORM, SNOMED, Ingredient, NamedDrug, Substance, load_drugs
from cds.ndc import product_codes
from cds.site_codes import SiteCodes
from cds.terminology import CACHE_SIZE, Coding, Concept
from cds.words import tokens_of

__all__ = ["Drug", "Ingredient", "ingredient_drug", "recognise"]


class Drug(Struct, frozen=True):
    """A recognised drug. ``release`` is "IR", "ER", "DR", "TD" or None where it is not said.

    ``route`` is "oral", "transdermal", "topical", "nasal", "injection", "buccal", "sublingual", "transmucosal",
    "rectal", "inhalation" or None. ``roles`` unites the roles (drugs.csv) of all ingredients; ``how`` is "code",
    "name", "spelling" (a cut or misspelt name) or "disagreement" (what was sent disagrees, the more dangerous reading
    kept). ``name`` is printable, in lower case: the ingredients joined with " / ".
    """

    ingredients: tuple[Ingredient, ...]
    roles: frozenset[str]
    name: str
    form: str | None = None
    route: str | None = None
    release: str | None = None
    how: str = "name"
    brand: str | None = None
    first_line_class: str | None = None

    # What follows from these, worked out where the drug is made.
    names: frozenset[str] = frozenset()
    """The names of its ingredients."""
    systemic: bool = True
    """It reaches the circulation: not on skin, eye or ear, nor as an ointment. One whose route is not said does."""
    opioids: tuple[str, ...] = ()
    """Its opioid ingredients in the product's order; empty where it is no systemic opioid."""
    is_opioid: bool = False
    """A systemic opioid agonist, partial or mixed agonist included; not an antagonist, not one of the gut."""
    depressant_class: str | None = None
    """The class of CNS depressant that a systemic drug belongs to (``cds.scope.depressant_class``), else None."""

    def __post_init__(self) -> None:
        names = frozenset(part.name for part in self.ingredients)
        local = self.route in LOCAL_ROUTES or (self.route == "rectal" and self.form in RUBBED_IN)
        systemic = not local or not PATCH_OPIOIDS.isdisjoint(names)
        is_opioid = "opioid" in self.roles and systemic
        force_setattr(self, "names", names)
        force_setattr(self, "systemic", systemic)
        force_setattr(self, "is_opioid", is_opioid)
        force_setattr(self, "opioids", _opioids(self.ingredients) if is_opioid else ())
        force_setattr(self, "depressant_class", _depressant_class(self.roles, names) if systemic else None)

    def __hash__(self) -> int:
        """Cheap: what is worked out for a drug is remembered by it."""
        return hash((self.name, self.form, self.route, self.release))

    def has(self, ingredient: str) -> bool:
        return ingredient in self.names


def _opioids(ingredients: tuple[Ingredient, ...]) -> tuple[str, ...]:
    if len(ingredients) == 1:
        return (ingredients[0].name,)
    return tuple(part.name for part in ingredients if "opioid" in _substance(part.name).roles)


def _depressant_class(roles: frozenset[str], names: frozenset[str]) -> str | None:
    for role in DEPRESSANT_ROLES:
        if role in roles:
            return role
    if "sodium oxybate" in names:
        return "sodium_oxybate"
    if not SEDATING_ANTIPSYCHOTICS.isdisjoint(names):
        return "sedating_antipsychotic"
    return "sedative_other" if "sedative_other" in roles else None


SYSTEMS = {
    "http://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "https://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "2.16.840.1.113883.6.88": RXNORM,
    "rxnorm": RXNORM,
    "http://www.whocc.no/atc": ATC,
    "https://www.whocc.no/atc": ATC,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "2.16.840.1.113883.6.73": ATC,
    "atc": ATC,
    "http://hl7.org/fhir/sid/ndc": NDC,
    "https://hl7.org/fhir/sid/ndc": NDC,
    "urn:oid:2.16.840.1.113883.6.69": NDC,
    "2.16.840.1.113883.6.69": NDC,
    "ndc": NDC,
    "http://snomed.info/sct": SNOMED,
    "https://snomed.info/sct": SNOMED,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "2.16.840.1.113883.6.96": SNOMED,
}
ANTAGONIST_ROLES = frozenset({"antagonist", "naloxone", "rescue_antagonist"})
GRAVE_ROLES = frozenset({"antagonist", "benzodiazepine", "cns_depressant", "maoi", "cyp3a4_strong_inhibitor"})
TOPICAL_ROLES = frozenset({"topical_lidocaine", "topical_capsaicin", "local_anesthetic"})
LOCAL_ROUTES = frozenset({"topical", "ophthalmic", "otic"})
RUBBED_IN = frozenset({"Topical Ointment", "Topical Cream"})
"""Forms that stay where they are put, by rectum too."""
PATCH_OPIOIDS = frozenset({"fentanyl", "buprenorphine"})
"""Opioids whose "topical" orders are patches: no cream of them exists."""
SEDATING_ANTIPSYCHOTICS = frozenset({"chlorpromazine", "clozapine", "olanzapine", "quetiapine"})
DEPRESSANT_ROLES = ("benzodiazepine", "z_drug", "barbiturate", "muscle_relaxant", "sedating_antihistamine")
LIDOCAINE_PATCH = frozenset({Decimal("0.05"), Decimal("0.018"), Decimal(700)})
CAPSAICIN_PATCH = frozenset({Decimal("0.08"), Decimal(179)})
SLEEP_DOXEPIN_MG = 6
XTAMPZA = "Xtampza ER"
FIELD_LENGTH = 1000
"""How much of a form or route field is read."""

_TABLES = load_drugs()
_NO_ROLE = Substance()


def recognise(
    concept: Concept, form: str | None = None, route: str | None = None, site: SiteCodes | None = None
) -> Drug | None:
    """The drug of a concept, or None where it is not recognised. Remembers its answers. Never raises.

    ``form`` and ``route`` are what the order says beside the name (dosage route, Medication.form).
    A code in the tables is believed first, then the names; DESIGN.md, "Recognising a drug". ``site``: what is known of
    codes where the order comes from; its own codes come before the tables, a terminology release after them.
    """
    if concept.short() and len(form or "") + len(route or "") <= FIELD_LENGTH:
        return _remembered(concept, form, route, site)
    return _recognise(concept, form, route, site)


def _recognise(concept: Concept, form: str | None, route: str | None, site: SiteCodes | None) -> Drug | None:
    candidates = [found for coding in concept.codings for found in _by_code_at(site, coding)]
    readings = (read_name(text, _TABLES) for text in concept.texts())
    candidates += [_candidate(reading, 0) for reading in readings if reading is not None]
    if not candidates:
        return None
    return _drug(*chosen(candidates), _order_manner(form, route))


_remembered = lru_cache(CACHE_SIZE)(_recognise)


@lru_cache(CACHE_SIZE)
def ingredient_drug(name: str) -> Drug:
    """The bare ingredient of drugs.csv as a drug. Raises ``KeyError`` for a name that the table lacks."""
    if not _TABLES.substances[name].roles:
        raise KeyError(name)
    return _drug(DrugReading((Ingredient(name),), Manner()), "name", Manner())


@lru_cache(CACHE_SIZE)
def ingredient_roles(name: str) -> frozenset[str]:
    """The roles of an ingredient; none for one that drugs.csv lacks."""
    try:
        return ingredient_drug(name).roles
    except KeyError:
        return frozenset()


def _by_code_at(site: SiteCodes | None, coding: Coding) -> Iterator[Candidate]:
    """What a code stands for: by the site's own codes, else by the tables, else by the release that the site holds."""
    if site is None or not coding.code:
        yield from _by_code(coding)
        return
    written = (coding.system or "").strip().lower().rstrip("/")
    system, code = SYSTEMS.get(written, written), coding.code.strip().upper()
    own = site.own(system, code)
    found = [] if own is not None else list(_by_code(coding))
    if own is None and not found:
        own = site.released(system, code, _TABLES)
    yield from found if own is None else [_candidate(_coded(own.drug), own.belief)]


def _by_code(coding: Coding) -> Iterator[Candidate]:
    """What a code of the tables stands for. A number without a system may be a product's, never an ingredient's; an
    NDC without hyphens may be three."""
    code = (coding.code or "").strip().upper()
    system = SYSTEMS.get((coding.system or "").strip().lower().rstrip("/"), coding.system or "")
    if system == NDC or (not system and "-" in code):
        for product in product_codes(code):
            if product in _TABLES.ndc:
                yield _candidate(_coded(_TABLES.ndc[product]), 2)
        return
    if system == RXNORM or (not system and code in _TABLES.products):
        if code in _TABLES.products:
            yield _candidate(_coded(_TABLES.products[code]), 2)
            return
        code = code.lstrip("0")
    if not system and (ATC, code) in _TABLES.codes:
        system = ATC
    named = _TABLES.codes.get((system, code))
    if named is not None:
        yield _candidate(_coded(named), 1)


def _candidate(reading: DrugReading, belief: int) -> Candidate:
    own = {name: _substance(name).roles for name in reading.names}
    roles = frozenset[str]().union(*own.values())
    gravity = 3 if "opioid" in roles else 2 if roles & GRAVE_ROLES else 1 if roles else 0
    return Candidate(reading, belief, frozenset([name for name in own if "opioid" in own[name]]), gravity)


def leave_out_snomed() -> None:
    """Reads the tables again without SNOMED CT, for a site without its licence: at start, for good."""
    global _TABLES
    _TABLES = load_drugs(snomed=False)
    _remembered.cache_clear()
    ingredient_drug.cache_clear()


def _substance(name: str) -> Substance:
    """What the tables say of an ingredient; nothing of one that only a site's codes know."""
    return _TABLES.substances.get(name, _NO_ROLE)


def _coded(named: NamedDrug) -> DrugReading:
    manner = Manner(named.form, named.route, named.release, sure=named.route is not None)
    return DrugReading(named.ingredients, manner, named.brand)


def _order_manner(form: str | None, route: str | None) -> Manner:
    """What the order's own fields say: free text or the display of a code."""
    by_route = _words(route)
    by_form = _words(form)
    return Manner(by_form.form, by_route.route or (by_form.route if by_form.sure else None), by_form.release)


def _words(text: str | None) -> Manner:
    tokens = tokens_of((text or "")[:FIELD_LENGTH])
    return read_manner(tokens, _TABLES.routes.find(tokens))


def _drug(reading: DrugReading, how: str, order: Manner) -> Drug:
    ingredients, manner = settled(reading, order)
    brand = reading.brand
    names = [part.name for part in ingredients]
    if brand is None and names == ["oxycodone"] and manner.form == "Extended Release Oral Capsule":
        brand = XTAMPZA
    classes = {
        found for part in ingredients if (found := _first_line_class(part, manner, brand, len(names) == 1)) is not None
    }
    return Drug(
        ingredients=ingredients,
        roles=_roles(ingredients, manner, classes),
        name=" / ".join(names).lower(),
        form=manner.form,
        route=manner.route,
        release=manner.release,
        how=how,
        brand=brand,
        first_line_class=min(classes, default=None),
    )


def _roles(ingredients: tuple[Ingredient, ...], manner: Manner, classes: set[str]) -> frozenset[str]:
    """The roles of all ingredients, less those that this product has not (CLINICAL.md sections 8 and 13)."""
    substances = [_substance(part.name) for part in ingredients]
    opioid = any("opioid" in substance.roles for substance in substances)
    roles: set[str] = set()
    for substance in substances:
        own = substance.roles - ANTAGONIST_ROLES if opioid else substance.roles
        roles |= own & TOPICAL_ROLES if manner.route == "topical" and "opioid" not in own else own
    return frozenset(roles - {"topical_lidocaine", "topical_capsaicin"} | (classes & TOPICAL_ROLES))


def _first_line_class(part: Ingredient, manner: Manner, brand: str | None, alone: bool) -> str | None:
    """The class of an ingredient, where this product counts as a trial of it (CLINICAL.md section 4)."""
    found = _substance(part.name).first_line_class
    patch = manner.release == "TD"
    if found == "topical_lidocaine":
        return found if alone and patch and (part.amount is None or part.amount in LIDOCAINE_PATCH) else None
    if found == "topical_capsaicin":
        return found if brand == "Qutenza" or (patch and part.amount in CAPSAICIN_PATCH) else None
    if manner.route == "topical" or brand == "Silenor":
        return None
    if part.name == "doxepin" and part.amount is not None and part.unit == "MG" and part.amount <= SLEEP_DOXEPIN_MG:
        return None
    return found
