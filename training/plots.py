"""Pictures of a report: confusion, calibration, risk against coverage. They need matplotlib, from the extra `report`."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.evaluate import Confusion
from triage.errors import ConfigError

BINS = 10
_INK, _LIGHT, _WARM = "#1f4e8c", "#c9d6e8", "#c2571a"
# Fonts with Chinese characters as the systems people use have them.
_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei")


def require_matplotlib() -> None:
    """Raises: ConfigError that names the extra when matplotlib is not installed."""
    if find_spec("matplotlib") is None:
        raise ConfigError(
            "the plots of a report need matplotlib: pip install 'complaint-triage[report]', or leave them out with --no-plots"
        )


def risk_coverage(confidence: NDArray[np.floating], correct: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Error among the k most confident answers, k = 1 .. n (El-Yaniv and Wiener 2010): array (n,)."""
    order = np.argsort(-confidence, kind="stable")
    return np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)


def plot_confusion(confusion: Confusion, path: Path) -> None:
    """Rows: label, columns: answer, colour: share of the row. Labels no font can write are numbered as in the table of classes."""
    counts = np.array(confusion.counts, dtype=float)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = len(confusion.labels)
    side = min(14.0, 3.0 + 0.24 * size)
    figure, axes = _figure(side, side)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    names = _writable(confusion.labels)
    axes.set_xticks(range(size), names, rotation=90, fontsize=7)
    axes.set_yticks(range(size), names, fontsize=7)
    axes.set_xlabel("answer")
    axes.set_ylabel("label")
    for i, j in zip(*np.nonzero(counts), strict=True):
        axes.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center", fontsize=6, color="white" if shares[i, j] > 0.5 else "#333333")
    figure.colorbar(image, shrink=0.6, label="share of the label's texts")
    _save(figure, path)


def plot_reliability(confidence: NDArray[np.floating], correct: NDArray[np.bool_], path: Path) -> None:
    """Accuracy in ten bins of confidence (DeGroot and Fienberg 1983), the size of each bin below."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sizes = np.bincount(bins, minlength=BINS)
    filled = sizes > 0
    accuracy = np.bincount(bins, weights=correct, minlength=BINS)[filled] / sizes[filled]
    mean = np.bincount(bins, weights=confidence, minlength=BINS)[filled] / sizes[filled]
    figure, (upper, lower) = _figure(5, 5.5, rows=2, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle="--")
    upper.plot(mean, accuracy, color=_INK, marker="o")
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    lower.bar((np.arange(BINS) + 0.5) / BINS, sizes, width=0.9 / BINS, color=_LIGHT)
    lower.set(xlim=(0, 1), xlabel="confidence", ylabel="texts")
    _save(figure, path)


def plot_risk_coverage(confidence: NDArray[np.floating], correct: NDArray[np.bool_], path: Path) -> None:
    """Error of what is answered against the share that is answered, most confident first; 90 % is marked."""
    risk = risk_coverage(confidence, correct)
    coverage = np.arange(1, len(risk) + 1) / len(risk)
    at = max(1, round(0.9 * len(risk))) - 1
    figure, axes = _figure(5, 4)
    axes.plot(coverage, risk, color=_INK)
    axes.plot([coverage[at]], [risk[at]], color=_WARM, marker="o")
    axes.annotate(f"{risk[at]:.3f} at {coverage[at]:.0%}", (coverage[at], risk[at]), textcoords="offset points", xytext=(-8, 8), ha="right")
    axes.set(xlim=(0, 1), ylim=(0, None), xlabel="coverage: share answered", ylabel="risk: error of what is answered")
    _save(figure, path)


def _figure(width: float, height: float, rows: int = 1, height_ratios: Sequence[float] | None = None):
    # The object interface: pyplot keeps figures and looks for a display.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, height_ratios=height_ratios)
    return figure, axes


def _save(figure, path: Path) -> None:
    from matplotlib import rc_context

    with rc_context({"font.sans-serif": [*_chinese_fonts(), "DejaVu Sans"]}):
        figure.savefig(path, dpi=110, metadata={"Software": None})


def _writable(labels: Sequence[str]) -> list[str]:
    if all(label.isascii() for label in labels) or _chinese_fonts():
        return list(labels)
    return [str(number) for number in range(1, len(labels) + 1)]


def _chinese_fonts() -> list[str]:
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in installed]
