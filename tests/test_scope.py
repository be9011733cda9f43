"""G01: what concerns Firstline, and what kind of opioid or sedative an order is."""

import pytest

from cds.chart import MedicationOrder
from cds.drugs import Drug
from cds.scope import (
    depressant_class,
    in_scope,
    is_opioid,
    is_regular_antagonist,
    is_rescue,
    is_systemic,
    opioids_of,
    reverse_scope,
    stops,
    strength,
)
from tests.builders import draft, drug, tablet


def of(what: Drug | None, **fields: object) -> MedicationOrder:
    return draft("x", what, **fields)


@pytest.mark.parametrize("name", ["oxycodone", "tramadol", "heroin", "buprenorphine", "butorphanol", "methadone"])
@pytest.mark.parametrize("route", ["oral", "injection", "nasal", "rectal", None])
def test_opioids_are_in_scope_by_any_route(name: str, route: str | None) -> None:
    order = of(drug(name, route=route))
    assert is_opioid(order)
    assert in_scope(order)


@pytest.mark.parametrize(
    "what",
    [
        drug("naloxone", route="nasal"),
        drug("nalmefene", route="injection"),
        drug("loperamide", route="oral"),
        drug("naloxegol", route="oral"),
        drug("dextromethorphan", route="oral"),
        drug("gabapentin"),
        drug("morphine", route="topical"),
    ],
    ids=lambda what: what.name,
)
def test_what_is_no_opioid_here(what: Drug) -> None:
    assert not is_opioid(of(what))
    assert not in_scope(of(what))


def test_a_drug_that_is_not_recognised_is_not_said_to_be_anything() -> None:
    order = of(None)
    assert not is_opioid(order)
    assert not in_scope(order)
    assert not reverse_scope(order)
    assert not is_rescue(order)
    assert not is_regular_antagonist(order)
    assert depressant_class(order) is None
    assert strength(order) is None
    assert opioids_of(order) == ()
    assert is_systemic(order)


@pytest.mark.parametrize("name", ["fentanyl", "buprenorphine"])
def test_a_topical_patch_opioid_is_a_patch(name: str) -> None:
    assert is_opioid(of(drug(name, route="topical")))


@pytest.mark.parametrize(
    "what",
    [
        drug("naltrexone", route="oral"),
        drug("naltrexone", route="injection"),
        drug("olanzapine", "samidorphan"),
        drug("nalmefene", route="oral"),
        drug("nalmefene"),
    ],
    ids=lambda what: f"{what.name} {what.route}",
)
def test_antagonists_for_regular_use_are_in_scope(what: Drug) -> None:
    assert in_scope(of(what))
    assert is_regular_antagonist(of(what))
    assert not is_opioid(of(what))


def test_an_antagonist_inside_an_opioid_product_is_neither_antagonist_nor_rescue() -> None:
    for what in (drug("buprenorphine", "naloxone"), drug("morphine", "naltrexone")):
        assert is_opioid(of(what))
        assert not is_regular_antagonist(of(what))
        assert not is_rescue(of(what))


@pytest.mark.parametrize(
    ("name", "route", "rescue"),
    [
        ("naloxone", "nasal", True),
        ("naloxone", "injection", True),
        ("naloxone", None, True),
        ("naloxone", "oral", False),
        ("nalmefene", "nasal", True),
        ("nalmefene", None, False),
        ("nalmefene", "oral", False),
        ("naltrexone", "injection", False),
    ],
)
def test_rescue_products(name: str, route: str | None, rescue: bool) -> None:
    assert is_rescue(of(drug(name, route=route))) is rescue


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (drug("tramadol"), "weak"),
        (drug("codeine"), "weak"),
        (drug("dihydrocodeine"), "weak"),
        (drug("codeine", "acetaminophen"), "weak"),
        (drug("propoxyphene"), "strong"),
        (drug("buprenorphine"), "strong"),
        (drug("butorphanol"), "strong"),
        (drug("oxycodone", "acetaminophen"), "strong"),
        (drug("gabapentin"), None),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_strength(what: Drug, expected: str | None) -> None:
    assert strength(of(what)) == expected


def test_the_opioids_of_a_combination() -> None:
    assert opioids_of(of(drug("acetaminophen", "oxycodone"))) == ("oxycodone",)
    assert opioids_of(of(drug("oxycodone"))) == ("oxycodone",)
    assert opioids_of(of(drug("acetaminophen"))) == ()


def test_an_ingredient_that_the_table_lacks_is_no_opioid() -> None:
    from cds.drugs import Ingredient

    unlisted = Drug((Ingredient("oxycodone"), Ingredient("wonderine")), frozenset({"opioid"}), "both")
    assert opioids_of(of(unlisted)) == ("oxycodone",)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (tablet("alprazolam"), "benzodiazepine"),
        (tablet("zolpidem"), "z_drug"),
        (tablet("butalbital", "acetaminophen"), "barbiturate"),
        (tablet("tizanidine"), "muscle_relaxant"),
        (tablet("diphenhydramine"), "sedating_antihistamine"),
        (tablet("quetiapine"), "sedating_antipsychotic"),
        (tablet("olanzapine", "samidorphan"), "sedating_antipsychotic"),
        (drug("sodium oxybate"), "sodium_oxybate"),
        (tablet("meprobamate"), "sedative_other"),
        (drug("chloral hydrate"), "sedative_other"),
        (tablet("haloperidol"), None),
        (tablet("suvorexant"), None),
        (tablet("gabapentin"), None),
        (drug("diphenhydramine", route="topical"), None),
        (drug("diphenhydramine", route="ophthalmic"), None),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_depressant_classes(what: Drug, expected: str | None) -> None:
    assert depressant_class(of(what)) == expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (tablet("alprazolam"), True),
        (tablet("gabapentin"), True),
        (tablet("zolpidem"), True),
        (tablet("phenelzine"), True),
        (tablet("linezolid"), True),
        (tablet("clarithromycin"), True),
        (drug("ketoconazole", route="topical"), False),
        (tablet("haloperidol"), False),
        (tablet("sertraline"), False),
        (tablet("naloxegol"), False),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_reverse_scope(what: Drug, expected: bool) -> None:
    assert reverse_scope(of(what)) is expected


@pytest.mark.parametrize("status", ["stopped", "cancelled", "ended", "revoked", "discontinued"])
def test_stopping_an_opioid_is_in_scope_and_stopping_a_partner_is_not(status: str) -> None:
    assert stops(of(drug("morphine"), status=status))
    assert in_scope(of(drug("morphine"), status=status))
    assert not reverse_scope(of(drug("alprazolam"), status=status))


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "completed", None])
def test_other_statuses_do_not_stop(status: str | None) -> None:
    assert not stops(of(drug("morphine"), status=status))
