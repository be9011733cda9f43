"""Settings: defaults, environment over file, and every wrong one refused in words that name it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hooks import serve
from hooks.settings import Settings, SettingsError, is_loopback, load


def test_nothing_has_to_be_set() -> None:
    assert load({"PATH": "/bin", "PORT": "", "TODAY": ""}) == Settings()


def test_the_environment_is_read() -> None:
    environment = {
        "FIRSTLINE_PUBLIC_URL": "https://cds.example.org/firstline",
        "FIRSTLINE_MAX_BODY_BYTES": "1000",
        "FIRSTLINE_INFO_CARDS": "False",
        "FIRSTLINE_TIME_ZONE": "UTC",
        "PORT": "8081",
        "TODAY": "2026-03-01T09:00:00Z",
    }
    settings = load(environment)
    assert settings.public_url == "https://cds.example.org/firstline"
    assert settings.max_body_bytes == 1000
    assert settings.info_cards is False
    assert settings.port == 8081
    assert settings.today == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert settings.zone is UTC


@pytest.mark.parametrize("written", ["2026-03-01", "2026-03-01T00:00:00", "2026-03-01T00:00:00+00:00"])
def test_a_day_is_an_instant_in_utc(written: str) -> None:
    assert load({"TODAY": written}).today == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_list_is_written_with_commas() -> None:
    settings = load({"FIRSTLINE_TOKEN_ALGORITHMS": "ES384, RS384,PS512"})
    assert settings.token_algorithms == ("ES384", "RS384", "PS512")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"PORT": "many", "FIRSTLINE_HOST": "0.0.0.0", "FIRSTLINE_MAX_BODY_BYTES": "0", "FIRSTLINE_X": "1"})
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "PORT",
        "FIRSTLINE_X",
        "host",
        "max_body_bytes",
    ]


def test_the_program_says_why_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIRSTLINE_HOST", "0.0.0.0")
    monkeypatch.setenv("FIRSTLINE_PORT", "-1")
    assert serve.main() == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Firstline does not start:"
    assert lines[1].startswith("  host: open mode (no client authentication) listens on loopback only: write 127.0.0.1")
    assert lines[2] == "  port: write a number from 0 to 65535"


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "firstline.toml"
    path.write_text('port = 9000\nexplain = false\ntime_zone = "Europe/Vienna"\ntoday = 2026-03-01T09:00:00Z\n')
    settings = load({"FIRSTLINE_CONFIG": str(path), "FIRSTLINE_PORT": "9001"})
    assert (settings.port, settings.explain) == (9001, False)
    assert str(settings.zone) == "Europe/Vienna"
    assert settings.today == datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FIRSTLINE_PROT": "1"}, "FIRSTLINE_PROT: unknown setting"),
        ({"FIRSTLINE_TENANTS": "north"}, "FIRSTLINE_TENANTS: unknown setting"),
        ({"FIRSTLINE_TOKEN_ALGORITHMS": "ES384,none"}, "token_algorithms: none and symmetric"),
        ({"FIRSTLINE_TOKEN_LIFETIME_SECONDS": "0"}, "token_lifetime_seconds: write a number from 1"),
        ({"FIRSTLINE_CLOCK_SKEW_SECONDS": "301"}, "clock_skew_seconds: write a number from 0 to 300"),
        ({"FIRSTLINE_PUBLIC_URL": "https://a:b@cds.example.org"}, "public_url: write an absolute address"),
        ({"FIRSTLINE_PUBLIC_URL": "https://cds.example.org:port"}, "public_url: write an absolute address"),
        ({"FIRSTLINE_PUBLIC_URL": "https://cds.exämple.org"}, "public_url: write an absolute address"),
        ({"PORT": "many"}, "PORT: write a whole number"),
        ({"PORT": "70000"}, "port: write a number from 0 to 65535"),
        ({"FIRSTLINE_INFO_CARDS": "perhaps"}, "FIRSTLINE_INFO_CARDS: write true or false"),
        ({"FIRSTLINE_HOST": "0.0.0.0"}, "host: open mode"),
        ({"FIRSTLINE_MAX_BODY_BYTES": "0"}, "max_body_bytes: write a number above 0"),
        ({"FIRSTLINE_PUBLIC_URL": "cds.example.org"}, "public_url: write an absolute address"),
        ({"FIRSTLINE_PUBLIC_URL": "http://[x"}, "public_url: write an absolute address"),
        ({"FIRSTLINE_TIME_ZONE": "Middle/Earth"}, "time_zone: write a name"),
        ({"TODAY": "tomorrow"}, "TODAY: write a date and time"),
        ({"TODAY": "THEN"}, "TODAY: write a date and time"),
        ({"FIRSTLINE_CONFIG": "/nowhere/at/all.toml"}, "cannot be read"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load(environment)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", "prot: unknown setting"),
        ('port = "8080x"', "port: write a whole number"),
        ("public_url = 5", "public_url: write a text"),
        ("port = ", "correct the TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "firstline.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as refused:
        load({"FIRSTLINE_CONFIG": str(path)})
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
