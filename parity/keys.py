"""The grammar of the names that tensors have in questions, answers, recordings and reports.

    variables/NAME                           a weight as it was loaded
    forward/eval|train/TAP                   what a layer gives
    loss/eval|train/METRIC                   a number over the first batch
    gradients/NAME                           of the training loss, by a weight
    update/step N/weights|slots|loss/NAME    the state after training step N, counted from one
    curve/LINE                               one number a step, or an epoch
    curve/step N/weights|slots/NAME          a snapshot of the free run after step N
    curve/final/weights|slots/NAME           the state that the run ends in

NAME is a framework's own and may hold anything: a scope of TensorFlow 1 may be called `weights`.
So a name is taken apart from its left end, and only here. Python 3.7: engines use it.
"""

import functools
from typing import NamedTuple

RUNGS = ("variables", "forward", "loss", "gradients", "update", "curve")
KINDS = ("weights", "slots", "loss")


class Key(NamedTuple):
    """A tensor's name, taken apart.

    Args:
        rung: one of `RUNGS`.
        part: ``eval``, ``train``, ``step N``, ``final``, or empty.
        kind: ``weights``, ``slots`` or ``loss`` where the rung has states; else empty.
        name: the framework's own name; a tap, a metric or a line where it is none.
    """

    rung: str
    part: str
    kind: str
    name: str

    def __str__(self) -> str:
        return "/".join(piece for piece in self if piece)

    @property
    def group(self) -> str:
        """All but the name: tensors of one group are translated together."""
        return "/".join(piece for piece in self[:3] if piece)

    @property
    def step(self) -> int:
        """The training step, counted from one; 0 where the tensor belongs to none."""
        word, _, number = self.part.partition(" ")
        return int(number) if word == "step" else 0

    @property
    def is_line(self) -> bool:
        """True for a line over the training run, such as the loss of every step."""
        return self.rung == "curve" and not self.part

    @property
    def is_step_line(self) -> bool:
        """True for a line with a point for every training step: a loss."""
        return self.is_line and self.name.startswith("step_")

    @property
    def is_weight(self) -> bool:
        """True for the value of a weight, in which a layout rule may hold a constant."""
        return self.rung == "variables" or self.kind == "weights"


@functools.lru_cache(maxsize=None)  # a report asks for the same name a hundred times
def parse(text: str) -> Key:
    """Take a name apart.

    Raises:
        ValueError: it does not follow the grammar.
    """
    rung, _, rest = text.partition("/")
    if rung not in RUNGS or not rest:
        raise ValueError("{!r} names no tensor of the rungs {}".format(text, ", ".join(RUNGS)))
    if rung in ("variables", "gradients"):
        return Key(rung, "", "", rest)
    part, _, name = rest.partition("/")
    if rung in ("forward", "loss"):
        return Key(rung, part, "", name)
    kind, _, inner = name.partition("/")
    if kind in KINDS and inner and (part == "final" or part.startswith("step ")):
        return Key(rung, part, kind, inner)
    return Key(rung, "", "", rest)


def step(number: int) -> str:
    """Return the part that stands for the state after training step `number`, from one."""
    return "step {}".format(number)
