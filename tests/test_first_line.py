"""The table of first-line agents, and what is refused in it."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.drugs import ingredient_drug
from cds.first_line import FILE, FIRST_LINE, load_first_line
from cds.knowledge import KnowledgeError


@pytest.mark.parametrize(
    ("agent", "crcl", "minimum"),
    [
        ("gabapentin", None, "900"), ("gabapentin", "60", "900"), ("gabapentin", "59.9", "400"),
        ("gabapentin", "30", "400"), ("gabapentin", "29", "200"), ("gabapentin", "15", "200"),
        ("gabapentin", "14", "100"), ("pregabalin", "60", "150"), ("pregabalin", "59", "75"),
        ("pregabalin", "29", "50"), ("pregabalin", "14", "25"), ("duloxetine", "20", "60"),
        ("nortriptyline", "10", "25"), ("amitriptyline", None, "25"), ("venlafaxine", None, "150"),
        ("mirogabalin", None, "15"), ("carbamazepine", None, "400"), ("oxcarbazepine", None, "600"),
    ],
)  # fmt: skip
def test_the_therapeutic_minimum_follows_the_kidneys(agent: str, crcl: str | None, minimum: str) -> None:
    assert FIRST_LINE[agent].minimum_mg(None if crcl is None else Decimal(crcl)) == Decimal(minimum)


def test_a_topical_agent_has_no_dose_to_reach() -> None:
    assert FIRST_LINE["lidocaine"].minimum_mg(Decimal(80)) is None
    assert FIRST_LINE["lidocaine"].maximum_mg(Decimal(80)) is None


def test_the_lowest_limit_holds() -> None:
    pregabalin, nortriptyline = FIRST_LINE["pregabalin"], FIRST_LINE["nortriptyline"]
    assert pregabalin.maximum_mg(None) == 600
    assert pregabalin.maximum_mg(None, diabetic_neuropathy=True) == 300
    assert pregabalin.maximum_mg(Decimal(20), diabetic_neuropathy=True) == 150
    assert nortriptyline.maximum_mg(None) == 150
    assert nortriptyline.maximum_mg(None, elderly=True) == 50


@given(st.sampled_from(sorted(FIRST_LINE)), st.decimals(0, 150, places=1), st.decimals(0, 150, places=1))
def test_weaker_kidneys_never_need_a_higher_dose(agent: str, one: Decimal, other: Decimal) -> None:
    weak, strong = (FIRST_LINE[agent].minimum_mg(value) or Decimal(0) for value in sorted((one, other)))
    assert weak <= strong


def test_every_agent_is_a_known_drug_of_its_class() -> None:
    for name, agent in FIRST_LINE.items():
        roles = ingredient_drug(name).roles
        assert agent.ingredient == name
        if agent.drug_class != "topical":
            assert agent.drug_class in roles, name


def test_what_is_offered_has_a_start_dose_within_its_limits() -> None:
    for agent in FIRST_LINE.values():
        if agent.counted_only or agent.drug_class == "topical":
            continue
        assert agent.low_start_mg is not None and agent.start_mg is not None and agent.maximum_mg_per_day is not None
        assert agent.low_start_mg <= agent.start_mg <= agent.maximum_mg_per_day


GOOD = 'class = "tca"\noffered = true\nminimum_mg_per_day = 25\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[x", "correct the TOML"),
        ("x = 1", "an agent is a table"),
        (f"[x]\n{GOOD}colour = 1", "x.colour: unknown key"),
        ('[x]\nclass = "ssri"\noffered = true', "x.class: one of"),
        ('[x]\nclass = "tca"\noffered = "yes"', "x.offered: write true or false"),
        ('[x]\nclass = "tca"\noffered = true', "x.minimum_mg_per_day: add the therapeutic minimum"),
        (f'[x]\n{GOOD}start_mg = "25"', "x.start_mg: write a number above zero"),
        (f"[x]\n{GOOD}start_mg = true", "x.start_mg: write a number above zero"),
        (f"[x]\n{GOOD}start_mg = 0", "x.start_mg: write a number above zero"),
        (f'[x]\n{GOOD}local = ["start_mg"]', "x.local: list names of numbers"),
        (f'[x]\n{GOOD}local = "start_mg"', "x.local: list names of numbers"),
        (f"[x]\n{GOOD}kidney = 3", "x.kidney: write a list of steps"),
        (f"[x]\n{GOOD}kidney = [3]", "x.kidney: write a list of steps"),
        (f"[x]\n{GOOD}kidney = [{{ below_ml_per_min = 30 }}]", "x.kidney: a step has"),
        (
            f"[x]\n{GOOD}kidney = [{{ below_ml_per_min = 60, minimum_mg_per_day = 9 }}, "
            "{ below_ml_per_min = 30, minimum_mg_per_day = 5 }]",
            "x.kidney: order the steps",
        ),
    ],
)
def test_a_wrong_table_is_refused_with_its_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        load_first_line(tmp_path)
    assert str(refused.value).startswith(FILE + ": ")
    assert says in str(refused.value)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"first_line\.toml: file: put the table"):
        load_first_line(tmp_path)
