"""What codes and words of conditions and observations mean, and which tables are refused."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.condition_table import SNOMED, load_conditions
from cds.condition_text import load_condition_texts
from cds.knowledge import KnowledgeError
from cds.observation_table import load_observations
from cds.table_reading import TABLES_FOLDER
from cds.terminology import (
    Coding,
    Concept,
    ConditionMeaning,
    condition_meaning,
    observation_meaning,
    observation_scale,
    printable,
)
from cds.words import Phrases, tokens_of

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"
DEFINITE, PROBABLE, POSSIBLE = "neuropathic_definite", "neuropathic_probable", "neuropathic_possible"


def coded(code: str, system: str | None = ICD, display: str | None = None, text: str | None = None) -> Concept:
    return Concept((Coding(system, code, display),), text)


def said(text: str) -> ConditionMeaning:
    return condition_meaning(Concept(text=text))


@pytest.mark.parametrize(
    ("code", "meanings", "localized"),
    [
        ("E11.42", {DEFINITE, "diabetic_neuropathy", "diabetes"}, False),
        ("e1142", {DEFINITE, "diabetic_neuropathy", "diabetes"}, False),
        (" E11.9 ", {"diabetes"}, None),
        ("B02.29", {DEFINITE, "postherpetic_neuralgia"}, True),
        ("B02.22", {DEFINITE, "postherpetic_neuralgia", "trigeminal_neuralgia", "face_or_scalp_pain"}, False),
        ("G54.7", {"phantom_limb"}, None),
        ("G35.D", {POSSIBLE}, False),
        ("G35", {POSSIBLE}, False),
        ("K70.30", {"cirrhosis", "hepatic_disease_severe", "hepatic_disease"}, None),
        ("K72.90", {"hepatic_disease_severe", "hepatic_disease"}, None),
        ("K70.10", {"hepatic_disease"}, None),
        ("K76.0", {"fatty_liver"}, None),
        ("G47.33", {"sleep_apnea", "obstructive_sleep_apnea"}, None),
        ("N18.3", {"ckd_stage_3"}, None),
        ("S72.001A", {"acute_or_surgical", "trauma_recent"}, None),
        ("S72.001D", set(), None),
        ("S72.001", {"trauma_recent"}, None),
        ("I10", set(), None),
    ],
)
def test_icd_codes(code: str, meanings: set[str], localized: bool | None) -> None:
    found = condition_meaning(coded(code))
    assert found.meanings == meanings
    assert found.localized is localized
    assert found.usable
    assert not found.negated


@pytest.mark.parametrize(
    ("system", "code", "known"),
    [
        ("urn:oid:2.16.840.1.113883.6.90", "G50.0", True),
        ("2.16.840.1.113883.6.90", "G50.0", True),
        ("http://hl7.org/fhir/sid/icd-10", "G50.0", True),
        ("http://hl7.org/fhir/sid/icd-10", "G63.2*", False),
        ("ICD-10-CM", "G50.0", True),
        (None, "G50.0", True),
        ("", "31681005", True),
        (SCT, "31681005", True),
        ("http://snomed.info/sct/731000124108", "31681005", True),
        ("urn:oid:2.16.840.1.113883.6.96", "31681005", True),
        (None, "G50.0 not a code", False),
        (ICD, "not a code", False),
        ("http://example.org/local", "G50.0", False),
        (SCT, "G50.0", False),
    ],
)
def test_systems(system: str | None, code: str, known: bool) -> None:
    assert ("trigeminal_neuralgia" in condition_meaning(coded(code, system)).meanings) is known


def test_rows_of_one_code_and_of_other_families_add_up() -> None:
    found = condition_meaning(Concept((Coding(ICD, "E11.42"), Coding(SCT, "19943007"))))
    assert {"diabetic_neuropathy", "cirrhosis", DEFINITE} <= found.meanings


def test_codings_that_disagree_on_the_place_leave_it_open() -> None:
    assert condition_meaning(Concept((Coding(ICD, "G57.11"), Coding(ICD, "G50.0")))).localized is None


def test_the_code_wins_over_the_text() -> None:
    assert condition_meaning(coded("E11.9", text="postherpetic neuralgia")).meanings == {"diabetes"}
    healed = condition_meaning(coded("S72.001D", display="Fracture of femur, subsequent encounter"))
    assert healed.meanings == set()
    assert healed.usable


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("Z12.31", "Encounter for screening mammogram for malignant neoplasm of breast"),
        ("Z12.11", "Colon cancer screening"),
        (
            "Z09",
            "Encounter for examination after treatment for conditions other than malignant neoplasm",
        ),
        ("Z15.01", "Genetic susceptibility to malignant neoplasm of breast"),
        ("R97.1", "Elevated cancer antigen 125 [CA 125]"),
        ("Z53.20", "Hospice care declined"),
        ("Z71.89", "Hospice care discussion"),
        ("Z11.4", "Encounter for screening for human immunodeficiency virus [HIV]"),
        ("Z83.0", "Family history of human immunodeficiency virus [HIV] disease"),
        ("Z29.81", "Encounter for HIV pre-exposure prophylaxis"),
        ("Z71.7", "Human immunodeficiency virus [HIV] counseling"),
        ("Z98.84", "Bariatric surgery status"),
        ("Z63.72", "Alcoholism and drug addiction in family"),
        ("Z15.1", "Genetic susceptibility to epilepsy and neurodevelopmental disorders"),
        ("H33.041", "Retinal detachment with retinal dialysis, right eye"),
        ("V89.2XXA", "Person injured in unspecified motor-vehicle accident, traffic, initial encounter"),
    ],
)
def test_the_title_of_a_contact_or_circumstance_is_no_disease(code: str, title: str) -> None:
    assert condition_meaning(coded(code, text=title, display=title)).meanings == set()


def test_the_title_of_a_contact_still_tells_of_a_danger() -> None:
    assert "overdose_history" in condition_meaning(coded("Z91.89", text="History of opioid overdose")).meanings
    assert "alcohol_use_disorder" in condition_meaning(coded("Z71.41", text="Alcohol abuse counseling")).meanings
    assert "pregnancy" in condition_meaning(coded("Z33.3")).meanings
    assert "palliative" in condition_meaning(coded("Z51.5", text="Palliative care")).meanings


def test_a_stage_from_one_to_four_is_not_known() -> None:
    title = "Hypertensive chronic kidney disease with stage 1 through stage 4 chronic kidney disease"
    for code in ("I12.9", "I13.10"):
        assert condition_meaning(coded(code, text=title)).meanings == {"ckd_stage_unknown"}


@pytest.mark.parametrize(
    "text",
    ["Optic neuritis", "Ischemic optic neuropathy", "Neuropathic bladder", "Neuropathic ulcer", "Vestibular neuritis"],
)
def test_nerves_that_do_not_hurt(text: str) -> None:
    assert said(text).meanings.isdisjoint({DEFINITE, PROBABLE})
    assert DEFINITE in said(f"{text}, neuropathic pain of the feet").meanings


def test_an_unspecific_code_gives_way_to_a_specific_text() -> None:
    assert "postherpetic_neuralgia" in condition_meaning(coded("R52", text="Postherpetic neuralgia")).meanings
    for text in (None, "Chronic pain", "knee"):
        found = condition_meaning(coded("R52", text=text))
        assert found.meanings == {"nonspecific_pain"}
        assert not found.usable


def test_an_unknown_code_of_a_known_terminology_is_about_something() -> None:
    assert condition_meaning(coded("Z99.89", "http://hl7.org/fhir/sid/icd-10-cm")).usable
    assert not condition_meaning(coded("XYZ", "http://example.org/local")).usable
    assert condition_meaning(coded("", "http://example.org/local")).usable is False
    assert condition_meaning(coded("XYZ", "http://example.org/local", "Chronic pain")).usable is False
    assert "postherpetic_neuralgia" in condition_meaning(coded("XYZ", "http://example.org/local", "PHN")).meanings


def test_snomed_rows_can_be_left_out() -> None:
    assert load_conditions().rows(SNOMED, "31681005")
    assert not load_conditions(snomed=False).rows(SNOMED, "31681005")


@pytest.mark.parametrize(
    ("text", "meanings", "localized"),
    [
        ("PHN", {DEFINITE, "postherpetic_neuralgia"}, True),
        ("Post-herpetic neuralgia, left chest", {DEFINITE, "postherpetic_neuralgia"}, True),
        ("DPN", {DEFINITE, "diabetic_neuropathy", "diabetes"}, False),
        ("sciatica", {PROBABLE, "lumbosacral_radiculopathy"}, False),
        ("Trigeminal neuralgia", {DEFINITE, "trigeminal_neuralgia", "face_or_scalp_pain"}, False),
        ("Radiculopathy", {PROBABLE}, False),
        ("neuropathy due to type 2 diabetes", {PROBABLE, "diabetic_neuropathy", "diabetes"}, None),
        ("neuropathic pain", {DEFINITE}, None),
        ("Multiple sclerosis", {POSSIBLE}, False),
        ("CRPS type II", {DEFINITE, "crps"}, True),
        ("CRPS", {POSSIBLE, "crps"}, True),
        ("cancer pain", {"cancer_pain"}, None),
        (
            "bone pain from metastatic prostate carcinoma",
            {"cancer_pain", "cancer_active", "other_painful_condition"},
            None,
        ),
        ("post-operative pain", {"acute_or_surgical"}, None),
        ("acute pain", {"acute_or_surgical"}, None),
        ("Closed fracture of wrist", {"acute_or_surgical", "trauma_recent"}, None),
        ("sickle cell crisis", {"sickle_cell"}, None),
        ("sickle cell trait", {"sickle_cell_trait"}, None),
        ("Comfort care", {"palliative"}, None),
        ("hospice", {"palliative"}, None),
        ("OUD", {"opioid_use_disorder"}, None),
        ("opioid use disorder, in remission", {"opioid_use_disorder_remission"}, None),
        ("COPD", {"copd"}, None),
        ("OSA on CPAP", {"obstructive_sleep_apnea", "sleep_apnea", "cpap"}, None),
        ("Alcohol use disorder", {"alcohol_use_disorder"}, None),
        ("epilepsy", {"seizure_disorder"}, None),
        ("history of seizures", {"seizure_disorder"}, None),
        ("cirrhosis", {"cirrhosis", "hepatic_disease_severe", "hepatic_disease"}, None),
        ("CKD stage 3b", {"ckd_stage_3b"}, None),
        ("stage 4 chronic kidney disease", {"ckd_stage_4"}, None),
        ("low back pain", {"other_painful_condition"}, None),
        ("osteoarthritis of the knee", {"other_painful_condition"}, None),
        ("fibromyalgia", {"fibromyalgia"}, False),
        ("migraine", {"other_painful_condition", "headache"}, None),
        ("Low back pain with left sciatica", {PROBABLE, "lumbosacral_radiculopathy", "other_painful_condition"}, False),
        ("non-small cell lung cancer", {"cancer_active"}, None),
        ("#1 sciatica", {PROBABLE, "lumbosacral_radiculopathy"}, False),
        ("hypertension", set(), None),
        ("phantom limb syndrome without pain", {"phantom_limb"}, None),
    ],
)
def test_texts(text: str, meanings: set[str], localized: bool | None) -> None:
    found = said(text)
    assert found.meanings == meanings
    assert found.localized is localized
    assert found.usable
    assert not found.negated


@pytest.mark.parametrize(
    "text",
    ["pain", "Chronic pain", "chronic pain syndrome", "moderate pain (4-6)", "Severe Pain", "pain 7-10", "# pain"],
)
def test_unspecific_pain_is_no_reason(text: str) -> None:
    found = said(text)
    assert found.meanings == {"nonspecific_pain"}
    assert not found.usable


@pytest.mark.parametrize("text", ["as directed", "as needed", "PRN", "", "  ", "…", "see instructions", "7-10"])
def test_a_text_that_says_nothing_is_no_reason(text: str) -> None:
    found = said(text)
    assert found.meanings == set()
    assert not found.usable


@pytest.mark.parametrize(
    "text",
    [
        "no neuropathy",
        "denies sciatica",
        "r/o radiculopathy",
        "rule out diabetic neuropathy",
        "history of sciatica",
        "Hx of PHN",
        "family history of diabetes",
        "sciatica, resolved",
        "radiculopathy (ruled out)",
        "non-cancer pain",
        "encounter for screening for depression",
        "No history of opioid overdose",
        "Denies history of opioid use disorder",
        "Family history of opioid use disorder",
        "Family history of heroin overdose",
        "FH: alcohol abuse",
        "Father with COPD",
        "Mother has sleep apnea",
        "Overdose: none",
        "overdose ruled out",
        "w/o neuropathy",
        "Colon cancer screening",
        "Hospice care declined",
        "Declined palliative care",
        "Palliative care declined by patient",
        "Hospice discussed with family",
        "Discussion about hospice",
        "Encounter for screening for human immunodeficiency virus [HIV]",
        "Exposure to HIV",
    ],
)
def test_what_is_denied_or_past_is_taken_back(text: str) -> None:
    found = said(text)
    assert found.meanings == set()
    assert found.negated
    assert not found.usable


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("low back pain without sciatica", {"other_painful_condition"}),
        ("no radiculopathy. Postherpetic neuralgia", {DEFINITE, "postherpetic_neuralgia"}),
        ("no radiculopathy but sciatica", {PROBABLE, "lumbosacral_radiculopathy"}),
        ("neuropathy, no pain", set()),
        ("sleep apnea, CPAP refused", {"sleep_apnea"}),
        ("COPD, lung cancer screening", {"copd"}),
        ("opioid use disorder, declined treatment", {"opioid_use_disorder"}),
        ("Sleep apnea declined CPAP", {"sleep_apnea"}),
        ("non-traumatic sciatica", {PROBABLE, "lumbosacral_radiculopathy"}),
    ],
)
def test_a_denial_reaches_no_further_than_its_clause(text: str, meanings: set[str]) -> None:
    assert said(text).meanings == meanings
    assert not said(text).negated


@pytest.mark.parametrize(
    ("text", "meanings"),
    [
        ("History of heroin overdose", {"overdose_history"}),
        ("H/O drug overdose", {"overdose_history"}),
        ("Previous overdose of opiates", {"overdose_history"}),
        ("Overdose, resolved", {"overdose_history"}),
        ("History of benzodiazepine overdose", {"sedative_overdose_history"}),
        ("oxycodone/acetaminophen overdose", {"overdose_history"}),
        ("previous seizure", {"seizure_disorder"}),
        ("family history of stroke, opioid overdose", {"overdose_history"}),
        ("Wife reports sleep apnea", {"sleep_apnea"}),
    ],
)
def test_an_event_stays_one_however_long_ago(text: str, meanings: set[str]) -> None:
    assert said(text).meanings == meanings


@pytest.mark.parametrize(
    "text", ["Acetaminophen overdose", "overdose of insulin", "Opioid overdose prevention education", "overdose risk"]
)
def test_another_overdose_is_none_of_opioids(text: str) -> None:
    assert said(text).meanings == {"overdose_of_other"}


@pytest.mark.parametrize("text", ["possible sciatica", "?neuropathy", "radiculopathy vs neuropathy"])
def test_a_doubtful_neuropathic_condition_is_possible(text: str) -> None:
    meanings = said(text).meanings
    assert POSSIBLE in meanings
    assert not meanings & {DEFINITE, PROBABLE}


def test_doubt_leaves_a_danger_as_it_is() -> None:
    assert said("possible sleep apnea").meanings == {"sleep_apnea"}


def test_of_several_texts_the_one_that_tells_something_counts() -> None:
    concept = Concept((Coding("http://example.org/local", "1", "Postherpetic neuralgia"),), "Chronic pain")
    assert "postherpetic_neuralgia" in condition_meaning(concept).meanings
    assert condition_meaning(concept).name == "Chronic pain"
    denied = Concept((Coding("http://example.org/local", "1", "no sciatica"),), "Chronic pain")
    assert condition_meaning(denied).negated


def test_names_are_printable_and_short() -> None:
    assert printable(coded("E11.42", display="  a\n\tb\x00c ", text=None)) == "a b c"
    assert printable(coded("E11.42"), "from the table") == "from the table"
    assert printable(coded("E11.42")) == "E11.42"
    assert printable(Concept()) == ""
    assert len(printable(Concept(text="x" * 500))) == 80
    assert condition_meaning(coded("19943007", SCT)).name == "Cirrhosis of liver"


def test_long_concepts_are_read_too() -> None:
    assert "sleep_apnea" in said("x " * 3000 + "sleep apnea").meanings
    assert observation_meaning(Concept(text="x " * 3000 + "SOAPP-R")) == "soappr_total"


@given(st.text(max_size=300), st.text(max_size=12), st.sampled_from((None, ICD, SCT, LOINC, "x")))
def test_nothing_makes_a_meaning_fail(text: str, code: str, system: str | None) -> None:
    concept = Concept((Coding(system, code, text),), text[::-1])
    found = condition_meaning(concept)
    assert len(found.name) <= 80
    assert not (found.negated and found.usable)
    observation_meaning(concept)


@given(st.sampled_from(("sciatica", "no neuropathy", "diabetic polyneuropathy, painful", "CKD stage 3b", "OSA")))
def test_case_and_runs_of_spaces_do_not_matter(text: str) -> None:
    wide = "  ".join(text.upper().split(" "))
    assert said(wide).meanings == said(text).meanings


WORDS = ("history", "of", "no", "non", "ruled", "out", "?", ",", ".", "possible", "pain", "sciatica", "cancer", "but")


@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_order_of_words_is_read(words: list[str]) -> None:
    found = said(" ".join(words))
    assert found.meanings == said("  ".join(words).upper()).meanings


@pytest.mark.parametrize(
    ("concept", "meaning"),
    [
        (coded("98979-8", LOINC), "egfr"),
        (coded("98979-8", None), "egfr"),
        (coded(" 2160-0 ", "urn:oid:2.16.840.1.113883.6.1"), "creatinine"),
        (coded("98979-8", "http://example.org/lab"), None),
        (coded("0000-0", LOINC, "SOAPP-R total score"), "soappr_total"),
        (Concept(text="Oswestry Disability Index"), "odi"),
        (Concept(text="ORT-OUD"), "ort_oud_total"),
        (Concept(text="CYP2D6 phenotype"), "cyp2d6_phenotype"),
        (Concept(text="custodial review"), None),
        (Concept((Coding(LOINC, None),)), None),
        (Concept(), None),
    ],
)
def test_observations(concept: Concept, meaning: str | None) -> None:
    assert observation_meaning(concept) == meaning


def value_of(meaning: str, value: Decimal, unit: str | None, concept: Concept | None = None) -> Decimal | None:
    scale = observation_scale(meaning, concept or Concept())
    return None if scale is None else scale.value(value, unit)


@pytest.mark.parametrize(
    ("meaning", "value", "unit", "expected"),
    [
        ("creatinine", "88.4", "umol/L", "1"),
        ("creatinine", "88.4", "µmol/L", "1"),
        ("creatinine", "1.1", "mg/dL", "1.1"),
        ("creatinine", "1.1", None, "1.1"),
        ("creatinine", "97", None, None),
        ("creatinine", "1.1", "furlong", None),
        ("bilirubin", "17.1", "umol/L", "1"),
        ("paco2", "8", "kPa", "60"),
        ("weight", "100", "[lb_av]", "45.359237"),
        ("weight", "70000", "g", "70"),
        ("weight", "7000", "kg", None),
        ("height", "1.7", "m", "170"),
        ("height", "70", "[in_i]", "177.8"),
        ("height", "1.7", None, None),
        ("egfr", "55", "mL/min/{1.73_m2}", "55"),
        ("egfr", "55", "mL/min/1.73m²", "55"),
        ("egfr", "55", " ", "55"),
        ("pain_score", "62", "mm", "6.2"),
        ("pain_score", "11", "{score}", None),
        ("spo2", "94", "%", "94"),
        ("spo2", "0.94", "1", "94"),
        ("qtc", "0.45", "s", "450"),
        ("alcohol_drinks", "14", "{drinks}/wk", "2"),
        ("inhaled_oxygen", "21", "%", "0"),
        ("inhaled_oxygen", "28", "%", "7"),
        ("inhaled_oxygen", "2", "L/min", "2"),
        ("egfr", "-1", "mL/min", None),
        ("egfr", "NaN", "mL/min", None),
        ("egfr", "Infinity", "mL/min", None),
        ("tobacco", "1", None, None),
        ("no such meaning", "1", None, None),
    ],
)
def test_values(meaning: str, value: str, unit: str | None, expected: str | None) -> None:
    found = value_of(meaning, Decimal(value), unit)
    assert found == (None if expected is None else Decimal(expected))


def test_without_a_unit_that_of_the_code_counts() -> None:
    assert value_of("bilirubin", Decimal("17.1"), None, coded("14631-6", LOINC)) == 1


@given(st.decimals(allow_nan=False, allow_infinity=False), st.one_of(st.none(), st.text(max_size=12)))
def test_no_value_or_unit_fails(value: Decimal, unit: str | None) -> None:
    found = value_of("creatinine", value, unit)
    assert found is None or Decimal("0.1") <= found <= 30


def test_words() -> None:
    assert tokens_of("1,000 MCG w/ John's 5mg .5µg") == ("1000", "mcg", "with", "johns", "5", "mg", ".5", "mcg")
    phrases = Phrases([("oxy ir", 1), ("oxy", 2)])
    assert "Oxy-IR" in phrases
    assert [match.meaning for match in phrases.find(tokens_of("oxy oxy-ir foxy oxy"))] == [2, 1, 2]
    for wrong in ("--", "OXY IR"):
        with pytest.raises(ValueError):
            phrases.add(wrong, 3)


# Tables that must be refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "tables"
    shutil.copytree(TABLES_FOLDER, copy)
    return copy


def append(folder: Path, file: str, line: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as table:
        table.write(line + "\n")


def load_all(folder: Path) -> None:
    load_condition_texts(load_conditions(folder).meanings, folder)
    load_observations(folder)


def test_the_tables_as_they_are_load(folder: Path) -> None:
    load_all(folder)


@pytest.mark.parametrize(
    ("file", "line", "remedy"),
    [
        ("conditions.csv", "ICD-10-CM,G50.0,Again,neuropathic_definite,pain,no,exact,,yes,x,", "listed already"),
        ("conditions.csv", "ICD-9,337,Old,neuropathic_definite,pain,no,exact,,yes,x,", "column system must be"),
        ("conditions.csv", "ICD-10-CM,50.0,Odd,neuropathic_definite,pain,no,exact,,yes,x,", "shape"),
        ("conditions.csv", "SNOMED CT,G50,Odd,neuropathic_definite,pain,no,exact,,yes,x,", "shape"),
        ("conditions.csv", "SNOMED CT,1234567,Odd,hiv,hiv,,prefix,,yes,x,", "matches exactly"),
        ("conditions.csv", "ICD-10-CM,S99.9,Odd,hiv,hiv,,prefix,A-C,yes,x,", "seventh"),
        ("conditions.csv", "ICD-10-CM,S99.9,Odd,hiv,hiv,maybe,prefix,,yes,x,", "localized"),
        ("conditions.csv", "ICD-10-CM,S99.9,,hiv,hiv,,prefix,,yes,x,", "fill column display"),
        ("conditions.csv", "ICD-10-CM,S99.9,Odd,hiv,hiv,,prefix,,perhaps,x,", "verified"),
        ("conditions.csv", "ICD-10-CM,S99.9,Odd", "give 11 cells, not 3"),
        ("conditions.csv", '"ICD-10-CM,S99.9', "quotation marks"),
        ("implied.csv", "cirrhosis,wonder,", "no meaning of conditions.csv"),
        ("condition_texts.csv", "wonder,wonder_meaning,,", "must hold meanings"),
        ("condition_texts.csv", "wonder,,,", "must hold meanings"),
        ("condition_texts.csv", "sciatica,hiv,,", "listed already"),
        ("condition_texts.csv", "...,hiv,,", "holds no word"),
        ("context_words.csv", "perhaps,wonder,", "column kind"),
        ("observations.csv", "2160-0,http://loinc.org,x,creatinine,mg/dL,x,yes,x", "listed already"),
        ("observations.csv", "1-1,http://example.org,x,creatinine,mg/dL,x,yes,x", "column system"),
        ("observations.csv", "1-1,http://loinc.org,x,creatinine,stone,x,yes,x", "units.csv"),
        ("units.csv", "creatinine,mg/dl,1,1,0,", "each unit of a meaning"),
        ("units.csv", "wonder,mg/dl,1,1,0,", "each unit of a meaning"),
        ("units.csv", "creatinine,stone,1,0,0,", "more than zero"),
        ("units.csv", "creatinine,stone,one,1,0,", "must be a number"),
        ("units.csv", "creatinine,stone,inf,1,0,", "must be a number"),
        ("plausible.csv", "wonder,1,2,", "low under high"),
        ("plausible.csv", "tobacco,2,1,", "low under high"),
        ("plausible.csv", "creatinine,1,2,", "low under high"),
        ("observation_texts.csv", "wonder,wonder_meaning,", "no meaning of observations.csv"),
        ("observation_texts.csv", "odi,odi,", "listed already"),
    ],
)
def test_a_wrong_row_is_refused(folder: Path, file: str, line: str, remedy: str) -> None:
    append(folder, file, line)
    with pytest.raises(KnowledgeError, match=rf"^{file}: line \d+: .*{remedy}"):
        load_all(folder)


def test_a_unit_without_bounds_is_refused(folder: Path) -> None:
    append(folder, "observations.csv", "1-1,http://loinc.org,x,wonder,mg/dL,x,yes,x")
    append(folder, "units.csv", "wonder,mg/dL,1,1,0,")
    with pytest.raises(KnowledgeError, match=r"plausible\.csv"):
        load_observations(folder)


def test_a_missing_odd_or_empty_file_is_refused(folder: Path) -> None:
    (folder / "implied.csv").write_text("meaning\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"^implied\.csv: line 1: the columns must be meaning,also,note"):
        load_conditions(folder)
    (folder / "implied.csv").write_text("", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="the columns must be"):
        load_conditions(folder)
    (folder / "implied.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(KnowledgeError, match="UTF-8"):
        load_conditions(folder)
    (folder / "implied.csv").unlink()
    with pytest.raises(KnowledgeError, match="put the table into tables/"):
        load_conditions(folder)


def test_what_follows_from_what_follows(folder: Path) -> None:
    append(folder, "implied.csv", "hepatic_disease,cirrhosis,a circle does no harm")
    assert load_conditions(folder).with_implied({"hepatic_disease"}) >= {"cirrhosis", "hepatic_disease_severe"}


ICD9 = "http://hl7.org/fhir/sid/icd-9-cm"


@pytest.mark.parametrize(
    ("system", "code", "meaning"),
    [
        (ICD9, "053.19", "postherpetic_neuralgia"),
        (ICD9, "05319", "postherpetic_neuralgia"),
        ("urn:oid:2.16.840.1.113883.6.103", "357.2", "diabetic_neuropathy"),
        ("icd9", "250.62", "neuropathic_probable"),
        (None, "250.62", "diabetic_neuropathy"),
        (None, "V66.7", "palliative"),
        (ICD9, "304.01", "opioid_use_disorder"),
        (ICD9, "327.23", "obstructive_sleep_apnea"),
        (ICD9, "174.9", "cancer_active"),
        (ICD9, "585.4", "ckd_stage_4"),
        ("http://hl7.org/fhir/sid/icd-10", "G53.0", "postherpetic_neuralgia"),
        ("http://hl7.org/fhir/sid/icd-10", "G63.2*", "neuropathic_definite"),
        ("http://hl7.org/fhir/sid/icd-10", "E11.4+", "neuropathic_probable"),
        ("http://hl7.org/fhir/sid/icd-10", "E10.4", "diabetic_neuropathy"),
        ("http://hl7.org/fhir/sid/icd-10", "F11.2", "opioid_use_disorder"),
        (None, "B02.2", "neuropathic_definite"),
    ],
)
def test_codes_of_other_editions_without_a_display(system: str | None, code: str, meaning: str) -> None:
    assert meaning in condition_meaning(Concept((Coding(system, code),))).meanings


@pytest.mark.parametrize(
    ("system", "code"),
    [(ICD9, "G63.2"), (ICD9, "999999"), (None, "25062"), (None, "12.5"), ("http://hl7.org/fhir/sid/icd-10", "250.62")],
)
def test_codes_that_another_edition_does_not_have(system: str | None, code: str) -> None:
    assert not condition_meaning(Concept((Coding(system, code),))).meanings


@pytest.mark.parametrize(
    "text",
    [
        "no neuropathic pain", "denies neuropathic pain", "r/o neuropathy", "hx of PHN", "h/o sciatica",
        "FHx neuropathy",
        "family history of neuropathy", "neg for neuropathy", "neuropathic pain: no", "neuropathic pain - denies",
        "sciatica ruled out", "at risk of neuropathy", "Neuropathic pain? No", "past hx of sciatica",
    ],
)  # fmt: skip
def test_denied_and_past_pain(text: str) -> None:
    meaning = condition_meaning(Concept(text=text))
    assert (meaning.meanings, meaning.negated) == (frozenset(), True)


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("neuropathic pain?", "neuropathic_possible"), ("? neuropathic pain", "neuropathic_possible"),
        ("cannot rule out radiculopathy", "neuropathic_possible"), ("painful scar", "neuropathic_possible"),
        ("PDN", "neuropathic_definite"), ("nerve pain", "neuropathic_definite"),
        ("fever: no. neuropathic pain", "neuropathic_definite"), ("neuropathic pain, no fever", "neuropathic_definite"),
        ("neuropathic pain; fever: no", "neuropathic_definite"),
    ],
)  # fmt: skip
def test_how_sure_a_text_is(text: str, grade: str) -> None:
    meaning = condition_meaning(Concept(text=text))
    assert grade in meaning.meanings
    assert not meaning.negated


@pytest.mark.parametrize(
    "text",
    ["Pregnancy prevention", "Desires pregnancy", "False pregnancy", "Pregnancy counseling", "Planning pregnancy"],
)
def test_a_pregnancy_that_is_wished_for_or_prevented_is_none(text: str) -> None:
    assert said(text).meanings == set()
    assert said(f"Pregnant; {text}").meanings == {"pregnancy"}


@pytest.mark.parametrize("text", ["Unplanned pregnancy", "Positive pregnancy test", "Planned pregnancy, 12 weeks"])
def test_a_pregnancy_in_other_words_stays(text: str) -> None:
    assert said(text).meanings == {"pregnancy"}
