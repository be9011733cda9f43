"""The refusal of a request that cannot be answered."""


class BadRequest(Exception):  # noqa: N818 - the name of the status
    """A request that cannot be answered. The message names the field and what is wrong with it, never its value."""

    def __init__(self, status: int, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.status = status
        self.field = field
        self.reason = reason
        self.message = str(self)
