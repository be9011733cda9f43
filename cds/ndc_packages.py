"""The packages that a National Drug Code may mean, however it is written (4-4-2, 5-3-2, 5-4-1, 5-4-2, plain digits)."""

import re

PRODUCT, PACKAGE = 4, 2
DIGITS = 11
_SHAPE = re.compile(r"[0-9]{4,5}-[0-9]{3,4}(?:-[0-9]{1,2})?|[0-9]{10,12}", re.ASCII)


def packages(code: str) -> tuple[range, ...]:
    """Eleven-digit numbers (5-4-2) of the packages; none where the code is no NDC.

    Ten digits without hyphens do not tell which part is short: they may be any of three. A code of labeller and product
    alone means all packages of the product.
    """
    code = code.strip()
    if not _SHAPE.fullmatch(code):
        return ()
    if "-" in code:
        labeller, product, *package = code.split("-")
        first = (int(labeller) * 10**PRODUCT + int(product)) * 10**PACKAGE
        return (_one(first + int(package[0])) if package else range(first, first + 10**PACKAGE),)
    if len(code) == DIGITS:
        return (_one(int(code)),)
    if len(code) > DIGITS:  # twelve digits begin with a zero, as the Department of Veterans Affairs writes them
        return (_one(int(code)),) if code[0] == "0" else ()
    padded = (f"0{code}", f"{code[:5]}0{code[5:]}", f"{code[:9]}0{code[9:]}")
    return tuple(_one(number) for number in dict.fromkeys(map(int, padded)))


def eleven_digits(code: str) -> tuple[str, ...]:
    """The same as texts, of those that are one package."""
    return tuple(f"{found[0]:0{DIGITS}}" for found in packages(code) if len(found) == 1)


def _one(number: int) -> range:
    return range(number, number + 1)
