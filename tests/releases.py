"""Writes releases in the layout of RxNorm's RRF files. Every code is invented; so are the names that no drug has."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "rrf"
INVERSE = {
    "consists_of": "constitutes",
    "has_ingredient": "ingredient_of",
    "has_ingredients": "ingredients_of",
    "has_precise_ingredient": "precise_ingredient_of",
    "form_of": "has_form",
    "tradename_of": "has_tradename",
    "has_part": "part_of",
    "contains": "contained_in",
    "has_dose_form": "dose_form_of",
    "isa": "inverse_isa",
}
CLINICAL, BROADER = "RO", "RB"


class Entry(NamedTuple):
    """A concept, and what it is linked to. ``atc``: the class that the ATC gives an ingredient."""

    rxcui: int
    kind: str
    name: str
    links: tuple[tuple[str, int], ...] = ()
    ndc: tuple[str, ...] = ()
    atc: str = ""
    suppress: str = "N"


SMALL = (
    Entry(9000001, "IN", "oxycodone", atc="N02AA05"),
    Entry(9000002, "IN", "acetaminophen", atc="N02BE01"),
    Entry(9000003, "IN", "fentanyl", atc="N02AB03"),
    Entry(9000004, "IN", "morphine", atc="N02AA01"),
    Entry(9000005, "IN", "inventamol"),
    Entry(9000006, "IN", "inventafentanil"),
    Entry(9000007, "IN", "inventoxyl", atc="N02AX99"),
    Entry(9000008, "IN", "amitriptyline", atc="N06AA09"),
    Entry(9000011, "PIN", "oxycodone hydrochloride", (("form_of", 9000001),)),
    Entry(9000012, "PIN", "morphine sulfate", (("form_of", 9000004),)),
    Entry(9000013, "MIN", "acetaminophen / oxycodone", (("has_part", 9000001), ("has_part", 9000002))),
    Entry(9000021, "BN", "Inventacet", (("tradename_of", 9000001), ("tradename_of", 9000002))),
    Entry(9000031, "DF", "Oral Tablet"),
    Entry(9000032, "DF", "Extended Release Oral Tablet"),
    Entry(9000033, "DF", "Transdermal System"),
    Entry(9000034, "DF", "Injection"),
    Entry(9000035, "DF", "Pack"),
    Entry(9000041, "SCDC", "oxycodone hydrochloride 5 MG", (
          ("has_ingredient", 9000001), ("has_precise_ingredient", 9000011))),
    Entry(9000042, "SCDC", "oxycodone hydrochloride 10 MG", (("has_ingredient", 9000001),)),
    Entry(9000043, "SCDC", "acetaminophen 325 MG", (("has_ingredient", 9000002),)),
    Entry(9000044, "SCDC", "fentanyl 0.025 MG/HR", (("has_ingredient", 9000003),)),
    Entry(9000045, "SCDC", "morphine sulfate 2 MG/ML", (("has_ingredient", 9000004),)),
    Entry(9000046, "SCDC", "inventamol 200 MG", (("has_ingredient", 9000005),)),
    Entry(9000047, "SCDC", "inventamol 300 UNT", (("has_ingredient", 9000005),)),
    Entry(9000048, "SCDC", "inventafentanil 100 MCG", (("has_ingredient", 9000006),)),
    Entry(9000049, "SCDC", "inventoxyl 5 MG", (("has_ingredient", 9000007),)),
    Entry(9000050, "SCDC", "morphine 3 MG/ML", (("has_ingredient", 9000004),)),
    Entry(9000061, "SCD", "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet",
          (("consists_of", 9000041), ("consists_of", 9000043), ("has_dose_form", 9000031), ("isa", 9000081)),
          ("99999055201", "99999055262")),
    Entry(9000062, "SCD", "12 HR oxycodone hydrochloride 10 MG Extended Release Oral Tablet",
          (("consists_of", 9000042), ("has_dose_form", 9000032)), ("99998010001",)),
    Entry(9000063, "SCD", "72 HR fentanyl 0.025 MG/HR Transdermal System",
          (("consists_of", 9000044), ("has_dose_form", 9000033)), ("99997-200-01",)),
    Entry(9000064, "SCD", "morphine sulfate 2 MG/ML Injection",
          (("consists_of", 9000045), ("has_dose_form", 9000034)), ("099996030002",)),
    Entry(9000065, "SCD", "inventamol 200 MG Oral Tablet",
          (("consists_of", 9000046), ("has_dose_form", 9000031)), ("9999-0400-01",)),
    Entry(9000066, "SCD", "inventafentanil 100 MCG Oral Tablet",
          (("consists_of", 9000048), ("has_dose_form", 9000031))),
    Entry(9000067, "SCD", "inventoxyl 5 MG Oral Tablet", (("consists_of", 9000049), ("has_dose_form", 9000031))),
    Entry(9000068, "SCD", "oxycodone hydrochloride 5 MG Oral Tablet",
          (("consists_of", 9000041), ("has_dose_form", 9000031))),
    Entry(9000069, "SCD", "morphine sulfate 2 MG/ML / morphine 3 MG/ML Injection",
          (("consists_of", 9000045), ("consists_of", 9000050), ("has_dose_form", 9000034))),
    Entry(9000070, "SCD", "inventamol 200 MG / inventamol 300 UNT Oral Tablet",
          (("consists_of", 9000046), ("consists_of", 9000047), ("has_dose_form", 9000031)), suppress="O"),
    Entry(9000071, "SCD", "inventamol Oral Tablet, of which no component is told", suppress="O"),
    Entry(9000081, "SCDF", "acetaminophen / oxycodone Oral Tablet",
          (("has_ingredient", 9000001), ("has_ingredient", 9000002), ("has_dose_form", 9000031))),
    Entry(9000082, "SCDG", "oxycodone Pill", (("has_ingredient", 9000001),)),
    Entry(9000083, "SCDFP", "oxycodone hydrochloride Oral Tablet",
          (("has_precise_ingredient", 9000011), ("has_dose_form", 9000031))),
    Entry(9000091, "SBDC", "acetaminophen 325 MG / oxycodone hydrochloride 5 MG [Inventacet]",
          (("tradename_of", 9000041), ("tradename_of", 9000043), ("has_ingredient", 9000021))),
    Entry(9000092, "SBD", "acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet [Inventacet]",
          (("tradename_of", 9000061), ("consists_of", 9000091), ("has_ingredient", 9000021),
           ("has_dose_form", 9000031)), ("99995050001",)),
    Entry(9000093, "SBDF", "acetaminophen / oxycodone Oral Tablet [Inventacet]",
          (("tradename_of", 9000081), ("has_ingredient", 9000021), ("has_dose_form", 9000031))),
    Entry(9000094, "GPCK", "{10 (oxycodone hydrochloride 5 MG Oral Tablet) / 10 (acetaminophen 325 MG / oxycodone"
          " hydrochloride 5 MG Oral Tablet)} Pack", (("contains", 9000068), ("contains", 9000061)), ("99994060001",)),
    Entry(9000095, "BPCK", "{10 (oxycodone) / 10 (12 HR oxycodone)} Pack [Inventapack]",
          (("contains", 9000068), ("contains", 9000062), ("has_ingredient", 9000022)), ("99994060002",)),
    Entry(9000022, "BN", "Inventapack", (("tradename_of", 9000001),)),
)  # fmt: skip


def many(count: int) -> Iterator[Entry]:
    """A release of about this many products, with their ingredients, components and brands, and ten NDC each."""
    yield Entry(1, "DF", "Oral Tablet")
    for number in range(count):
        first = 10 * number + 10
        name = f"inventamol {number}"
        yield Entry(first, "IN", name)
        yield Entry(first + 1, "SCDC", f"{name} {number % 500 + 1} MG", (("has_ingredient", first),))
        package = f"{first:09d}"
        ndc = tuple(f"{package}{last:02d}" for last in range(10))
        links = (("consists_of", first + 1), ("has_dose_form", 1))
        yield Entry(first + 2, "SCD", f"{name} {number % 500 + 1} MG Oral Tablet", links, ndc)
        yield Entry(first + 3, "BN", f"Inventa {number}", (("tradename_of", first),))
        named = (("tradename_of", first + 2), ("has_ingredient", first + 3), ("has_dose_form", 1))
        yield Entry(first + 4, "SBD", f"{name} {number % 500 + 1} MG Oral Tablet [Inventa {number}]", named)


def write_release(folder: Path, entries: "tuple[Entry, ...] | Iterator[Entry]" = SMALL) -> Path:
    """The three files in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "RXNCONSO.RRF").open("w", encoding="utf-8", newline="") as conso,
        (folder / "RXNREL.RRF").open("w", encoding="utf-8", newline="") as rel,
        (folder / "RXNSAT.RRF").open("w", encoding="utf-8", newline="") as sat,
    ):
        for entry in entries:
            conso.writelines(_atoms(entry))
            rel.writelines(_relations(entry))
            sat.writelines(_attributes(entry))
    return folder


def _row(*fields: object) -> str:
    return "".join(f"{field}|" for field in fields) + "\n"


def _atoms(entry: Entry) -> Iterator[str]:
    code, atom = entry.rxcui, 2 * entry.rxcui
    yield _row(
        code,
        "ENG",
        "",
        "",
        "",
        "",
        "",
        atom,
        code,
        code,
        "",
        "RXNORM",
        entry.kind,
        code,
        entry.name,
        "",
        entry.suppress,
        "4096",
    )
    yield _row(
        code, "ENG", "", "", "", "", "", atom + 1, code, code, "", "RXNORM", "SY", code, entry.name.upper(), "", "Y", ""
    )
    if entry.atc:
        yield _row(
            code,
            "ENG",
            "",
            "",
            "",
            "",
            "",
            f"{atom}9",
            "",
            entry.atc,
            "",
            "ATC",
            "IN",
            entry.atc,
            entry.name,
            "0",
            "N",
            "",
        )


def _relations(entry: Entry) -> Iterator[str]:
    """Both directions: the second concept has the relation to the first."""
    for number, (relation, other) in enumerate(entry.links):
        ends = ((other, entry.rxcui, relation), (entry.rxcui, other, INVERSE[relation]))
        for way, (one, two, name) in enumerate(ends):
            number_of = f"{entry.rxcui}{number}{way}"
            kind = (BROADER, "RN")[way] if relation == "tradename_of" else CLINICAL
            yield _row(
                one, "", "CUI", kind, two, "", "CUI", name, number_of, "", "RXNORM", "RXNORM", "", "", "", "4096"
            )


def _attributes(entry: Entry) -> Iterator[str]:
    code, atom = entry.rxcui, 2 * entry.rxcui
    for number, ndc in enumerate(entry.ndc):
        source = "RXNORM" if ndc.isdecimal() and len(ndc) == 11 else "VANDF" if ndc.isdecimal() else "MTHSPL"
        yield _row(code, "", "", atom, "AUI", code, f"{code}{number}", "", "NDC", source, ndc, "N", "4096")
    yield _row(code, "", "", atom, "AUI", code, f"{code}9", "", "RXN_ACTIVATED", "RXNORM", "01/01/2026", "N", "4096")


if __name__ == "__main__":
    write_release(FOLDER)
