from pathlib import Path

import pytest

from service.settings import ApiKey, Settings
from triage.errors import ConfigError, InputError


def test_defaults_need_nothing() -> None:
    settings = Settings.read({})
    assert (settings.host, settings.port, settings.model, settings.needs_keys) == ("127.0.0.1", 8000, None, False)


def test_the_environment_sets_and_the_command_line_wins() -> None:
    environ = {"TRIAGE_PORT": "9000", "TRIAGE_MODEL": "models/x", "TRIAGE_HOST": "localhost"}
    settings = Settings.read(environ, port=9001, host=None)
    assert (settings.port, settings.model, settings.host) == (9001, Path("models/x"), "localhost")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TRIAGE_PORT", "abc", "from 0 to 65535"),
        ("TRIAGE_PORT", "70000", "from 0 to 65535"),
        ("TRIAGE_HOTSPOT_MINUTES", "-1", "from 0"),
        ("TRIAGE_WEBHOOK", "ftp://x", "http"),
        ("TRIAGE_AUTH", "maybe", "auto, on, off"),
        ("TRIAGE_FAST", "yes", "0 or 1"),
    ],
)
def test_an_error_names_setting_value_and_expectation(name: str, value: str, expected: str) -> None:
    with pytest.raises(InputError) as raised:
        Settings.read({name: value})
    assert all(part in str(raised.value) for part in (name, value, expected))


def test_keys_are_read_and_never_shown() -> None:
    settings = Settings.read({"TRIAGE_API_KEYS": f"林芳:operate:{'k' * 16}, crm:ingest:{'s' * 20}"})
    assert settings.api_keys == (ApiKey("林芳", "operate", "k" * 16), ApiKey("crm", "ingest", "s" * 20))
    assert settings.needs_keys
    assert "kkkk" not in repr(settings)
    with pytest.raises(InputError) as raised:
        Settings.read({"TRIAGE_API_KEYS": "林芳:boss:secret"})
    assert "secret" not in str(raised.value)


def test_other_machines_are_not_let_in_without_keys_unless_told_so() -> None:
    with pytest.raises(ConfigError, match="TRIAGE_API_KEYS"):
        Settings.read({}, host="0.0.0.0")
    assert not Settings.read({"TRIAGE_AUTH": "off"}, host="0.0.0.0").needs_keys


def test_an_unknown_setting_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    Settings.read({"TRIAGE_PROT": "1"})
    assert "TRIAGE_PROT" in caplog.text


def test_the_mode_of_the_detection_is_one_of_three() -> None:
    assert Settings.read({}).hotspot_mode == "normal"
    assert Settings.read({"TRIAGE_HOTSPOT_MODE": "strict"}).hotspot_mode == "strict"
    with pytest.raises(InputError, match="sensitive, normal, strict"):
        Settings.read({"TRIAGE_HOTSPOT_MODE": "loud"})
