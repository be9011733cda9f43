"""Shows that recognition takes time linear in the length of a text (`python -m tests.recognition.timing`)."""

import sys
import time
from collections.abc import Callable

from cds.drugs import recognise
from cds.sig import read_sig
from cds.terminology import Concept, condition_meaning, observation_meaning

TEXTS = {
    "a name again and again": "oxycodone 5 mg / ",
    "names without end": "morphine oxycodone-acetaminophen/gabapentin ",
    "numbers without end": "1-2/3 ",
    "digits without end": "9",
    "letters without end": "x",
    "signs without end": "-/(#%",
    "cut names": "acetaminop-cod hydrocodo ",
    "denials": "no hx of neuropathic pain, denies ",
    "spaces": " ",
    "other writing": "痛み½",
}
LENGTHS = (1_250, 2_500, 5_000, 10_000)
RUNS = 5

READERS: dict[str, Callable[[str], object]] = {
    "drug": lambda text: recognise(Concept(text=text)),
    "condition": lambda text: condition_meaning(Concept(text=text)),
    "observation": lambda text: observation_meaning(Concept(text=text)),
    "dosage": read_sig,
}


def milliseconds(read: Callable[[str], object], text: str) -> float:
    """The fastest of some runs; each text differs at its end, so that none is remembered."""
    runs = []
    for run in range(RUNS):
        written = f"{text} {run}{time.perf_counter_ns()}"
        start = time.perf_counter()
        read(written)
        runs.append(time.perf_counter() - start)
    return min(runs) * 1000


def main() -> None:
    """Prints milliseconds by length (a twelfth of it for a dosage, which ends at 1,000 characters).

    The last column is time per character at the longest, relative to the shortest.
    """
    out = sys.stdout.write
    out(f"{'':12}{'text':26}" + "".join(f"{length:>10,}" for length in LENGTHS) + f"{'growth':>10}\n")
    for kind, read in READERS.items():
        for name, part in TEXTS.items():
            lengths = [length // 12 for length in LENGTHS] if read is read_sig else LENGTHS
            took = [milliseconds(read, (part * length)[:length]) for length in lengths]
            growth = took[-1] / took[0] / (LENGTHS[-1] / LENGTHS[0])
            out(f"{kind:12}{name:26}" + "".join(f"{each:>10.2f}" for each in took) + f"{growth:>10.2f}\n")


if __name__ == "__main__":
    main()
