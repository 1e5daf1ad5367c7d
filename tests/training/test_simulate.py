import argparse
from collections import Counter
from datetime import date, datetime, timedelta

import orjson
import pytest

from training import simulate
from triage.errors import InputError
from triage.regions import load_regions
from triage.taxonomy import load_taxonomy
from triage.types import BEIJING

END = date(2026, 3, 31)
UNTIL = datetime(2026, 4, 1, tzinfo=BEIJING)


@pytest.fixture(scope="module")
def stream():
    return simulate.simulate(4_000, 3, 5, 90, END, UNTIL)


def test_the_stream_has_the_length_asked_for_in_order_of_time(stream):
    complaints, _ = stream
    times = [complaint["time"] for complaint in complaints]
    assert len(complaints) == 4_000 and times == sorted(times)
    assert times[0].date() >= END - timedelta(days=89) and times[-1] < UNTIL


def test_everything_is_called_simulated_and_labelled_in_the_taxonomys_words(stream):
    taxonomy, regions = load_taxonomy(), load_regions()
    for complaint in stream[0]:
        truth = complaint["truth"]
        assert complaint["simulated"] is True and complaint["source"] == "simulation" and complaint["text"].strip()
        assert complaint["channel"] in taxonomy.channels and complaint["region"] in regions.by_code
        assert (
            truth["category"] in taxonomy.categories
            and truth["severity"] in taxonomy.severities
            and truth["sentiment"] in taxonomy.sentiments
        )
    assert len({complaint["source_id"] for complaint in stream[0]}) == 4_000


def test_the_same_seed_gives_the_same_stream_and_another_seed_another():
    first, again, other = (simulate.simulate(300, seed, 2, 60, END, UNTIL) for seed in (5, 5, 6))
    assert first == again and first != other


def test_every_province_and_channel_occurs_with_working_days_busier_than_sundays(stream):
    regions = load_regions()
    assert len({regions.province_of(complaint["region"]) for complaint in stream[0]}) >= 32
    assert len({complaint["channel"] for complaint in stream[0]}) == 9
    days = Counter(complaint["time"].weekday() for complaint in stream[0])
    assert days[0] > 1.3 * days[6]


def test_planted_outbreaks_are_in_the_stream_as_the_truth_says(stream):
    complaints, outbreaks = stream
    regions = load_regions()
    assert len(outbreaks) == 5 and sum(outbreak.last == END for outbreak in outbreaks) >= 2
    for outbreak in outbreaks:
        members = [complaint for complaint in complaints if complaint["truth"]["outbreak"] == outbreak.id]
        assert len(members) == outbreak.complaints > 0
        assert all(outbreak.first <= complaint["time"].date() <= outbreak.last for complaint in members)
        assert {regions.province_of(complaint["region"]) for complaint in members} <= set(outbreak.regions)
        assert {complaint["truth"]["category"] for complaint in members} == {outbreak.category}


def test_nothing_is_written_after_the_present():
    present = datetime.combine(END, datetime.min.time(), BEIJING) + timedelta(hours=9, minutes=30)
    complaints, _ = simulate.simulate(2_000, 1, 2, 30, END, present)
    assert max(complaint["time"] for complaint in complaints) <= present


def test_letters_are_recorded_days_later_and_not_yet_known_at_the_end(stream):
    complaints, _ = stream
    known = simulate.recorded(complaints, 3, UNTIL)
    late = [c["truth"]["recorded"] - c["time"] for c in known if c["channel"] == "letter"]
    assert sum(delay >= timedelta(days=1) for delay in late) / len(late) == pytest.approx(0.7, abs=0.15)
    assert {c["truth"]["recorded"] - c["time"] for c in known if c["channel"] == "app"} == {timedelta(0)}
    missing = {c["source_id"] for c in complaints} - {c["source_id"] for c in known}
    assert missing and all(c["time"] > UNTIL - timedelta(days=3) for c in complaints if c["source_id"] in missing)


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    simulate.add_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *options])


def test_the_command_writes_the_stream_and_its_truth(tmp_path):
    out = tmp_path / "stream.jsonl"
    args = parse("--out", str(out), "--complaints", "200", "--seed", "1", "--outbreaks", "1", "--end", "2026-03-31")
    assert args.run(args) == 0
    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    truth = orjson.loads((tmp_path / "stream.jsonl.truth.json").read_bytes())
    assert len(lines) == 200 and lines[0]["time"].endswith("+08:00")
    assert truth["simulated"] is True and truth["outbreaks"][0]["complaints"] == sum(
        line["truth"]["outbreak"] is not None for line in lines
    )


@pytest.mark.parametrize(("option", "value"), [("--end", "today"), ("--days", "3"), ("--complaints", "0")])
def test_bad_options_are_refused_by_name(tmp_path, option, value):
    args = parse("--out", str(tmp_path / "x.jsonl"), option, value)
    with pytest.raises(InputError) as error:
        args.run(args)
    assert error.value.field == option
