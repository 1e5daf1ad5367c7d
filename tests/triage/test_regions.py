import pytest

from triage.errors import InputError, NotFoundError
from triage.regions import load_regions

REGIONS = load_regions()


def test_there_are_34_provincial_units_on_34_tiles():
    assert len(REGIONS.provinces) == 34
    assert len({p.tile for p in REGIONS.provinces}) == 34
    assert {"台湾", "香港", "澳门"} <= {p.short for p in REGIONS.provinces}


def test_every_city_has_its_province():
    for region in REGIONS.by_code.values():
        if region.level == "city":
            assert REGIONS.get(region.parent).level == "province"
            assert REGIONS.province_of(region.adcode) == region.parent


@pytest.mark.parametrize(
    ("name", "code"),
    [("440000", "440000"), ("440305", "440300"), ("广东", "440000"), ("广东省", "440000"), ("内蒙", "150000"), ("深圳", "440300"), ("吉林", "220000"), (" 上海 ", "310000"), ("110105", "110000")],
)  # fmt: skip
def test_codes_and_names_resolve(name, code):
    assert REGIONS.resolve(name) == code


@pytest.mark.parametrize("name", ["亚特兰蒂斯", "990000", "", "朝阳区"])
def test_unknown_and_ambiguous_places_are_refused_by_name(name):
    with pytest.raises(InputError, match="region"):
        REGIONS.resolve(name)


def test_an_unknown_code_is_not_found():
    with pytest.raises(NotFoundError):
        REGIONS.get("999999")
