"""What is not offered to a patient (CLINICAL.md section 4), one reason at a time, and what must be known first."""

import csv
from datetime import date
from typing import Any

import pytest

from cds.case import Case
from cds.chart import Allergy, Dosage, MedicationOrder, Patient, Reason
from cds.drugs import Drug, Ingredient
from cds.offer import AGENT_CLASSES, needs_ecg, not_offered, regimen_without, unknown_for
from cds.table_reading import TABLES_FOLDER
from tests.builders import ALL_ANSWERED, a_day, case, day, draft, order, patient, present, seen

with (TABLES_FOLDER / "drugs.csv").open(encoding="utf-8", newline="") as lines:
    ROLES = {row["ingredient"]: frozenset(row["roles"].split(";")) for row in csv.DictReader(lines)}

NEURALGIA = Reason(frozenset({"neuropathic_definite", "postherpetic_neuralgia"}), "postherpetic neuralgia", True)
POLYNEUROPATHY = Reason(frozenset({"neuropathic_definite", "diabetic_neuropathy"}), "diabetic polyneuropathy", False)
TRIGEMINAL = Reason(frozenset({"neuropathic_definite", "trigeminal_neuralgia"}), "trigeminal neuralgia", False)
ORAL = ("gabapentin", "pregabalin", "duloxetine", "nortriptyline", "desipramine")
ANTIDEPRESSANTS = ("duloxetine", "nortriptyline", "desipramine")
TRICYCLICS = ("nortriptyline", "desipramine")


def named(name: str, **fields: Any) -> Drug:
    """A drug with the roles of drugs.csv."""
    return Drug((Ingredient(name),), ROLES[name], name, **fields)


def opioid(ref: str = "draft", name: str = "oxycodone", reason: Reason = NEURALGIA, **fields: Any) -> MedicationOrder:
    return draft(ref, named(name, route="oral", release="IR"), a_day(5, 2), reasons=(reason,), **fields)


def healthy(*medications: MedicationOrder, drafts: Any = None, age: int = 35, **fields: Any) -> Case:
    """A woman of 35 with normal kidneys and an oxycodone draft for postherpetic neuralgia."""
    fields = {"patient": patient(age), "observations": (seen("egfr", 90),)} | fields
    return case(drafts or [opioid()], *medications, **fields)


def offered(patient_case: Case, stays: bool = False) -> set[str]:
    the_draft = patient_case.drafts[0]
    return {agent for agent in AGENT_CLASSES if not not_offered(patient_case, agent, the_draft, stays)}


def test_a_healthy_patient_is_offered_everything() -> None:
    assert offered(healthy()) == set(AGENT_CLASSES)
    assert all(unknown_for(healthy(), agent) == () for agent in AGENT_CLASSES)


@pytest.mark.parametrize(
    ("meaning", "withheld", "words"),
    [
        ("respiratory_failure", {"gabapentin", "pregabalin", "tramadol"}, "respiratory failure"),
        ("pregnancy", {*ORAL, "tramadol"}, "pregnancy"),
        ("heart_failure", {"pregabalin"}, "heart failure, class not known"),
        ("hepatic_disease", {"duloxetine", "tramadol"}, "liver disease"),
        ("cirrhosis", {"duloxetine", "tramadol"}, "liver disease"),
        ("alcohol_use_disorder", {"duloxetine", "tramadol"}, "heavy alcohol use"),
        ("uncontrolled_hypertension", {"duloxetine", "capsaicin_patch"}, "uncontrolled hypertension"),
        ("glaucoma_narrow", {*ANTIDEPRESSANTS}, "narrow-angle glaucoma"),
        ("conduction_disease", {*TRICYCLICS}, "conduction disease or long QT"),
        ("long_qt", {*TRICYCLICS}, "conduction disease or long QT"),
        ("urinary_retention", {*TRICYCLICS}, "urinary retention"),
        ("bipolar", {*TRICYCLICS}, "bipolar disorder"),
        ("gi_obstruction", {*TRICYCLICS}, "bowel obstruction or ileus"),
        ("seizure_disorder", {"tramadol"}, "seizure disorder"),
        ("sleep_apnea", {"tramadol"}, "sleep apnoea"),
        ("copd", {"tramadol"}, "chronic lung disease"),
        ("prostate_enlarged", set(), ""),
        ("fatty_liver", set(), ""),
    ],
)
def test_a_disease_withholds_these_agents_and_no_others(meaning: str, withheld: set[str], words: str) -> None:
    ill = healthy(conditions=(present(meaning),))
    assert set(AGENT_CLASSES) - offered(ill) == withheld
    for agent in withheld:
        assert words in not_offered(ill, agent, ill.drafts[0])
    cured = healthy(conditions=(present(meaning, status="history"),))
    assert offered(cured) == set(AGENT_CLASSES)


@pytest.mark.parametrize(
    ("name", "withheld"),
    [
        ("sertraline", {*ANTIDEPRESSANTS, "tramadol"}),
        ("venlafaxine", {*ANTIDEPRESSANTS, "tramadol"}),
        ("linezolid", {*ANTIDEPRESSANTS, "tramadol"}),
        ("phenelzine", {*ANTIDEPRESSANTS, "tramadol"}),
        ("amitriptyline", {*ANTIDEPRESSANTS, "tramadol"}),
        ("gabapentin", {"gabapentin", "pregabalin"}),
        ("mirogabalin", {"gabapentin", "pregabalin"}),
        ("ciprofloxacin", {*ANTIDEPRESSANTS, "tramadol"}),
        ("fluvoxamine", {*ANTIDEPRESSANTS, "tramadol"}),
        ("bupropion", {"duloxetine", "tramadol"}),
        ("amiodarone", {*TRICYCLICS}),
        ("mexiletine", {"lidocaine_patch"}),
        ("buprenorphine", {"tramadol"}),
        ("atorvastatin", set()),
    ],
)
def test_a_drug_that_is_taken_withholds_these_agents_and_no_others(name: str, withheld: set[str]) -> None:
    drug = named(name) if name in ROLES else Drug((Ingredient(name),), frozenset(), name)
    taking = healthy(order("old", drug, a_day(1), authored=day(20)))
    assert set(AGENT_CLASSES) - offered(taking) == withheld
    skin = healthy(order("old", Drug(drug.ingredients, drug.roles, name, route="topical"), authored=day(20)))
    assert name == "buprenorphine" or offered(skin) == set(AGENT_CLASSES)  # buprenorphine on skin is a patch


def test_a_class_is_not_doubled_and_a_drug_not_repeated() -> None:
    taking = healthy(order("old", named("gabapentin"), a_day(300), authored=day(20)))
    assert not_offered(taking, "gabapentin", taking.drafts[0]) == ("already taken",)
    assert not_offered(taking, "pregabalin", taking.drafts[0]) == ("takes gabapentin",)
    assert not_offered(taking, "gabapentin", taking.drafts[0], running=taking.listed[0]) == ()


def test_a_patch_is_doubled_by_a_patch_and_not_by_an_injection() -> None:
    on_skin = order("old", named("lidocaine", route="topical"), authored=day(20))
    injected = order("old", named("lidocaine", route="injection"), authored=day(20))
    assert "lidocaine_patch" not in offered(healthy(on_skin))
    assert "lidocaine_patch" in offered(healthy(injected))


def test_the_opioid_that_would_go_does_not_withhold_and_the_one_that_stays_does() -> None:
    older = healthy(drafts=[opioid()], age=70)
    assert "gabapentin" in offered(older)
    assert not_offered(older, "gabapentin", older.drafts[0], stays=True) == ("oxycodone remains, with age 65 or more",)
    two = healthy(drafts=[opioid("a"), opioid("b", "morphine")], age=70)
    assert not_offered(two, "gabapentin", two.drafts[0]) == ("morphine remains, with age 65 or more",)
    assert not_offered(healthy(drafts=[opioid("a"), opioid("b", "morphine")]), "gabapentin") == ()
    with_tramadol = healthy(drafts=[opioid(name="tramadol")])
    assert "duloxetine" in offered(with_tramadol)
    assert not_offered(with_tramadol, "duloxetine", with_tramadol.drafts[0], stays=True) == ("takes tramadol",)


def test_an_order_that_the_draft_renews_goes_on_once_the_draft_is_deleted() -> None:
    old = order("old", named("oxycodone", route="oral", release="IR"), a_day(5, 2), authored=day(20))
    renewing = healthy(old, drafts=[opioid(follows=frozenset({old.ref}))], age=70)
    assert renewing.kept == ()
    assert regimen_without(renewing, renewing.drafts[0]) == (old,)
    assert regimen_without(renewing, None) == renewing.regimen
    assert not_offered(renewing, "gabapentin", renewing.drafts[0]) == ("oxycodone remains, with age 65 or more",)


@pytest.mark.parametrize(
    ("fields", "risk"),
    [
        ({"age": 64}, None),
        ({"age": 65}, "age 65 or more"),
        ({"patient": Patient()}, "age not known"),
        ({"conditions": (present("copd"),)}, "chronic lung disease"),
        ({"conditions": (present("asthma_unspecified", severe=True),)}, "severe asthma"),
        ({"conditions": (present("asthma_unspecified"),)}, None),
        ({"conditions": (present("obstructive_sleep_apnea"),)}, "sleep apnoea"),
        ({"conditions": (present("myasthenia"),)}, "neuromuscular disease"),
        ({"observations": (seen("egfr", 59),)}, "reduced renal function"),
        ({"observations": (seen("egfr", 60),)}, None),
    ],
)
def test_a_gabapentinoid_beside_an_opioid_needs_freedom_from_risk(fields: dict[str, Any], risk: str | None) -> None:
    beside = healthy(**fields)
    expected = () if risk is None else (f"oxycodone remains, with {risk}",)
    assert not_offered(beside, "gabapentin", beside.drafts[0], stays=True) == expected
    assert not_offered(beside, "gabapentin", beside.drafts[0]) == ()


def test_a_sedative_is_a_risk_for_a_gabapentinoid_beside_an_opioid() -> None:
    sedated = healthy(order("old", named("zolpidem"), a_day(5), authored=day(20)))
    assert not_offered(sedated, "gabapentin", sedated.drafts[0], stays=True) == ("oxycodone remains, with zolpidem",)


@pytest.mark.parametrize(
    ("observation", "offered_still"),
    [
        (seen("nyha_class", 2), True),
        (seen("nyha_class", 3), False),
        (seen("nyha_class", None, text="nyha class ii"), True),
        (seen("nyha_class", None, text="class iii"), False),
        (seen("nyha_class", None), False),
    ],
)
def test_pregabalin_in_heart_failure_hangs_on_its_class(observation: Any, offered_still: bool) -> None:
    failing = healthy(conditions=(present("heart_failure"),), observations=(seen("egfr", 90), observation))
    assert ("pregabalin" in offered(failing)) is offered_still
    severe = healthy(conditions=(present("heart_failure", severe=True),))
    assert not_offered(severe, "pregabalin", severe.drafts[0]) == ("severe heart failure",)


@pytest.mark.parametrize(
    ("agent", "observation", "sex", "offered_still"),
    [
        ("duloxetine", seen("egfr", 30), "female", True),
        ("duloxetine", seen("egfr", 29), "female", False),
        ("duloxetine", seen("systolic_bp", 159, 30), "female", True),
        ("duloxetine", seen("systolic_bp", 160, 30), "female", False),
        ("duloxetine", seen("systolic_bp", 160, 31), "female", True),
        ("capsaicin_patch", seen("diastolic_bp", 100), "female", False),
        ("capsaicin_patch", seen("diastolic_bp", 99), "female", True),
        ("duloxetine", seen("audit_c", 3), "female", False),
        ("duloxetine", seen("audit_c", 3), "male", True),
        ("duloxetine", seen("audit_c", 4), "male", False),
        ("duloxetine", seen("audit_c", 3), None, False),
        ("duloxetine", seen("audit_c", 8, 366), "male", True),
        ("nortriptyline", seen("qtc", 450), "male", True),
        ("nortriptyline", seen("qtc", 451), "male", False),
        ("nortriptyline", seen("qtc", 451), None, False),
        ("nortriptyline", seen("qtc", 470), "female", True),
        ("nortriptyline", seen("qtc", 471), "female", False),
    ],
)
def test_a_value_at_its_limit(agent: str, observation: Any, sex: str | None, offered_still: bool) -> None:
    kidneys = () if observation.meaning == "egfr" else (seen("egfr", 90),)
    measured = healthy(patient=patient(35, sex), observations=(*kidneys, observation))
    assert (agent in offered(measured)) is offered_still


def test_latest_pressure_decides() -> None:
    normal_again = (seen("egfr", 90), seen("systolic_bp", 180, 20), seen("systolic_bp", 130, 2))
    assert "duloxetine" in offered(healthy(observations=normal_again))


@pytest.mark.parametrize(("age", "offered_still"), [(64, True), (65, False)])
def test_tricyclics_stop_at_65(age: int, offered_still: bool) -> None:
    assert ("nortriptyline" in offered(healthy(age=age))) is offered_still


@pytest.mark.parametrize(("ago", "offered_still"), [(42, False), (43, True), (None, False)])
def test_an_infarction_withholds_tricyclics_for_42_days(ago: int | None, offered_still: bool) -> None:
    event = present("myocardial_infarction_recent", since=None if ago is None else day(ago), status="history")
    assert ("nortriptyline" in offered(healthy(conditions=(event,)))) is offered_still


@pytest.mark.parametrize(
    ("name", "ended", "offered_still"),
    [
        ("phenelzine", day(14), False),
        ("phenelzine", day(15), True),
        ("fluoxetine", day(35), False),
        ("fluoxetine", day(36), True),
        ("sertraline", day(5), True),
    ],
)
def test_what_ended_lately_still_acts(name: str, ended: date, offered_still: bool) -> None:
    stopped = order("old", named(name), status="stopped", authored=day(200), start=day(200), end=ended)
    assert ("nortriptyline" in offered(healthy(stopped))) is offered_still


def test_an_mao_inhibitor_of_unknown_end_still_acts_unless_it_is_old() -> None:
    lately = order("old", named("phenelzine"), status="stopped", authored=day(100))
    long_ago = order("old", named("phenelzine"), status="stopped", authored=day(2000))
    undated = order("old", named("phenelzine"), status="stopped", authored=None)
    never = order("old", named("phenelzine"), status="entered-in-error", authored=None)
    assert "took phenelzine recently" in not_offered(healthy(lately), "duloxetine")
    assert "took phenelzine recently" in not_offered(healthy(undated), "duloxetine")
    assert not_offered(healthy(long_ago), "duloxetine") == ()
    assert not_offered(healthy(never), "duloxetine") == ()
    soon = order("old", named("phenelzine"), authored=day(1), start=day(-5), end=day(-30))
    assert "nortriptyline" not in offered(healthy(soon))


@pytest.mark.parametrize(
    ("allergy", "withheld"),
    [
        (Allergy("AllergyIntolerance/1", frozenset({"gabapentin"}), "gabapentin"), {"gabapentin"}),
        (Allergy("AllergyIntolerance/1", frozenset({"gabapentin"}), "gabapentin", intolerance=True), {"gabapentin"}),
        (
            Allergy("AllergyIntolerance/1", frozenset({"amitriptyline"}), "amitriptyline", roles=frozenset({"tca"})),
            {*TRICYCLICS},
        ),
        (
            Allergy("AllergyIntolerance/1", frozenset({"amitriptyline"}), "a", True, roles=frozenset({"tca"})),
            set(),
        ),
        (
            Allergy("AllergyIntolerance/1", frozenset({"bupivacaine"}), "b", roles=frozenset({"local_anesthetic"})),
            {"lidocaine_patch"},
        ),
        (Allergy("AllergyIntolerance/1", frozenset(), "o", meanings=frozenset({"opioid_allergy"})), {"tramadol"}),
        (Allergy("AllergyIntolerance/1", frozenset({"codeine"}), "c", roles=frozenset({"opioid"})), {"tramadol"}),
    ],
)
def test_an_allergy_withholds_the_drug_and_what_is_like_it(allergy: Allergy, withheld: set[str]) -> None:
    assert set(AGENT_CLASSES) - offered(healthy(allergies=(allergy,))) == withheld


@pytest.mark.parametrize(
    ("observations", "pregnant"),
    [
        ((seen("pregnancy_status", None, 90, text="pregnant"),), True),
        ((seen("pregnancy_status", None, 91, text="pregnant"),), False),
        ((seen("pregnancy_status", None, text="not pregnant"), seen("pregnancy_test", None, text="positive")), False),
        ((seen("pregnancy_test", None, 42, text="positive"),), True),
        ((seen("pregnancy_test", None, 43, text="positive"),), False),
        ((seen("pregnancy_test", None, text="negative"),), False),
        ((seen("pregnancy_test", None),), False),
        ((seen("estimated_delivery", None, text="2026-09-01"),), True),
        ((seen("estimated_delivery", None, text="2026-06-14"),), False),
        ((seen("estimated_delivery", None, text="2027-09-01"),), False),
        ((seen("estimated_delivery", None, text="in autumn"),), True),
    ],
)
def test_pregnancy_leaves_the_topical_agents(observations: tuple[Any, ...], pregnant: bool) -> None:
    found = offered(healthy(observations=(seen("egfr", 90), *observations)))
    assert found == ({"lidocaine_patch", "capsaicin_patch"} if pregnant else set(AGENT_CLASSES))


def test_trigeminal_neuralgia_is_first_treated_with_a_sodium_channel_blocker() -> None:
    first = healthy(drafts=[opioid(reason=TRIGEMINAL)])
    assert offered(first) == {"tramadol"}
    assert not_offered(first, "gabapentin", first.drafts[0]) == (
        "trigeminal neuralgia: carbamazepine or oxcarbazepine comes first",
    )
    assert not_offered(first, "lidocaine_patch", first.drafts[0]) == ("pain of the face or scalp",)
    tried = order("old", named("carbamazepine"), status="stopped", authored=day(300), end=day(200))
    assert "gabapentin" in offered(healthy(tried, drafts=[opioid(reason=TRIGEMINAL)]))
    allergic = Allergy("AllergyIntolerance/1", frozenset({"carbamazepine"}), "carbamazepine")
    assert "gabapentin" in offered(healthy(drafts=[opioid(reason=TRIGEMINAL)], allergies=(allergic,)))


def test_topical_agents_need_localized_pain() -> None:
    diffuse = healthy(drafts=[opioid(reason=POLYNEUROPATHY)])
    assert not_offered(diffuse, "lidocaine_patch", diffuse.drafts[0]) == ("pain is not localized",)
    assert not_offered(diffuse, "capsaicin_patch", diffuse.drafts[0]) == ("pain is not localized",)


def test_without_an_opioid_draft_there_is_no_pain_to_localize() -> None:
    stopping = case([draft("stop", named("sertraline"))], observations=(seen("egfr", 90),))
    assert not_offered(stopping, "lidocaine_patch") == ("pain is not localized",)


@pytest.mark.parametrize(
    ("born", "words"), [(patient(17), "under 18"), (Patient(), "age not known"), (patient(18), None)]
)
def test_tramadol_is_for_adults(born: Patient, words: str | None) -> None:
    of = healthy(patient=born)
    assert not_offered(of, "tramadol", of.drafts[0]) == (() if words is None else (words,))


@pytest.mark.parametrize("key", ["medications", "conditions", "allergies"])
def test_no_agent_without_the_list_of(key: str) -> None:
    questions = {**ALL_ANSWERED, key: "failed", "statements": "not provided"}
    for agent in AGENT_CLASSES:
        assert f"{key}: failed" in unknown_for(healthy(questions=questions), agent)


def test_renal_function_is_needed_where_the_dose_hangs_on_it() -> None:
    unknown = {agent for agent in AGENT_CLASSES if unknown_for(healthy(observations=()), agent)}
    assert unknown == {"gabapentin", "pregabalin", "duloxetine"}
    older = {agent for agent in AGENT_CLASSES if unknown_for(healthy(observations=(), age=70), agent)}
    assert older == {"gabapentin", "pregabalin", "duloxetine", "tramadol"}


def test_age_is_needed_for_a_tricyclic() -> None:
    ageless = healthy(patient=Patient())
    assert unknown_for(ageless, "nortriptyline") == ("patient: no birth date",)
    assert unknown_for(ageless, "gabapentin") == ()
    unasked = healthy(patient=Patient(), questions={**ALL_ANSWERED, "patient": "not provided"})
    assert unknown_for(unasked, "nortriptyline") == ("patient: not provided",)


@pytest.mark.parametrize(
    ("age", "observations", "needed"),
    [
        (40, (), False),
        (41, (), True),
        (41, (seen("ecg_study", None, 365),), False),
        (41, (seen("ecg_study", None, 366),), True),
        (41, (seen("qtc", 420, 10),), False),
    ],
)
def test_a_tricyclic_above_40_needs_an_ecg(age: int, observations: tuple[Any, ...], needed: bool) -> None:
    assert needs_ecg(healthy(age=age, observations=observations), "nortriptyline") is needed
    assert needs_ecg(healthy(age=age, observations=observations), "duloxetine") is False


def test_an_unknown_age_needs_an_ecg() -> None:
    assert needs_ecg(healthy(patient=Patient()), "desipramine") is True


def test_an_unrecognised_drug_on_the_list_breaks_nothing() -> None:
    assert offered(healthy(order("old", None, Dosage(), authored=day(5), name="xyzzy"))) == set(AGENT_CLASSES)


def test_every_reason_is_printable() -> None:
    crowded = healthy(
        order("a", named("sertraline"), authored=day(5)),
        order("b", named("amiodarone"), authored=day(5)),
        age=80,
        conditions=tuple(present(m) for m in ("cirrhosis", "copd", "glaucoma_narrow", "pregnancy", "heart_failure")),
        observations=(seen("egfr", 12),),
    )
    for agent in AGENT_CLASSES:
        for reason in not_offered(crowded, agent, crowded.drafts[0], stays=True):
            assert reason == reason.strip() and len(reason) < 70 and "_" not in reason
