"""What the service counts of itself, for Prometheus: services, statuses, rules, milliseconds; nothing of a patient."""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.registry import REGISTRY

from cds.review import Review
from hooks.circuit import Circuit
from hooks.records.recorder import RecorderState

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The folder in which several worker processes put their figures together (prometheus_client's own name)."""
SEVERAL = SHARED in os.environ
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

ANSWERS = Counter("firstline_answers", "Answers to hook requests", ("tenant", "service", "status"))
LASTED = Histogram("firstline_answer_seconds", "From a whole request to its answer", ("service",), buckets=SECONDS)
FINDINGS = Counter("firstline_findings", "Findings of the rules, shown or not", ("rule", "indicator"))
NOT_ASSESSED = Counter("firstline_not_assessed", "Answers in which something could not be assessed", ("service",))
IN_SCOPE = Counter("firstline_orders_in_scope", "Draft orders that were reviewed", ("service",))
FEEDBACK = Counter("firstline_feedback", "Requests with feedback", ("service", "status"))
REFUSED = Counter("firstline_refused", "Requests that were turned away", ("reason",))
UNDER_WAY = Gauge("firstline_requests_under_way", "Requests that are being answered", multiprocess_mode="livesum")
QUEUED = Gauge("firstline_records_queued", "Records that wait to be written", multiprocess_mode="livesum")
LOST = Gauge("firstline_records_lost", "Records that could not be kept since start", multiprocess_mode="sum")
RECORDED = Gauge("firstline_records_written", "Records written since start", multiprocess_mode="sum")
DATABASE = Gauge(
    "firstline_database_ready", "1: the database answers, or none is asked for", multiprocess_mode="livemin"
)
CIRCUITS = Gauge("firstline_fhir_servers_left_alone", "FHIR servers that are left alone", multiprocess_mode="livesum")


class Tally:
    """Counts of one counter by its labels, which go to it when somebody asks: its own counting costs ten times as
    much."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.counted: dict[tuple[str, ...], int] = {}

    def add(self, *labels: str, more: int = 1) -> None:
        if labels in self.counted:
            self.counted[labels] += more
        else:
            self.counter.labels(*labels)  # it knows since when it counts
            self.counted[labels] = more

    def hand_over(self) -> None:
        for labels, more in self.counted.items():
            if more:
                self.counter.labels(*labels).inc(more)
                self.counted[labels] = 0


_ANSWERS, _IN_SCOPE, _NOT_ASSESSED, _FINDINGS = TALLIES = tuple(map(Tally, (ANSWERS, IN_SCOPE, NOT_ASSESSED, FINDINGS)))


@lru_cache(maxsize=64)
def _lasted(service: str) -> Histogram:
    return LASTED.labels(service)


def count_answer(tenant: str, service: str, status: int, seconds: float, review: Review | None) -> None:
    """One answer; ``review`` is None where there was none."""
    _ANSWERS.add(tenant, service, str(status))
    _lasted(service).observe(seconds)
    if review is not None and review.in_scope:
        _IN_SCOPE.add(service, more=len(review.in_scope))
        if review.not_assessed:
            _NOT_ASSESSED.add(service)
        for finding in review.findings:
            _FINDINGS.add(finding.rule, finding.indicator)
    if SEVERAL:  # whichever process is asked tells the figures of all
        _hand_over()


def _hand_over() -> None:
    for tally in TALLIES:
        tally.hand_over()


def count_refusal(reason: str) -> None:
    """One request that was turned away; ``reason`` is one of a few words of Firstline's own."""
    REFUSED.labels(reason).inc()


def observe(recorder: RecorderState, circuits: Iterable[Circuit]) -> None:
    """How the records and the FHIR servers stand."""
    QUEUED.set(recorder.queued)
    LOST.set(recorder.lost)
    RECORDED.set(recorder.recorded)
    DATABASE.set(int(recorder.ready))
    CIRCUITS.set(sum(circuit.state != "closed" for circuit in circuits))


def _leave_out_the_dead(folder: Path) -> None:
    """A worker that was killed cannot take back how it stood; what it had counted stays."""
    for path in folder.glob("gauge_live*_*.db"):
        number = int(path.stem.rpartition("_")[2])
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(number)  # type: ignore[no-untyped-call]
        except PermissionError:
            continue


def exposition() -> bytes:
    """All figures as Prometheus reads them; those of every worker where several serve."""
    _hand_over()
    registry = REGISTRY
    if SHARED in os.environ:
        _leave_out_the_dead(Path(os.environ[SHARED]))
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
