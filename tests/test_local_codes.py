"""A site's own drug codes: what a file tells, which lines are refused, and what orders then mean."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.drug_tables import NDC, Ingredient, load_drugs
from cds.drugs import Drug, recognise
from cds.local_code_rows import REQUIRED, LocalRow, WrongCell, lines_of, read_local_codes
from cds.site_codes import SiteCodes
from cds.terminology import Coding, Concept
from hooks.answer import Answerer
from hooks.command_line import main
from hooks.services import SERVICES
from hooks.settings import Settings, SettingsError, load
from hooks.tenants import Tenant
from hooks.terminology.load import load as load_release
from hooks.terminology.local_codes import LocalCodesError, read_file
from hooks.terminology.sites import read_sites
from tests.calling import NOW, SIGN, an_app, call
from tests.releases import FOLDER as RELEASE

TABLES = load_drugs()
HEADER = "local_code,display,ingredient,strength"
LONG = f"{HEADER},form,route,release,system,brand,note"
OWN = "urn:oid:1.2.3"
RX = "http://www.nlm.nih.gov/research/umls/rxnorm"


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "codes.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def site_of(folder: Path, *lines: str, header: str = HEADER) -> SiteCodes:
    return SiteCodes(read_file(written(folder, *lines, header=header), TABLES))


def refused(folder: Path, *lines: str, header: str = HEADER) -> list[str]:
    with pytest.raises(LocalCodesError) as error:
        read_file(written(folder, *lines, header=header), TABLES)
    return list(error.value.problems)


def sent(
    site: SiteCodes | None, code: str, system: str | None = "urn:oid:1.2.3", text: str | None = None
) -> Drug | None:
    return recognise(Concept((Coding(system, code),), text), site=site)


def parts(drug: Drug | None) -> list[Ingredient]:
    assert drug is not None
    return list(drug.ingredients)


# What is told


def test_a_code_without_a_name_is_recognised(tmp_path: Path) -> None:
    site = site_of(tmp_path, "4711,OXYCODONE 5 MG TAB,oxycodone,5 MG", "MOR,Morphine,morphine,")
    assert sent(None, "4711") is None
    drug = sent(site, "4711")
    assert parts(drug) == [Ingredient("oxycodone", Decimal(5), "MG")]
    assert drug is not None
    assert (drug.how, "opioid" in drug.roles) == ("code", True)
    assert parts(sent(site, " mor ")) == [Ingredient("morphine")]
    assert parts(sent(site, "4711", None)) == parts(drug)


def test_a_local_code_never_answers_for_a_public_one(tmp_path: Path) -> None:
    site = site_of(tmp_path, "4711,OXYCODONE 5 MG TAB,oxycodone,5 MG")
    for system in (RX, "http://www.whocc.no/atc", "http://snomed.info/sct", "http://hl7.org/fhir/sid/ndc"):
        assert sent(site, "4711", system) is None


def test_a_code_of_one_system(tmp_path: Path) -> None:
    lines = ("7,Morphine 10 mg,morphine,10 MG,urn:oid:9.9/", "7,Codeine 30 mg,codeine,30 MG,URN:OID:8.8")
    site = site_of(tmp_path, *lines, header=f"{HEADER},system")
    assert parts(sent(site, "7", "urn:oid:9.9")) == [Ingredient("morphine", Decimal(10), "MG")]
    assert parts(sent(site, "7", "urn:oid:8.8")) == [Ingredient("codeine", Decimal(30), "MG")]
    assert sent(site, "7", "urn:oid:1.1") is None
    assert sent(site, "7", None) is None


@pytest.mark.parametrize(
    ("strength", "amount", "unit"),
    [
        ("5 MG", "5", "MG"),
        ("5mg", "5", "MG"),
        ("0.5 G", "500", "MG"),
        ("50 mcg", "0.05", "MG"),
        ("50 µg", "0.05", "MG"),
        ("10 MG/5 ML", "2", "MG/ML"),
        ("20 mg/ml", "20", "MG/ML"),
        ("25 mcg/hr", "0.025", "MG/HR"),
        ("25 MCG / H", "0.025", "MG/HR"),
        ("50 MG/G", "0.05", "MG/MG"),
        ("100 MCG/SPRAY", "0.1", "MG/ACTUAT"),
    ],
)
def test_strengths(tmp_path: Path, strength: str, amount: str, unit: str) -> None:
    site = site_of(tmp_path, f"1,A drug,fentanyl,{strength}")
    assert parts(sent(site, "1")) == [Ingredient("fentanyl", Decimal(amount), unit)]


def test_form_route_release_and_brand(tmp_path: Path) -> None:
    site = site_of(
        tmp_path,
        "1,OXY ER,oxycodone,10 MG,ER Oral Tablet,,,,OxyContin,",
        "2,FENT PATCH,fentanyl,25 MCG/HR,Patch,,,,,",
        "3,MORPH,morphine,2 MG/ML,,injection,,,,pharmacy of the north",
        "4,MORPH ER,morphine,30 MG,,oral,er,,,",
        header=LONG,
    )
    told = {code: sent(site, code) for code in "1234"}
    assert [(drug.form, drug.route, drug.release, drug.brand) for drug in told.values() if drug] == [
        ("Extended Release Oral Tablet", "oral", "ER", "OxyContin"),
        ("Patch", "transdermal", "TD", None),
        (None, "injection", None, None),
        (None, "oral", "ER", None),
    ]


def test_several_ingredients_and_names_of_the_tables(tmp_path: Path) -> None:
    site = site_of(tmp_path, "1,PERCOCET 5/325,oxycodone;APAP,5 MG;325 MG", "2,PERCOCET,oxycodone; acetaminophen,")
    expected = [Ingredient("oxycodone", Decimal(5), "MG"), Ingredient("acetaminophen", Decimal(325), "MG")]
    assert parts(sent(site, "1")) == expected
    assert parts(sent(site, "2")) == [Ingredient("oxycodone"), Ingredient("acetaminophen")]


def test_a_drug_that_firstline_does_not_speak_of(tmp_path: Path) -> None:
    drug = sent(site_of(tmp_path, "1,INVENTAMOL 20 MG,other: Inventamol,20 MG"), "1")
    assert drug is not None
    assert (drug.name, drug.roles, drug.first_line_class) == ("inventamol", frozenset(), None)


def test_a_local_code_and_a_name_that_disagree_keep_the_more_dangerous(tmp_path: Path) -> None:
    site = site_of(tmp_path, "1,INVENTAMOL,other: inventamol,20 MG")
    drug = sent(site, "1", text="fentanyl 25 MCG/HR patch")
    assert drug is not None
    assert (drug.how, drug.has("fentanyl")) == ("disagreement", True)


def test_an_ndc_of_the_site(tmp_path: Path) -> None:
    header = f"{HEADER},system"
    site = site_of(tmp_path, "99999-0001-02,Morphine 15 mg,morphine,15 MG,NDC", header=header)
    for code in ("99999000102", "99999-0001-02", "99999-001-02", "9999900102", "099999000102"):
        assert parts(sent(site, code, "http://hl7.org/fhir/sid/ndc")) == [Ingredient("morphine", Decimal(15), "MG")]
    assert sent(site, "99999-0001", "http://hl7.org/fhir/sid/ndc") is None


def test_ten_digits_that_may_be_two_drugs_are_neither(tmp_path: Path) -> None:
    header = f"{HEADER},system"
    lines = ("01234567890,Morphine 15 mg,morphine,15 MG,NDC", "12345067890,Codeine 15 mg,codeine,15 MG,ndc")
    site = site_of(tmp_path, *lines, header=header)
    assert site.own(NDC, "1234567890") is None
    assert site.own(NDC, "01234567890") is not None


def test_signs_that_spreadsheets_write(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    text = f'{HEADER.upper()}\r\n1,"Oxycodone, 5 mg",oxycodone,5 MG\r\n,,,\r\n'
    path.write_bytes(text.encode("utf-8-sig"))
    assert parts(sent(SiteCodes(read_file(path, TABLES)), "1")) == [Ingredient("oxycodone", Decimal(5), "MG")]


def test_the_file_of_the_documentation_is_read(tmp_path: Path) -> None:
    text = (RELEASE.parent.parent / "docs" / "TERMINOLOGY.md").read_text(encoding="utf-8")
    path = tmp_path / "codes.csv"
    path.write_text(text.partition("```csv\n")[2].partition("```")[0], encoding="utf-8")
    site = SiteCodes(read_file(path, TABLES))
    assert site.count == 6
    assert [part.name for part in parts(sent(site, "4712"))] == ["oxycodone", "acetaminophen"]


def test_a_display_that_has_to_be_guessed_is_not_held_against_the_columns(tmp_path: Path) -> None:
    site = site_of(tmp_path, "1,OXYCODNE 5 MG,oxycodone,10 MG")
    assert parts(sent(site, "1")) == [Ingredient("oxycodone", Decimal(10), "MG")]


def test_what_the_display_says_of_a_drug_without_a_role_does_not_matter(tmp_path: Path) -> None:
    site = site_of(tmp_path, "1,GUAIFENESIN-CODEINE 100-10 MG/5 ML,codeine,10 MG/5 ML")
    assert parts(sent(site, "1")) == [Ingredient("codeine", Decimal(2), "MG/ML")]


# What is refused


def test_every_wrong_line_is_named_at_once(tmp_path: Path) -> None:
    problems = refused(
        tmp_path,
        "1,Oxycodone 5 mg,oxycodone,5 MG",
        ",Oxycodone,oxycodone,5 MG",
        "2,Oxycodone 5 mg,oxycodne,5 MG",
        "3,Oxycodone 5 mg,oxycodone,5",
        "4,Oxycodone 5 mg,oxycodone",
        "1,Codeine,codeine,",
    )
    assert [problem.split(": ")[1:3] for problem in problems] == [
        ["line 3", "local_code"],
        ["line 4", "ingredient"],
        ["line 5", "strength"],
        ["line 6", "give 4 cells, not 3"],
        ["line 7", "local_code"],
    ]
    assert all(problem.startswith("codes.csv: line ") for problem in problems)
    assert "is on line 2 already" in problems[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,,oxycodone,5 MG", "display: is empty"),
        ("1,A drug,,", "ingredient: is empty"),
        ("1,A drug,;,", "ingredient: holds no name"),
        ("1,A drug,oxycodne,", "ingredient: is no single ingredient that Firstline knows"),
        ("1,A drug,Percocet,", "ingredient: is no single ingredient that Firstline knows"),
        ("1,A drug,other:,", "ingredient: write a name after 'other:'"),
        ("1,A drug,other: 5,", "ingredient: write a name after 'other:'"),
        ("1,A drug,other: Oxycodone,", "ingredient: Firstline knows this ingredient"),
        ("1,A drug,other: oxycodne,", "ingredient: Firstline knows this ingredient"),
        ("1,A drug,oxycodone,5 TABLETS", "strength: write an amount with its unit"),
        ("1,A drug,oxycodone,0 MG", "strength: write an amount with its unit"),
        ("1,A drug,oxycodone,5 MG/0 ML", "strength: write an amount with its unit"),
        ("1,A drug,oxycodone,5 MG/KG", "strength: write an amount with its unit"),
        ("1,A drug,oxycodone,5 MG;6 MG", "strength: write one strength for each ingredient"),
        ("1,A drug,oxycodone;aspirin,5 MG", "strength: write one strength for each ingredient"),
        ("1,MORPHINE 15 MG,oxycodone,15 MG", "ingredient: the display says morphine"),
        ("1,LORAZEPAM 1 MG,other: inventamol,1 MG", "ingredient: the display says lorazepam"),
        ("1,MORPHINE 15 MG TAB,morphine,150 MG", "strength: the display says another strength"),
        (f"1,{'long ' * 60},oxycodone,5 MG", "display: write at most 200 printable characters"),
        ("1,A\x07 drug,oxycodone,5 MG", "display: write at most 200 printable characters"),
    ],
)
def test_a_cell_that_is_wrong(tmp_path: Path, line: str, said: str) -> None:
    (problem,) = refused(tmp_path, line)
    assert problem.startswith(f"codes.csv: line 2: {said}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,A drug,morphine,5 MG,,,XR,,,", "release: write one of IR, ER, DR, TD"),
        ("1,A drug,morphine,5 MG,,mouth,,,,", "route: write one of oral"),
        ("1,A drug,morphine,5 MG,thing,,,,,", "form: is no form that Firstline knows"),
        ("7052,A drug,morphine,,,,,RxNorm,,", "system: the tables have this RxNorm code already"),
        ("1049621,A drug,oxycodone,,,,,rxnorm,,", "system: the tables have this RxNorm code already"),
        ("12345,A drug,morphine,,,,,NDC,,", "local_code: write an NDC"),
        ("1234567890,A drug,morphine,,,,,NDC,,", "local_code: write an NDC"),
    ],
)
def test_a_further_cell_that_is_wrong(tmp_path: Path, line: str, said: str) -> None:
    (problem,) = refused(tmp_path, line, header=LONG)
    assert problem.startswith(f"codes.csv: line 2: {said}")


@pytest.mark.parametrize("header", ["", "code,name", f"{HEADER},colour", f"{HEADER},display", HEADER.replace(",", ";")])
def test_columns_that_are_wrong(tmp_path: Path, header: str) -> None:
    (problem,) = refused(tmp_path, "1,A drug,morphine,5 MG", header=header)
    assert problem.startswith("codes.csv: line 1: write the columns, each once, separated by commas: " + HEADER)


def test_files_that_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "codes.csv"
    with pytest.raises(LocalCodesError, match="cannot be read"):
        read_file(path, TABLES)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(LocalCodesError, match="save the file as UTF-8"):
        read_file(path, TABLES)
    (problem,) = refused(tmp_path, '1,"A drug,morphine,5 MG')
    assert "close the quotation marks" in problem
    monkeypatch.setattr("hooks.terminology.local_codes.LONGEST_FILE", 10)
    (problem,) = refused(tmp_path, "1,A drug,morphine,5 MG")
    assert "is larger than 10 bytes" in problem


CELLS = st.text(max_size=30) | st.sampled_from(
    ["oxycodone", "oxycodone;acetaminophen", "other: x", "5 MG", "5 MG;325 MG", "NDC", "ER", "oral", "Oral Tablet", "1"]
)


@given(st.lists(st.dictionaries(st.sampled_from(LONG.split(",")), CELLS), max_size=4))
def test_any_line_is_read_or_named(odd: list[dict[str, str]]) -> None:
    rows = [LocalRow(line, cells) for line, cells in enumerate(odd, start=2)]
    codes, wrong = read_local_codes(rows, TABLES)
    assert all(1 < each.line < len(rows) + 2 and each.remedy and each.column for each in wrong)
    told = {row.line for row in rows} - {each.line for each in wrong}
    assert len(codes) == len(told)
    for code in codes.values():
        assert code.drug.ingredients


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, odd: bytes) -> None:
    path = tmp_path_factory.mktemp("odd") / "codes.csv"
    path.write_bytes(HEADER.encode() + b"\n" + odd)
    try:
        read_file(path, TABLES)
    except LocalCodesError as error:
        assert error.problems
        assert all(problem.startswith("codes.csv: ") for problem in error.problems)


@given(st.text(max_size=40))
def test_any_name_that_is_called_other_is_harmless_or_refused(name: str) -> None:
    row = LocalRow(2, {"local_code": "1", "display": "A drug", "ingredient": f"other: {name}"})
    codes, wrong = read_local_codes([row], TABLES)
    assert bool(wrong) != bool(codes)
    for code in codes.values():
        assert not any(part.name in TABLES.substances for part in code.drug.ingredients)


def test_the_lines_are_told_in_order() -> None:
    told = list(lines_of([WrongCell(3, "b", "x"), WrongCell(2, "a", "y")]))
    assert told == ["line 2: a: y", "line 3: b: x"]
    assert tuple(HEADER.split(",")) == REQUIRED


# In the service


def request_with(code: str, system: str = "urn:oid:1.2.3") -> dict[str, Any]:
    """order-sign of a drug that only a code names."""
    request: dict[str, Any] = json.loads((RELEASE.parent.parent / "fixtures/amoxicillin.request.json").read_bytes())
    (entry,) = request["context"]["draftOrders"]["entry"]
    entry["resource"]["medicationCodeableConcept"] = {"coding": [{"system": system, "code": code}]}
    return request


def view_of(answer: dict[str, Any]) -> dict[str, Any]:
    view: dict[str, Any] = answer["extension"]["firstline.review"]
    return view


def test_each_client_has_its_own_codes(tmp_path: Path) -> None:
    north, south = tmp_path / "north", tmp_path / "south"
    for folder, ingredient in ((north, "oxycodone"), (south, "other: inventamol")):
        folder.mkdir()
        written(folder, f"4711,A drug,{ingredient},5 MG")
    codes = {"north": north / "codes.csv", "south": south / "codes.csv", "west": None}
    tenants = tuple(
        Tenant(name=name, issuers=(f"https://{name}.example.org",), local_codes=path) for name, path in codes.items()
    )
    answerer = Answerer(Settings(tenants=tenants))
    body = json.dumps(request_with("4711")).encode()
    views = {}
    for tenant in (*tenants, *tenants):  # twice: what is remembered for one must not answer for another
        _, answer = answerer.answer(SERVICES["firstline-order-sign"], body, NOW, tenant)
        views[tenant.name] = view_of(json.loads(answer))
        assert bool(views[tenant.name]["inScope"]) is (tenant.name == "north")
    assert "notAssessed" not in views["south"]
    assert any("not recognised" in entry for entry in views["west"]["notAssessed"])


def test_the_site_s_codes_hold_for_clients_without_their_own(tmp_path: Path) -> None:
    path = written(tmp_path, "4711,A drug,oxycodone,5 MG")
    body = request_with("4711")
    assert view_of(call(an_app(), "POST", SIGN, json=body).json())["inScope"] == []
    assert view_of(call(an_app(local_codes=str(path)), "POST", SIGN, json=body).json())["inScope"]


def test_a_release_in_the_service(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    load_release(RELEASE, store)
    body = request_with("9000061", RX)
    assert view_of(call(an_app(), "POST", SIGN, json=body).json())["inScope"] == []
    assert view_of(call(an_app(terminology=str(store)), "POST", SIGN, json=body).json())["inScope"]
    ndc = request_with("99999-0552-01", "http://hl7.org/fhir/sid/ndc")
    assert view_of(call(an_app(terminology=str(store)), "POST", SIGN, json=ndc).json())["inScope"]


def test_what_a_site_brings_is_shared(tmp_path: Path) -> None:
    path = written(tmp_path, "4711,A drug,oxycodone,5 MG")
    tenants = (Tenant(name="a", issuers=("a",), local_codes=path), Tenant(name="b", issuers=("b",), local_codes=path))
    sites = read_sites(Settings(tenants=tenants))
    assert sites["a"] is sites["b"]
    assert sites["a"].count == 1
    assert read_sites(Settings()) == {}


def test_a_wrong_site_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "1,A drug,oxycodne,", "2,A drug,morphine,5")
    config = tmp_path / "settings.toml"
    config.write_text('local_codes = "codes.csv"\nterminology = "none.db"\n', encoding="utf-8")
    settings = load({"FIRSTLINE_CONFIG": str(config)})
    with pytest.raises(SettingsError) as error:
        Answerer(settings)
    assert [problem.split(": ")[:3] for problem in error.value.problems] == [
        ["local_codes", "codes.csv", "line 2"],
        ["local_codes", "codes.csv", "line 3"],
        ["terminology", "none.db", "is not there"],
    ]
    assert main(["check", str(config)]) == 2
    assert "line 3: strength" in capsys.readouterr().err


def test_settings_that_hold_no_text(tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("local_codes = 5\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="local_codes: write a text"):
        load({"FIRSTLINE_CONFIG": str(config)})
