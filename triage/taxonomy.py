"""The taxonomy: categories, groups, departments, handling times and channels, read from data/taxonomy/*.yaml."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from triage.errors import ConfigError, InputError
from triage.resources import DATA, read_yaml


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    name: str
    jrt_business: str


@dataclass(frozen=True, slots=True)
class Handling:
    """Time limits in working days."""

    key: str
    name: str
    first_answer_days: int
    close_days: int


@dataclass(frozen=True, slots=True)
class Category:
    key: str
    name: str
    group: str
    reason: str
    jrt_business: str
    case_class: str
    handling: str
    department: str
    scope: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    key: str
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Taxonomy:
    """All the labels a complaint can get, with their Chinese names; mappings keep the file's order."""

    name: str
    version: int
    groups: dict[str, Group]
    categories: dict[str, Category]
    handlings: dict[str, Handling]
    channels: dict[str, Channel]
    departments: dict[str, str]
    severities: dict[int, str]
    sentiments: dict[str, str]
    report_hours: int

    def category(self, key: str) -> Category:
        """Raises: InputError when there is no such category."""
        if key not in self.categories:
            raise InputError("category", key, f"a category of taxonomy {self.name!r} such as 'card.annual_fee'")
        return self.categories[key]

    def channel_key(self, name: str) -> str:
        """The key for a channel's key, Chinese name or alias, in any letter case.

        Raises: InputError when nothing is called so.
        """
        try:
            return self._channel_names[name.strip().casefold()]
        except KeyError:
            raise InputError("channel", name, f"one of {', '.join(self.channels)} or its Chinese name") from None

    def within(self, key: str) -> tuple[str, ...]:
        """The categories that a category key or a group key stands for.

        Raises: InputError when it is neither.
        """
        if key in self.categories:
            return (key,)
        if key in self.groups:
            return tuple(c.key for c in self.categories.values() if c.group == key)
        raise InputError("category", key, f"a category or one of the groups {', '.join(self.groups)}")

    @cached_property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Head of a model -> the labels that it may answer."""
        return {
            "category": tuple(self.categories),
            "severity": tuple(map(str, self.severities)),
            "sentiment": tuple(self.sentiments),
        }

    @cached_property
    def _channel_names(self) -> dict[str, str]:
        return {n.casefold(): c.key for c in self.channels.values() for n in (c.key, c.name, *c.aliases)}


@cache
def load_taxonomy(path: Path | None = None) -> Taxonomy:
    """Read a taxonomy file; without `path` the bank taxonomy that is shipped.

    Raises: ConfigError when the file is missing or refers to something it does not define.
    """
    path = path or DATA / "taxonomy" / "bank.yaml"
    try:
        return _parse(read_yaml(path))
    except KeyError as error:
        raise ConfigError(f"taxonomy file {path} uses {error} without defining it") from None


def _parse(raw: dict) -> Taxonomy:
    groups = {k: Group(k, v["zh"], v["jrt_business"]) for k, v in raw["groups"].items()}
    handlings = {k: Handling(k, v["zh"], v["first_answer_days"], v["close_days"]) for k, v in raw["handling"].items()}
    departments = {k: v["zh"] for k, v in raw["departments"].items()}
    categories = {}
    for key, v in raw["categories"].items():
        group = groups[key.split(".")[0]]
        handling = handlings[raw["classes"][v["class"]]["handling"]].key
        categories[key] = Category(
            key=key, name=v["zh"], group=group.key, reason=v["reason"], jrt_business=group.jrt_business,
            case_class=raw["classes"][v["class"]]["zh"], handling=handling, department=departments[v["department"]],
            scope=v["scope"], words=tuple(v["words"]),
        )  # fmt: skip
    return Taxonomy(
        name=raw["name"],
        version=raw["version"],
        groups=groups,
        categories=categories,
        handlings=handlings,
        channels={k: Channel(k, v["zh"], tuple(str(a) for a in v["aliases"])) for k, v in raw["channels"].items()},
        departments=departments,
        severities={level: v["zh"] for level, v in raw["severities"].items()},
        sentiments={k: v["zh"] for k, v in raw["sentiments"].items()},
        report_hours=raw["report_hours"],
    )
