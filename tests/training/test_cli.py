import csv
import json
from pathlib import Path

import pytest

from training import families
from training import train as training
from training.cli import main
from triage import artifact
from triage.artifact import LAYOUT
from triage.errors import InputError
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


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--epochs", "3"], "--family encoder or blend"),
        (["--base", "x"], "--family encoder or blend"),
        (["--max-pieces", "64"], "--family encoder or blend"),
        (["--frozen-layers", "2"], "--family encoder or blend"),
        (["--start-from", "x"], "--family encoder or blend"),
        (["--held-out-group", "x", "--group-column", "作者"], "--family encoder or blend"),
        (["--cascade"], "--family blend"),
        (["--keep-encoder", "--teacher", "x"], "--family blend"),
        (["--encoder-share", "事由=0.6"], "--family blend"),
        (["--favour-rare", "0.2"], "--family blend"),
        (["--encoder-share", "事由=0.6", "--family", "encoder"], "--family blend"),
        (["--cascade", "--family", "encoder"], "--family blend"),
        (["--unlabelled-sample", "5"], "--unlabelled"),
        (["--epochs", "0", "--family", "blend"], "--start-from with encoders"),
        (["--unlabelled", "y", "--epochs", "0", "--family", "encoder", "--start-from", "x"], "nothing else learns"),
    ],
)
def test_options_that_the_family_would_pass_over_are_refused(options, named, data, tmp_path, capsys):
    assert train(data, tmp_path / "model", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"triage: {options[0]}: ")
    assert named in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "-1"], "--seed: '-1' is not a whole number from 0"),
        (["--seed", "4294967296"], "--seed: '4294967296' is not"),
        (["--caution", "nan"], "--caution: nan is not a finite number above 0"),
        (["--caution", "inf"], "--caution: inf is not a finite number above 0"),
        (["--cost", "nan"], "--cost: nan is not a finite number above 0"),
        (["--cost", "viel"], "--cost: 'viel' is not a number"),
        (["--balance", "-1"], "--balance: -1 is not in 0 .. 1"),
        (["--balance", "viel"], "--balance: 'viel' is not a number"),
        (["--risk", "viel"], "--risk: 'viel' is not a number"),
        (["--frozen-layers", "-1"], "--frozen-layers: -1 is not at least 0"),
        (["--epochs", "viel"], "--epochs: 'viel' is not a whole number"),
    ],
)
def test_numbers_that_are_none_are_refused_in_words(options, message, data, tmp_path, capsys):
    with pytest.raises(SystemExit):
        train(data, tmp_path / "model", *options)
    assert f"error: argument {message}" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "注意".encode("gb18030")])
def test_notes_that_cannot_be_read_are_refused(content, data, tmp_path, capsys):
    notes = tmp_path / "notes.md"
    notes.mkdir() if content is None else notes.write_bytes(content)
    assert train(data, tmp_path / "model", "--notes", str(notes)) == 2
    assert "triage: --notes: " in capsys.readouterr().err


def test_repeated_files_are_all_read(tmp_path, capsysbinary):
    first, second = table(tmp_path / "一.csv", ROWS[:20]), table(tmp_path / "二.csv", ROWS[20:])
    assert train(first, tmp_path / "model", "--data", str(second), "--test", str(first), "--test", str(second), "--json") == 0
    assert [file.name for file in artifact.read_manifest(tmp_path / "model").data] == ["一.csv", "二.csv"]
    assert set(json.loads(capsysbinary.readouterr().out)) == {"cross_validation", "一", "二"}


@pytest.mark.parametrize("names", [["a/投诉.csv", "b/投诉.csv"], ["held_out.csv"], ["cross_validation.csv"]])
def test_files_whose_figures_would_take_the_place_of_others_are_refused(names, data, tmp_path, capsys):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        table(tmp_path / name)
    assert train(data, tmp_path / "model", "--test", *(str(tmp_path / name) for name in names)) == 2
    assert f"triage: --test: got '{(tmp_path / names[0]).stem}'" in capsys.readouterr().err


@pytest.fixture
def no_training(monkeypatch):
    """What is refused must be before the training, which may take hours."""

    def fit(*arguments):
        raise AssertionError("trained first")

    monkeypatch.setattr(training.families, "fit", fit)


def of_a_bank(path, changes):
    labels = [("card.annual_fee", "1", "neutral"), ("payment.transfer_failure", "2", "negative")]
    rows = [(row["内容"], *labels[i % 2]) for i, row in enumerate(ROWS)]
    return table(path, [dict(zip(("text", "category", "severity", "sentiment"), row, strict=True)) | changes for row in rows])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"channel": "鸽子"}, "test.csv:1: channel: got '鸽子', expected one of"),
        ({"category": "", "severity": "", "sentiment": ""}, "test.csv: category, severity, sentiment: got None, expected at least one row"),
    ],
)
def test_a_test_that_cannot_be_answered_is_known_before_the_training(changes, message, tmp_path, no_training, capsys):
    data, test = of_a_bank(tmp_path / "data.csv", {}), of_a_bank(tmp_path / "test.csv", changes)
    heads = ["--label-column", "category", "severity", "sentiment"]
    assert main(["train", "--data", str(data), *heads, "--test", str(test), "--out", str(tmp_path / "model")]) == 2
    assert message in capsys.readouterr().err


def test_the_card_says_how_the_rows_of_its_figures_were_parted(data, tmp_path):
    def card(*options):
        assert train(data, tmp_path / "model", *options) == 0
        return (tmp_path / "model" / LAYOUT.card).read_text(encoding="utf-8")

    assert "(labels spread evenly)" in card()
    assert "(by text: none is both trained" in card("--courtesy", "0.3")
    assert "(by `作者`: no author" in card("--group-column", "作者")


def test_a_missing_package_is_known_before_the_teacher_reads(model, data, tmp_path, monkeypatch, capsys):
    def read(*arguments):
        raise AssertionError("read first")

    monkeypatch.setattr(families.encoder, "NEEDED", ("no_such_package",))
    monkeypatch.setattr(families, "pseudo_label", read)
    unlabelled = table(tmp_path / "评论.csv", [{"内容": "网点太远"}])
    options = ["--family", "encoder", "--teacher", str(model), "--unlabelled", str(unlabelled)]
    assert train(data, tmp_path / "other", *options) == 2
    assert "needs no_such_package" in capsys.readouterr().err


def test_an_unfinished_training_is_kept_until_the_model_is_there(data, tmp_path, monkeypatch):
    checkpoint = tmp_path / ".model.training"
    checkpoint.touch()

    def failed(*arguments):
        raise InputError("training", None, "one that ends well")

    with monkeypatch.context() as patched:
        patched.setattr(families, "fit", failed)
        assert train(data, tmp_path / "model") == 2
    assert checkpoint.exists()
    assert train(data, tmp_path / "model") == 0
    assert not checkpoint.exists()
