"""From raw text to what the models read: length-preserving normalisation and one private tokenizer.

`normalise` gives one code point for each code point, so that a span in the normalised text is the same span in the original.
"""

import hashlib
import unicodedata
from functools import cache

import jieba
import opencc
import rjieba

from triage.resources import DATA, read_text

# Weight of our words in the tokenizer's unigram model (its own dictionary sums to 60 million): high enough to beat a split into
# two common words, too low to swallow a neighbour.
_WORD_FREQUENCY = 5000
_TAG = "n"


def normalise(text: str) -> str:
    """Fold what looks different and means the same: full-width to half-width, traditional to simplified, circled digits to digits;
    control, format and zero-width characters become spaces (line ends stay).

    Args:
        text: any string.

    Returns:
        A string of the same length.

    >>> normalise("３５００元　轉帳失敗")
    '3500元 转账失败'
    """
    return text.translate(_folding())


def cut(text: str) -> list[str]:
    """Words of a normalised text, in order, without white space; concatenated they give the text without its white space.

    The tokenizer is jieba's unigram model with our dictionary and without HMM, in its Rust build: the same tokens ten times as fast.
    tests/triage/test_text.py holds the two side by side; they part only where two segmentations are equally probable (啊啊啊啊).
    """
    return [word for word in _tokenizer().cut(text, False) if not word.isspace()]


@cache
def domain_words() -> tuple[str, ...]:
    """The words of data/lexicon/words.txt, upper-case spellings included. Raises: ConfigError when the file is missing."""
    words = _word_list("words.txt")
    return tuple(sorted(words | {w.upper() for w in words}))


@cache
def function_words() -> frozenset[str]:
    """Words that name no topic, from data/lexicon/function_words.txt. Raises: ConfigError when the file is missing."""
    return _word_list("function_words.txt")


@cache
def dictionary_hash() -> str:
    """SHA-256 (hex) of the domain words: a model answers for the dictionary it was trained with."""
    return hashlib.sha256("\n".join(domain_words()).encode()).hexdigest()


def reference_tokenizer() -> jieba.Tokenizer:
    """A new pure-Python tokenizer with the same dictionary: the reference that `cut` is tested against."""
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for word in domain_words():
        tokenizer.add_word(word, _WORD_FREQUENCY, _TAG)
    return tokenizer


def _word_list(name: str) -> frozenset[str]:
    lines = read_text(DATA / "lexicon" / name).splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@cache
def _tokenizer() -> rjieba.Jieba:
    # A private instance: adding words to the default one would change segmentation for the whole process.
    tokenizer = rjieba.Jieba()
    for word in domain_words():
        tokenizer.add_word(word, _WORD_FREQUENCY, _TAG)
    return tokenizer


@cache
def _folding() -> dict[int, str]:
    table = {}
    han = [chr(code) for block in (range(0x3400, 0x4DC0), range(0x4E00, 0xA000)) for code in block]
    simplified = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    table.update({ord(old): new for old, new in zip(han, simplified, strict=True) if old != new and len(new) == 1})
    # Compatibility forms with a one-character equivalent: full-width letters and digits, circled digits, CJK radicals ...
    for block in (range(0x00A0, 0x0100), range(0x2000, 0x2100), range(0x2460, 0x2500), range(0x2E80, 0x2FE0), range(0x3000, 0x3400),
                  range(0xF900, 0xFB00), range(0xFE30, 0xFE70), range(0xFF00, 0xFFF0)):  # fmt: skip
        for code in block:
            folded = unicodedata.normalize("NFKC", chr(code))
            if len(folded) == 1 and folded != chr(code):
                table[code] = folded
    for code in (*range(0x20), *range(0x7F, 0xA0), 0xAD, *range(0x200B, 0x2010), 0x2028, 0x2029, *range(0x202A, 0x202F), 0x2060, 0xFEFF):
        if code != 0x0A:
            table[code] = " "
    table.update(dict.fromkeys(map(ord, "帐帳賬"), "账"))  # the usual misspelling of 账户, 转账, 到账
    # A joiner or a variation selector inside an emoji is not a word boundary, but it carries nothing either.
    table.update({0x200D: " ", 0xFE0E: " ", 0xFE0F: " "})
    return table
