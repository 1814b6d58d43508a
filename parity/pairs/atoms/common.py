"""What rows of atoms share."""

from __future__ import annotations

from collections.abc import Mapping

from parity import samples
from parity.atom import Atom, Slip
from parity.keys import RUNGS
from parity.layout import Layout
from parity.pair import Data, Pair, Schedule, Trained, Wiring
from parity.slots import GRADIENT_DESCENT, Slots
from parity.weights import Rule


def atom(
    name: str,
    title: str,
    *,
    family: str,
    x: samples.Samples,
    y: samples.Samples,
    taps: Mapping[str, str],
    rules: tuple[Rule, ...],
    tf1: str,
    keras: str,
    source: str,
    slip: Slip,
    slots: Slots = GRADIENT_DESCENT,
    metrics: tuple[str, ...] = ("loss",),
    dropout: Mapping[str, str] | None = None,
    keep_prob: float | None = None,
    feeds: Mapping[str, tuple[float, float]] | None = None,
    fed: Mapping[str, str] | None = None,
    trained: tuple[Trained, ...] = (),
    rungs: tuple[str, ...] = RUNGS,
    steps: int = 12,
) -> Pair:
    """An atom: a function of its name in the family's file, on both sides.

    Args:
        name: of the atom.
        title: one line for people.
        family: file in ``legacy_graph/atoms`` and ``keras_v2/atoms``.
        x: what it is fed.
        y: what it is fitted to.
        taps: attribute of the graph model -> Keras layer.
        rules: where each variable is on the other side.
        tf1: what TensorFlow 1.15 computes.
        keras: what answers to it.
        source: where TensorFlow 1.15 has it.
        slip: what a migration gets wrong that overlooks the difference.
        slots: of its optimizer.
        metrics: ``loss`` first.
        dropout: prefix of the graph's random op -> Keras layer.
        keep_prob: what the placeholder of that name is fed while training; one otherwise.
        feeds: more placeholders -> what each is fed while training, and otherwise.
        fed: where it has several inputs: the graph's name -> Keras's.
        trained: where several optimizers step in turn, all of them.
        rungs: that can be climbed.
        steps: of its curve: two epochs where nothing asks for more.
    """
    kept = {} if keep_prob is None else {"keep_prob": (keep_prob, 1.0)}
    switched = {**kept, **(feeds or {})}
    return Pair(
        name=name,
        title=title,
        graph=f"legacy_graph.atoms.{family}:{name}",
        keras=f"keras_v2.atoms.{family}:{name}",
        data=Data("parity.samples:load", {"x": x, "y": y}),
        wiring=Wiring(
            taps,
            dropout or {},
            {name: training for name, (training, _) in switched.items()},
            {name: otherwise for name, (_, otherwise) in switched.items()},
            metrics,
            output="",
            fed=fed or {},
            trained=trained,
        ),
        layout=Layout(rules, slots),
        schedule=Schedule(epochs=1, batch_size=samples.BATCH, learning_rate=0.125, steps=steps),
        rungs=rungs,
        atom=Atom(family, tf1, keras, source, slip),
    )
