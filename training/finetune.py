"""Fine-tune an encoder with one linear head per label column: the loop, its batches, its checkpoint.

Recipe: AdamW (Loshchilov and Hutter 2019), linear warm-up and decay, gradients clipped to 1, label smoothing; embeddings frozen, and the
lower layers too where asked for, whose outputs are then computed once and kept.
"""

import hashlib
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm
from transformers import PreTrainedModel

from training.base_model import BaseModel

_WARM_UP = 0.06
_SMOOTHING = 0.05
_DROPOUT = 0.1
_DECAY = 0.01
_HEAD_RATE = 1e-3
# Batches are cut from so many rows sorted by length: little padding, yet other company in each epoch.
_BUCKET = 20
# Outputs of the frozen layers are kept in memory in half precision up to this size.
_MOST_KEPT_BYTES = 2 << 30

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fine-tune.

    Args:
        epochs: passes over the rows; 0 leaves what is started from as it is.
        batch: rows of a step.
        rate: peak learning rate of the encoder, and of heads that were trained before; new heads take 1e-3.
        frozen_layers: lowest layers that keep their weights.
        balance: exponent of the inverse label frequency by which rows count: 0 alike, 1 "balanced".
        half: compute in bfloat16.
        seed: of weights, dropout and batches.
        checkpoint_seconds: between two checkpoints.
    """

    epochs: int
    batch: int
    rate: float
    frozen_layers: int
    balance: float
    half: bool
    seed: int
    checkpoint_seconds: float = 300.0


@dataclass(frozen=True, eq=False)
class Targets:
    """What one head should answer.

    Args:
        labels: label index of each labelled text, -1 where it has none.
        distributions: of the texts after them (texts, labels): a teacher's, each adding up to 1 or, where the teacher says nothing of these
            labels, to less.
    """

    labels: NDArray[np.integer]
    distributions: NDArray[np.floating]


class MultiHead(nn.Module):
    """An encoder, the mean of its last hidden states, and a linear layer that scores the labels of all heads side by side."""

    def __init__(self, network: PreTrainedModel, labels: int):
        super().__init__()
        self.network = network
        self.dropout = nn.Dropout(_DROPOUT)
        self.heads = nn.Linear(network.config.hidden_size, labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """What is served: scores (texts, labels), and those of each piece (texts, pieces, labels), whose mean they are."""
        pieces = self.heads(self.network(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)
        return _mean(pieces, attention_mask), pieces

    def score(self, given: Mapping[str, Tensor]) -> Tensor:
        """What is trained: scores (texts, labels) from the network's inputs, with dropout while training."""
        states = self.network(**given).last_hidden_state
        return self.heads(self.dropout(_mean(states.float(), given["attention_mask"])))


def finetune(
    base: BaseModel,
    ids: Sequence[Sequence[int]],
    targets: Mapping[str, Targets],
    recipe: Recipe,
    checkpoint: Path,
    start: Mapping[str, Tensor] | None = None,
) -> MultiHead:
    """Train; a run that was cut off goes on from its checkpoint when everything else is the same.

    Args:
        base: what to start from; its network is changed.
        ids: pieces of each text: the labelled ones, then those with distributions.
        targets: by head; the first head counts twice as much as each other.
        recipe: see `Recipe`.
        checkpoint: file for the state of the training. It stays, complete, for whoever does more with the model: called again meanwhile,
            this gives the same model at once.
        start: parameters of `MultiHead` by name that replace the base's, see `training.warm_start`.

    Returns:
        The model in evaluation mode, on the CPU.
    """
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = MultiHead(base.network, sum(target.distributions.shape[1] for target in targets.values()))
    if start:
        model.load_state_dict(start, strict=False)
    if not recipe.epochs:
        return model.eval()
    model = model.to(device)
    frozen = min(recipe.frozen_layers, len(model.network.encoder.layer))
    for part in (model.network.embeddings, *model.network.encoder.layer[:frozen]):
        part.requires_grad_(False)
    batches = _Batches(ids, recipe, base.pad, device)
    batches.keep_states(model.network, frozen)
    with _upper_layers(model.network, frozen if batches.states else 0):
        _run(
            model,
            batches,
            _Loss(targets, recipe.balance, device),
            recipe,
            _Checkpoint(checkpoint, _fingerprint(base, ids, targets, recipe, start or {})),
            recipe.rate if start and "heads.weight" in start else _HEAD_RATE,
        )
    return model.cpu().eval()


def _run(model: MultiHead, batches: "_Batches", loss: "_Loss", recipe: Recipe, checkpoint: "_Checkpoint", head_rate: float) -> None:
    head_parameters = list(model.heads.parameters())
    trained = [p for p in model.network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": trained, "lr": recipe.rate}, {"params": head_parameters, "lr": head_rate}], weight_decay=_DECAY
    )
    total = recipe.epochs * batches.in_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / (_WARM_UP * total + 1), 1 - step / total))
    done = checkpoint.restore(model, optimiser, schedule)
    written = time.monotonic()
    model.train()
    terminal = sys.stderr.isatty()
    with tqdm(total=total, initial=done, desc="encoder", unit="batch", file=sys.stderr, mininterval=1 if terminal else 30) as bar:
        for step, rows in enumerate(batches.all_epochs()):
            if step < done:
                continue
            with torch.autocast(batches.device.type, torch.bfloat16, enabled=recipe.half):
                scores = model.score(batches.inputs(rows))
            cost = loss(scores.float(), rows)
            optimiser.zero_grad()
            cost.backward()
            nn.utils.clip_grad_norm_([*trained, *head_parameters], 1.0)
            optimiser.step()
            schedule.step()
            bar.update()
            bar.set_postfix_str(f"loss {cost.item():.2f}", refresh=False)
            if time.monotonic() - written >= recipe.checkpoint_seconds:
                checkpoint.write(model, optimiser, schedule, step + 1)
                written = time.monotonic()
    if done < total:
        checkpoint.write(model, optimiser, schedule, total)


class _Batches:
    """Rows in batches of like length, another order in each epoch; either their ids, or what the frozen layers made of them."""

    def __init__(self, ids: Sequence[Sequence[int]], recipe: Recipe, pad: int, device: torch.device):
        self.ids, self.pad, self.device = ids, pad, device
        self.states: list[Tensor] | None = None
        self._size, self._recipe = recipe.batch, recipe
        self.in_epoch = -(-len(ids) // recipe.batch)

    def keep_states(self, network: PreTrainedModel, layers: int) -> None:
        """Compute the outputs of the embeddings and the lowest layers once for all epochs, when they fit into memory."""
        size = 2 * network.config.hidden_size * sum(map(len, self.ids))
        # Small ELECTRA widens its embeddings before the first layer and would widen what was kept once more.
        if not layers or size > _MOST_KEPT_BYTES or hasattr(network, "embeddings_project"):
            return
        states: list[Tensor] = [torch.empty(0)] * len(self.ids)
        order = sorted(range(len(self.ids)), key=lambda i: len(self.ids[i]))
        with _lower_layers(network, layers), torch.inference_mode():
            network.eval()
            for start in tqdm(range(0, len(order), self._size), desc="frozen layers", unit="batch", file=sys.stderr, mininterval=1):
                rows = order[start : start + self._size]
                found = network(**self.inputs(rows)).last_hidden_state
                for row, state in zip(rows, found, strict=True):
                    states[row] = state[: len(self.ids[row])].to("cpu", torch.float16, copy=True)
        self.states = states

    def all_epochs(self) -> Iterator[list[int]]:
        """Row numbers of each batch."""
        for epoch in range(self._recipe.epochs):
            random = np.random.default_rng((self._recipe.seed, epoch))
            order = random.permutation(len(self.ids)).tolist()
            step = self._size * _BUCKET
            buckets = [sorted(order[i : i + step], key=lambda row: len(self.ids[row])) for i in range(0, len(order), step)]
            flat = [row for bucket in buckets for row in bucket]
            batches = [flat[i : i + self._size] for i in range(0, len(flat), self._size)]
            for i in random.permutation(len(batches)):
                yield batches[i]

    def inputs(self, rows: Sequence[int]) -> dict[str, Tensor]:
        """The network's arguments for some rows, padded to the longest."""
        lengths = torch.tensor([len(self.ids[row]) for row in rows])
        mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long().to(self.device)
        if self.states:
            padded = nn.utils.rnn.pad_sequence([self.states[row] for row in rows], batch_first=True).float()
            return {"inputs_embeds": padded.to(self.device), "attention_mask": mask}
        padded = nn.utils.rnn.pad_sequence([torch.tensor(self.ids[row]) for row in rows], batch_first=True, padding_value=self.pad)
        return {"input_ids": padded.to(self.device), "attention_mask": mask}


class _Loss:
    """Weighted cross-entropy over all heads; texts without a label of a head are left out of it. A row is as dear as its label is rare, a
    teacher's distribution as dear as a row is on average."""

    def __init__(self, targets: Mapping[str, Targets], balance: float, device: torch.device):
        self._parts = [tuple(torch.from_numpy(part).to(device) for part in _expected(target, balance)) for target in targets.values()]
        self._sizes = [expected.shape[1] for expected, _ in self._parts]

    def __call__(self, scores: Tensor, rows: Sequence[int]) -> Tensor:
        total = scores.sum() * 0  # a batch may be without any label
        for i, ((expected, weight), own) in enumerate(zip(self._parts, scores.split(self._sizes, dim=1), strict=True)):
            given = weight[list(rows)]
            if given.any():
                costs = -(expected[list(rows)] * torch.log_softmax(own, dim=1)).sum(dim=1)
                total = total + (costs * given).sum() / given.sum() * (1.0 if i == 0 else 0.5)
        return total


def _expected(target: Targets, balance: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What each text should be answered (texts, labels), and how much it counts (texts,): nothing without a label."""
    labels, size = target.labels, target.distributions.shape[1]
    known = labels >= 0
    counts = np.bincount(labels[known], minlength=size)
    rarity = np.maximum(counts, 1.0) ** -balance
    rarity /= (rarity * counts).sum() / max(counts.sum(), 1)  # rows count 1 on average
    expected = np.full((len(labels), size), _SMOOTHING / size)
    expected[known, labels[known]] += 1 - _SMOOTHING
    weight = np.where(known, rarity[labels], 0.0)
    return (
        np.concatenate([expected, target.distributions]).astype(np.float32),
        np.concatenate([weight, np.ones(len(target.distributions))]).astype(np.float32),
    )


class _Checkpoint:
    """State of a training in a file that is either whole or not there."""

    def __init__(self, path: Path, fingerprint: str):
        self._path, self._fingerprint = path, fingerprint

    def write(self, model: MultiHead, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler, done: int) -> None:
        """`done`: steps that were taken."""
        trained = {name for name, p in model.named_parameters() if p.requires_grad}
        state = {
            "fingerprint": self._fingerprint,
            "done": done,
            "model": {name: tensor for name, tensor in model.state_dict().items() if name in trained},
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
            "random_gpu": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
        }
        part = self._path.with_name(f"{self._path.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, part)
        part.replace(self._path)

    def restore(self, model: MultiHead, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler) -> int:
        """Steps that were taken before; 0 when there is no checkpoint of this very training."""
        if not self._path.is_file():
            return 0
        state = torch.load(self._path, map_location="cpu", weights_only=True)
        if state["fingerprint"] != self._fingerprint:
            log.warning("%s is of another training; beginning anew", self._path.name)
            return 0
        model.load_state_dict(state["model"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        if state["random_gpu"] is not None and torch.cuda.is_available():
            torch.cuda.set_rng_state(state["random_gpu"])
        log.warning("going on with the training that was cut off after %d batches", state["done"])
        return state["done"]


class _PassedOn(nn.Module):
    """Stands in for the embeddings when what comes in are hidden states already."""

    def forward(self, inputs_embeds: Tensor, **_: object) -> Tensor:
        return inputs_embeds


@contextmanager
def _lower_layers(network: PreTrainedModel, count: int) -> Iterator[None]:
    """The network ends after its `count` lowest layers."""
    layers = network.encoder.layer
    network.encoder.layer = layers[:count]
    try:
        yield
    finally:
        network.encoder.layer = layers


@contextmanager
def _upper_layers(network: PreTrainedModel, without: int) -> Iterator[None]:
    """The network begins after its `without` lowest layers and takes their output as `inputs_embeds`; 0 leaves it whole."""
    layers, embeddings = network.encoder.layer, network.embeddings
    if without:
        network.encoder.layer, network.embeddings = layers[without:], _PassedOn()
    try:
        yield
    finally:
        network.encoder.layer, network.embeddings = layers, embeddings


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    """(texts, pieces, n) -> (texts, n), padding left out."""
    weight = mask.unsqueeze(-1).to(states.dtype)
    return (states * weight).sum(dim=1) / weight.sum(dim=1)


def _fingerprint(
    base: BaseModel, ids: Sequence[Sequence[int]], targets: Mapping[str, Targets], recipe: Recipe, start: Mapping[str, Tensor]
) -> str:
    digest = hashlib.sha256(repr((base.name, recipe, list(targets), list(ids))).encode())
    for target in targets.values():
        digest.update(target.labels.tobytes())
        digest.update(target.distributions.tobytes())
    for name in sorted(start):
        digest.update(start[name].numpy().tobytes())
    return digest.hexdigest()
