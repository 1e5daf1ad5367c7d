"""Sentences that no reader would misunderstand."""

from training.examples import read_examples
from triage.privacy import prepare
from triage.resources import DATA
from triage.taxonomy import load_taxonomy

LEAST_CATEGORY = 0.90
LEAST_GROUP = 0.93

SEVERITY = {
    "我打开手机银行的时候偶尔有点慢，希望改进": 1,
    "请问周末上班吗": 1,
    "建议字体做大一点": 1,
    "手机银行登录不上去，收不到验证码": 2,
    "网点排队等了两个多小时": 2,
    "取款机把我的卡吞了": 2,
    "同一笔消费扣了我两次钱，八百块到现在没退": 3,
    "催收爆我通讯录，辱骂我父母": 3,
    "转账三千块三天了还没到账，再不解决我就去银保监会投诉": 3,
    "我的信息被你们泄露了，中介天天打电话": 3,
    "我已经向金融监管局投诉了，工单都立案了，你们还不处理年费的事": 4,
    "卡被盗刷了十二万，钱全没了": 4,
    "孩子等着交手术费，账户冻结了取不出钱": 4,
    "再逼我我就从你们楼上跳下去，不想活了": 4,
}
SENTIMENT = {
    "negative": ["什么破软件，天天闪退", "态度太差了，气死我了", "乱收费，坑人的银行", "登录不上去，垃圾", "太让人失望了，再也不用了", "客服就知道推脱，恶心"],
    "neutral": ["请问大额存单利率是多少", "换手机号需要带什么材料", "周末网点几点开门", "信用卡怎么申请", "跨行转账多久到账", "提前还款在哪里预约"],
    "positive": ["非常好用，转账很快，点赞", "客服小姐姐态度特别好，谢谢", "软件不错，很方便", "办事效率高，满意", "用了多年，一直很好，支持", "很棒的银行，推荐给朋友了"],
}  # fmt: skip


def test_every_category_has_its_sentences(sentences):
    assert set(sentences) == set(load_taxonomy().categories)
    assert all(len(members) >= 3 for members in sentences.values())


def test_the_sentences_are_not_in_the_training_data(texts):
    corpus = read_examples(sorted((DATA / "corpus").glob("*/*.jsonl")), ["category"])
    assert not {prepare(text) for text in texts} & set(corpus.texts)


def test_most_unmistakable_sentences_get_their_category(tag, sentences):
    expected = [category for category, members in sentences.items() for _ in members]
    given = [triage.category.key for triage in tag([text for members in sentences.values() for text in members])]
    wrong = [f"{e} -> {g}" for e, g in zip(expected, given, strict=True) if e != g]
    assert 1 - len(wrong) / len(expected) >= LEAST_CATEGORY, wrong
    groups = [e.split(".")[0] == g.split(".")[0] for e, g in zip(expected, given, strict=True)]
    assert sum(groups) / len(groups) >= LEAST_GROUP, wrong


def test_no_category_is_out_of_reach(tag, sentences):
    assert not [category for category, members in sentences.items() if category not in {t.category.key for t in tag(members)}]


def test_levels_of_severity_that_the_guide_settles(tag):
    given = [triage.severity.level for triage in tag(list(SEVERITY))]
    wrong = {text: level for text, level, expected in zip(SEVERITY, given, SEVERITY.values(), strict=True) if level != expected}
    assert 1 - len(wrong) / len(SEVERITY) >= 0.85, wrong
    assert all(abs(level - SEVERITY[text]) <= 1 for text, level in wrong.items()), wrong


def test_plain_anger_questions_and_praise_are_told_apart(tag):
    wrong = [
        f"{text} -> {triage.sentiment.label}"
        for label, members in SENTIMENT.items()
        for text, triage in zip(members, tag(members), strict=True)
        if triage.sentiment.label != label
    ]
    assert 1 - len(wrong) / sum(map(len, SENTIMENT.values())) >= 0.9, wrong
