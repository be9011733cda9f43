"""National Drug Codes: the labeller and product of a code, however it is written."""

import re

_HYPHENS = re.compile(r"([0-9]{4,5})-([0-9]{3,4})(?:-[0-9*]{1,2})?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{9,12}", re.ASCII)


def product_codes(code: str) -> tuple[str, ...]:
    """The nine digits of labeller and product that a code may mean (5-4); none where it is no NDC.

    Ten digits without hyphens do not tell which part is short: they may be any of three.
    """
    code = code.strip()
    parts = _HYPHENS.fullmatch(code)
    if parts is not None:
        return (parts[1].zfill(5) + parts[2].zfill(4),)
    if not _DIGITS.fullmatch(code):
        return ()
    if len(code) == 10:
        return tuple(dict.fromkeys((f"0{code[:8]}", f"{code[:5]}0{code[5:8]}", code[:9])))
    if len(code) == 12:
        return (code[1:10],) if code[0] == "0" else ()
    return (code[:9],)
