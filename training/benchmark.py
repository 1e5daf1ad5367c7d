"""How fast `triage tag` is, beside what a user would write with jieba and scikit-learn; both on one core, in processes of their own.

`make bench-tag DATA=file`, or `python -m training.benchmark --data FILE`. Nothing here is asserted: it prints what it measured.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import jieba
import orjson
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from training.examples import read_examples
from triage.resources import DATA
from triage.tables import read_rows, write_rows

HEADS = ("category", "severity", "sentiment")
# A blend reads a hundred texts a second; so many show that.
_WHOLE_MODEL_TEXTS = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """One run: seconds of the work itself and of the whole process, peak memory of the process in MB."""

    name: str
    texts: int
    seconds: float
    total_seconds: float
    peak_mb: float


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print a table. `--peer FILE` is what the child process runs."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark", description=__doc__)
    parser.add_argument("--data", type=Path, help="texts to tag (default: our own corpus)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.peer:
        print(plain_pipeline(args.peer))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or _own_texts(Path(folder))
        texts = sum(1 for _ in read_rows(data))
        out = Path(folder) / "out.jsonl"
        ours = [sys.executable, "-m", "service.cli", "tag", str(data), "--fast", "--out", str(out)]
        peer = [sys.executable, "-m", "training.benchmark", "--peer", str(data)]
        measures = [
            m
            for _ in range(args.runs)
            for m in (_run("triage tag --fast, complete", ours, texts), _run("jieba + 3 x TF-IDF + LinearSVC", peer, texts))
        ]
        some = Path(folder) / "some.jsonl"
        taken = write_rows(({"text": row.values["text"]} for row in islice(read_rows(data), _WHOLE_MODEL_TEXTS)), some)
        measures.append(_run("triage tag, complete", [*ours[:4], str(some), "--out", str(out)], taken))
    print(f"{texts:,} texts, one core of {platform.processor() or platform.machine()}, median of {args.runs} runs in turn")
    print(f"{'':34}{'texts/s':>10}{'process s':>11}{'peak MB':>9}")
    medians = {}
    for name in dict.fromkeys(m.name for m in measures):
        runs = sorted((m for m in measures if m.name == name), key=lambda m: m.seconds)
        middle = runs[len(runs) // 2]
        medians[name] = middle
        print(f"{name:34}{middle.texts / middle.seconds:>10,.0f}{middle.total_seconds:>11.1f}{max(m.peak_mb for m in runs):>9,.0f}")
    first, second, _ = medians.values()
    print(f"ratio {second.seconds / first.seconds:.2f} (seconds of the second over the first)")
    print("triage tag: process time less its start (imports, model, dictionary); masks, facts, evidence, due dates and writing are in it.")
    print(f"without --fast the served model as it is, on the first {taken:,} of the texts, once.")
    print("plain pipeline: cutting and three predictions only, trained on our corpus beforehand; no facts, no masking, no writing.")
    return 0


def plain_pipeline(data: Path) -> float:
    """Seconds that three ordinary pipelines take to predict the texts of a file, after training on our corpus."""
    examples = read_examples(_corpus(), HEADS)
    pipelines = [
        make_pipeline(TfidfVectorizer(tokenizer=jieba.lcut, token_pattern=None), LinearSVC()).fit(examples.texts, examples.labels[head])
        for head in HEADS
    ]
    texts = [str(row.values["text"]) for row in read_rows(data)]
    start = time.perf_counter()
    for pipeline in pipelines:
        pipeline.predict(texts)
    return time.perf_counter() - start


def _run(name: str, command: list[str], texts: int) -> Measure:
    """Run a command pinned to one core; what it prints as its last line is its own measure of the work, if it is a number."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, _peak_mb(process.pid))
                time.sleep(0.05)
            output = process.stdout.read()
    finally:
        os.sched_setaffinity(0, cores)
    total = time.perf_counter() - start
    last = output.strip().rpartition("\n")[2]
    seconds = float(last) if last.replace(".", "", 1).isdigit() else total - _start_seconds()
    return Measure(name, texts, seconds, total, peak)


def _peak_mb(pid: int) -> float:
    """Highest resident memory since the program began. (The kernel's ru_maxrss would count the parent it was forked from.)"""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def _start_seconds() -> float:
    """What `triage tag` takes for one text: its start."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "service.cli", "tag", "-"],
        input=b"\xe5\xa5\xbd\n",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def _corpus() -> list[Path]:
    return sorted((DATA / "corpus").glob("*/*.jsonl"))


def _own_texts(folder: Path) -> Path:
    path = folder / "corpus.jsonl"
    texts = read_examples(_corpus(), HEADS).texts
    path.write_bytes(b"\n".join(orjson.dumps({"text": text}) for text in texts))
    return path


if __name__ == "__main__":
    sys.exit(main())
