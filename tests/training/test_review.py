from importlib.util import find_spec

import numpy as np
import openpyxl
import pytest

from training import review
from training.cli import main
from training.evaluate import Answers
from training.linear import fit
from training.review import label_errors, worth_labelling
from triage import artifact
from triage.blend import BlendClassifier
from triage.errors import ConfigError
from triage.tables import read_rows, write_rows
from triage.text import dictionary_hash

needs_cleanlab = pytest.mark.skipif(find_spec("cleanlab") is None, reason="cleanlab is not installed (extra `report`)")
SUBJECTS = ["我的卡", "昨天", "手机上", "在县里", "老人家", "公司户", "上周", "邻居"]
MATTERS = {"转账": ["转账失败", "转账转不出去", "转账没到账"], "登录": ["登录不了", "登录刷脸通不过", "登录收不到码"]}


@pytest.fixture
def data(tmp_path):
    rows = [{"内容": f"{s}{m}", "事由": topic} for s in SUBJECTS for topic, matters in MATTERS.items() for m in matters]
    rows[7]["事由"] = "登录" if rows[7]["事由"] == "转账" else "转账"  # the one wrong label
    write_rows(rows, tmp_path / "a.csv")
    return tmp_path / "a.csv"


@needs_cleanlab
def test_a_label_that_contradicts_confident_models_is_suspected():
    labels, column = ("a", "b"), ["a"] * 20 + ["b"] * 20 + [None, "b"]
    probabilities = np.array([[0.9, 0.1]] * 20 + [[0.1, 0.9]] * 20 + [[0.5, 0.5], [np.nan, np.nan]])
    probabilities[3] = [0.02, 0.98]
    [suspect] = label_errors(column, labels, probabilities)
    assert (suspect.index, suspect.given, suspect.suggested) == (3, "a", "b")
    assert (suspect.given_probability, suspect.suggested_probability) == (0.02, 0.98)


def test_without_cleanlab_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(review, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"complaint-triage\[report\]"):
        label_errors(["a"], ("a",), np.array([[1.0]]))


@needs_cleanlab
def test_a_sheet_of_doubtful_labels_is_filled_in_and_read_back(data, tmp_path, capsys):
    sheet, columns = tmp_path / "sheet.xlsx", ["--text-column", "内容", "--label-column", "事由"]
    assert main(["review", "--data", str(data), *columns, "--out", str(sheet)]) == 0
    book = openpyxl.load_workbook(sheet)
    header, first, *_ = book.active.iter_rows()
    names = [cell.value for cell in header]
    assert names == ["place", "内容", "事由", "事由_given", "事由_suggested", "事由_probability_of_given"]
    assert [cell.value for cell in first][:5] == ["a.csv:8", "昨天转账转不出去", None, "登录", "转账"]
    first[2].value = "转账"
    book.save(sheet)
    assert main(["data", "--data", str(data), *columns, "--review", str(sheet), "--out", str(tmp_path / "b.csv")]) == 0
    before, after = (["".join(map(str, row.values.values())) for row in read_rows(path)] for path in (data, tmp_path / "b.csv"))
    assert [i for i, (b, a) in enumerate(zip(before, after, strict=True)) if b != a] == [7]
    assert "1 labels corrected by sheet.xlsx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"place": "a.csv:99", "内容": "x", "事由": "转账"}, "a row of the files"),
        ({"place": "a.csv:1", "内容": "x", "事由": "转账"}, "was changed after the review"),
    ],
)
def test_a_sheet_about_other_rows_is_refused(data, tmp_path, capsys, row, message):
    write_rows([row], tmp_path / "sheet.csv")
    columns = ["--text-column", "内容", "--label-column", "事由"]
    assert main(["data", "--data", str(data), *columns, "--review", str(tmp_path / "sheet.csv"), "--out", str(tmp_path / "b.csv")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "b.csv").exists()


def test_the_least_certain_texts_are_chosen_once_each_and_not_all_of_a_kind():
    kinds = ["转账转不出去了怎么办", "登录一直失败怎么办", "排队排了两个小时"]
    texts = [f"{kind}{i}" for kind in kinds for i in range(30)] + ["重复的话"] * 5
    chosen = [texts[i] for i, _ in worth_labelling(texts, {"topic": Answers([None] * 95, np.full(95, 0.4))}, 9)]
    assert len(set(chosen)) == len(chosen) == 9
    assert {text[:2] for text in chosen} >= {"转账", "登录", "排队"}


def test_fewer_texts_than_wanted_are_all_taken_the_least_certain_first():
    answers = {"topic": Answers(["x"] * 3, np.array([0.9, 0.1, 0.5]))}
    assert [i for i, _ in worth_labelling(["甲", "乙", "丙"], answers, 10)] == [1, 2, 0]


def test_a_sheet_of_texts_to_label_is_training_data_once_it_is_filled_in(data, tmp_path, capsys):
    model = tmp_path / "m" / "model"
    assert main(["train", "--data", str(data), "--text-column", "内容", "--label-column", "事由", "--out", str(model)]) == 0
    write_rows([{"text": f"{s}转账卡住了", "id": str(i)} for i, s in enumerate(SUBJECTS)], tmp_path / "new.csv")
    sheet = tmp_path / "next.csv"
    assert main(["review", "--unlabelled", str(tmp_path / "new.csv"), "--model", str(model), "--next", "3", "--out", str(sheet)]) == 0
    rows = [dict(row.values) for row in read_rows(sheet)]
    assert len(rows) == 3
    assert list(rows[0]) == ["place", "id", "channel", "region", "time", "text", "事由", "事由_answer", "uncertainty"]
    write_rows([row | {"事由": "转账"} for row in rows], sheet)
    assert main(["data", "--data", str(sheet), str(sheet), "--label-column", "事由"]) == 2  # three rows of one label alone do not train
    assert "6 texts" in capsys.readouterr().out


def test_a_blend_chooses_the_texts_to_label_as_a_linear_model_does(tmp_path):
    pytest.importorskip("onnx", reason="builds its models with onnx, which serving does not need")
    from onnx_encoder import voting_encoder

    texts = [f"{s}{m}" for s in SUBJECTS for matters in MATTERS.values() for m in matters]
    linear = fit(texts, {"事由": ["转账" if "转账" in text else "登录" for text in texts]}).classifier
    encoder = voting_encoder({"转": [0, 5], "登": [5, 0]}, linear.heads, max_pieces=64)
    blend = BlendClassifier(linear, encoder, {"事由": 0.4}, None, {"事由": 1.0})
    manifest = artifact.Manifest(
        name="toy", version="1", created="2026-01-01T00:00:00+08:00", family="blend", heads=blend.heads, text={},
        dictionary_hash=dictionary_hash(), data=(), metrics={}, review_thresholds={"事由": 0.5}, libraries=artifact.library_versions(), seed=0,
    )  # fmt: skip
    artifact.save(blend, manifest, "# toy\n", tmp_path / "toy-1")
    write_rows([{"text": text} for text in ["转账失败", "登录不了", "排队太久"]], tmp_path / "new.csv")
    sheet = tmp_path / "next.csv"
    arguments = [
        "review",
        "--unlabelled",
        str(tmp_path / "new.csv"),
        "--model",
        str(tmp_path / "toy-1"),
        "--next",
        "1",
        "--out",
        str(sheet),
    ]
    assert main(arguments) == 0
    assert [row.values["text"] for row in read_rows(sheet)] == ["排队太久"]


def test_one_of_the_two_sources_must_be_named(tmp_path, capsys):
    assert main(["review", "--out", str(tmp_path / "x.csv")]) == 2
    assert "expected one of the two" in capsys.readouterr().err


def test_a_sheet_cannot_be_read_back_into_two_files_of_one_name(data, tmp_path, capsys):
    namesake = tmp_path / "2024" / data.name
    namesake.parent.mkdir()
    namesake.write_bytes(data.read_bytes())
    write_rows([{"place": "a.csv:8", "内容": "昨天转账转不出去", "事由": "转账"}], tmp_path / "sheet.csv")
    columns, out = ["--text-column", "内容", "--label-column", "事由"], tmp_path / "b.csv"
    arguments = ["data", "--data", str(data), str(namesake), *columns, "--review", str(tmp_path / "sheet.csv"), "--out", str(out)]
    assert main(arguments) == 2
    assert "--data: got 'two files a.csv', expected one file of each name" in capsys.readouterr().err
    assert not out.exists()
