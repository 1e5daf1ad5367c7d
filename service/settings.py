"""Settings of the service: from the environment (TRIAGE_...), overridden by the command line. Every one has a default."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from triage.errors import ConfigError, InputError
from triage.hotspots.settings import Mode

PREFIX = "TRIAGE_"
Role = Literal["ingest", "operate"]
Auth = Literal["auto", "on", "off"]
_log = logging.getLogger("triage.service")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Who a key belongs to and what it allows: `ingest` sends complaints, `operate` does that and all the rest."""

    person: str
    role: Role
    key: str = field(repr=False)


def _text(text: str) -> str:
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _one_of(values: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return text

    return parse


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError("0 or 1")
    return text == "1"


def _url(text: str) -> str:
    if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
        raise ValueError("an http or https URL")
    return text


def _keys(text: str) -> tuple[ApiKey, ...]:
    return tuple(_key(entry.strip()) for entry in text.split(",") if entry.strip())


def _key(entry: str) -> ApiKey:
    parts = entry.split(":")
    if len(parts) != 3 or not all(parts) or parts[1] not in get_args(Role) or len(parts[2]) < 16:
        raise ValueError("PERSON:ROLE:KEY, ... with role ingest or operate and keys of 16 characters or more")
    return ApiKey(*parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that an operator can choose.

    Attributes:
        host: address to listen on.
        port: TCP port.
        database: SQLAlchemy URL, or the path of an SQLite file.
        model: folder of the model; None = the one shipped.
        fast: of a blend ask only the linear part (0 or 1): for machines that must tag hundreds of complaints a second.
        hotspot_minutes: minutes between two runs of the hotspot detection; 0 = none.
        hotspot_days: days of history each run reads, as far as there are so many: from 379 on hotspots tell the
            change on the year, from 866 on they allow for what comes back every year.
        hotspot_mode: how readily hotspots are told: `sensitive`, `normal` or `strict` (fewest false alerts).
        webhook: where new and escalated hotspots are sent; "" = nowhere.
        webhook_seconds: time limit of one delivery.
        auth: `on` asks for keys, `off` does not, `auto` does unless the host is a loopback address.
        api_keys: who may do what.
    """

    host: str = field(default="127.0.0.1", metadata={"parse": _text})
    port: int = field(default=8000, metadata={"parse": _whole(0, 65535)})
    database: str = field(default="sqlite:///var/triage.db", metadata={"parse": _text})
    model: Path | None = field(default=None, metadata={"parse": _path})
    fast: bool = field(default=False, metadata={"parse": _switch})
    hotspot_minutes: int = field(default=15, metadata={"parse": _whole(0, 10080)})
    hotspot_days: int = field(default=880, metadata={"parse": _whole(14, 1500)})
    hotspot_mode: Mode = field(default="normal", metadata={"parse": _one_of(get_args(Mode))})
    webhook: str = field(default="", metadata={"parse": _url})
    webhook_seconds: int = field(default=10, metadata={"parse": _whole(1, 120)})
    auth: Auth = field(default="auto", metadata={"parse": _one_of(get_args(Auth))})
    api_keys: tuple[ApiKey, ...] = field(default=(), metadata={"parse": _keys, "secret": True}, repr=False)

    def __post_init__(self) -> None:
        if self.needs_keys and not self.api_keys:
            raise ConfigError(
                f"{PREFIX}API_KEYS: got none, expected PERSON:ROLE:KEY, ... because {self.host} can be reached from other machines"
                f" or {PREFIX}AUTH is on ({PREFIX}AUTH=off serves without keys)"
            )

    @property
    def needs_keys(self) -> bool:
        """Whether requests must carry a key."""
        return self.auth == "on" or (self.auth == "auto" and (self.host not in _LOOPBACK or bool(self.api_keys)))

    @classmethod
    def read(cls, environ: Mapping[str, str], **overrides: str | int | Path | None) -> Self:
        """Settings from the environment; `overrides` (from the command line) win unless None.

        Raises:
            InputError: a value is not what the setting takes; names the setting, the value and what was expected.
            ConfigError: the settings contradict each other.
        """
        known = {PREFIX + each.name.upper(): each for each in fields(cls)}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
        for name in unknown:  # not an error: Kubernetes sets names such as TRIAGE_SERVICE_HOST by itself
            _log.warning("%s: there is no such setting, expected one of %s", name, ", ".join(known))
        values: dict[str, object] = {name: value for name, value in overrides.items() if value is not None}
        for variable, each in known.items():
            if variable in environ and each.name not in values:
                values[each.name] = _parsed(variable, environ[variable], each.metadata)
        return cls(**values)


def _parsed(variable: str, text: str, metadata: Mapping[str, Any]) -> object:
    try:
        return metadata["parse"](text)
    except ValueError as error:
        raise InputError(variable, "(hidden)" if "secret" in metadata else text, str(error)) from None
