"""Which terminologies this process may read. One process, one licence: what is left out stays out."""

from cds import drugs, status_reasons, terminology

_left_out = False


def leave_out_snomed() -> None:
    """Takes the rows of SNOMED CT out of all tables. Before the first request: what was recognised is remembered."""
    global _left_out
    if not _left_out:
        terminology.leave_out_snomed()
        drugs.leave_out_snomed()
        status_reasons.leave_out_snomed()
        _left_out = True
