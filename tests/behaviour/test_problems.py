"""Several problems in one complaint: what is named beside the main one is in the text, and one problem told at length stays one."""

from pathlib import Path

import pytest
import yaml


@pytest.fixture(scope="module")
def texts() -> dict[str, list]:
    return yaml.safe_load((Path(__file__).parent / "problems.yaml").read_text(encoding="utf-8"))


def test_what_is_named_beside_the_main_problem_is_in_the_text(tag, texts):
    cases = texts["several"]
    given = tag([case["text"] for case in cases])
    named = [(case, label.key) for case, triage in zip(cases, given, strict=True) for label in triage.alternatives]
    wrong = [f"{case['text']}: {key}" for case, key in named if key not in case["problems"]]
    assert len(wrong) / len(named) <= 0.1, wrong


def test_the_second_problem_is_often_found(tag, texts):
    cases = texts["several"]
    given = tag([case["text"] for case in cases])
    both = [
        set(case["problems"]) <= {triage.category.key, *(label.key for label in triage.alternatives)}
        for case, triage in zip(cases, given, strict=True)
    ]
    assert sum(both) / len(both) >= 0.4


def test_one_problem_told_at_length_stays_one(tag, texts, sentences):
    long = texts["one"]
    several = [f"{text}: {[label.key for label in t.alternatives]}" for text, t in zip(long, tag(long), strict=True) if t.alternatives]
    assert len(several) / len(long) <= 0.1, several
    single = [text for members in sentences.values() for text in members]
    assert sum(bool(triage.alternatives) for triage in tag(single)) / len(single) <= 0.02
