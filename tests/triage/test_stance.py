import pytest

from triage.stance import holds, own_fact, stage
from triage.text import normalise


def at(text, phrase):
    text = normalise(text)
    start = text.index(phrase)
    return start, start + len(phrase), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("转账没到账，已经投诉到银保监会", "done"),
        ("我昨天向银保监会反映了", "done"),
        ("直接打银保监会投诉了", "done"),
        ("市民通过银保监会反映，柜台多收手续费", "done"),
        ("客服说银保监会已经转办下来了", "done"),
        ("如果不解决我就投诉到银保监会", "threat"),
        ("再拖下去，我只能找银保监会了", "threat"),
        ("材料写好了，准备寄银保监会", "threat"),
        ("非要我投诉到银保监会你们才处理吗？", "threat"),
        ("我对客服说：“再不退我就去银保监会”", "threat"),
        ("投诉到银保监会有用吗", "mention"),
        ("已经投诉到银保监会，有用吗", "mention"),
        ("怎么投诉？银保监会电话是多少", "mention"),
        ("听说有人去银保监会投诉成功了", "mention"),
        ("看网上说他们已经投诉到银保监会了", "mention"),
        ("我没有向银保监会投诉过", "mention"),
        ("还没投诉到银保监会", "mention"),
        ("客服让我去银保监会投诉好了", "mention"),
        ("经理说“有本事你就去银保监会”", "mention"),
        ("楼主直接投诉到银保监会", "mention"),
    ],
)
def test_a_regulator_is_turned_to_threatened_with_or_only_named(text, expected):
    assert stage(*at(text, "银保监会")) == expected


@pytest.mark.parametrize(
    ("text", "phrase", "grave", "expected"),
    [
        ("卡被盗刷了三百", "盗刷", False, True),
        ("没有被盗刷", "盗刷", False, False),
        ("目前没发现盗刷", "盗刷", False, False),
        ("没有任何人威胁我", "威胁我", False, False),
        ("我的卡是不是被盗刷了", "盗刷", False, True),
        ("万一被盗刷找谁", "盗刷", False, False),
        ("如果卡丢了，被盗刷怎么办", "盗刷", False, False),
        ("要不是你们系统烂，我怎么会被盗刷", "盗刷", False, True),
        ("逾期会影响征信", "影响征信", False, False),
        ("再不解决我就跳楼", "跳楼", True, True),
        ("如果你们逼我，我就跳楼", "跳楼", True, True),
        ("谢谢你们，把我的钱多扣了三百，真是好银行", "多扣", False, True),
    ],
)
def test_what_is_denied_or_supposed_does_not_hold(text, phrase, grave, expected):
    assert holds(*at(text, phrase), grave) is expected


def test_a_group_of_hearsay_is_not_the_writers_own():
    assert own_fact(*at("我们三十多户联名要求退钱", "联名要求"))
    assert not own_fact(*at("听说有人联名要求退钱", "联名要求"))
    assert not own_fact(*at("如果大家联名要求退钱呢", "联名要求"))


def test_the_spaces_of_a_transcript_end_clauses():
    assert stage(*at("我看网上说是有的 再这样我只能打银保监会", "银保监会")) == "threat"


def test_a_space_ends_a_clause_where_the_phrase_begins_too():
    assert stage(*at("欠款早就还清,银保监会投诉电话给我", "银保监会")) == "mention"
    assert stage(*at("欠款早就还清 银保监会投诉电话给我", "银保监会")) == "mention"
    assert holds(*at("如果是别人我不管 被盗刷了五千", "被盗刷"), grave=False)
