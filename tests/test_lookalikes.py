"""Names that look or sound alike stay apart, also where they are cut or misspelt; names that are no opioid's at all."""

from itertools import chain

import pytest

from cds.drug_tables import load_drugs
from cds.drugs import recognise
from cds.terminology import Concept
from cds.units import word_set

PAIRS = [
    ("naloxone", "naltrexone"), ("naloxone", "methylnaltrexone"), ("naltrexone", "methylnaltrexone"),
    ("naloxone", "nalmefene"), ("naloxone", "naloxegol"), ("naldemedine", "naloxone"), ("nalbuphine", "naloxone"),
    ("oxycodone", "oxymorphone"), ("oxycodone", "oxybutynin"), ("oxycodone", "oxcarbazepine"),
    ("oxycodone", "hydrocodone"), ("OxyContin", "MS Contin"), ("OxyContin", "oxybutynin"), ("Roxicodone", "Roxanol"),
    ("oxymorphone", "oxymetazoline"), ("oxymorphone", "hydromorphone"), ("oxycodone", "oxytocin"),
    ("hydrocodone", "hydrocortisone"), ("hydrocodone", "hydromorphone"), ("hydrocodone", "hydrochlorothiazide"),
    ("hydrocodone", "dihydrocodeine"), ("hydromorphone", "hydroxyzine"), ("hydromorphone", "morphine"),
    ("hydrocodone", "hydralazine"), ("hydrocodone", "hydroxychloroquine"), ("Norco", "Narcan"),
    ("tramadol", "trazodone"), ("tramadol", "Toradol"), ("tramadol", "tapentadol"), ("tramadol", "Trandate"),
    ("Ultram", "Ultracet"), ("Ultram", "Ultracal"), ("tramadol", "trandolapril"), ("tramadol", "toremifene"),
    ("codeine", "Codiclear"), ("codeine", "Lodine"), ("codeine", "Cardene"), ("codeine", "iodine"),
    ("codeine", "dihydrocodeine"), ("codeine", "caffeine"), ("codeine", "colchicine"), ("codeine", "Cordarone"),
    ("morphine", "apomorphine"), ("morphine", "hydromorphone"), ("morphine", "oxymorphone"), ("morphine", "Mobic"),
    ("morphine", "meperidine"), ("MS Contin", "Menest"), ("Avinza", "Invanz"), ("Kadian", "Cardene"),
    ("fentanyl", "fenofibrate"), ("fentanyl", "sufentanil"), ("fentanyl", "alfentanil"), ("fentanyl", "remifentanil"),
    ("sufentanil", "alfentanil"), ("fentanyl", "Ventolin"), ("fentanyl", "phenytoin"), ("fentanyl", "finasteride"),
    ("methadone", "methylphenidate"), ("methadone", "metolazone"), ("methadone", "Mephyton"),
    ("methadone", "methotrexate"), ("methadone", "metformin"), ("methadone", "dexamethasone"),
    ("buprenorphine", "bupropion"), ("buprenorphine", "bupivacaine"), ("buprenorphine", "buspirone"),
    ("buprenorphine", "nalbuphine"), ("meperidine", "meprobamate"), ("Demerol", "Demadex"), ("Dilaudid", "Dilantin"),
    ("levorphanol", "levofloxacin"), ("pentazocine", "pentobarbital"), ("butorphanol", "butalbital"),
    ("opium", "ipratropium"), ("opium", "tiotropium"), ("gabapentin", "gemfibrozil"), ("Neurontin", "Noroxin"),
    ("pregabalin", "gabapentin"), ("Lyrica", "Lopressor"), ("duloxetine", "fluoxetine"), ("Cymbalta", "Symbyax"),
    ("duloxetine", "dapoxetine"), ("nortriptyline", "amitriptyline"), ("desipramine", "imipramine"),
    ("venlafaxine", "desvenlafaxine"), ("Effexor", "Effient"), ("clonazepam", "lorazepam"),
    ("clonazepam", "clonidine"), ("clonazepam", "clozapine"), ("alprazolam", "lorazepam"), ("Xanax", "Zantac"),
    ("Klonopin", "clonidine"), ("dextromethorphan", "levorphanol"), ("diphenoxylate", "diphenhydramine"),
    ("lidocaine", "Lidex"), ("capsaicin", "capecitabine"),
]  # fmt: skip
"""Pairs of names; one of each pair at least is in the tables."""

# Generic names that are in no table of ours: none may be read as anything.
UNKNOWN = sorted(
    word_set(
        "abacavir acarbose acebutolol acetazolamide adalimumab adenosine amantadine amikacin aminocaproic ampicillin "
        "anastrozole azathioprine aztreonam benzocaine betamethasone bicalutamide bleomycin bromocriptine calcitriol "
        "candesartan capecitabine captopril carboplatin cefepime cefuroxime cisplatin clindamycin clomiphene codiclear "
        "cromolyn cyclophosphamide cytarabine danazol dapsone daptomycin deferasirox denosumab desloratadine "
        "desmopressin didanosine dobutamine docetaxel dopamine dorzolamide doxazosin doxorubicin dutasteride edoxaban "
        "entacapone entecavir epinephrine eplerenone epoetin ertapenem esmolol etanercept ethambutol ethosuximide "
        "etoposide exenatide felodipine filgrastim fludrocortisone fluorouracil flutamide fosinopril galantamine "
        "ganciclovir gefitinib gentamicin glyburide glycopyrrolate goserelin hydroxyurea ibandronate indapamide "
        "infliximab iodine isotretinoin ketorolax lamivudine leflunomide letrozole leucovorin leuprolide levocarnitine "
        "levodopa mannitol mebendazole melphalan memantine mercaptopurine meropenem mesalamine metaproterenol "
        "methimazole methyldopa metolazone metronidazole micafungin milrinone minocycline mycophenolate nadolol "
        "natalizumab neomycin niacin nicardipine nicotine nimodipine nitroprusside norepinephrine octreotide "
        "oseltamivir oxytocin oxymetazoline paclitaxel pancrelipase penicillin pentoxifylline permethrin phytonadione "
        "pilocarpine pindolol piperacillin pramipexole prasugrel prazosin primaquine probenecid progesterone "
        "propylthiouracil pyridostigmine quinapril raloxifene ribavirin riluzole risedronate rituximab ropinirole "
        "sirolimus sorafenib stavudine streptomycin sulfasalazine sulindac tacrolimus tamoxifen telmisartan terazosin "
        "terbutaline teriparatide tetracycline ticagrelor ticlopidine tobramycin toremifene trastuzumab tretinoin "
        "triamterene trospium valganciclovir vardenafil varenicline vasopressin vinblastine vincristine zafirlukast "
        "zidovudine zoledronic opiumate remorphine oxycodonex hydrocodonium morphinan fentanylum "
    )
)


def name_of(text: str) -> str | None:
    drug = recognise(Concept(text=text))
    return None if drug is None else drug.name


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_pair_stays_apart(one: str, other: str) -> None:
    names = {name_of(one), name_of(other)}
    assert len(names) == 2, names
    for written in (str.upper, str.title, lambda name: f"{name} 10 mg tab", lambda name: f"({name})"):
        assert {name_of(written(one)), name_of(written(other))} == names


def test_there_are_enough_pairs() -> None:
    assert len({frozenset(pair) for pair in PAIRS}) >= 60


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_name_is_nothing_else(name: str) -> None:
    assert name_of(name) is None
    assert name_of(f"{name.upper()} 10 MG PO TABS") is None


def test_no_name_of_the_tables_is_a_misspelling_of_another() -> None:
    tables = load_drugs()
    for written, ingredient in tables.spellings.items():
        assert written not in tables.names
        assert written[0] == ingredient[0]
        assert len(written) >= 6
    assert not tables.spellings.keys() & set(chain(UNKNOWN, *PAIRS))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("OXYCODNE 5 MG TAB", "oxycodone"), ("oxycodoen 5 mg", "oxycodone"), ("hydrocodo 5 mg", "hydrocodone"),
        ("HYDROMORPHN 2 MG", "hydromorphone"), ("hydormorphone 2 mg", "hydromorphone"), ("morphne 15 mg", "morphine"),
        ("tramadoll 50 mg", "tramadol"), ("fentenyl patch", "fentanyl"), ("methadon 10 mg", "methadone"),
        ("BUPRENORPHN-NALOXN 8-2 MG SL", "buprenorphine / naloxone"), ("gabapentine 300 mg", "gabapentin"),
        ("gabapentn 300", "gabapentin"), ("pregablin 75 mg", "pregabalin"), ("duloxatine 30 mg", "duloxetine"),
        ("nortriptylin 25", "nortriptyline"), ("lorazapam 1 mg", "lorazepam"),
        ("ACETAMIN-COD #3", "acetaminophen / codeine"),
        ("BUTALB-ACETAM-CAFF-COD", "butalbital / acetaminophen / caffeine / codeine"),
        ("HYDROCO-APAP 5-325", "hydrocodone / acetaminophen"), ("OXYCD/APAP 5/325", "oxycodone / acetaminophen"),
        ("fentanyl-bupiv 2 mcg/ml-0.125%", "fentanyl / bupivacaine"),
    ],
)  # fmt: skip
def test_cut_and_misspelt_names(written: str, name: str) -> None:
    assert name_of(written) == name


@pytest.mark.parametrize("text", ["cod 10 mg", "COD liver oil", "hydro 5", "oxy", "but", "tram 3", "hyd", "nalox"])
def test_short_words_alone_mean_nothing(text: str) -> None:
    assert name_of(text) is None


@pytest.mark.parametrize(
    "text",
    ["ACETAMINOPHEN-XYZAL 325-5 MG", "aspirin/foobarine", "Promethazine + quuxine syrup", "IBUPROFEN-BLAHCODONE 200-5"],
)
def test_a_companion_joined_to_an_unknown_word_may_hold_an_opioid(text: str) -> None:
    assert name_of(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("acetaminophen - 325 mg tab", "acetaminophen"), ("aspirin-EC 81 mg", "aspirin"),
        ("ibuprofen/acetaminophen 125-250", "ibuprofen / acetaminophen"), ("acetaminophen/Tab 325", "acetaminophen"),
        ("lisinopril-foobarine 10-5", "lisinopril"),
    ],
)  # fmt: skip
def test_a_companion_alone_is_recognised(text: str, name: str) -> None:
    assert name_of(text) == name


@pytest.mark.parametrize("text", ["fentanyl test strips", "Fentanyl Test Strip kit", "oxycodone urine drug screen"])
def test_a_test_for_a_drug_is_no_drug(text: str) -> None:
    assert recognise(Concept(text=text)) is None


@pytest.mark.parametrize(
    ("text", "name", "release"),
    [
        ("BUPREN/NALOX SUB 8-2MG", "buprenorphine / naloxone", "IR"),
        ("BUT/ASA/CAF/COD CAP 30MG", "butalbital / aspirin / caffeine / codeine", "IR"),
        ("oxycodone extended 20 mg tab", "oxycodone", "ER"),
        ("Rextovy 4 mg nasal spray", "naloxone", "IR"),
    ],
)
def test_names_as_claims_and_pharmacies_cut_them(text: str, name: str, release: str | None) -> None:
    drug = recognise(Concept(text=text))
    assert drug is not None
    assert (drug.name, drug.release) == (name, release)
