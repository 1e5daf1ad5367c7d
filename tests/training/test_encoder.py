from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `encoder`")
pytest.importorskip("transformers", reason="needs the extra `encoder`")
pytest.importorskip("onnxscript", reason="needs the extra `encoder`")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402
from transformers import AutoTokenizer, BertConfig, BertModel, ElectraConfig, ElectraModel, GPT2Config, GPT2Model, PreTrainedTokenizerFast  # noqa: E402

from training import finetune, onnx_export, warm_start  # noqa: E402
from training.base_model import load_base  # noqa: E402
from training.encoder import EncoderSettings, fit, hold_out  # noqa: E402
from training.pseudo_labels import PseudoLabelled  # noqa: E402
from triage import artifact  # noqa: E402
from triage.encoder import EncoderClassifier, PieceReader  # noqa: E402
from triage.errors import InputError  # noqa: E402

SUBJECTS = ["我的卡", "昨天", "手机上", "在县里", "老人家", "公司户", "刚才", "今早"]
MATTERS = {"转账": ["转账失败", "钱转不出去", "汇款没到账"], "登录": ["登录不了", "刷脸通不过", "验证码收不到"]}
ROWS = [(f"{subject}{matter}", topic) for subject in SUBJECTS for topic, matters in MATTERS.items() for matter in matters]
TEXTS = [text for text, _ in ROWS]
LABELS = {"事由": [topic for _, topic in ROWS], "级别": [str(1 + i % 2) if i % 5 else None for i in range(len(ROWS))]}
GROUPS = [subject for subject in SUBJECTS for _ in range(6)]
QUICK = {"epochs": 20, "batch": 8, "rate": 2e-3, "max_pieces": 24, "held_out": 0.2}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A BERT of two layers with random weights; its pieces are the characters of the texts."""
    folder = tmp_path_factory.mktemp("tiny-bert")
    pieces = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", *sorted(set("".join(TEXTS)))]
    backend = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    backend.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=64
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def fitted(tiny, tmp_path_factory):
    checkpoint = tmp_path_factory.mktemp("run") / "checkpoint"
    return fit(TEXTS, LABELS, GROUPS, EncoderSettings(base=str(tiny), **QUICK), 0, checkpoint)


def recipe(**changes):
    return finetune.Recipe(
        **({"epochs": 2, "batch": 8, "rate": 1e-3, "frozen_layers": 0, "balance": 0.5, "half": False, "seed": 0} | changes)
    )


def trained(tiny, checkpoint, **changes):
    """A model of one head, and the reader of its texts."""
    base = load_base(str(tiny), TEXTS)
    reader = PieceReader(base.tokenizer, base.prefix, 24)
    ids = [row for row, _ in reader.read(TEXTS)]
    target = finetune.Targets(np.array([topic == "转账" for topic in LABELS["事由"]]).astype(int), np.zeros((0, 2)))
    return finetune.finetune(base, ids, {"事由": target}, recipe(**changes), checkpoint), reader


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def test_the_served_model_answers_as_the_trained_one(tiny, tmp_path):
    model, reader = trained(tiny, tmp_path / "checkpoint")
    with torch.inference_mode():
        expected = [model(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.int64))[0][0].numpy() for ids, _ in reader.read(TEXTS)]
    exported = onnx_export.export(model)
    served = EncoderClassifier(exported, reader, {"事由": ("登录", "转账")}, {"事由": 1.0})
    np.testing.assert_allclose(served.scores(TEXTS), expected, atol=1e-4)
    small = EncoderClassifier(
        onnx_export.quantise(exported, [ids for ids, _ in reader.read(TEXTS)]), reader, served.heads, served.temperatures
    )
    assert np.corrcoef(small.scores(TEXTS).ravel(), np.ravel(expected))[0, 1] > 0.99
    assert len(small.model) < len(exported)
    assert b"finetune.py" not in exported  # nor any other trace of the machine that trained


def test_channels_that_are_far_larger_than_the_others_survive_eight_bits(tiny, tmp_path):
    model, reader = trained(tiny, tmp_path / "checkpoint")
    with torch.no_grad():  # what large transformers grow by themselves: the first layer normalisation blows one channel up
        model.network.embeddings.LayerNorm.weight[3] *= 300
    exported = onnx_export.export(model)
    served = EncoderClassifier(exported, reader, {"事由": ("登录", "转账")}, {"事由": 1.0})
    sample = [ids for ids, _ in reader.read(TEXTS)]
    small = EncoderClassifier(onnx_export.quantise(exported, sample), reader, served.heads, served.temperatures)
    assert np.corrcoef(small.scores(TEXTS).ravel(), served.scores(TEXTS).ravel())[0, 1] > 0.99


def test_it_learns_what_it_is_shown_and_calibrates_on_groups_it_was_not_shown(fitted):
    held_out = fitted.held_out["事由"]
    tested = ~np.isnan(held_out[:, 0])
    assert {GROUPS[i] for i in np.flatnonzero(tested)}.isdisjoint(GROUPS[i] for i in np.flatnonzero(~tested))
    labels = fitted.classifier.heads["事由"]
    right = [labels[held_out[i].argmax()] == LABELS["事由"][i] for i in np.flatnonzero(tested)]
    assert np.mean(right) > 0.8
    np.testing.assert_allclose(held_out[tested].sum(axis=1), 1, rtol=1e-5)


def test_rows_without_a_label_of_a_head_have_no_held_out_answer_there(fitted):
    unlabelled = [i for i, label in enumerate(LABELS["级别"]) if label is None]
    assert np.isnan(fitted.held_out["级别"][unlabelled]).all()


def test_the_words_of_the_trained_model_explain_its_answer(fitted):
    [words] = fitted.classifier.explain(["转账失败"], "事由", np.array([fitted.classifier.heads["事由"].index("转账")]))
    assert [word for word, _ in words] == ["转账失败"]


def cut_off(tiny, checkpoint, monkeypatch, after):
    """A training that is interrupted in the middle of step `after`."""
    steps = []

    def interrupted(loss, scores, rows, real=finetune._Loss.__call__):
        steps.append(rows)
        if len(steps) == after:
            raise KeyboardInterrupt
        return real(loss, scores, rows)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(finetune._Loss, "__call__", interrupted)
        trained(tiny, checkpoint, checkpoint_seconds=0)


def test_a_training_that_was_cut_off_goes_on_to_the_same_model(tiny, tmp_path, monkeypatch):
    whole, _ = trained(tiny, tmp_path / "whole", checkpoint_seconds=0)
    cut_off(tiny, tmp_path / "checkpoint", monkeypatch, after=8)
    resumed, _ = trained(tiny, tmp_path / "checkpoint", checkpoint_seconds=0)
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[name], tensor)


def test_a_training_that_was_done_is_not_done_again(tiny, tmp_path, monkeypatch):
    whole, _ = trained(tiny, tmp_path / "checkpoint")
    with monkeypatch.context() as patched:
        patched.setattr(finetune._Loss, "__call__", None)
        again, _ = trained(tiny, tmp_path / "checkpoint")
    for name, tensor in weights(whole).items():
        torch.testing.assert_close(weights(again)[name], tensor)


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tiny, tmp_path, monkeypatch, caplog):
    cut_off(tiny, tmp_path / "checkpoint", monkeypatch, after=3)
    trained(tiny, tmp_path / "checkpoint", epochs=1)
    assert "is of another training; beginning anew" in caplog.text


def test_frozen_layers_keep_their_weights_and_the_others_learn(tiny, tmp_path):
    before = weights(finetune.MultiHead(load_base(str(tiny), TEXTS).network, 2))
    model, _ = trained(tiny, tmp_path / "checkpoint", frozen_layers=1)
    changed = {name for name, tensor in weights(model).items() if not torch.equal(tensor, before[name])}
    assert any("layer.1" in name for name in changed)
    assert not any("layer.0" in name or "embeddings" in name for name in changed)


def test_the_outputs_of_frozen_layers_that_were_kept_give_the_answers_of_the_whole_network(tiny):
    base = load_base(str(tiny), TEXTS)
    ids = [row for row, _ in PieceReader(base.tokenizer, base.prefix, 24).read(TEXTS[:5])]
    model = finetune.MultiHead(base.network, 2).eval()
    batches = finetune._Batches(ids, recipe(), base.pad, torch.device("cpu"))
    with torch.inference_mode():
        whole = model.score(batches.inputs(range(5)))
        batches.keep_states(model.network, 1)
        with finetune._upper_layers(model.network, 1):
            upper = model.score(batches.inputs(range(5)))
    torch.testing.assert_close(upper, whole, atol=5e-3, rtol=0)


def test_a_teachers_distributions_are_learnt_as_they_are(tiny, tmp_path):
    unlabelled = [f"{text}吗" for text in TEXTS[::6]]
    taught = PseudoLabelled(tuple(unlabelled), {"事由": ("转账", "天气", "登录")}, {"事由": np.tile([0.1, 0.2, 0.7], (len(unlabelled), 1))})
    labels = {"事由": [topic if i % 2 else None for i, topic in enumerate(LABELS["事由"])]}
    settings = EncoderSettings(base=str(tiny), quantised=False, **(QUICK | {"epochs": 60}))
    fitted = fit(TEXTS, labels, GROUPS, settings, 0, tmp_path / "checkpoint", taught)
    assert fitted.classifier.heads == {"事由": ("登录", "转账")}
    scores = fitted.classifier.scores(unlabelled)
    odds = np.exp(scores[:, 0] - scores[:, 1])  # of what the teacher says of labels that the data knows: .7 to .1
    assert 4 < np.median(odds) < 12


@pytest.mark.parametrize("quantised", [False, True])
def test_the_weights_of_a_served_encoder_are_those_that_were_trained(quantised, tiny, tmp_path):
    model, reader = trained(tiny, tmp_path / "checkpoint")
    exported = onnx_export.export(model)
    if quantised:
        exported = onnx_export.quantise(exported, [ids for ids, _ in reader.read(TEXTS)])
    found = warm_start.weights(exported)
    expected = {name: tensor.numpy() for name, tensor in weights(model).items() if "embeddings" not in name}
    assert set(found) == set(expected)
    for name, weight in expected.items():
        # Of 8 bits a weight is off by up to half of one of 127 steps to the largest of its row.
        np.testing.assert_allclose(found[name], weight, atol=np.abs(weight).max() * 0.02 if quantised else 1e-6)


def saved(classifier, folder, text=None):
    manifest = artifact.Manifest(
        name=folder.name, version="1", created="2026-01-01T00:00:00+08:00", family="encoder", heads=classifier.heads, text=text or {},
        dictionary_hash="", data=(), metrics={}, review_thresholds={}, libraries=artifact.library_versions(), seed=0,
    )  # fmt: skip
    artifact.save(classifier, manifest, "# card\n", folder)
    return folder


def test_training_starts_from_the_mean_of_encoders(fitted, tiny, tmp_path):
    other = fit(TEXTS, LABELS, GROUPS, EncoderSettings(base=str(tiny), **(QUICK | {"epochs": 2})), 1, tmp_path / "checkpoint")
    folders = [saved(fitted.classifier, tmp_path / "one"), saved(other.classifier, tmp_path / "two")]
    starts = warm_start.read(folders)
    base = load_base(str(tiny), TEXTS)
    means = warm_start.parameters(base, fitted.classifier.heads, starts)
    name = "network.encoder.layer.1.output.dense.weight"
    each = [warm_start.weights(c.model)[name] for c in (fitted.classifier, other.classifier)]
    np.testing.assert_allclose(means[name], np.mean(each, axis=0), atol=1e-6)
    assert "heads.weight" in means
    assert warm_start.pieces(starts) == set(base.tokenizer.get_vocab())
    # Labels of another data set: what was learnt of the language stays, the heads begin anew.
    assert "heads.weight" not in warm_start.parameters(base, {"情感": ("好", "坏")}, starts)
    turned = {head: labels[::-1] for head, labels in fitted.classifier.heads.items()}
    assert "heads.weight" not in warm_start.parameters(base, turned, starts)
    # One epoch on from there is enough for what took twenty.
    settings = EncoderSettings(base=str(tiny), start_from=(folders[0],), **(QUICK | {"epochs": 1, "rate": 1e-4}))
    on = fit(TEXTS, LABELS, GROUPS, settings, 0, tmp_path / "checkpoint")
    answers = on.classifier.predict_proba(TEXTS)["事由"].argmax(axis=1)
    assert np.mean([on.classifier.heads["事由"][i] == label for i, label in zip(answers, LABELS["事由"], strict=True)]) > 0.9


def test_without_epochs_the_mean_of_encoders_is_taken_as_it_is(fitted, tiny, tmp_path):
    folders = (saved(fitted.classifier, tmp_path / "one"),)
    settings = EncoderSettings(base=str(tiny), start_from=folders, quantised=False, **(QUICK | {"epochs": 0}))
    taken = fit(TEXTS, LABELS, GROUPS, settings, 1, tmp_path / "checkpoint").classifier
    np.testing.assert_allclose(taken.scores(TEXTS), fitted.classifier.scores(TEXTS), atol=0.3)  # 8-bit sums differ
    other = {"情感": ["好", "坏"] * (len(TEXTS) // 2)}
    with pytest.raises(InputError, match="--epochs: got 0, expected at least 1, for the encoders"):
        fit(TEXTS, other, GROUPS, settings, 1, tmp_path / "checkpoint")


def test_an_electra_that_widens_its_embeddings_is_trained_with_frozen_layers(tiny, tmp_path):
    folder = tmp_path / "electra"
    AutoTokenizer.from_pretrained(tiny).save_pretrained(folder)
    size = len(AutoTokenizer.from_pretrained(tiny))
    sizes = {"embedding_size": 16, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    ElectraModel(ElectraConfig(vocab_size=size, max_position_embeddings=64, **sizes)).save_pretrained(folder)
    settings = EncoderSettings(base=str(folder), **(QUICK | {"epochs": 1, "frozen_layers": 1}))
    probabilities = fit(TEXTS, LABELS, GROUPS, settings, 0, tmp_path / "checkpoint").classifier.predict_proba(TEXTS[:2])
    np.testing.assert_allclose(probabilities["事由"].sum(axis=1), 1, atol=1e-5)


def test_an_encoder_of_another_base_is_not_started_from(fitted, tmp_path):
    smaller = BertModel(BertConfig(vocab_size=90, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32))
    base = SimpleNamespace(name="smaller", network=smaller)
    with pytest.raises(InputError, match=r"--start-from.*fine-tuned from smaller"):
        warm_start.parameters(base, {"事由": ("登录", "转账")}, warm_start.read([saved(fitted.classifier, tmp_path / "one")]))


def test_an_encoder_of_another_base_of_the_same_shape_is_not_started_from(fitted, tiny, tmp_path):
    base = load_base(str(tiny), TEXTS)
    folder = saved(fitted.classifier, tmp_path / "one", {"base": "models/chinese-roberta"})
    with pytest.raises(InputError, match=r"--start-from.*fine-tuned from"):
        warm_start.parameters(base, fitted.classifier.heads, warm_start.read([folder]))
    moved = saved(fitted.classifier, tmp_path / "two", {"base": f"elsewhere/{tiny.name}"})
    assert warm_start.parameters(base, fitted.classifier.heads, warm_start.read([moved]))


@pytest.mark.parametrize("seed", range(6))
def test_a_share_of_the_rows_is_held_out_in_whole_groups(seed):
    groups = ["one"] * 600 + ["two"] * 300 + ["three"] * 70 + ["four"] * 30
    train, test = hold_out(groups, groups, EncoderSettings(), seed)
    assert sorted([*train, *test]) == list(range(1000))
    assert 30 <= len(test) <= 100
    assert not {groups[i] for i in train} & {groups[i] for i in test}


def test_the_smallest_group_is_held_out_where_all_are_large():
    groups = ["a"] * 40 + ["b"] * 35 + ["c"] * 25
    _, test = hold_out(groups, groups, EncoderSettings(), 0)
    assert len(test) == 25


def test_a_repeated_text_is_not_both_trained_on_and_held_out():
    texts = [f"第{i // 2}条" for i in range(100)]
    train, test = hold_out(texts, None, EncoderSettings(), 0)
    assert len(test) == 10
    assert not {texts[i] for i in train} & {texts[i] for i in test}


def test_named_groups_are_held_out(tiny, tmp_path):
    settings = EncoderSettings(base=str(tiny), held_out_groups=("昨天", "今早"), **(QUICK | {"epochs": 1}))
    held_out = fit(TEXTS, LABELS, GROUPS, settings, 0, tmp_path / "checkpoint").held_out["事由"]
    assert {GROUPS[i] for i in np.flatnonzero(~np.isnan(held_out[:, 0]))} == {"昨天", "今早"}


def test_a_base_that_is_missing_is_said_to_be(tmp_path):
    with pytest.raises(InputError, match=r"--base.*nowhere.*config\.json"):
        load_base(str(tmp_path / "nowhere"), TEXTS)


def test_a_base_of_another_architecture_is_refused(tmp_path):
    GPT2Model(GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1, n_positions=8)).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"gpt2.*built like BERT"):
        load_base(str(tmp_path), TEXTS)


def test_more_pieces_than_the_base_can_read_are_refused(tiny, tmp_path):
    with pytest.raises(InputError, match=r"--max-pieces.*16 to 62"):
        fit(TEXTS, LABELS, GROUPS, EncoderSettings(base=str(tiny), max_pieces=128), 0, tmp_path / "checkpoint")


@pytest.mark.parametrize("family", ["encoder", "blend"])
def test_the_command_trains_saves_and_measures_either_family(family, tiny, tmp_path, capsys):
    from training.cli import main

    data = tmp_path / "data.csv"
    rows = [f"{text},{topic},{group}" for (text, topic), group in zip(ROWS, GROUPS, strict=True)]
    data.write_text("\n".join(["text,事由,作者", *rows]), encoding="utf-8")
    out = tmp_path / "model"
    arguments = ["train", "--data", str(data), "--label-column", "事由", "--group-column", "作者", "--family", family, "--base", str(tiny)]
    assert main([*arguments, "--epochs", "1", "--max-pieces", "24", "--out", str(out), "--runs", str(tmp_path / "runs.jsonl")]) == 0
    classifier, manifest = artifact.load(out)
    assert (manifest.family, manifest.text["encoder_base" if family == "blend" else "base"]) == (family, str(tiny))
    assert classifier.predict_proba(TEXTS)["事由"].shape == (len(TEXTS), 2)
    assert "encoder" in (out / "README.md").read_text(encoding="utf-8")
    assert set(manifest.metrics) == {"held_out"}
    assert "held_out" in capsys.readouterr().out
