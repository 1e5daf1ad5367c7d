import pytest

from triage.errors import ConfigError, InputError
from triage.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()


def test_the_bank_taxonomy_has_12_groups_and_44_categories():
    assert len(TAXONOMY.groups) == 12
    assert len(TAXONOMY.categories) == 44
    for category in TAXONOMY.categories.values():
        assert category.department in TAXONOMY.departments.values()
        assert category.words


def test_a_financial_crime_is_answered_within_a_day():
    fraud = TAXONOMY.category("security.fraud")
    assert (fraud.case_class, TAXONOMY.handlings[fraud.handling].first_answer_days) == ("金融犯罪", 1)


@pytest.mark.parametrize(
    ("name", "key"), [("hotline", "hotline"), ("客服热线", "hotline"), ("APP", "app"), ("微信公众号", "wechat"), ("12378", "regulator")]
)
def test_channels_answer_to_all_their_names(name, key):
    assert TAXONOMY.channel_key(name) == key


def test_a_group_stands_for_its_categories():
    assert TAXONOMY.within("atm") == ("atm.fault",)
    assert len(TAXONOMY.within("card")) == 6


def test_unknown_names_are_refused_with_what_would_be_right():
    with pytest.raises(InputError, match=r"channel: got 'fax', expected one of hotline"):
        TAXONOMY.channel_key("fax")
    with pytest.raises(InputError, match="category"):
        TAXONOMY.within("nothing")


def test_a_taxonomy_that_contradicts_itself_is_refused(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text(
        "name: x\nversion: 1\ngroups: {}\nclasses: {}\nhandling: {}\ndepartments: {}\ncategories: {a.b: {zh: x, class: y, department: z}}",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"broken\.yaml uses 'a' without defining it"):
        load_taxonomy(path)
    with pytest.raises(ConfigError, match="missing"):
        load_taxonomy(tmp_path / "none.yaml")
