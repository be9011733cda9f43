"""The interaction rules where the sentences of tests/rules do not reach."""

from typing import Any

import pytest
from msgspec.structs import replace

from cds.case import Case
from cds.chart import Allergy, Condition, MedicationOrder
from cds.drugs import Drug, Ingredient, recognise
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.partners import holds, partners
from cds.rules import interaction
from cds.rules.allergy import allergy_to_the_opioid
from cds.rules.antagonist import opioid_with_antagonist
from cds.rules.methadone import methadone_and_qt
from cds.terminology import Concept
from tests.builders import a_day, case, day, draft, order, seen


def known(text: str) -> Drug:
    found = recognise(Concept(text=text))
    assert found is not None
    return found


TRAMADOL = draft("d1", known("tramadol 50 mg oral tablet"), a_day(50, 4))
OXYCODONE = draft("d1", known("oxycodone 5 mg oral tablet"), a_day(5, 4))
METHADONE = draft("d1", known("methadone 5 mg oral tablet"), a_day(5, 2))
ALPRAZOLAM = draft("d1", known("alprazolam 0.5 mg oral tablet"), a_day(1, 2))


def phenotype(text: str | None) -> dict[str, Any]:
    return {"observations": (seen("cyp2d6_phenotype", None, 100, text=text),)}


@pytest.mark.parametrize(
    ("text", "metabolizer"),
    [
        ("poor metabolizer", "poor"),
        ("ultrarapid metabolizer", "ultra-rapid"),
        ("cyp2d6 ultra-rapid metabolizer", "ultra-rapid"),
        ("ultra rapid", "ultra-rapid"),
    ],
)
def test_a_metabolizer_gets_no_tramadol(text: str, metabolizer: str) -> None:
    found = interaction.cyp2d6_inhibitor(case(TRAMADOL, **phenotype(text)), TRAMADOL)
    assert isinstance(found, Fires)
    assert (found.indicator, found.words, found.facts["metabolizer"]) == ("warning", "genotype", metabolizer)
    words = interaction.KNOWLEDGE["DD-12"].words["genotype"]
    assert len(words.summary.format_map(found.facts)) <= 139


@pytest.mark.parametrize("text", ["normal metabolizer", "intermediate metabolizer", None])
def test_other_metabolizers_are_no_matter(text: str | None) -> None:
    assert isinstance(interaction.cyp2d6_inhibitor(case(TRAMADOL, **phenotype(text)), TRAMADOL), DoesNotApply)


def test_a_phenotype_is_no_matter_for_oxycodone() -> None:
    found = interaction.cyp2d6_inhibitor(case(OXYCODONE, **phenotype("poor metabolizer")), OXYCODONE)
    assert isinstance(found, DoesNotApply)


@pytest.mark.parametrize(
    "rule", [rule for _, rule in interaction.RULES], ids=[rule_id for rule_id, _ in interaction.RULES]
)
@pytest.mark.parametrize("list_known", [True, False])
def test_a_drafted_partner_is_judged_without_a_crash(rule: Any, list_known: bool) -> None:
    listed = order("m1", known("oxycodone 5 mg oral tablet"), a_day(5, 4))
    asked = case(ALPRAZOLAM, listed) if list_known else case(ALPRAZOLAM, listed, questions={})
    assert asked.reverse
    found: Outcome = rule(asked, ALPRAZOLAM)
    assert isinstance(found, DoesNotApply)


@pytest.mark.parametrize("rule", [interaction.opioid_with_mao_inhibitor, interaction.cyp3a4_inhibitor])
def test_the_partner_of_an_opioid_that_is_no_longer_listed(rule: Any) -> None:
    asked = Case([ALPRAZOLAM], case(ALPRAZOLAM).chart, day(0))
    assert isinstance(rule(asked, ALPRAZOLAM), DoesNotApply)


def test_what_is_no_opioid_and_no_antagonist_blocks_nothing() -> None:
    assert isinstance(opioid_with_antagonist(case([ALPRAZOLAM, OXYCODONE]), ALPRAZOLAM), DoesNotApply)


def test_an_opioid_never_taken_does_not_delay_naltrexone() -> None:
    naltrexone = draft("d1", known("naltrexone 50 mg oral tablet"), a_day(50))
    never = order("m1", known("oxycodone 5 mg oral tablet"), a_day(5, 4), status="entered-in-error")
    assert isinstance(opioid_with_antagonist(case(naltrexone, never), naltrexone), DoesNotApply)
    undated = replace(never, status="stopped", authored=None)
    assert isinstance(opioid_with_antagonist(case(naltrexone, undated), naltrexone), DoesNotApply | CannotTell)


def test_an_ingredient_that_the_tables_lack_is_no_partner() -> None:
    strange = Drug((Ingredient("moonstone"), Ingredient("sertraline")), frozenset({"ssri"}), "moonstone / sertraline")
    asked = case(TRAMADOL, order("m1", strange, a_day(50)))
    found = interaction.serotonergic_drug(asked, TRAMADOL)
    assert isinstance(found, Fires)
    assert found.facts["partner"] == "sertraline"
    alone = order("m1", replace(strange, ingredients=(Ingredient("moonstone"),)), a_day(50))
    assert isinstance(interaction.serotonergic_drug(case(TRAMADOL, alone), TRAMADOL), DoesNotApply)
    listed = order("m1", known("sertraline 50 mg oral tablet"), a_day(50))
    assert partners(case(TRAMADOL, listed), TRAMADOL, holds("fluoxetine")) == ()


def test_a_febrile_seizure_that_is_coded_as_a_seizure_too() -> None:
    fever = Condition("Condition/1", frozenset({"febrile_seizure", "seizure_disorder"}), "febrile seizure")
    assert isinstance(
        interaction.lowered_seizure_threshold(case(TRAMADOL, conditions=(fever,)), TRAMADOL), DoesNotApply
    )


def test_the_dose_of_a_tricyclic_that_ended_is_no_matter() -> None:
    ended = order(
        "m1", known("amitriptyline 150 mg oral tablet"), a_day(150), status="stopped", authored=day(60), end=day(0)
    )
    assert isinstance(interaction.lowered_seizure_threshold(case(TRAMADOL, ended), TRAMADOL), DoesNotApply)
    sertraline = order("m1", known("sertraline 50 mg oral tablet"), a_day(50), status="stopped", end=day(0))
    assert isinstance(interaction.lowered_seizure_threshold(case(TRAMADOL, sertraline), TRAMADOL), DoesNotApply)


def test_a_qtc_without_a_number_is_not_known() -> None:
    unread = seen("qtc", None, 5, text="prolonged")
    found = methadone_and_qt(case(METHADONE, observations=(unread,)), METHADONE)
    assert isinstance(found, CannotTell)
    assert found.missing == ("QTc: not recorded",)


def test_an_ecg_of_the_window_is_not_asked_for_again() -> None:
    found = methadone_and_qt(case(METHADONE, observations=(seen("ecg_study", None, 90),)), METHADONE)
    assert isinstance(found, CannotTell)
    assert not found.said
    found = methadone_and_qt(case(METHADONE, observations=(seen("ecg_study", None, 91),)), METHADONE)
    assert isinstance(found, CannotTell)
    assert (found.said, found.words) == (True, "no_ecg")


def allergic(*reactions: str, **fields: Any) -> Fires | None:
    fields = {"ingredients": frozenset({"oxycodone"}), "roles": known("oxycodone").roles} | fields
    allergy = Allergy("AllergyIntolerance/1", name="oxycodone", reactions=frozenset(reactions), **fields)
    found = allergy_to_the_opioid(case(OXYCODONE, allergies=(allergy,)), OXYCODONE)
    return found if isinstance(found, Fires) else None


@pytest.mark.parametrize("reactions", [("itch", "pruritus"), ("nausea_vomiting", "nausea"), ("itching", "nausea")])
def test_side_effects_are_a_line(reactions: tuple[str, ...]) -> None:
    found = allergic(*reactions)
    assert found is not None
    assert (found.indicator, found.words) == ("info", "intolerance")
    assert "_" not in found.facts["reaction"]


@pytest.mark.parametrize("reactions", [("itch", "hives"), ("rash",), ("anaphylaxis",)])
def test_other_reactions_to_the_same_drug_are_critical(reactions: tuple[str, ...]) -> None:
    found = allergic(*reactions)
    assert found is not None
    assert found.indicator == "critical"


def test_a_reaction_that_was_not_severe_does_not_carry_over_to_the_class() -> None:
    assert allergic("rash", ingredients=frozenset({"morphine"}), severe=False) is None


def test_an_allergy_is_no_matter_to_what_is_no_opioid() -> None:
    assert isinstance(allergy_to_the_opioid(case([ALPRAZOLAM, OXYCODONE]), ALPRAZOLAM), DoesNotApply)


def test_an_unrecognised_draft_is_no_opioid() -> None:
    strange: MedicationOrder = draft("d1", None)
    assert isinstance(allergy_to_the_opioid(case([strange, OXYCODONE]), strange), DoesNotApply)
