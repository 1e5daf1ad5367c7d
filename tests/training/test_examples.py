import logging

import numpy as np
import openpyxl
import orjson
import pytest

from training.examples import folds, read_examples, require_trainable
from triage.errors import InputError
from triage.taxonomy import load_taxonomy


def jsonl(path, rows):
    path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return path


def test_texts_are_prepared_as_in_service_and_turns_give_the_customers_words(tmp_path):
    rows = [
        {"text": "３５００元轉帳失敗，我電話13800138000", "label": "a"},
        {
            "turns": [
                {"speaker": "agent", "text": "您好"},
                {"speaker": "customer", "text": "登录不了"},
                {"speaker": "customer", "text": "急"},
            ],
            "label": "b",
        },
    ]
    examples = read_examples([jsonl(tmp_path / "a.jsonl", rows)], ["label"])
    assert examples.texts == ("3500元转账失败,我电话[手机号]", "登录不了\n急")
    assert examples.labels == {"label": ("a", "b")}
    assert examples.groups is None


def test_several_files_formats_heads_and_groups_are_read_in_order(tmp_path):
    book = openpyxl.Workbook()
    for row in (["内容", "级别", "作者"], ["排队太久", 2.0, "x"], ["柜员态度差", None, "y"]):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "b.csv").write_text("内容,级别,作者\n取不出钱,3,x\n", encoding="gb18030")
    examples = read_examples([tmp_path / "a.xlsx", tmp_path / "b.csv"], ["级别"], text_column="内容", group_column="作者")
    assert examples.labels["级别"] == ("2", None, "3")
    assert examples.groups == ("x", "y", "x")
    assert examples.rows == ("a.xlsx:1", "a.xlsx:2", "b.csv:1")
    assert [(f.name, f.rows, len(f.sha256)) for f in examples.files] == [("a.xlsx", 2, 64), ("b.csv", 1, 64)]


def test_rows_without_a_text_are_left_out_and_reported(tmp_path, caplog):
    path = jsonl(tmp_path / "a.jsonl", [{"text": " ", "label": "a"}, {"text": "好", "label": "b"}, {"text": None, "label": "a"}])
    with caplog.at_level(logging.WARNING):
        examples = read_examples([path], ["label"])
    assert examples.texts == ("好",)
    assert examples.skipped == ("a.jsonl:1", "a.jsonl:3")
    assert "2 rows have no text and were left out: a.jsonl:1, a.jsonl:3" in caplog.text


def test_the_same_text_under_two_labels_is_reported_with_its_rows(tmp_path, caplog):
    rows = [
        {"text": "扣錢了", "label": "a"},
        {"text": "别的", "label": "a"},
        {"text": "扣钱了", "label": "b"},
        {"text": "别的", "label": "a"},
    ]
    with caplog.at_level(logging.WARNING):
        examples = read_examples([jsonl(tmp_path / "a.jsonl", rows)], ["label"])
    assert examples.contradictions("label") == [("a.jsonl:1", "a.jsonl:3")]
    assert "1 texts have two labels: a.jsonl:1 / a.jsonl:3" in caplog.text


def test_labels_that_the_taxonomy_does_not_know_are_refused_with_their_rows(tmp_path):
    rows = [{"text": "a", "category": "card.annual_fee", "severity": 2}, {"text": "b", "category": "card.anual_fee", "severity": 2}]
    path = jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputError, match=r"category \(a\.jsonl:2\): got 'card\.anual_fee', expected labels of taxonomy 'bank'"):
        read_examples([path], ["category", "severity"], taxonomy=load_taxonomy())
    assert read_examples([path], ["category"]).labels["category"][1] == "card.anual_fee"


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [({"label_columns": ["topic"]}, "topic"), ({"text_column": "body"}, "body"), ({"group_column": "author"}, "author")],
)
def test_a_missing_column_names_row_and_columns(tmp_path, arguments, missing):
    path = jsonl(tmp_path / "a.jsonl", [{"text": "a", "label": "x"}])
    with pytest.raises(InputError, match=rf"a\.jsonl:1: column: got '{missing}', expected one of the columns text, label"):
        read_examples([path], **({"label_columns": ["label"]} | arguments))


def test_malformed_turns_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.jsonl:1: turns"):
        read_examples([jsonl(tmp_path / "a.jsonl", [{"turns": ["登录不了"], "label": "x"}])], ["label"])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 12, "the one label 'a'"),
        (["a", "b"] * 4, "8 labelled rows"),
        (["a", "b"] * 4 + [None] * 9, "8 labelled rows"),
        (list("abcdefghijkl"), r"12 labels in 12 rows, each once.*--label-column"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(tmp_path, labels, message):
    path = jsonl(tmp_path / "a.jsonl", [{"text": f"第{i}条", "label": label} for i, label in enumerate(labels)])
    with pytest.raises(InputError, match=message):
        require_trainable(read_examples([path], ["label"]))


def test_a_label_with_one_example_is_kept_and_warned_of(tmp_path, caplog):
    path = jsonl(tmp_path / "a.jsonl", [{"text": f"第{i}条", "label": "ab"[i % 2] if i else "c"} for i in range(12)])
    with caplog.at_level(logging.WARNING):
        require_trainable(read_examples([path], ["label"]))
    assert "one example only of c" in caplog.text


def test_folds_never_part_a_group():
    groups = [str(i % 7) for i in range(70)]
    for train, test in folds(np.arange(70) % 3, groups, seed=0):
        assert not {groups[i] for i in train} & {groups[i] for i in test}


def test_folds_without_groups_test_every_row_once_and_depend_on_the_seed_only():
    target = np.arange(50) % 3
    tests = [np.concatenate([test for _, test in folds(target, None, seed)]) for seed in (1, 1, 2)]
    assert sorted(tests[0]) == list(range(50))
    assert tests[0].tolist() == tests[1].tolist() != tests[2].tolist()
