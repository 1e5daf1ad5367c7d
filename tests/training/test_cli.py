import csv
import json
from pathlib import Path

import pytest

from training.cli import main
from triage import artifact
from triage.artifact import LAYOUT
from triage.privacy import prepare

SUBJECTS = ["我的卡", "昨天", "手机上", "在县里", "老人家", "公司户"]
MATTERS = {"转账": ["转账失败", "钱转不出去", "汇款没到账"], "登录": ["登录不了", "刷脸通不过", "验证码收不到"]}
ROWS = [
    {"内容": f"{subject}{matter}", "事由": topic, "级别": str(1 + len(subject) % 2), "作者": subject}
    for subject in SUBJECTS
    for topic, matters in MATTERS.items()
    for matter in matters
]


def table(path: Path, rows=ROWS, encoding="utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def train(data: Path, out: Path, *more: str) -> int:
    return main(["train", "--data", str(data), "--text-column", "内容", "--label-column", "事由", "级别", "--out", str(out), *more])


@pytest.fixture
def data(tmp_path):
    return table(tmp_path / "投诉.csv")


@pytest.fixture
def model(tmp_path, data):
    assert train(data, tmp_path / "model") == 0
    return tmp_path / "model"


def test_a_bank_trains_its_own_labels_and_gets_them_back(model, capsys):
    classifier, manifest = artifact.load(model)
    assert manifest.heads == {"事由": ("登录", "转账"), "级别": ("1", "2")}
    assert manifest.folder_name == "custom-linear-1"
    assert set(manifest.metrics["cross_validation"]) == {"事由", "级别"}
    [answer] = classifier.predict_proba([prepare("邻居转账失败了")])["事由"]
    assert manifest.heads["事由"][answer.argmax()] == "转账"
    assert "事由" in (model / LAYOUT.card).read_text(encoding="utf-8")


def test_the_same_data_and_seed_give_the_same_model_and_card(model, data, tmp_path):
    assert train(data, tmp_path / "again", "--group-column", "作者") == 0
    assert train(data, tmp_path / "once-more", "--group-column", "作者") == 0
    for name in (LAYOUT.classifier, LAYOUT.card):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "once-more" / name).read_bytes()


def test_a_stated_risk_sets_the_thresholds_and_is_recorded(data, tmp_path, capsys):
    assert train(data, tmp_path / "model", "--risk", "0.3") == 0
    manifest = artifact.read_manifest(tmp_path / "model")
    assert manifest.risk == 0.3
    assert manifest.review_thresholds["级别"] != 0.5
    assert "for a risk of 0.3" in (tmp_path / "model" / LAYOUT.card).read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        train(data, tmp_path / "other", "--risk", "1.5")


def test_figures_as_json_hold_every_test_and_head(data, tmp_path, capsysbinary):
    assert train(data, tmp_path / "model", "--test", str(data), "--json") == 0
    figures = json.loads(capsysbinary.readouterr().out)
    assert set(figures) == {"cross_validation", "投诉"}
    assert set(figures["投诉"]["级别"]) >= {"n", "accuracy", "macro_f1", "qwk", "ece", "per_class"}


def test_evaluate_prints_house_json_and_writes_a_report(model, data, tmp_path, capsysbinary):
    report = tmp_path / "report"
    arguments = ["evaluate", "--model", str(model), "--data", str(data), "--text-column", "内容", "--report", str(report)]
    assert main([*arguments, "--slice", "作者", "--no-plots", "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out.splitlines()[-1])["事由"]["n"] == len(ROWS)
    assert {p.name for p in report.iterdir()} == {"README.md", "index.html", "figures.json", "errors.csv"}
    assert "| 作者 | 公司户 | 6 |" in (report / "README.md").read_text(encoding="utf-8")


def test_data_counts_the_labels(data, capsysbinary):
    assert main(["data", "--data", str(data), "--text-column", "内容", "--label-column", "事由", "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["labels"] == {"事由": {"转账": 18, "登录": 18}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:8], "at least 10"),
        (lambda rows: [row | {"事由": "转账"} for row in rows], "at least two labels"),
        (lambda rows: [{"text": row["内容"]} for row in rows], "one of the columns text"),
    ],
)
def test_data_that_cannot_be_trained_on_is_said_in_one_line_with_status_2(tmp_path, capsys, change, message):
    assert train(table(tmp_path / "a.csv", change(ROWS)), tmp_path / "model") == 2
    error = capsys.readouterr().err
    assert error.startswith("triage: ")
    assert message in error
    assert not (tmp_path / "model").exists()


def test_labels_are_checked_against_the_taxonomy_on_demand(tmp_path, capsys):
    data = table(tmp_path / "a.csv", [{"text": row["内容"], "category": row["事由"]} for row in ROWS])
    arguments = ["train", "--data", str(data), "--label-column", "category", "--out", str(tmp_path / "model")]
    assert main([*arguments, "--taxonomy"]) == 2
    assert "expected labels of taxonomy 'bank'" in capsys.readouterr().err
    assert main(arguments) == 0


def test_a_changed_model_is_refused_with_status_2(model, data, capsys):
    (model / LAYOUT.classifier).write_bytes(b"x")
    assert main(["evaluate", "--model", str(model), "--data", str(data)]) == 2
    assert "was changed" in capsys.readouterr().err


def test_evaluating_a_file_without_the_models_heads_names_both(model, tmp_path, capsys):
    other = table(tmp_path / "other.csv", [{"内容": "慢", "标签": "x"}])
    assert main(["evaluate", "--model", str(model), "--data", str(other)]) == 2
    assert "got '内容, 标签', expected at least one of the model's heads 事由, 级别" in capsys.readouterr().err
