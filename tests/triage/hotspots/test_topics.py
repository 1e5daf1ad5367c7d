from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import orjson
import yaml

from triage.hotspots.topics import DatedText, Topic, TopicSettings, emerging
from triage.resources import DATA
from triage.types import BEIJING

BEGIN = datetime(2026, 1, 1, tzinfo=BEIJING)
GARAGE = [
    "星河小区地下车库漏水严重，物业没人管",
    "星河小区车库一下雨就漏水",
    "星河小区地下车库漏水问题请管管",
    "星河小区地下车库漏水把车泡了",
]
SCHOOL = ["育才小学门口占道停车太乱", "育才小学放学时占道停车没人管", "接孩子难，育才小学门口全是占道停车", "育才小学占道停车何时整治"]
NOISE = [
    "公交十路改道以后绕远了", "河边路灯坏了半个月", "想问社保卡怎么补办", "楼上装修半夜施工", "自来水有异味", "广场舞声音太大", "门诊排队系统老出错",
    "快递柜收费不合理", "菜市场污水横流", "健身房跑路退不了卡", "电动车充电桩太少", "驾校拖着不安排考试", "外卖骑手逆行差点撞人", "图书馆周一闭馆不方便",
]  # fmt: skip


def pile(*themes: tuple[list[str], int, str]) -> list[DatedText]:
    texts = [DatedText(f"n{i}", text, BEGIN + timedelta(days=6 * i), f"p{i}") for i, text in enumerate(NOISE)]
    for theme, day, name in themes:
        texts += [DatedText(f"{name}{i}", text, BEGIN + timedelta(days=day + i), f"{name}-person{i}") for i, text in enumerate(theme)]
    return texts


def test_what_several_people_write_about_becomes_one_topic_each():
    topics = emerging(pile((GARAGE, 70, "g"), (SCHOOL, 60, "s")))
    assert {frozenset(topic.ids) for topic in topics} == {frozenset(f"g{i}" for i in range(4)), frozenset(f"s{i}" for i in range(4))}
    assert all(topic.people == 4 and topic.size == 4 for topic in topics)


def test_the_latest_of_two_equal_bursts_ranks_first():
    topics = emerging(pile((GARAGE, 5, "g"), (SCHOOL, 75, "s")))
    assert topics[0].ids[0].startswith("s") and [topic.rank for topic in topics] == [1, 2]


def test_one_person_writing_ten_times_is_no_topic():
    texts = pile() + [DatedText(f"x{i}", "停车费又涨价了太不合理", BEGIN + timedelta(days=i), "the same") for i in range(10)]
    assert emerging(texts) == []


def test_a_copied_letter_counts_once_whoever_signs_it():
    texts = pile() + [DatedText(f"x{i}", "停车费又涨价了太不合理", BEGIN + timedelta(days=i), f"signer {i}") for i in range(10)]
    assert emerging(texts) == []


def test_a_topic_tells_its_words_and_time_span():
    [topic] = emerging(pile((GARAGE, 70, "g")))
    assert "车库" in "".join(topic.terms) and "漏水" in topic.title
    assert (topic.first, topic.last) == ((BEGIN + timedelta(days=70)).date(), (BEGIN + timedelta(days=73)).date())


def test_too_few_or_empty_texts_have_no_topics():
    assert emerging([]) == [] and emerging([DatedText("1", "", BEGIN), DatedText("2", " ", BEGIN)]) == []


def test_top_limits_the_list():
    assert len(emerging(pile((GARAGE, 70, "g"), (SCHOOL, 60, "s")), top=1)) == 1


def planted(seed: int) -> tuple[list[DatedText], dict[str, str]]:
    """Labelled complaints of many kinds over two months, and the simulation's themes, each written about by 15 people within 10 days."""
    rng = np.random.default_rng(seed)
    settings = yaml.safe_load((DATA / "simulation" / "bank.yaml").read_text(encoding="utf-8"))
    rows = [orjson.loads(line) for path in sorted((DATA / "corpus" / "v1").glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    bodies = [row["text"] for row in rows if row.get("text")]
    texts = [
        DatedText(f"b{i}", bodies[j], BEGIN + timedelta(days=float(rng.uniform(0, 60))), f"p{i}")
        for i, j in enumerate(rng.choice(len(bodies), 700, replace=False))
    ]
    truth = {}
    for key, theme in settings["themes"].items():
        first = rng.uniform(0, 50)
        for i in range(15):
            place, amount = rng.choice(["广东", "江苏", "四川", "河南"]), f"{rng.integers(1, 90) * 100}{rng.choice(['元', '块'])}"
            body = str(rng.choice(theme["texts"])).format(amount=amount, day=f"{rng.integers(1, 28)}号", place=place)
            whole = str(rng.choice(settings["openers"])) + body + str(rng.choice(settings["closers"]))
            truth[f"{key}-{i}"] = key
            texts.append(DatedText(f"{key}-{i}", whole, BEGIN + timedelta(days=float(first + rng.uniform(0, 10))), f"{key} {i}"))
    return texts, truth


def bcubed(topics: list[Topic], truth: dict[str, str]) -> float:
    """F1 of BCubed precision and recall (Bagga & Baldwin 1998) over the planted texts; strangers in a topic cost precision."""
    topic_of = {key: topic.ids for topic in topics for key in topic.ids}
    size = Counter(truth.values())
    precision, recall = [], []
    for key, theme in truth.items():
        members = topic_of.get(key, (key,))
        same = sum(truth.get(other) == theme for other in members)
        precision.append(same / len(members))
        recall.append(same / size[theme])
    p, r = float(np.mean(precision)), float(np.mean(recall))
    return 2 * p * r / (p + r)


def test_planted_themes_are_told_apart():
    texts, truth = planted(1)
    assert bcubed(emerging(texts, top=len(texts)), truth) >= 0.8


def test_a_steady_word_binds_less_than_a_bursting_one():
    texts, truth = planted(2)
    steady = TopicSettings(burst=0.0)
    assert bcubed(emerging(texts, top=len(texts)), truth) > bcubed(emerging(texts, top=len(texts), settings=steady), truth) + 0.1
