"""What every test run tells: how many scenarios were played."""

import logging
import os
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings

# The same charts and texts at every run; PROPERTY_EXAMPLES asks for fresh ones.
settings.register_profile("fixed", derandomize="PROPERTY_EXAMPLES" not in os.environ, deadline=None)
settings.load_profile("fixed")

SCENARIOS = "test_scenarios.py::test_scenario["


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    played: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call" and SCENARIOS in report.nodeid:
                played[outcome] += 1
    if played:
        terminalreporter.write_line(f"{sum(played.values())} scenarios of the rules, {played['failed']} of them failed")


LOGGERS = ("", "firstline", "uvicorn", "uvicorn.error", "uvicorn.access")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A test that starts the server in this process sets how it logs: that ends with the test."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    kept = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    done = yield
    for logger, handlers, level, propagate in kept:
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate
    return done
