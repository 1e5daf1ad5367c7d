import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.text import cut, domain_words, normalise, reference_tokenizer

CORPUS = Path(__file__).parents[2] / "data" / "corpus"


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("３５００元", "3500元"),
        ("ＡＴＭ吞卡", "ATM吞卡"),
        ("轉帳失敗，餘額不對", "转账失败,余额不对"),
        ("帐户被冻结", "账户被冻结"),
        ("①不能登录②闪退", "1不能登录2闪退"),
        ("a\tb\x00c\u200bd", "a b c d"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("好用👍", "好用👍"),
    ],
)
def test_writing_variants_fold_into_one(raw, folded):
    assert normalise(raw) == folded


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_normalising_keeps_every_position(raw):
    assert len(normalise(raw)) == len(raw)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_normalising_twice_changes_nothing_more(raw):
    assert normalise(normalise(raw)) == normalise(raw)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("手机银行转账失败", ["手机银行", "转账失败"]),
        ("取款机吞卡了没人管", ["取款机", "吞卡", "了", "没人管"]),
        ("提前还款收违约金", ["提前还款", "收", "违约金"]),
        ("大额存单到期没有自动转存", ["大额存单", "到期", "没有", "自动转存"]),
        ("人脸识别一直不过", ["人脸识别", "一直", "不过"]),
        ("被第三方催收爆通讯录", ["被", "第三方催收", "爆通讯录"]),
        ("APP闪退, U盾也不认", ["APP", "闪退", ",", "U盾", "也", "不", "认"]),
    ],
)
def test_sentences_are_cut_as_bank_people_read_them(text, words):
    assert cut(text) == words


def test_the_fast_tokenizer_gives_the_tokens_of_jieba():
    reference = reference_tokenizer()

    def log_probability(words):
        return sum(math.log(reference.FREQ.get(word) or 1) - math.log(reference.total) for word in words)

    texts = [json.loads(line).get("text", "") for path in sorted(CORPUS.rglob("*.jsonl")) for line in path.open(encoding="utf-8")]
    assert len(texts) > 1000
    parted = []
    for text in map(normalise, texts):
        ours, theirs = cut(text), [word for word in reference.cut(text, HMM=False) if not word.isspace()]
        if ours != theirs and not math.isclose(log_probability(ours), log_probability(theirs)):
            parted.append((ours, theirs))
    assert parted == []


def test_the_domain_dictionary_does_not_leak_into_the_process_wide_tokenizer():
    import rjieba

    cut("先让自己的分词器建好")
    assert "手机银行转账" not in domain_words()
    assert not rjieba.has_word("爆通讯录")
