from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from fakes import NOW

from triage.artifact import Manifest
from triage.problems import clauses, further_problems
from triage.tagger import Tagger
from triage.types import Complaint

HEADS = {
    "category": ("branch.queue", "card.annual_fee", "ebank.login", "other.complaint", "other.not_complaint"),
    "severity": ("1", "2", "3", "4"),
    "sentiment": ("negative", "neutral", "positive"),
}
WORDS = {"排队": 0, "年费": 1, "登录": 2, "垃圾": 3}


@dataclass(frozen=True)
class WordClassifier:
    """Shares the probability of the category evenly among the words it knows; glad at 好用, slight at 希望."""

    heads: dict[str, tuple[str, ...]] = field(default_factory=lambda: HEADS)

    def predict_proba(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        category = np.full((len(texts), 5), 0.01)
        for i, text in enumerate(texts):
            found = [column for word, column in WORDS.items() if word in text] or [4]
            category[i, found] += 0.95 / len(found)
        slight = np.array(["希望" in text for text in texts])
        glad = np.array(["好用" in text for text in texts])
        severity = np.where(slight[:, None], [[0.9, 0.1, 0, 0]], [[0.1, 0.8, 0.1, 0]])
        return {"category": category, "severity": severity, "sentiment": np.where(glad[:, None], [[0.1, 0, 0.9]], [[0.9, 0.1, 0]])}

    def explain(self, texts: Sequence[str], head: str, label_index: np.ndarray) -> list[list[tuple[str, float]]]:
        return [[(word, 1.0)] if word in text else [] for text in texts for word in ["年费"]]


def found(*texts):
    classifier = WordClassifier()
    answer = further_problems(classifier, texts, classifier.predict_proba(texts))
    return {i: [HEADS["category"][k] for k in columns] for i, columns in answer.items()}


def test_a_problem_with_a_clause_of_its_own_is_found_beside_the_main_one():
    # The first column wins where the whole text gives both the same probability.
    assert found("信用卡年费扣了我三百六,手机银行一直登录不上去") == {0: ["ebank.login"]}
    assert set(found("信用卡年费扣了我三百六,手机银行一直登录不上去,网点排队排了半天")[0]) == {"card.annual_fee", "ebank.login"}


@pytest.mark.parametrize(
    "text",
    [
        "信用卡年费扣了我三百六,打电话也不给退,太不讲理了",
        "年费没退,登录不上",
        "信用卡年费扣了我三百六,手机银行登录挺好用的",
        "信用卡年费扣了我三百六,希望登录可以改成指纹",
        "信用卡年费扣了我三百六,真是一家垃圾银行",
        "转账快查余额方便,界面也清爽,给五星好评",
    ],
)
def test_one_problem_short_texts_praise_wishes_and_bare_abuse_give_no_second(text):
    assert found(text) == {}


def test_texts_keep_their_own_problems_in_a_batch():
    two = "信用卡年费扣了我三百六,手机银行一直登录不上去"
    assert list(found("网点排队排了整整一个上午", two, "", two)) == [1, 3]


def test_short_and_foreign_pieces_join_their_neighbours():
    assert clauses("闪退,黑屏,根本登录不上。iPhone7 iOS11,客服电话打不通!!唉") == [
        "闪退,黑屏,根本登录不上",
        "iPhone7 iOS11,客服电话打不通,唉",
    ]
    assert clauses("钱没到 我等了三天 客服说再等等") == ["钱没到,我等了三天", "客服说再等等"]
    assert clauses("太烂") == clauses("") == []


@pytest.fixture(scope="module")
def tagger():
    manifest = Manifest(
        name="words", version="1", created=NOW.isoformat(), family="linear", heads=HEADS, text={}, dictionary_hash="", data=(), metrics={},
        review_thresholds={"category": 0.45}, libraries={}, seed=0,
    )  # fmt: skip
    return Tagger(WordClassifier(), manifest)


def tag(tagger, text, **more):
    [triage] = tagger.tag([Complaint(id="1", text=text, time=NOW, **more)])
    return triage


def test_the_alternatives_of_a_triage_are_the_further_problems(tagger):
    triage = tag(tagger, "信用卡年费扣了我三百六，手机银行一直登录不上去")
    assert {triage.category.key, *(label.key for label in triage.alternatives)} == {"card.annual_fee", "ebank.login"}
    assert tag(tagger, "信用卡年费扣了我三百六，打电话也不给退").alternatives == ()


def test_a_fact_that_makes_it_a_complaint_is_left_to_a_person_where_the_model_sees_none(tagger):
    triage = tag(tagger, "钱还没到账，已经投诉到银保监会")
    assert (triage.category.key, triage.severity.level, triage.needs_review) == ("other.not_complaint", 4, True)
    assert "判为非投诉，但已诉诸监管机构" in triage.review_reasons
    assert triage.report_due is not None
    slight = tag(tagger, "希望了解投诉到银保监会有用吗")
    assert (slight.severity.level, slight.review_reasons) == (1, ())


def test_what_a_regulator_hands_over_and_the_model_takes_for_no_complaint_is_looked_at(tagger):
    triage = tag(tagger, "希望告知大额存单利率", channel="regulator")
    assert (triage.severity.level, triage.review_reasons) == (1, ("监管转办，却判为非投诉",))


def test_a_batch_of_nothing_is_tagged_as_nothing(tagger):
    assert tagger.tag([]) == []
