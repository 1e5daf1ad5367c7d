"""Places by their GB/T 2260 codes (adcodes): name <-> code <-> parent, with the names people use.

A name that several places carry (朝阳区: 北京, 长春; 吉林: province and city) keeps all its candidates; nothing is guessed.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from triage.errors import InputError, NotFoundError
from triage.resources import DATA, read_text

NATION = "100000"
UNKNOWN = "000000"


@dataclass(frozen=True, slots=True)
class Region:
    """A province-level unit or a city. `population`: persons, census of 2020 (provinces only); `tile`: (column, row) on the page's map."""

    adcode: str
    name: str
    short: str
    level: str
    parent: str
    aliases: tuple[str, ...]
    population: int | None
    tile: tuple[int, int] | None


class Regions:
    def __init__(self, regions: list[Region]):
        self.by_code = {r.adcode: r for r in regions}
        self.provinces = tuple(r for r in regions if r.level == "province")
        self._children: dict[str, list[Region]] = defaultdict(list)
        self._named: dict[str, list[Region]] = defaultdict(list)
        for region in regions:
            if region.parent:
                self._children[region.parent].append(region)
            for name in {region.name, region.short, *region.aliases}:
                self._named[name].append(region)

    def get(self, adcode: str) -> Region:
        """Raises: NotFoundError for a code that GB/T 2260 (provinces and cities) does not know."""
        if adcode not in self.by_code:
            raise NotFoundError(f"region {adcode!r} is not a GB/T 2260 province or city code")
        return self.by_code[adcode]

    def children(self, adcode: str) -> tuple[Region, ...]:
        """The cities of a province, in code order; empty for municipalities such as 北京."""
        return tuple(self._children[adcode]) if adcode in self._children else ()

    def province_of(self, adcode: str) -> str:
        """The province code of a province or city code; UNKNOWN stays UNKNOWN."""
        return adcode[:2] + "0000"

    def candidates(self, name: str) -> tuple[Region, ...]:
        """All places that carry this name, official or not."""
        return tuple(self._named.get(name, ()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._named)

    def resolve(self, code_or_name: str) -> str:
        """The adcode for a code or an unambiguous name; district codes count as their city, 吉林/海南 as the province.

        Raises: InputError when unknown or ambiguous.
        """
        text = code_or_name.strip()
        if text.isdecimal() and len(text) == 6:
            for code in (text, text[:4] + "00", text[:2] + "0000"):
                if code in self.by_code:
                    return code
        found = self._named.get(text, ())
        if len(found) > 1:
            found = [r for r in found if r.level == "province" and text in (r.name, r.short)] or found
        if len(found) == 1:
            return found[0].adcode
        if found:
            raise InputError("region", text, f"an unambiguous place; this may be {', '.join(f'{r.name} {r.adcode}' for r in found)}")
        raise InputError("region", text, "a GB/T 2260 code such as '440000' or a province or city name such as '广东'")


@cache
def load_regions(path: Path | None = None) -> Regions:
    """Read data/regions.csv. Raises: ConfigError when it is missing."""
    table = csv.DictReader(read_text(path or DATA / "regions.csv").splitlines())
    return Regions([_parse(row) for row in table])


def _parse(row: dict[str, str]) -> Region:
    return Region(
        adcode=row["adcode"],
        name=row["name"],
        short=row["short"],
        level=row["level"],
        parent=row["parent"],
        aliases=tuple(row["aliases"].split()),
        population=int(row["population"]) if row["population"] else None,
        tile=(int(row["tile_col"]), int(row["tile_row"])) if row["tile_col"] else None,
    )
