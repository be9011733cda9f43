"""A wrong table of alternatives is refused, and the refusal says where and what to do."""

import shutil
from pathlib import Path

import pytest

from cds.knowledge import RULES_FOLDER, KnowledgeError
from cds.schedules import FILE, SCHEDULES, load_schedules
from cds.table_reading import TABLES_FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(RULES_FOLDER / FILE, tmp_path)
    return tmp_path


def refused(folder: Path, old: str, new: str) -> str:
    text = (folder / FILE).read_text(encoding="utf-8")
    assert old in text
    (folder / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refusal:
        load_schedules(folder)
    return str(refusal.value)


def test_the_table_as_it_stands_is_read_alike_from_a_copy(folder: Path) -> None:
    assert load_schedules(folder) == SCHEDULES


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[limits]", "[limits", "correct the TOML"),
        ("[limits]", "[other]", "write the table [limits]"),
        ("older_years = 65", 'older_years = "65"', "limits.older_years: write a number above zero"),
        ("older_years = 65", "older_years = true", "limits.older_years: write a number above zero"),
        ("older_years = 65", "older = 65", "limits.older: end the name with its unit"),
        ('class = "gabapentinoid"', 'class = "opioid"', "agents.gabapentin.class: one of"),
        ('class = "gabapentinoid"', 'class = "snri"', "agents.gabapentin.ingredient: name an agent of this class"),
        ('ingredient = "gabapentin"', 'ingredient = "aspirin"', "name an agent of this class in first_line.toml"),
        ('route = "oral"', 'route = " "', "agents.gabapentin.route: write a text"),
        ("[agents.gabapentin.usual]", "[agents.gabapentin.other]", "every agent has a usual schedule"),
        ('rxcui = "310431"', 'rxcui = "1"', "agents.gabapentin.usual.rxcui: name a product of products_core.csv"),
        ('rxcui = "310431"', 'rxcui = "898715"', "counted in capsule, tablet, patch, spray"),
        ('rxcui = "310431"', 'rxcui = "310433"', "no step above 3600"),
        ('rxcui = "310431"', 'rxcui = "310430"', "must reach the therapeutic minimum of 900 mg"),
        ('rxcui = "310431"', 'rxcui = "1745091"', "must reach the therapeutic minimum of 900 mg"),
        ("at_night = true, days = 3 }", "at_night = true }", "every step but the last has its days"),
        ("{ units = 1, times = 3 },", "{ units = 1, times = 3, days = 3 },", "every step but the last has its days"),
        (
            "times = 2, days = 3 }",
            "times = 2, days = 2.5 }",
            "agents.gabapentin.usual.steps.days: write a whole number",
        ),
        ("steps = [{ units = 1, times = 1, at_night = true }]", "steps = []", "write a list of steps"),
        ("steps = [{ units = 1, times = 1, at_night = true }]", "steps = 3", "write a list of steps"),
        ("dose_mg = 4", "dose_mg = 0", "rescue.dose_mg: write a number above zero"),
        ("feet_caution =", "foot_caution =", "capsaicin.feet_caution: write a text"),
        ('ingredient_rxcui = "36387"', 'rxcui = "1"', "laxatives.senna.ingredient_rxcui: write a text"),
        ("[tramadol.crcl_below_30]", "[tramadol.crcl_30]", "write the table [tramadol.crcl_below_30]"),
        ('oxycodone = { rxcui = "1049621"', 'oxycodone = { rxcui = "892582"', "first_doses.oxycodone.rxcui: name a"),
        ('oxycodone = { rxcui = "1049621"', 'oxycodone = { rxcui = "1860129"', "first_doses.oxycodone.rxcui: name a"),
        ("every_hours = 6 }", "every_hours = 7 }", "first_doses.oxycodone.every_hours: write hours that divide a day"),
        ('rxcuis = ["310430"', 'rxcuis = ["1"', "lowering.gabapentin.rxcuis: list products"),
        ('rxcuis = ["483442"', 'rxcuis = ["898715"', "lowering.pregabalin.rxcuis: list products"),
        ('rxcuis = ["310430"', 'rxcui = ["310430"', "lowering.gabapentin.rxcuis: list products"),
        ("[taper]", "[tapers]", "write the table [taper]"),
    ],
)
def test_a_wrong_entry_is_named(folder: Path, old: str, new: str, words: str) -> None:
    if "no step above" in words:  # six tablets of 600 mg, three times a day
        refused_text = refused(
            folder, f"{old}\n  steps = [", f"{new}\n  steps = [\n    {{ units = 6, times = 3, days = 1 }},"
        )
    else:
        refused_text = refused(folder, old, new)
    assert refused_text.startswith(FILE) and words in refused_text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"alternatives\.toml: file: put the doses"):
        load_schedules(tmp_path)


def test_a_rescue_product_that_the_table_lacks_is_ordered_by_its_ingredient(tmp_path: Path) -> None:
    lines = (TABLES_FOLDER / "products_core.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("1725059,")]
    assert len(kept) == len(lines) - 1
    (tmp_path / "products_core.csv").write_text("".join(kept), encoding="utf-8")
    rescue = load_schedules(tables=tmp_path).rescue
    assert (rescue.code, rescue.display) == ("7242", "naloxone")
    assert SCHEDULES.rescue.code == "1725059"
