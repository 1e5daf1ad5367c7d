"""`triage train | data | evaluate | compare | promote | review | runs | simulate`: the commands that make models and data, run as `python -m training`."""

import argparse
import logging
import math
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from training import commands, evaluate, runs, simulate, train
from training.commands.arguments import add_command, add_data_arguments, label_columns, number, print_json, seed, share, taxonomy_of
from training.encoder import EncoderSettings
from training.families import FAMILIES
from training.linear import LinearSettings
from training.request import Request
from triage.errors import InputError, TriageError
from triage.resources import MODELS
from triage.types import BEIJING

_DEFAULTS = LinearSettings()
_ENCODER = EncoderSettings()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; returns the exit status, 2 for input that is not what it must be."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr)
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except TriageError as error:
        print(f"triage: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands."""
    parser = argparse.ArgumentParser(prog="triage", description="Make models and data.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(subparsers)
    commands.data.add_parser(subparsers)
    for module in (commands.evaluate, commands.compare, commands.promote, commands.review, commands.runs):
        module.add_parser(subparsers)
    simulate.add_parser(subparsers)
    return parser


def run_train(args: argparse.Namespace) -> int:
    """Fit a model on labelled files of any taxonomy, measure it, and save it with its model card."""
    taxonomy = taxonomy_of(args)
    request = Request(
        data=tuple(args.data),
        label_columns=label_columns(args),
        text_column=args.text_column,
        group_column=args.group_column,
        taxonomy=taxonomy,
        tests=tuple(args.test),
        notes=_notes(args.notes),
        name=args.name or f"{taxonomy.name if taxonomy else 'custom'}-{args.family}",
        version=args.version,
        seed=args.seed,
        settings=LinearSettings(
            cost=args.cost,
            balance=args.balance,
            naive_bayes=args.naive_bayes,
            openings=args.openings,
            caution=args.caution,
            courtesy=args.courtesy,
        ),
        family=args.family,
        risk=args.risk,
        teacher=args.teacher,
        unlabelled=tuple(args.unlabelled),
        unlabelled_sample=args.unlabelled_sample,
        keep_encoder=args.keep_encoder,
        encoder=EncoderSettings(
            base=args.base,
            epochs=args.epochs,
            max_pieces=args.max_pieces,
            frozen_layers=args.frozen_layers,
            balance=args.balance,
            caution=args.caution,
            held_out_groups=tuple(args.held_out_group),
            start_from=tuple(args.start_from),
            shares=_shares(args),
            priors=_priors(args),
            favour_rare=args.favour_rare,
            cascade=args.cascade,
        ),
    )
    out = args.out or MODELS / request.folder_name
    runs.require_writable(args.runs)
    now = datetime.now(BEIJING)
    manifest, measured = train.train(request, out, now)
    seconds = round((datetime.now(BEIJING) - now).total_seconds(), 1)
    runs.record(args.runs, "train", manifest, now, {"folder": str(out), "seconds": seconds})
    if args.json:
        print_json({test: evaluate.as_dict(figures) for test, figures in measured.items()})
        return 0
    print(f"{manifest.folder_name} -> {out}\n")
    for test, figures in measured.items():
        print(f"{test}\n{evaluate.as_table(figures)}\n")
    return 0


def _add_train(subparsers: argparse._SubParsersAction) -> None:
    parser = add_command(subparsers, "train", run_train)
    add_data_arguments(parser)
    add = parser.add_argument
    add(
        "--test",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="labelled files to measure the model on afterwards, whose names differ; may be repeated",
    )
    add("--family", choices=FAMILIES, default="linear")
    add("--cost", type=_positive, default=_DEFAULTS.cost, metavar="C", help=f"of the linear heads; default {_DEFAULTS.cost:g}")
    add(
        "--balance",
        type=_share,
        default=_DEFAULTS.balance,
        metavar="0..1",
        help=f"extra weight of rare labels; default {_DEFAULTS.balance:g}",
    )
    add(
        "--naive-bayes",
        type=_share,
        default=_DEFAULTS.naive_bayes,
        metavar="0..1",
        help="how far a linear model heeds how unevenly labels use a word; 0 with --cost 1 and --no-openings where texts in service are of "
        f"other kinds than these; default {_DEFAULTS.naive_bayes:g}",
    )
    add(
        "--openings",
        action=argparse.BooleanOptionalAction,
        default=_DEFAULTS.openings,
        help="whether a linear model counts the first sentence of longer texts by itself too; default: it does",
    )
    add(
        "--caution",
        type=_positive,
        default=_DEFAULTS.caution,
        metavar="T",
        help="above 1 where texts in service differ from these: lower confidence",
    )
    add(
        "--courtesy",
        type=_share,
        default=_DEFAULTS.courtesy,
        metavar="0..1",
        help="share of the texts trained on once more with a greeting or thanks in Chinese; default: none",
    )
    add(
        "--risk",
        type=share,
        metavar="0..1",
        help="share of wrong answers among those that nobody reviews: sets the review thresholds to promise that; default: by cost",
    )
    add(
        "--unlabelled",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="texts without labels, to learn from as --teacher labels them",
    )
    add("--unlabelled-sample", type=_count, metavar="N", help="so many of them, drawn at random; default: all")
    add(
        "--teacher", type=Path, metavar="DIR", help="model that labels the texts of --unlabelled, or whose encoder is kept (--keep-encoder)"
    )
    add("--name", help="of the model; default: the taxonomy's name (or custom) and the family, such as bank-linear")
    add("--version", default="1", help="default: 1")
    add("--notes", type=Path, metavar="FILE", help="Markdown for 'Use and limits' of the model card")
    add("--seed", type=seed, default=0)
    add("--out", type=Path, metavar="DIR", help="model folder; default: models/NAME-VERSION")
    add("--runs", type=Path, default=runs.RUNS, metavar="FILE", help="where the run is recorded; default: models/runs.jsonl")
    add("--json", action="store_true", help="figures as JSON")
    add = parser.add_argument_group("families encoder and blend").add_argument
    add("--base", default=_ENCODER.base, metavar="NAME|DIR", help=f"folder or hub id of the weights to start from; default {_ENCODER.base}")
    add(
        "--epochs",
        type=_whole_number,
        default=_ENCODER.epochs,
        metavar="N",
        help=f"0 takes the mean of the encoders of --start-from as it is; default: {_ENCODER.epochs}",
    )
    add("--max-pieces", type=_count, default=_ENCODER.max_pieces, metavar="N", help=f"of a text; default: {_ENCODER.max_pieces}")
    add(
        "--cascade",
        action="store_true",
        help="the linear part of a blend answers alone where it is sure on the rows held out: faster, and on texts that differ from them less right",
    )
    add(
        "--encoder-share",
        type=_head_share,
        nargs="+",
        action="extend",
        default=[],
        metavar="HEAD=0..1",
        help="of the encoder in a blend, such as category=0.6; other heads: chosen on the rows held out",
    )
    add(
        "--prior",
        type=_label_ratio,
        nargs="+",
        action="extend",
        default=[],
        metavar="HEAD:LABEL=RATIO",
        help="of a blend: how many times as frequent a label is in service as in the data, such as category:other.complaint=0.5",
    )
    add(
        "--favour-rare",
        type=_share,
        default=_ENCODER.favour_rare,
        metavar="0..1",
        help="of a blend: the rarer a label, the more readily it is answered; .2 suits where macro-F1 counts, at a little accuracy; default: not",
    )
    add(
        "--held-out-group",
        nargs="+",
        action="extend",
        default=[],
        metavar="GROUP",
        help="that calibrates; default: a tenth of the rows at random",
    )
    add(
        "--start-from",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="models whose encoder, fine-tuned from the same --base, training starts from; of several the mean",
    )
    add(
        "--keep-encoder",
        action="store_true",
        help="a blend takes over the encoder of --teacher as it is, trained on the same rows with the same seed and groups held out",
    )
    add(
        "--frozen-layers",
        type=_whole_number,
        default=_ENCODER.frozen_layers,
        metavar="N",
        help="lowest layers that are not trained: faster",
    )


def _share(text: str) -> float:
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not in 0 .. 1")
    return value


def _head_share(text: str) -> tuple[str, float]:
    head, _, value = text.rpartition("=")
    if not head:
        raise argparse.ArgumentTypeError(f"{text} is not HEAD=SHARE")
    return head, _share(value)


def _label_ratio(text: str) -> tuple[str, str, float]:
    name, _, ratio = text.rpartition("=")
    head, _, label = name.partition(":")
    if not head or not label:
        raise argparse.ArgumentTypeError(f"{text} is not HEAD:LABEL=RATIO")
    return head, label, _positive(ratio)


def _priors(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for head, label, ratio in args.prior:
        found.setdefault(head, {})[label] = ratio
    _require_heads("--prior", found, args)
    return found


def _shares(args: argparse.Namespace) -> dict[str, float]:
    shares = dict(args.encoder_share)
    _require_heads("--encoder-share", shares, args)
    return shares


def _require_heads(option: str, named: Iterable[str], args: argparse.Namespace) -> None:
    if unknown := set(named) - set(label_columns(args)):
        raise InputError(option, ", ".join(sorted(unknown)), f"heads of --label-column: {', '.join(label_columns(args))}")


def _positive(text: str) -> float:
    value = number(text)
    if not 0 < value < math.inf:  # nor NaN
        raise argparse.ArgumentTypeError(f"{text} is not a finite number above 0")
    return value


def _count(text: str, least: int = 1) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is not at least {least}")
    return value


def _whole_number(text: str) -> int:
    return _count(text, least=0)


def _notes(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError("--notes", str(path), "a Markdown file in UTF-8") from None
