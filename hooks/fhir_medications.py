"""Which drug a record names: by a concept, or by a Medication that it refers to."""

from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from cds.drugs import Drug, recognise
from cds.site_codes import SiteCodes
from cds.terminology import Concept
from hooks import fhir_shapes as shapes
from hooks.fhir_elements import REMEMBERED, concepts, present, printable, quantity
from hooks.fhir_pointers import Pointer, pointers
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.remembered import Remembered


class NamedDrug(Struct, frozen=True):
    """``odd``: what names the drug could not be read; ``missing``: the Medication that did not come with it."""

    drug: Drug | None
    name: str
    odd: bool = False
    missing: str | None = None


class _Ingredient(Struct, rename="camel", gc=False):
    item: Raw = ABSENT
    item_codeable_concept: Raw = ABSENT
    strength: Raw = ABSENT
    strength_ratio: Raw = ABSENT
    amount: Raw = ABSENT


class _Strength(Struct, gc=False):
    numerator: Raw = ABSENT
    denominator: Raw = ABSENT


class _Product(Struct, gc=False):
    """DSTU2's Medication.product."""

    form: Raw = ABSENT
    ingredient: Raw = ABSENT


_ingredients = msgspec.json.Decoder(list[_Ingredient], strict=False)
_strength = msgspec.json.Decoder(_Strength)
_product = msgspec.json.Decoder(_Product)


def named_drug(sent: shapes.DrugRecord, route: str | None, records: Records) -> NamedDrug:
    """The drug of an order, a statement or a dispense. ``route`` is that of its dosage."""
    site = records.site
    if sent.medication_codeable_concept:
        plainly = PLAINLY_NAMED[bytes(sent.medication_codeable_concept), route, site]
        if plainly is not None:
            return plainly
    odd = False
    display = ""
    missing = None
    for raw in (sent.medication_codeable_concept, sent.medication, sent.medication_reference):
        if not present(raw):
            continue
        found = pointers(bytes(raw))
        if not found:
            odd = True
        for pointer in found or ():
            medication = records.resolve(pointer.ref, sent)
            if isinstance(medication, shapes.Medication):
                return _described(medication, pointer, route, site)
            if pointer.concept is not None:
                return _recognised(pointer.concept, None, route, site)
            missing = pointer.ref
            display = pointer.display or display
    return NamedDrug(_drug(Concept(text=display), None, route, site) if display else None, display, odd, missing)


def _plainly_named(asked: tuple[bytes, str | None, SiteCodes | None]) -> NamedDrug | None:
    raw, route, site = asked
    first = next(iter(pointers(raw) or ()), Pointer())
    return None if first.concept is None or first.ref is not None else _recognised(first.concept, None, route, site)


PLAINLY_NAMED = Remembered(_plainly_named)
"""The drug of an element, with the route of its dosage and the codes of its site, that begins with a concept and refers
to nothing; None for any other."""


def _recognised(named: Concept, form: str | None, route: str | None, site: SiteCodes | None) -> NamedDrug:
    return NamedDrug(_drug(named, form, route, site), printable(named))


@lru_cache(REMEMBERED)
def _drug(named: Concept, form: str | None, route: str | None, site: SiteCodes | None) -> Drug | None:
    return recognise(named, form, route, site)


def _described(medication: shapes.Medication, pointer: Pointer, route: str | None, site: SiteCodes | None) -> NamedDrug:
    """By the Medication's code, else by its ingredients, else by what the reference calls it."""
    product = _product_of(medication)
    forms = (medication.form, medication.dose_form, product.form)
    form = next((printable(named) for raw in forms for named in concepts(bytes(raw)) or ()), None)
    coded = concepts(bytes(medication.code)) or ()
    composed = [one for one in (_composed(medication.ingredient), _composed(product.ingredient)) if one is not None]
    called = [Concept(text=pointer.display)] if pointer.display else []
    for named in (*coded, *composed, *called):
        found = _recognised(named, form or None, route, site)
        if found.drug is not None:
            return found
    name = next((printable(named) for named in (*coded, *composed, *called) if printable(named)), "")
    return NamedDrug(None, name, odd=present(medication.code) and not coded)


def _product_of(medication: shapes.Medication) -> _Product:
    try:
        return _product.decode(medication.product) if medication.product else _Product()
    except UNREADABLE_JSON:
        return _Product()


def _composed(raw: Raw) -> Concept | None:
    """One concept of all ingredients: the codes of a single one, and a name with the strengths."""
    try:
        parts = _ingredients.decode(raw) if raw else []
    except UNREADABLE_JSON:
        return None
    named = [(part, _item(part)) for part in parts]
    known = [(part, item) for part, item in named if item is not None]
    if not known or len(known) < len(named):
        return None
    text = " / ".join(f"{printable(item)}{_strength_words(part)}" for part, item in known)
    return Concept(known[0][1].codings if len(known) == 1 else (), text)


def _item(part: _Ingredient) -> Concept | None:
    for pointer in (*(pointers(bytes(part.item_codeable_concept)) or ()), *(pointers(bytes(part.item)) or ())):
        if pointer.concept is not None or pointer.display:
            return pointer.concept or Concept(text=pointer.display)
    return None


def _strength_words(part: _Ingredient) -> str:
    for raw in (part.strength, part.strength_ratio, part.amount):
        try:
            ratio = _strength.decode(raw) if raw else _Strength()
        except UNREADABLE_JSON:
            continue
        top, below = quantity(bytes(ratio.numerator)), quantity(bytes(ratio.denominator))
        if top is not None and top.unit:
            per_one = below.value == 1 if below is not None else not present(ratio.denominator)
            per = "/ML" if below is not None and below.unit in {"mL", "ml"} else ""
            return f" {top.value.normalize():f} {top.unit.upper()}{per}" if per_one else ""
    return ""
