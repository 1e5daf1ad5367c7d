import csv
from importlib.util import find_spec

import numpy as np
import pytest

from training import plots
from training.document import Heading, Paragraph, Picture, Table, html, markdown
from training.evaluate import Answers, figures
from training.examples import read_examples
from training.linear import LinearSettings, fit
from training.plots import risk_coverage
from training.report import Measured, mistakes, write_report
from training.slices import slices
from triage.errors import ConfigError

TEXTS = ["转账失败了", "转账没到账<b>", "汇款转不出去", "登录不了|急", "登录失败", "刷脸登不进去"]
TRUTH = ["转账", "登录", "转账", "登录", "登录", "转账"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Measured:
    path = tmp_path_factory.mktemp("data") / "a.csv"
    lines = [f"{t},{label},{c}\n" for t, label, c in zip(TEXTS, TRUTH, ["440300", "440000", "110000"] * 2, strict=True)]
    path.write_text("text,事由,region\n" + "".join(lines), encoding="utf-8")
    examples = read_examples([path], ["事由"], keep=["region", "channel"])
    classifier = fit(TEXTS, {"事由": ["转账"] * 3 + ["登录"] * 3}, settings=LinearSettings(min_texts=1)).classifier
    answers = {"事由": Answers(["转账"] * 3 + ["登录"] * 3, np.array([0.9, 0.95, 0.8, 0.7, 0.6, 0.5]))}
    return Measured(
        title="toy on a.csv",
        classifier=classifier,
        examples=examples,
        answers=answers,
        figures=figures(examples, answers, {}),
        thresholds={},
    )


def test_the_worst_errors_are_the_most_confident_ones_with_the_words_that_spoke_for_them(measured):
    first, second = mistakes(measured, "事由")
    assert (first.row, first.label, first.answer, first.confidence) == ("a.csv:2", "登录", "转账", 0.95)
    assert "转账" in first.evidence
    assert second.row == "a.csv:6"


def test_slices_are_by_length_and_province_and_leave_out_columns_without_a_value(measured):
    found = slices(measured.examples, "事由", measured.answers["事由"], 0.0)
    assert [(s.column, s.value.strip(), s.figures.n) for s in found] == [
        ("length", "0-20  characters", 6), ("region", "广东省", 4), ("region", "北京市", 2),
    ]  # fmt: skip
    assert found[1].figures.accuracy == 0.75


def test_a_report_holds_every_part_in_both_formats(measured, tmp_path):
    write_report(tmp_path, measured, with_plots=False)
    shown, page = ((tmp_path / name).read_text(encoding="utf-8") for name in ("README.md", "index.html"))
    for part in ("Of the most confident 90 %", "slices", "classes", "confusions", "worst errors", "广东省"):
        assert part in shown
        assert part in page
    assert "转账没到账&lt;b&gt;" in page
    assert "<b>" not in page
    assert [row["text"] for row in csv.DictReader((tmp_path / "errors.csv").open(encoding="utf-8-sig"))] == [
        "转账没到账<b>",
        "刷脸登不进去",
    ]


def test_a_report_that_travels_holds_no_text(measured, tmp_path):
    write_report(tmp_path, measured, with_plots=False, with_texts=False)
    assert all("没到账" not in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed (extra `report`)")
def test_plots_are_png_files_named_by_the_head(measured, tmp_path):
    write_report(tmp_path, measured)
    for kind in ("confusion", "reliability", "risk"):
        assert (tmp_path / f"事由-{kind}.png").read_bytes().startswith(b"\x89PNG")
        assert f"事由-{kind}.png" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_without_matplotlib_the_extra_is_named_before_anything_is_written(measured, tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"complaint-triage\[report\]"):
        write_report(tmp_path / "report", measured)
    assert not (tmp_path / "report").exists()


def test_risk_is_the_error_among_the_most_confident():
    assert risk_coverage(np.array([0.2, 0.9, 0.5, 0.8]), np.array([False, True, False, True])).tolist() == [0, 0, 1 / 3, 0.5]


def test_tables_survive_bars_line_ends_and_empty_cells():
    blocks = [Heading(1, "t"), Paragraph("p"), Picture("a.png", "p"), Table(["a", "b"], [["x|y\nz", None], ["w", 0.5]])]
    assert markdown(blocks).endswith("| a | b |\n|---|---|\n| x\\|y z |  |\n| w | 0.500 |\n")
    assert '<td class="n">0.500</td>' in html(blocks)
    assert "<title>t</title>" in html(blocks)
