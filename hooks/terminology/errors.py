"""What is wrong with a file or a store that the site handed over."""


class TerminologyError(Exception):
    """A release or a store cannot be used. The message names the file (and line), and says what to do."""

    def __init__(self, file: str, place: str, remedy: str) -> None:
        super().__init__(f"{file}: {place}: {remedy}" if place else f"{file}: {remedy}")
