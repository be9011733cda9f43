"""An RxNorm release becomes the local store: whole, broken off, wrong; and what the store then says of a code."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.drug_tables import NDC, RXNORM
from cds.drugs import Ingredient, recognise
from cds.ndc_packages import packages
from cds.site_codes import SiteCodes
from cds.terminology import Coding, Concept
from hooks.command_line import main
from hooks.terminology import load as loading
from hooks.terminology.errors import TerminologyError
from hooks.terminology.load import load
from hooks.terminology.rrf import CONSO, FIELDS, REL, SAT, release_files, rows
from hooks.terminology.store import Store
from tests.releases import FOLDER, SMALL, many, write_release

RX, NDC_SYSTEM = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/ndc"
OXY5, APAP = Ingredient("oxycodone", Decimal(5), "MG"), Ingredient("acetaminophen", Decimal(325), "MG")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = tmp_path_factory.mktemp("store") / "s.db"
    load(FOLDER, path)
    opened = Store(path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def site(store: Store) -> SiteCodes:
    return SiteCodes({}, store)


def a_release(folder: Path) -> Path:
    return write_release(folder / "release")


def coded(code: str, system: str = RX, text: str | None = None) -> Concept:
    return Concept((Coding(system, code),), text)


# What a release says


def test_the_stored_release_is_the_one_that_is_written(tmp_path: Path) -> None:
    write_release(tmp_path)
    for name in FIELDS:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize(
    ("rxcui", "ingredients", "form", "release"),
    [
        ("9000001", [Ingredient("oxycodone")], None, None),
        ("9000011", [Ingredient("oxycodone")], None, None),
        ("9000013", [Ingredient("acetaminophen"), Ingredient("oxycodone")], None, None),
        ("9000021", [Ingredient("acetaminophen"), Ingredient("oxycodone")], None, None),
        ("9000041", [OXY5], None, None),
        ("9000061", [APAP, OXY5], "Oral Tablet", "IR"),
        ("9000062", [Ingredient("oxycodone", Decimal(10), "MG")], "Extended Release Oral Tablet", "ER"),
        ("9000063", [Ingredient("fentanyl", Decimal("0.025"), "MG/HR")], "Transdermal System", "TD"),
        ("9000064", [Ingredient("morphine", Decimal(2), "MG/ML")], "Injectable Solution", "IR"),
        ("9000069", [Ingredient("morphine", Decimal(5), "MG/ML")], "Injectable Solution", "IR"),
        ("9000081", [Ingredient("acetaminophen"), Ingredient("oxycodone")], "Oral Tablet", "IR"),
        ("9000082", [Ingredient("oxycodone")], None, None),
        ("9000083", [Ingredient("oxycodone")], "Oral Tablet", "IR"),
        ("9000091", [APAP, OXY5], None, None),
        ("9000092", [APAP, OXY5], "Oral Tablet", "IR"),
        ("9000093", [Ingredient("acetaminophen"), Ingredient("oxycodone")], "Oral Tablet", "IR"),
        ("9000094", [APAP, OXY5], "Oral Tablet", "IR"),
        ("9000095", [Ingredient("oxycodone", Decimal(10), "MG")], None, None),
        ("9000065", [Ingredient("inventamol", Decimal(200), "MG")], "Oral Tablet", "IR"),
        ("9000070", [Ingredient("inventamol")], "Oral Tablet", "IR"),
        (" 09000061 ", [APAP, OXY5], "Oral Tablet", "IR"),
    ],
)
def test_any_level(
    site: SiteCodes, rxcui: str, ingredients: list[Ingredient], form: str | None, release: str | None
) -> None:
    drug = recognise(coded(rxcui), site=site)
    assert drug is not None
    assert drug.how == "code"
    assert list(drug.ingredients) == ingredients
    assert (drug.form, drug.release) == (form, release)


@pytest.mark.parametrize(("rxcui", "brand"), [("9000092", "Inventacet"), ("9000095", "Inventapack"), ("9000061", None)])
def test_brands(site: SiteCodes, rxcui: str, brand: str | None) -> None:
    drug = recognise(coded(rxcui), site=site)
    assert drug is not None
    assert drug.brand == brand


@pytest.mark.parametrize("rxcui", ["9000006", "9000007", "9000066", "9000067"])
def test_what_may_be_an_opioid_and_is_not_in_the_tables_stays_unknown(site: SiteCodes, rxcui: str) -> None:
    assert recognise(coded(rxcui), site=site) is None


def test_what_is_no_opioid_is_known_without_a_role(site: SiteCodes) -> None:
    drug = recognise(coded("9000065"), site=site)
    assert drug is not None
    assert (drug.name, drug.roles) == ("inventamol", frozenset())


@pytest.mark.parametrize("code", ["1", "9000071", "9000031", "", "x", "9" * 5000, "٣", "-1", "9000061.0", "\x00"])
@pytest.mark.parametrize("system", [RX, NDC_SYSTEM, "urn:x", None])
def test_what_the_release_does_not_know(site: SiteCodes, code: str, system: str | None) -> None:
    assert recognise(Concept((Coding(system, code),)), site=site) is None


def test_without_a_release_nothing_is_known() -> None:
    assert recognise(coded("9000061")) is None
    assert recognise(coded("9000061"), site=SiteCodes({})) is None


def test_the_tables_come_before_the_release(site: SiteCodes) -> None:
    assert recognise(coded("1049621"), site=site) == recognise(coded("1049621"))


def test_a_code_of_the_release_and_a_name_that_disagree(site: SiteCodes) -> None:
    drug = recognise(coded("9000065", text="morphine 15 MG Oral Tablet"), site=site)
    assert drug is not None
    assert drug.has("morphine")
    assert drug.how == "disagreement"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("99999055201", "acetaminophen / oxycodone"),
        ("99999-0552-01", "acetaminophen / oxycodone"),
        ("99999-552-62", "acetaminophen / oxycodone"),
        ("99999-0552-1", "acetaminophen / oxycodone"),
        ("99999-0552", "acetaminophen / oxycodone"),
        ("9999905521", "acetaminophen / oxycodone"),
        ("099999055201", "acetaminophen / oxycodone"),
        ("99997-0200-01", "fentanyl"),
        ("99996030002", "morphine"),
        ("9999-0400-01", "inventamol"),
        ("09999-0400-01", "inventamol"),
        ("9999040001", "inventamol"),
        ("99994-0600-02", "oxycodone"),
        ("99994-0600", None),
        ("99999-0552-99", None),
        ("199999055201", None),
        ("99999-0552-0x", None),
        ("99999055", None),
    ],
)
def test_ndc(site: SiteCodes, code: str, name: str | None) -> None:
    drug = recognise(coded(code, NDC_SYSTEM), site=site)
    assert (drug.name if drug else None) == name


@given(st.text(alphabet="0123456789-*a", max_size=16))
def test_packages_have_eleven_digits(code: str) -> None:
    for found in packages(code):
        assert 0 <= found[0] <= found[-1] < 10**11


def test_an_ndc_of_the_release_itself_outweighs_that_of_a_source(tmp_path: Path) -> None:
    folder = a_release(tmp_path)
    with (folder / SAT).open("a", encoding="utf-8") as file:
        file.write("9000064|||1|AUI|1|1||NDC|MTHSPL|99999-0552-01|N|4096|\n")
        file.write("9000064|||1|AUI|1|1||NDC|MTHSPL|no NDC|N|4096|\n")
    load(folder, tmp_path / "s.db")
    store = Store(tmp_path / "s.db")
    found = store(NDC, "99999055201")
    store.close()
    assert found is not None
    assert [part.name for part in found.parts] == ["acetaminophen", "oxycodone"]


# Loading


def contents(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    found = [row for table in ("drug", "ndc") for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1")]
    connection.close()
    return found


def test_the_folder_of_a_release_holds_rrf(tmp_path: Path) -> None:
    write_release(tmp_path / "RxNorm_full_01012026" / "rrf")
    load(tmp_path / "RxNorm_full_01012026", tmp_path / "new" / "s.db")
    store = Store(tmp_path / "new" / "s.db")
    store.close()
    assert store.about["release"] == "RxNorm_full_01012026"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["s.db"]


def test_broken_off_it_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"
    whole = tmp_path / "whole.db"
    load(folder, whole)

    def break_off(file: str, offset: int, size: int) -> None:
        if file == REL and offset < size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(folder, path, break_off, batch=20)
    assert not path.exists()
    heard: list[tuple[str, int, int]] = []
    load(folder, path, lambda *told: heard.append(told), batch=20)
    # RXNCONSO.RRF is not read again, and of RXNREL.RRF only what lies after the first batch.
    assert heard[0][0] == CONSO
    assert heard[0][1] == heard[0][2]
    assert heard[1][0] == REL
    assert heard[1][1] == sum(map(len, (folder / REL).read_bytes().splitlines(keepends=True)[:40]))
    assert contents(path) == contents(whole)


KILLED = """
import os, signal, sys
from pathlib import Path
from hooks.terminology.load import load

def told(file, offset, size):
    if file == "RXNREL.RRF":
        os.kill(os.getpid(), signal.SIGKILL)

load(Path(sys.argv[1]), Path(sys.argv[2]), told, batch=20)
"""


def test_killed_it_leaves_the_old_store_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    load(write_release(tmp_path / "old", SMALL[:-3]), path)
    before = path.read_bytes()
    folder = a_release(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, folder, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    load(folder, path)
    whole = tmp_path / "whole.db"
    load(folder, whole)
    assert contents(path) == contents(whole)
    assert not [each for each in tmp_path.iterdir() if "loading" in each.name or each.name.endswith(".new")]


def test_another_release_is_begun_anew(tmp_path: Path) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"

    def break_off(file: str, offset: int, size: int) -> None:
        if file == SAT:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(folder, path, break_off)
    other = write_release(tmp_path / "other", many(20))
    load(other, path)
    assert {row[0] for row in contents(path)}.isdisjoint({9000061})


def test_a_damaged_half_of_a_load_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "s.db.loading").write_bytes(b"no database " * 1000)
    assert load(FOLDER, tmp_path / "s.db").drugs == 41


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def keep(path: Path, count: int) -> None:
    path.write_bytes(b"".join(lines(path)[:count]))


def cut(name: str, at: int) -> str:
    return f"{name}: line {at}: the file is cut here: get the release again"


@pytest.mark.parametrize("name", FIELDS)
def test_a_file_that_is_cut_within_a_line(tmp_path: Path, name: str) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"
    load(folder, path)
    before = path.read_bytes()
    count = len(lines(folder / name))
    (folder / name).write_bytes((folder / name).read_bytes()[:-20])
    with pytest.raises(TerminologyError) as refused:
        load(folder, path)
    assert str(refused.value) == cut(name, count)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["release", "s.db"]


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [
        (CONSO, 70, "lacks what"),
        (CONSO, 2, "holds no drugs of RxNorm"),
        (REL, 10, "tells no ingredient of"),
        (SAT, 3, "holds no NDC"),
    ],
)
def test_a_file_that_is_cut_between_lines(tmp_path: Path, name: str, kept: int, said: str) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"
    load(folder, path)
    before = path.read_bytes()
    keep(folder / name, kept)
    with pytest.raises(TerminologyError, match=rf"^{name}: {said}.*get the release again"):
        load(folder, path)
    assert path.read_bytes() == before


def test_far_less_than_the_store_holds_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"
    load(write_release(tmp_path / "large", many(100)), path)
    with pytest.raises(TerminologyError, match=r"RXNCONSO.RRF: holds 41 drugs, the store in place 500: .* --smaller"):
        load(folder, path)
    load(folder, path, smaller=True)
    keep(folder / SAT, 33)
    with pytest.raises(TerminologyError, match=r"RXNSAT.RRF: holds \d NDC, the store in place 9"):
        load(folder, path)


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        (CONSO, b"1|ENG|P|\n", "has not 18 fields, each followed by |"),
        (REL, b"1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|\n", "has not 16 fields, each followed by |"),
        (SAT, b"1|2|3|4|5|6|7|8|9|10|11|12|13|14\n", "has not 13 fields, each followed by |"),
        (SAT, b"\n", "has not 13 fields, each followed by |"),
        (CONSO, b"1|ENG|P||||||||\xff|RXNORM|IN|1|x||N||\n", "is not UTF-8"),
        (CONSO, b"one|ENG|||||||||||||||||\n".replace(b"|||||||||||||||||", b"|||||||||RXNORM|IN|1|x||N||"), "has not"),
        (CONSO, b"one|ENG||||||1|1|1||RXNORM|IN|1|x||N||\n", "an RxCUI is no number"),
        (REL, b"one||CUI|RO|2||CUI|has_ingredient|1||RXNORM|RXNORM|||||\n", "an RxCUI is no number"),
        (SAT, b"one|||1|AUI|1|1||NDC|RXNORM|99999055277|N||\n", "an RxCUI is no number"),
    ],
)
def test_a_row_that_is_wrong(tmp_path: Path, name: str, row: bytes, said: str) -> None:
    folder = a_release(tmp_path)
    held = lines(folder / name)
    (folder / name).write_bytes(b"".join([*held[:4], row, *held[4:]]))
    with pytest.raises(TerminologyError) as refused:
        load(folder, tmp_path / "s.db", batch=2)
    assert str(refused.value).startswith(f"{name}: line 5: {said}")
    assert not (tmp_path / "s.db").exists()


def test_lines_that_end_as_on_windows(tmp_path: Path) -> None:
    folder = a_release(tmp_path)
    for name in FIELDS:
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"\n", b"\r\n"))
    assert load(folder, tmp_path / "s.db").ndc == 9


@given(st.binary(max_size=300))
def test_odd_lines_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, odd: bytes) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for name in FIELDS:
        (folder / name).write_bytes(odd or b"\n")
    for source in release_files(folder):
        try:
            for offset, line, fields in rows(source):
                assert 0 < offset <= source.size
                assert line > 0
                assert fields is not None
                assert len(fields) == source.fields + 1
        except TerminologyError as error:
            assert str(error).startswith(source.name)


@pytest.mark.parametrize("missing", FIELDS)
def test_a_release_without_one_of_its_files(tmp_path: Path, missing: str) -> None:
    folder = a_release(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(TerminologyError, match=f"^{missing}: not in this folder"):
        load(folder, tmp_path / "s.db")
    (folder / missing).write_bytes(b"")
    with pytest.raises(TerminologyError, match=f"^{missing}: is empty"):
        load(folder, tmp_path / "s.db")


def test_a_second_load_at_the_same_time_is_refused(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "s.db.loading", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TerminologyError, match="another load is under way"):
        load(FOLDER, tmp_path / "s.db")
    other.close()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TerminologyError, match="cannot be written"):
        load(FOLDER, tmp_path / "file" / "s.db")


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    folder = a_release(tmp_path)
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(TerminologyError, match=r"^RXNCONSO.RRF: cannot be read"):
        release_files(folder)


# The store


def test_no_store_and_a_wrong_one_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with pytest.raises(TerminologyError, match=r"^s.db: is not there: load a release into it"):
        Store(path)
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(TerminologyError, match=r"^s.db: is no store of this version"):
        Store(path)
    load(FOLDER, path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE about SET value = '0' WHERE name = 'format'")
    connection.close()
    with pytest.raises(TerminologyError, match=r"^s.db: is no store of this version"):
        Store(path)


def test_a_store_that_breaks_is_said_once_and_knows_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.db"
    load(FOLDER, path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE drug SET said = X'FF'")
    connection.close()
    store = Store(path)
    assert store(RXNORM, "9000061") is None
    assert store(NDC, "99999055201") is None
    assert store("ATC", "N02AA05") is None
    store.close()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "9000061" not in caplog.text


def test_a_look_up_is_remembered(tmp_path: Path) -> None:
    load(FOLDER, tmp_path / "s.db")
    store = Store(tmp_path / "s.db")
    first = store(RXNORM, "9000061")
    store.close()
    assert store(RXNORM, "9000061") is first


def test_a_running_store_outlives_a_new_load(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    load(FOLDER, path)
    store = Store(path)
    load(write_release(tmp_path / "large", many(50)), path)
    assert store(RXNORM, "9000061") is not None
    store.close()


def test_what_is_said_of_a_drug_is_compact(store: Store) -> None:
    assert msgspec.json.encode(store(RXNORM, "9000062")) == (
        b'["SCD",[[9000001,"oxycodone","10","MG",true]],"Extended Release Oral Tablet",""]'
    )


# The command line


def test_load_and_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hooks.terminology.commands.load_release", partial(load, batch=10))
    assert main(["terminology", "status"]) == 0
    assert "No RxNorm release is loaded." in capsys.readouterr().out
    assert main(["terminology", "load", str(FOLDER)]) == 0
    assert "41 codes of RxNorm and 9 NDC" in capsys.readouterr().out
    monkeypatch.setenv("FIRSTLINE_TERMINOLOGY", "terminology.db")
    assert main(["terminology", "status", "--time"]) == 0
    told = capsys.readouterr().out
    assert "41 codes of RxNorm, 9 NDC." in told
    assert "tell differently: none" in told
    assert "From the store" in told
    assert "Client open: 0 local codes." in told
    assert main(["terminology", "load", str(FOLDER)]) == 0
    assert "write terminology" not in capsys.readouterr().out


def test_products_that_the_release_tells_differently(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, path = a_release(tmp_path), tmp_path / "s.db"
    for name in (CONSO, REL):
        (folder / name).write_bytes((folder / name).read_bytes().replace(b"9000062", b"1049621"))
    assert main(["terminology", "load", str(folder), "--store", str(path)]) == 0
    capsys.readouterr()
    assert main(["terminology", "status", "--store", str(path)]) == 0
    assert "tell differently: 1049621" in capsys.readouterr().out


def test_wrong_releases_end_with_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["terminology", "load", str(tmp_path), "--store", str(tmp_path / "s.db")]) == 2
    assert capsys.readouterr().err.startswith("firstline: RXNCONSO.RRF, RXNREL.RRF, RXNSAT.RRF: not in this folder")
    assert main(["terminology", "status", "--store", str(tmp_path / "s.db")]) == 2
    assert "is not there" in capsys.readouterr().err


def test_progress_is_told_between_batches(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    load(FOLDER, tmp_path / "s.db", lambda *told: heard.append(told), batch=10)
    assert len(heard) > len(FIELDS)
    assert {name: offset for name, offset, _ in heard} == {name: size for name, _, size in heard}


def test_ends_of_relations_that_do_not_count() -> None:
    assert "isa" not in loading.RELATIONS
