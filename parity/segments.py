"""Facts about single layers: which are wrong on right input. `parity.searching` finds them."""

from __future__ import annotations

import dataclasses

RIGHT, WRONG, OPEN = "right", "wrong", "open"


@dataclasses.dataclass(frozen=True)
class Segment:
    """What was found about one layer of the Keras model.

    Args:
        layer: its name, after those of the models that it is in.
        verdict: ``right`` or ``wrong`` on right input; ``open`` where the graph has neither what it
            gives nor, for all that is known, what it should give: it is one of a run of layers, of
            which one at least is wrong.
        tensors: of the graph, what it gives or should give; several where what follows does not
            tell them apart, none where none is known.
        stops: tensor of the graph that a wrong layer gives: the graph goes on from it.
        error: how far a wrong layer is from the nearest of `tensors`, in units of that tensor's
            largest value; None where that is not known, or of another size.
        fed: True if it was fed tensors of the graph, because Keras has others there.
        tried: number of inputs that it was tried on.
        run: number of the run of an open layer, from 1; else 0.
    """

    layer: str
    verdict: str
    tensors: tuple[str, ...] = ()
    stops: str = ""
    error: float | None = None
    fed: bool = False
    tried: int = 1
    run: int = 0


@dataclasses.dataclass(frozen=True)
class Segments:
    """What was found about the layers of a Keras model, in float64 and outside of training.

    Args:
        layers: an account of every layer that was judged, in the order of computation.
        rows: of the first batch.
        left_out: tensors of the graph that were too large to be looked at.
        problem: why nothing was found, or empty.
    """

    layers: tuple[Segment, ...] = ()
    rows: int = 0
    left_out: int = 0
    problem: str = ""

    def verdicts(self, verdict: str) -> list[Segment]:
        """Return the layers of one verdict."""
        return [each for each in self.layers if each.verdict == verdict]

    @property
    def runs(self) -> list[list[Segment]]:
        """Layers between which nothing can be told: of each run one at least is wrong."""
        found: dict[int, list[Segment]] = {}
        for each in self.verdicts(OPEN):
            found.setdefault(each.run, []).append(each)
        return list(found.values())
