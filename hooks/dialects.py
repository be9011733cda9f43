"""The dialects of CDS Hooks that clients speak, each as a handful of settings. Nothing else asks who the client is."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

DIALECT_1, DIALECT_2, EPIC, SANDBOX = "1.0", "2.0", "epic", "sandbox"


class Dialect(Struct, frozen=True):
    """What a client's cards may hold.

    ``since_2``: card uuid, override reasons, topic, ``isRecommended`` and ``resourceId``. ``behaviour`` is the
    ``selectionBehavior``. ``updates``: a change is sent as an update, as the creation of the changed order, or told in
    words. ``one_action``: a suggestion holds one action. ``one_create``: a card offers one new order.
    ``second_orders``: a suggestion may create two. ``coded_only``: a new drug needs a code and a text. ``plain_codes``:
    codes of reasons are letters and digits only.
    """

    name: str
    since_2: bool = True
    behaviour: Literal["at-most-one", "any"] = "at-most-one"
    updates: Literal["update", "create", "words"] = "update"
    one_action: bool = False
    one_create: bool = False
    second_orders: bool = True
    coded_only: bool = False
    plain_codes: bool = False


DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect(DIALECT_1, since_2=False),
        Dialect(DIALECT_2),
        Dialect(
            EPIC,
            behaviour="any",
            updates="create",
            one_action=True,
            one_create=True,
            second_orders=False,
            plain_codes=True,
        ),
        # It applies the first action of a suggestion alone, and of an order only the drug's text and first code.
        Dialect(SANDBOX, updates="words", second_orders=False, coded_only=True),
    )
}
