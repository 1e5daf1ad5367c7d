"""Copies of labelled texts that say the same in other words: what must not matter, a model has to be shown.

Without them a model learns that who greets and thanks does not complain, because those who ask and praise do: "你好，…，麻烦帮忙看一下，谢谢"
changed the category of two in five unmistakable complaints (tests/behaviour).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

OPENINGS = ("", "你好,", "您好,", "您好!", "你好 ", "请问一下,", "麻烦问下,", "打扰一下,", "领导您好,", "客服你好,")
CLOSINGS = (
    "",
    ",谢谢",
    ",谢谢!",
    "。谢谢您",
    ",麻烦处理一下",
    ",麻烦尽快处理",
    ",请帮忙解决,谢谢",
    ",麻烦帮忙看一下,谢谢",
    ",辛苦了",
    ",望回复",
)


@dataclass(frozen=True, slots=True)
class Augmented:
    """Texts with copies behind them.

    Args:
        texts: the given ones in their order, then the copies.
        labels: head -> label of each; a copy has its origin's.
        groups: of each; a copy is never parted from its origin.
    """

    texts: tuple[str, ...]
    labels: dict[str, tuple[str | None, ...]]
    groups: tuple[str, ...]


def with_courtesy(
    texts: Sequence[str], labels: Mapping[str, Sequence[str | None]], groups: Sequence[str] | None, share: float, seed: int
) -> Augmented:
    """Add copies of some texts with a greeting before them, thanks or a request behind them, or both.

    Args:
        texts: prepared.
        labels: head -> label of each text.
        groups: of each text, see `training.examples.kept_together`, or None: then each text is a group with its copy.
        share: of the texts that get a copy, 0-1.
        seed: of the choice.
    """
    rng = np.random.default_rng(seed)
    chosen = np.flatnonzero(rng.random(len(texts)) < share)
    frames = [(before, after) for before in OPENINGS for after in CLOSINGS if before or after]
    drawn = rng.integers(len(frames), size=len(chosen))
    copies = [f"{frames[k][0]}{texts[i].rstrip('。.,!')}{frames[k][1]}" for i, k in zip(chosen, drawn, strict=True)]
    own = groups or texts
    return Augmented(
        texts=(*texts, *copies),
        labels={head: (*column, *(column[i] for i in chosen)) for head, column in labels.items()},
        groups=(*own, *(own[i] for i in chosen)),
    )
