"""Texts of simulated complaints: the project's own labelled complaints, varied in amounts, dates, openings and endings."""

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import orjson

from triage.errors import ConfigError
from triage.resources import DATA

_AMOUNT = re.compile(r"(?<![\d.,])[1-9]\d{1,4}(?=元|块|万)")
_DATE = re.compile(r"(?<!\d)(1[0-2]|[1-9])月(3[01]|[12]\d|[1-9])(?=[号日])")
_AMOUNTS = ("300", "580", "800", "1200", "1999", "2600", "3500", "5000", "6800", "8000")


@dataclass(frozen=True, slots=True)
class Text:
    """A text with the severity (1-4) and sentiment of the complaint it was made from."""

    text: str
    severity: int
    sentiment: str
    channel: str


@cache
def corpus() -> dict[str, tuple[Text, ...]]:
    """Labelled complaints by category. Raises: ConfigError when there are none."""
    found: defaultdict[str, list[Text]] = defaultdict(list)
    for path in sorted((DATA / "corpus").glob("**/*.jsonl")):
        for line in path.read_bytes().splitlines():
            row = orjson.loads(line)
            turns = row.get("turns", ())
            text = row.get("text") or " ".join(turn["text"] for turn in turns if turn["speaker"] == "customer")
            found[row["category"]].append(Text(text, row["severity"], row["sentiment"], row["channel"]))
    if not found:
        raise ConfigError(f"no labelled complaints in {DATA / 'corpus'}: the simulation draws its texts from there")
    return {category: tuple(texts) for category, texts in found.items()}


class Writer:
    """Draws texts.

    Args:
        rng: source of randomness.
        settings: `openers`, `closers` and `themes` of the simulation.
    """

    def __init__(self, rng: np.random.Generator, settings: dict[str, Any]):
        self._rng = rng
        self._settings = settings

    def write(self, category: str, channel: str, place: str, moment: datetime, on_theme: bool) -> Text:
        """A text of that category, if possible one that came by that channel.

        Args:
            category: key.
            channel: key.
            place: name of the region, for the themes that mention it.
            moment: when it is written; dates in the text lie in the ten days before.
            on_theme: whether it tells of the category's theme, as in an outbreak.

        Raises:
            ConfigError: the corpus has no complaint of that category.
        """
        if on_theme:
            sentence = self._pick(self._settings["themes"][category]["texts"])
            amount = f"{self._pick(_AMOUNTS)}{self._pick(('元', '块', '块钱'))}"
            filled = sentence.format(amount=amount, day=self._day(moment) + "号", place=place)
            like = self._source(category, channel)
            return Text(
                self._pick(self._settings["openers"]) + filled + self._pick(self._settings["closers"]),
                max(like.severity, 2),
                "negative",
                channel,
            )
        like = self._source(category, channel)
        varied = _AMOUNT.sub(lambda _: self._pick(_AMOUNTS) if self._rng.random() < 0.8 else "2000", like.text)
        varied = _DATE.sub(lambda _: self._day(moment), varied)
        if category != "other.not_complaint" and len(varied) < 120:
            varied = self._pick(self._settings["openers"]) + varied
            varied += self._pick(self._settings["closers"]) if varied[-1] not in "。！？!?~…" else ""
        return Text(varied, like.severity, like.sentiment, channel)

    def _source(self, category: str, channel: str) -> Text:
        texts = corpus().get(category)
        if not texts:
            raise ConfigError(f"no labelled complaint of category {category!r} in {DATA / 'corpus'}")
        same = [text for text in texts if text.channel == channel]
        return self._pick(same if len(same) >= 5 else texts)

    def _day(self, moment: datetime) -> str:
        day = moment - timedelta(days=int(self._rng.integers(0, 10)))
        return f"{day.month}月{day.day}"

    def _pick(self, choices: Any) -> Any:
        return choices[int(self._rng.integers(len(choices)))]
