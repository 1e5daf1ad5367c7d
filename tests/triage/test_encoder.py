import numpy as np
import pytest

pytest.importorskip("onnx", reason="builds its models with onnx, which serving does not need")

from onnx_encoder import voting_encoder

from triage.encoder import PieceReader, _matter

HEADS = {"category": ("登录", "转账"), "severity": ("1", "2", "3")}
VOTES = {"登": [6, 0, 0, 0, 0], "录": [6, 0, 0, 0, 0], "转": [0, 6, 0, 0, 0], "账": [0, 6, 0, 0, 0], "骗": [0, 0, 0, 0, 9]}


@pytest.fixture
def encoder():
    return voting_encoder(VOTES, HEADS)


def test_each_head_reads_its_own_scores_as_a_distribution(encoder):
    answers = encoder.predict_proba(["登录不了", "转账被骗"])
    assert answers["category"].argmax(axis=1).tolist() == [0, 1]
    assert answers["severity"].argmax(axis=1).tolist()[1] == 2
    for head, labels in HEADS.items():
        assert answers[head].shape == (2, len(labels))
        np.testing.assert_allclose(answers[head].sum(axis=1), 1, rtol=1e-6)


def test_a_text_is_answered_alike_alone_and_in_any_company(encoder):
    texts = ["登录不了", "转", "转账被骗了三万块，现在怎么办", "嗯"]
    together = encoder.predict_proba(texts)
    for i, text in enumerate(texts):
        for head in HEADS:
            np.testing.assert_array_equal(encoder.predict_proba([text])[head][0], together[head][i])


def test_no_text_gives_empty_distributions(encoder):
    assert encoder.predict_proba([])["severity"].shape == (0, 3)


def test_a_higher_temperature_lowers_the_confidence(encoder):
    sure = encoder.predict_proba(["登录"])["category"].max()
    encoder.temperatures["category"] = 3.0
    assert 0.5 < encoder.predict_proba(["登录"])["category"].max() < sure


def test_the_words_that_spoke_for_a_label_are_named_and_those_against_it_are_not(encoder):
    [words] = encoder.explain(["转账失败，登录正常"], "category", np.array([1]))
    assert [word for word, _ in words] == ["转账失败"]
    assert words[0][1] > 0


def test_a_long_text_keeps_its_head_and_its_tail():
    reader = voting_encoder(VOTES, HEADS, max_pieces=6).reader
    [(ids, places)] = reader.read(["登录" + "的" * 20 + "骗转账"])
    assert [reader.tokenizer.id_to_token(i) for i in ids][:2] == ["登", "录"]
    assert [reader.tokenizer.id_to_token(i) for i in ids][-3:] == ["骗", "转", "账"]
    assert len(ids) == 6
    assert places[-1] == (24, 25)


def test_places_count_in_the_text_without_the_prefix():
    reader = voting_encoder(VOTES, HEADS).reader
    [(_, places)] = PieceReader(reader.tokenizer, "录:", 128).read(["转账"])
    assert places == [(0, 0), (0, 0), (0, 1), (1, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "你们好几天没给我解决了",
        "你好像把我的钱转错了",
        "你好烦啊天天打电话",
        "你好歹说一声哪天封的",
        "麻烦问题太多了登不上去",
        "卡被冻结了希望解决",
        "这种事什么时候有望解决",
        "我已经多次申请处理",
        "非常感谢",
    ],
)
def test_no_word_is_cut_for_a_greeting_or_thanks(text):
    assert _matter(text) == (0, len(text))


@pytest.mark.parametrize(
    "text", ["您好,{}", "你好{}", "请问你好 {}", "{},望尽快处理", "{}麻烦处理一下,非常感谢", "你们好!{},请尽快解决。谢谢"]
)
def test_greeting_and_thanks_are_left_out(text):
    start, end = _matter(text.format("我的卡被冻结了"))
    assert text.format("我的卡被冻结了")[start:end] == "我的卡被冻结了"
