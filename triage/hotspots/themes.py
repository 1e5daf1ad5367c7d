"""New issues inside a category, `other.complaint` above all: what several people began to write about that its count does not show.

The texts of a category over the last weeks are clustered without regard to when they came (`topics`). A cluster that chance brought about
has its texts anywhere in time: how many of its K lie in the window is hypergeometric, given how many of all texts do. Only the first of
copies, and of one person's texts, counts. What passes Benjamini-Hochberg over all clusters and the alert budget is told, unless a surge
of the category is told already that consists of it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from triage.hotspots import explain
from triage.hotspots.judging import LONGEST
from triage.hotspots.selection import benjamini_hochberg, recurrence
from triage.hotspots.series import group_of
from triage.hotspots.settings import DetectionSettings, ThemeSettings
from triage.hotspots.story import interval, level, place_name, usually
from triage.hotspots.topics import DatedText, Pile, sort_out
from triage.regions import UNKNOWN, load_regions
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING, Hotspot, HotspotPart, Window

_OTHER = "other"
_MOST_EVIDENCE = 200
_LOCAL, _LOCAL_PLACES = 0.8, 3
"""A theme is local where so few provinces hold such a share of its texts."""


class DatedTexts(Protocol):
    """Where the texts of a category are read from."""

    def dated(self, category: str, window: Window, limit: int) -> list[DatedText]:
        """The latest masked texts of a category within a window, at most `limit`; `region` = province."""
        ...


@dataclass(frozen=True, slots=True)
class _Theme:
    """A cluster judged. `recent`: rows of the window that count, `all_recent` those of copies too; `duration`: days of the window."""

    category: str
    pile: Pile
    recent: NDArray[np.intp]
    all_recent: NDArray[np.intp]
    before: NDArray[np.intp]
    duration: int
    share: float
    p: float

    @property
    def expected(self) -> float:
        """Texts that the time before lets expect in the window, given how many of all texts fall there."""
        return len(self.before) * self.share / max(1 - self.share, 1e-9)


def find_themes(
    texts: DatedTexts,
    categories: Iterable[str],
    now: datetime,
    surges: Sequence[Hotspot] = (),
    simulated: bool = False,
    settings: DetectionSettings | None = None,
) -> list[Hotspot]:
    """Themes that several people began to write about, up to the last complete day, rarest first.

    Args:
        texts: of the store.
        categories: in which to look.
        now: aware time of judgement.
        surges: hotspots found by counts on the same day.
        simulated: whether the complaints are.
        settings: default = `DetectionSettings()`.
    """
    settings = settings or DetectionSettings()
    last = now.astimezone(BEIJING).date() - timedelta(days=1)
    window = Window({"from": last - timedelta(days=settings.themes.durations[-1] + settings.themes.history - 1), "to": last})
    judged: list[_Theme] = []
    for category in categories:
        if category not in settings.ignored:
            judged += _judge(category, texts.dated(category, window, settings.themes.texts), last, settings.themes)
    if not judged:
        return []
    p = np.array([theme.p for theme in judged])
    p /= _weights([group_of(theme.category) == _OTHER for theme in judged], settings.themes.other)
    days = np.minimum(recurrence(p, len(p), settings.budget.theme, 1.0), LONGEST)
    passing = benjamini_hochberg(np.minimum(p, 1.0), settings.budget.fdr) & (days >= 7 / settings.budget.alerts_a_week)
    found = [
        _tell(judged[i], float(days[i]), last, simulated, settings)
        for i in np.flatnonzero(passing)
        if _new(judged[i], settings.themes) and not _told(judged[i], surges, settings.themes.cause)
    ]
    return sorted(found, key=lambda hotspot: (hotspot.p_value, hotspot.id))


def _weights(other: Sequence[bool], share: float) -> NDArray[np.float64]:
    """Of the p-values, mean 1 (Genovese, Roeder & Wasserman 2006): the clusters of `other.*`, however few, have a share of the budget."""
    inside = np.array(other)
    if inside.all() or not inside.any():
        return np.ones(len(inside))
    return np.where(inside, share / inside.mean(), (1 - share) / (1 - inside.mean()))


def _judge(category: str, texts: Sequence[DatedText], last: date, settings: ThemeSettings) -> list[_Theme]:
    """Every cluster of a category's texts in its most telling window; the p-values allow for the choice of the window."""
    ages = [(last - text.time.astimezone(BEIJING).date()).days for text in texts]
    if sum(age < settings.durations[-1] for age in ages) < settings.least_people:
        return []
    pile = sort_out(texts, settings.topics)
    age = np.array([(last - text.time.astimezone(BEIJING).date()).days for text in pile.texts])
    original = pile.copy_of == np.arange(len(pile.texts))
    found = []
    for members in pile.clusters():
        counted = pile.firsts(members)
        if len(counted) < settings.least_people:
            continue
        best: _Theme | None = None
        for duration in settings.durations:
            inside, total = age[counted] < duration, int((original & (age < duration)).sum())
            p = float(stats.hypergeom.sf(inside.sum() - 1, int(original.sum()), len(counted), total)) * len(settings.durations)
            if best is None or p < best.p:
                recent = members[age[members] < duration]
                share = total / int(original.sum())
                best = _Theme(category, pile, counted[inside], recent, counted[~inside], duration, share, min(p, 1.0))
        found.append(best)
    return found


def _new(theme: _Theme, settings: ThemeSettings) -> bool:
    return len(theme.recent) >= settings.least_people and len(theme.recent) >= settings.ratio * theme.expected


def _told(theme: _Theme, surges: Iterable[Hotspot], cause: float) -> bool:
    """Whether a surge of the category is told that consists of the theme's texts."""
    day = [theme.pile.texts[i].time.astimezone(BEIJING).date() for i in theme.recent]
    region = [theme.pile.texts[i].region for i in theme.recent]
    for surge in surges:
        if surge.category not in (theme.category, group_of(theme.category)):
            continue
        inside = sum(
            surge.window["from"] <= d <= surge.window["to"] and (not surge.regions or r in surge.regions)
            for d, r in zip(day, region, strict=True)
        )
        if inside >= cause * (surge.observed - surge.expected):
            return True
    return False


def _tell(theme: _Theme, days: float, last: date, simulated: bool, settings: DetectionSettings) -> Hotspot:
    """The hotspot of a theme."""
    pile = theme.pile
    terms = tuple(pile.terms(theme.recent))
    window = Window({"from": last - timedelta(days=theme.duration - 1), "to": last})
    regions = _regions(theme)
    # Representative ones first, then all others: the evidence is the theme.
    first = explain.evidence([(pile.texts[i].id, pile.texts[i].text) for i in theme.recent], terms)
    ids = dict.fromkeys([*first, *(pile.texts[i].id for i in theme.all_recent)])
    observed, expected = len(theme.recent), theme.expected
    name = load_taxonomy().category(theme.category).name
    about = "、".join(terms[:3]) or pile.headline(theme.recent)
    when, usual = usually(theme.duration, expected)
    day = np.array([pile.texts[i].time.astimezone(BEIJING).date() for i in theme.before], dtype="datetime64[D]")
    previous = int((day >= np.datetime64(window["from"] - timedelta(days=theme.duration))).sum())
    identity = "|".join([theme.category, *sorted(terms), str(last)])
    return Hotspot(
        id=f"t-{hashlib.sha256(identity.encode()).hexdigest()[:16]}",
        kind="theme",
        category=theme.category,
        regions=regions,
        channels=(),
        window=window,
        observed=observed,
        expected=round(expected, 2),
        expected_interval=interval(expected),
        ratio=round(observed / max(expected, 0.01), 2),
        change=round(observed / previous - 1, 3) if previous else None,
        p_value=theme.p,
        recurrence_interval_days=round(days, 1),
        level=level(theme.category, days, settings),
        title=f"{place_name(regions)} {name}出现新问题“{about}”：{when} {observed} 件，{usual}",
        terms=terms,
        evidence=tuple(ids)[:_MOST_EVIDENCE],
        parts=_parts(theme),
        simulated=simulated,
    )


def _located(theme: _Theme) -> Counter[str]:
    return Counter(region for i in theme.recent if (region := theme.pile.texts[i].region) not in ("", UNKNOWN))


def _regions(theme: _Theme) -> tuple[str, ...]:
    """The few provinces that nearly all texts come from; () where they come from everywhere."""
    located = _located(theme)
    chosen: list[str] = []
    for region, _ in sorted(located.items(), key=lambda entry: (-entry[1], entry[0])):
        if sum(located[code] for code in chosen) >= _LOCAL * located.total():
            break
        chosen.append(region)
    return tuple(chosen) if len(chosen) <= _LOCAL_PLACES else ()


def _parts(theme: _Theme) -> tuple[HotspotPart, ...]:
    """The provinces that most texts come from."""
    before = Counter(theme.pile.texts[i].region for i in theme.before)
    scale = theme.share / max(1 - theme.share, 1e-9)
    ranked = sorted(_located(theme).items(), key=lambda entry: (-entry[1], entry[0]))[:3]
    names = load_regions()
    return tuple(
        HotspotPart(kind="region", key=r, name=names.get(r).short, observed=n, expected=round(scale * before[r], 2)) for r, n in ranked
    )
