"""`triage simulate`: a stream of complaints with known planted outbreaks. Everything in it is simulated (模拟数据) and says so.

Volumes follow published shares by branch and business (data/simulation/bank.yaml), with a weekly season, public holidays, a day's
profile of hours and gamma noise on days, categories and regions, which makes daily counts negative binomial. Texts are the labelled
complaints written for this project, varied; those of an outbreak share a theme.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from training.commands.arguments import seed
from training.simulated_texts import Writer
from triage.errors import InputError
from triage.regions import load_regions
from triage.resources import DATA, read_yaml
from triage.types import BEIJING
from triage.workdays import is_workday

SOURCE = "simulation"
_LEAST_EXTRA = 25  # complaints that an outbreak adds at least: fewer would not be seen in a small stream
_RISKS = (1.5, 2.0, 3.0, 5.0)


@dataclass(frozen=True, slots=True)
class Outbreak:
    """A planted rise of one category in some provinces, by `relative_risk`; channel None = all; both days included."""

    id: str
    category: str
    theme: str
    regions: tuple[str, ...]
    channel: str | None
    first: date
    last: date
    relative_risk: float
    complaints: int

    def truth(self) -> dict[str, Any]:
        """As the truth file has it."""
        return {
            "id": self.id, "category": self.category, "theme": self.theme, "regions": self.regions, "channel": self.channel,
            "from": self.first, "to": self.last, "relative_risk": round(self.relative_risk, 2), "complaints": self.complaints,
        }  # fmt: skip


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser(
        "simulate",
        help="write a stream of complaints with planted hotspots",
        description="Writes simulated complaints (模拟数据) as JSON Lines, oldest first, and FILE.truth.json with the planted outbreaks.",
    )
    parser.add_argument("--out", required=True, metavar="FILE")
    parser.add_argument("--complaints", type=int, default=10_000, metavar="N", help="default: 10000")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="the same seed gives the same stream (default: 0)")
    parser.add_argument("--outbreaks", type=int, default=5, metavar="N", help="default: 5; two of five run up to the end")
    parser.add_argument("--days", type=int, default=90, metavar="N", help="default: 90")
    parser.add_argument("--end", metavar="DATE", help="last day (default: today, up to the present hour)")
    parser.add_argument(
        "--delayed", action="store_true", help="leave out what would not be recorded by the end: letters and the like take days"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate and write both files. Raises: InputError, ConfigError."""
    now = datetime.now(BEIJING)
    try:
        end = date.fromisoformat(args.end) if args.end else now.date()
    except ValueError:
        raise InputError("--end", args.end, "a date such as 2026-03-31") from None
    for name, value, least in (("--complaints", args.complaints, 1), ("--days", args.days, 14), ("--outbreaks", args.outbreaks, 0)):
        if value < least:
            raise InputError(name, value, f"at least {least}")
    until = now if end == now.date() else datetime.combine(end + timedelta(days=1), time(), BEIJING)
    complaints, outbreaks = simulate(args.complaints, args.seed, args.outbreaks, args.days, end, until)
    if args.delayed:
        complaints = recorded(complaints, args.seed, until)
    out = Path(args.out)
    with out.open("wb") as file:
        file.writelines(orjson.dumps(complaint, option=orjson.OPT_APPEND_NEWLINE) for complaint in complaints)
    truth = {
        "simulated": True, "seed": args.seed, "complaints": len(complaints), "from": end - timedelta(days=args.days - 1), "to": end,
        "outbreaks": [outbreak.truth() for outbreak in outbreaks],
    }  # fmt: skip
    out.with_name(out.name + ".truth.json").write_bytes(orjson.dumps(truth, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return 0


def simulate(n: int, seed: int, outbreaks: int, days: int, end: date, until: datetime) -> tuple[list[dict[str, Any]], list[Outbreak]]:
    """Draw complaints.

    Args:
        n: complaints in all, those of the outbreaks included.
        seed: of all randomness; the same seed and data files give the same stream.
        outbreaks: how many to plant; fewer where `n` is too small to hold them.
        days: length of the stream.
        end: last day.
        until: aware time after which nothing is written, on the last day or at its end.

    Returns:
        Complaints as POST /v1/complaints takes them, oldest first, each with its `truth`; the planted outbreaks.
    """
    rng = np.random.default_rng(seed)
    settings = load_settings()
    places, place_share = _places(settings)
    categories = list(settings["categories"])
    shares = _normalised(list(settings["categories"].values()))
    weights = day_weights(settings, [end - timedelta(days=days - 1 - i) for i in range(days)], until)
    planted = _plant(rng, settings, n, outbreaks, end, weights, dict(zip(categories, shares, strict=True)), places, place_share)
    writer = Writer(rng, settings)
    rows = list(_background(rng, settings, n - sum(o.complaints for o in planted), end, weights, categories, shares, places, place_share))
    for outbreak in planted:
        rows += _extra(rng, outbreak, settings, end, weights, places, place_share)
    drawn = [(_moment(rng, settings, day, until), category, place, channel, outbreak) for day, category, place, channel, outbreak in rows]
    drawn.sort(key=lambda row: row[0])
    regions = load_regions()
    found = []
    for number, (moment, category, place, channel, outbreak) in enumerate(drawn):
        text = writer.write(category, channel, regions.get(place).short, moment, outbreak is not None and rng.random() < 0.85)
        found.append(
            {
                "source": SOURCE,
                "source_id": f"{SOURCE}-{seed}-{number:07d}",
                "text": text.text,
                "channel": channel,
                "region": place,
                "time": moment,
                "simulated": True,
                "truth": {"category": category, "severity": text.severity, "sentiment": text.sentiment, "outbreak": outbreak},
            }
        )
    return found, planted


def recorded(complaints: Sequence[dict[str, Any]], seed: int, until: datetime) -> list[dict[str, Any]]:
    """Those recorded by `until`, each with the time in its truth, where it takes days by the settings' shares of its channel."""
    rng = np.random.default_rng([seed, 1])  # apart from the stream's own, which stays the same with and without delay
    delays = load_settings()["delay"]
    found = []
    for complaint in complaints:
        shares = _normalised(delays.get(complaint["channel"], [1.0]))
        moment = complaint["time"] + timedelta(days=int(rng.choice(len(shares), p=shares)))
        if moment <= until:
            found.append({**complaint, "truth": {**complaint["truth"], "recorded": moment}})
    return found


@cache
def load_settings() -> dict[str, Any]:
    """Shares, seasons and themes. Raises: ConfigError when data/simulation/bank.yaml is missing."""
    return read_yaml(DATA / "simulation" / "bank.yaml")


def _normalised(weights: Sequence[float]) -> NDArray[np.float64]:
    return np.asarray(weights, dtype=float) / np.sum(weights)


def _places(settings: dict[str, Any]) -> tuple[list[str], NDArray[np.float64]]:
    """Adcodes (provinces and their cities) and the share of complaints of each.

    A third of a province's complaints name the province only; the rest fall on its cities, the first ones (the capital leads) most.
    """
    regions = load_regions()
    share: dict[str, float] = {}
    named = {regions.resolve(name): pct for name, pct in settings["regions"].items()}
    for province in regions.provinces:
        pct = named.get(province.adcode, settings["region_floor"])
        cities = [city.adcode for city in regions.children(province.adcode) if city.adcode not in named]
        share[province.adcode] = pct * (1 / 3 if cities else 1)
        if cities:
            zipf = _normalised([1 / (rank + 2) for rank in range(len(cities))])
            share.update(zip(cities, 2 / 3 * pct * zipf, strict=True))
    share.update({code: pct for code, pct in named.items() if code not in share})
    return list(share), _normalised(list(share.values()))


def day_weights(settings: dict[str, Any], days: Sequence[date], until: datetime | None = None) -> NDArray[np.float64]:
    """Relative volume of each day before noise: weekday, holidays and the season of the year; the last day only up to `until`."""
    weights = []
    for day in days:
        if is_workday(day):
            weight = settings["weekday"][min(day.weekday(), 4)]
        else:
            weight = settings["weekday"][day.weekday()] if day.weekday() > 4 else settings["holiday"]
        angle = 2 * np.pi * (day.timetuple().tm_yday - settings["year"]["peak_day"]) / 365.25
        weights.append(weight * (1 + settings["year"]["amplitude"] * np.cos(angle)))
    hours = _normalised(settings["hour"])
    if until is not None and until.date() == days[-1]:
        weights[-1] *= hours[: until.hour].sum() + hours[until.hour] * until.minute / 60
    return np.array(weights)


def _plant(
    rng: np.random.Generator, settings: dict[str, Any], n: int, outbreaks: int, end: date, weights: NDArray[np.float64],
    shares: dict[str, float], places: list[str], place_share: NDArray[np.float64],
) -> list[Outbreak]:  # fmt: skip
    """Choose the outbreaks. Two of five (rounded up) run up to the last day; no two share a category."""
    regions = load_regions()
    provinces = [province.adcode for province in regions.provinces]
    province_share = np.zeros(len(provinces))
    for place, share in zip(places, place_share, strict=True):
        province_share[provinces.index(regions.province_of(place))] += share
    themes = [str(key) for key in rng.permutation(list(settings["themes"]))]
    planted: list[Outbreak] = []
    days, total = len(weights), weights.sum()
    live = -(-2 * outbreaks // 5)
    for number in range(min(outbreaks, len(themes))):
        category = themes[number]
        chosen = rng.choice(len(provinces), int(rng.choice([1, 1, 2, 3])), replace=False, p=province_share)
        channel = str(rng.choice(["hotline", "app"])) if rng.random() < 0.2 else None
        length = int(rng.integers(5, 11)) if number < live else int(rng.integers(5, 15))
        earliest = min(days // 3, days - 1 - length) + length  # before that there is no baseline to see an outbreak against
        last = days - 1 if number < live else int(rng.integers(earliest, max(days - 15, earliest + 1)))
        first = last - length + 1
        channel_share = settings["channels"][channel] / sum(settings["channels"].values()) if channel else 1.0
        usual = n * weights[first : last + 1].sum() / total * shares[category] * province_share[chosen].sum() * channel_share
        extra = max(usual * (float(rng.choice(_RISKS)) - 1), min(_LEAST_EXTRA * len(chosen), n / 20 / outbreaks))
        size = int(rng.poisson(extra))
        planted.append(
            Outbreak(
                id=f"outbreak-{number + 1}", category=category, theme=settings["themes"][category]["name"],
                regions=tuple(sorted(provinces[i] for i in chosen)), channel=channel,
                first=end - timedelta(days=days - 1 - first), last=end - timedelta(days=days - 1 - last),
                relative_risk=float(1 + extra / usual), complaints=size,
            )
        )  # fmt: skip
    return planted


_Row = tuple[date, str, str, str, str | None]


def _background(
    rng: np.random.Generator, settings: dict[str, Any], n: int, end: date, weights: NDArray[np.float64],
    categories: list[str], shares: NDArray[np.float64], places: list[str], place_share: NDArray[np.float64],
) -> Iterator[_Row]:  # fmt: skip
    """(day, category, place, channel, no outbreak) of the complaints that have no particular cause."""
    channels, channel_share = list(settings["channels"]), _normalised(list(settings["channels"].values()))
    noisy = weights * rng.gamma(settings["day_shape"], 1 / settings["day_shape"], len(weights))
    for i, size in enumerate(rng.multinomial(n, _normalised(noisy))):
        day = end - timedelta(days=len(weights) - 1 - i)
        kinds = rng.choice(len(categories), size, p=_normalised(shares * rng.gamma(settings["category_shape"], size=len(categories))))
        spots = rng.choice(len(places), size, p=_normalised(place_share * rng.gamma(settings["region_shape"], size=len(places))))
        ways = rng.choice(len(channels), size, p=channel_share)
        for kind, spot, way in zip(kinds, spots, ways, strict=True):
            yield day, categories[kind], places[spot], channels[way], None


def _extra(
    rng: np.random.Generator, outbreak: Outbreak, settings: dict[str, Any], end: date, weights: NDArray[np.float64],
    places: list[str], place_share: NDArray[np.float64],
) -> Iterator[_Row]:  # fmt: skip
    """The complaints that an outbreak adds, over its days and places as these usually share them."""
    regions = load_regions()
    inside = np.array([regions.province_of(place) in outbreak.regions for place in places])
    channels, channel_share = list(settings["channels"]), _normalised(list(settings["channels"].values()))
    first = len(weights) - 1 - (end - outbreak.first).days
    days = weights[first : first + (outbreak.last - outbreak.first).days + 1]
    for i, spot, way in zip(
        rng.choice(len(days), outbreak.complaints, p=_normalised(days)),
        rng.choice(len(places), outbreak.complaints, p=_normalised(place_share * inside)),
        rng.choice(len(channels), outbreak.complaints, p=channel_share),
        strict=True,
    ):
        yield outbreak.first + timedelta(days=int(i)), outbreak.category, places[spot], outbreak.channel or channels[way], outbreak.id


def _moment(rng: np.random.Generator, settings: dict[str, Any], day: date, until: datetime) -> datetime:
    """A time of that day by the profile of hours, before `until`."""
    profile = _normalised(settings["hour"])
    midnight = datetime.combine(day, time(), BEIJING)
    if until.date() == day:
        seconds = (until - midnight).total_seconds()
        reached = np.clip((seconds - 3600 * np.arange(24)) / 3600, 0, 1)
        if (profile * reached).sum() == 0:
            return midnight
        profile = _normalised(profile * reached)
        hour = int(rng.choice(24, p=profile))
        return midnight + timedelta(hours=hour, seconds=int(rng.random() * 3600 * reached[hour]))
    return midnight + timedelta(hours=int(rng.choice(24, p=profile)), seconds=int(rng.integers(3600)))
