"""Charts and signings at random, told in the sentences of tests/rules/README.md."""

from hypothesis import strategies as st

OPIOIDS = (
    ("Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621]", "tablet"),
    ("Abuse-Deterrent 12 HR oxycodone hydrochloride 20 MG Extended Release Oral Tablet [rx 1860129]", "tablet"),
    ("Acetaminophen 325 MG / Hydrocodone Bitartrate 5 MG Oral Tablet [rx 857002]", "tablet"),
    ("morphine sulfate 15 MG Oral Tablet [rx 892582]", "tablet"),
    ("tramadol hydrochloride 50 MG Oral Tablet [rx 835603]", "tablet"),
    ("HYDROmorphone 2 mg tablet", "tablet"),
    ("codeine sulfate 30 MG Oral Tablet", "tablet"),
    ("methadone hydrochloride 5 MG Oral Tablet", "tablet"),
    ("tapentadol 50 MG Oral Tablet", "tablet"),
    ("72 HR fentanyl 0.025 MG/HR Transdermal System [rx 245134]", "patch"),
    ("168 HR Buprenorphine 0.01 MG/HR Transdermal System", "patch"),
)
FIRST_LINE = (
    ("gabapentin 300 MG Oral Capsule", "capsule"),
    ("pregabalin 75 MG Oral Capsule", "capsule"),
    ("duloxetine 60 MG Delayed Release Oral Capsule", "capsule"),
    ("nortriptyline 25 MG Oral Capsule", "capsule"),
    ("amitriptyline 25 mg oral tablet", "tablet"),
    ("venlafaxine 75 MG Oral Tablet", "tablet"),
)
PARTNERS = (
    ("alprazolam 0.5 MG Oral Tablet", "tablet"),
    ("zolpidem 5 mg oral tablet", "tablet"),
    ("cyclobenzaprine 10 mg oral tablet", "tablet"),
    ("sertraline 50 MG Oral Tablet", "tablet"),
    ("clarithromycin 500 mg oral tablet", "tablet"),
    ("acetaminophen 500 mg oral tablet", "tablet"),
    ("diphenhydramine 25 mg oral capsule", "capsule"),
    ("quetiapine 50 mg oral tablet", "tablet"),
    ("linezolid 600 mg oral tablet", "tablet"),
    ("naloxone 4 mg nasal spray", "spray"),
    ("sennosides 8.6 mg oral tablet", "tablet"),
)
UNRELATED = (
    ("amoxicillin 500 mg oral capsule", "capsule"),
    ("atorvastatin 20 mg oral tablet", "tablet"),
    ("levothyroxine 50 mcg oral tablet", "tablet"),
)
CONDITIONS = (
    "diabetic polyneuropathy (E11.42)", "postherpetic neuralgia (B02.29)", "lumbar radiculopathy (M54.16)",
    "trigeminal neuralgia (G50.0)", "osteoarthritis of knee (M17.11)", "breast cancer (C50.911)",
    "chronic obstructive pulmonary disease (J44.9)", "obstructive sleep apnea (G47.33)", "epilepsy (G40.909)",
    "chronic kidney disease stage 4 (N18.4)", "cirrhosis (K74.60)", "alcohol use disorder (F10.20)",
    "opioid use disorder (F11.20)", "heart failure (I50.9)", "glaucoma (H40.20X0)", "urinary retention (R33.9)",
    "major depression (F32.9)", "type 2 diabetes (E11.9)", "hospice care (Z51.5)", "HIV infection (B20)",
)  # fmt: skip
REASONS = (
    "painful diabetic neuropathy (E11.42)", "postherpetic neuralgia (B02.29)", "low back pain (M54.50)",
    "acute postprocedural pain (G89.18)", "neoplasm related pain (G89.3)", "pain (R52)", "sciatica (M54.30)",
)  # fmt: skip
TIMINGS = ("once a day", "twice a day", "three times a day", "every 4 hours as needed", "every 6 hours", "at night")
DAYS = ("2025-06-01", "2025-11-15", "2026-01-20", "2026-02-10", "2026-02-25")


@st.composite
def sigs(draw: st.DrawFn, unit: str) -> str:
    if unit == "patch":
        return f"{draw(st.integers(1, 3))} patch every 72 hours"
    return f"{draw(st.integers(1, 3))} {unit} {draw(st.sampled_from(TIMINGS))}"


@st.composite
def orders(draw: st.DrawFn) -> str:
    """One opioid order, with or without a reason and a supply."""
    drug, unit = draw(st.sampled_from(OPIOIDS))
    sentence = f"orders {drug}, {draw(sigs(unit))}"
    if draw(st.booleans()):
        sentence += f", for {draw(st.sampled_from((3, 7, 14, 30, 60)))} days"
    if draw(st.booleans()):
        sentence += f", because {draw(st.sampled_from(REASONS))}"
    return sentence


@st.composite
def listed(draw: st.DrawFn) -> str:
    """One drug of the list: taken, taken before, reported or dispensed."""
    drug, unit = draw(st.sampled_from(OPIOIDS + FIRST_LINE * 3 + PARTNERS * 2 + UNRELATED))
    sig, since = draw(sigs(unit)), draw(st.sampled_from(DAYS))
    ending = draw(st.sampled_from(("", ", failed", ", not tolerated")))
    return draw(
        st.sampled_from(
            (
                f"takes {drug}, {sig}, since {since}",
                f"takes {drug}, {sig}, since {since}, for 30 days, 2 repeats",
                f"took {drug}, {sig}, from 2025-05-01 to {since}{ending}",
                f"reports {drug}, {sig}, from {since}",
                f"was dispensed {drug}, {sig}, on {since}, for 30 days",
            )
        )
    )


@st.composite
def facts(draw: st.DrawFn) -> list[str]:
    """Age, conditions, values and allergies."""
    sentences = [f"{draw(st.sampled_from(('woman', 'man')))}, age {draw(st.sampled_from((17, 35, 50, 66, 78)))}"]
    chosen = draw(st.lists(st.sampled_from(CONDITIONS), max_size=4, unique=True))
    sentences += [f"has {condition}, since {draw(st.sampled_from(DAYS))}" for condition in chosen]
    if draw(st.booleans()):
        sentences.append(f"eGFR {draw(st.sampled_from((12, 25, 45, 59, 85)))} on 2026-02-01")
    if draw(st.booleans()):
        sentences.append(f"weight {draw(st.sampled_from((45, 70, 95)))} kg on 2026-02-01")
    if draw(st.integers(0, 3)) == 0:
        sentences.append(f"pain score {draw(st.integers(0, 10))} on 2026-02-20")
    if draw(st.integers(0, 3)) == 0:
        sentences.append(f"intolerant of {draw(st.sampled_from(('gabapentin', 'duloxetine', 'tramadol')))}")
    return sentences


@st.composite
def signings(draw: st.DrawFn) -> list[str]:
    """A whole signing: facts, a list of drugs, one or two opioid orders."""
    return [
        *draw(facts()),
        *draw(st.lists(listed(), max_size=5)),
        *draw(st.lists(orders(), min_size=1, max_size=2)),
    ]
