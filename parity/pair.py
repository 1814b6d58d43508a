"""What a row of the table says about a pair."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import symtable
from collections.abc import Mapping
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from datasets.dataset import Dataset
from parity.atom import Atom
from parity.errors import BadInput, did_you_mean
from parity.keys import RUNGS
from parity.layout import Layout
from parity.published import OF_CORPUS, SPLITS, WEIGHTS, Figure, Margin, Published

# Steps of the curve: as many as six minutes for all pairs leave room for. One number for both
# dtypes.
STEPS = 20

OUTPUTS = ("softmax", "sigmoid", "identity", "")


@dataclasses.dataclass(frozen=True)
class Trained:
    """One of several optimizers that step in turn.

    Args:
        loss: what its loss is called; so does the Keras model's `train_step`.
        train_op: of the graph.
        optimizer: attribute of the Keras model.
        variables: what it trains, as the graph calls it.
    """

    loss: str
    train_op: str
    optimizer: str
    variables: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Wiring:
    """Which part of one model answers to which part of the other.

    Args:
        taps: what is read after each layer: attribute of the graph model -> Keras layer.
        dropout: where masks are replayed: prefix of the graph's random op -> Keras layer.
        training_feeds: placeholder -> value while training.
        evaluation_feeds: placeholder -> value otherwise.
        metrics: attributes of the graph model and log names of the Keras one; ``loss`` first.
        output: what turns the last tap into probabilities: ``softmax``, ``sigmoid``, ``identity``
            where it holds them already, or empty where the model predicts no class.
        handles: where the graph is a graph file: name that the other fields say -> tensor.
        fed: where a dataset's rows have several parts: the graph's name of a part -> Keras's, empty
            where the graph alone takes it.
        quiet: forward is compared with dropout off alone, as the graph does not train.
        trained: where several optimizers step in turn, all of them, in their order.
        carried: input of the graph that is fed what the step before gave -> the tensor that gives
            it. Keras's `train_step` returns it under the name of Keras's input.
    """

    taps: Mapping[str, str]
    dropout: Mapping[str, str]
    training_feeds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    evaluation_feeds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    metrics: tuple[str, ...] = ("loss", "accuracy")
    output: str = "softmax"
    handles: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    quiet: bool = False
    trained: tuple[Trained, ...] = ()
    carried: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Data:
    """The corpus that both models train on.

    Args:
        loader: ``module:attribute`` that loads the corpus as a `datasets.dataset.Dataset`.
        arguments: of that loader; its defaults where empty.
    """

    loader: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def load(self) -> Dataset:
        """Load the corpus.

        Raises:
            datasets.dataset.DataError: a corpus is there, but not in order.
        """
        module, _, attribute = self.loader.partition(":")
        dataset: Dataset = getattr(importlib.import_module(module), attribute)(**self.arguments)
        return dataset


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The training run that was published, and how much of it the curve takes.

    Args:
        epochs: epochs of the published schedule.
        batch_size: rows of a batch.
        learning_rate: published step size.
        drop_remainder: leave out a short last batch.
        steps: training steps of the curve by default, where the published schedule is too long to
            run each time; 0 for the whole schedule.
        batches: rows of each batch, where the corpus comes in batches of its own: they are trained
            on in their order, over and over. Permuted rows in batches of `batch_size` if empty.
    """

    epochs: int
    batch_size: int
    learning_rate: float = 0.001
    drop_remainder: bool = False
    steps: int = STEPS
    batches: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Stock:
    """What the stock Keras optimizer does differently, by design.

    Args:
        optimizer: ``module:attribute``, the optimizer of Keras that a rewrite would pick.
        largest: largest per-step loss difference that the known causes explain.
        cause: those causes.
        margins: metric -> how far its final mean may lie from the graph's and still count as
            equivalent. Empty where training takes too long for the seeds that this needs.
    """

    optimizer: str
    largest: float
    cause: str
    margins: Mapping[str, Margin] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Pair:
    """One model in two implementations.

    Args:
        name: also the name of the model's file on both sides.
        title: one line for people.
        graph: ``module:attribute`` that builds the graph model.
        keras: ``module:attribute`` that builds the compiled Keras model.
        data: the corpus.
        wiring: which part of one model answers to which part of the other.
        layout: the weight rules.
        schedule: the training run.
        stock: the optimizer of Keras that a rewrite would pick, and what it does differently;
            None where nobody asks.
        published: what the original authors printed.
        caution: what the user of its predictions should know, a sentence without its full stop.
        rungs: that can be climbed; all but where the Keras model cannot train.
        atom: what the catalogue says of it, where it is one cell, layer, optimizer, loss, schedule
            or text step, and no whole model.
    """

    name: str
    title: str
    graph: str
    keras: str
    data: Data
    wiring: Wiring
    layout: Layout
    schedule: Schedule
    stock: Stock | None = None
    published: Published = dataclasses.field(default_factory=Published)
    caution: str = ""
    rungs: tuple[str, ...] = RUNGS
    atom: Atom | None = None

    @property
    def margins(self) -> Mapping[str, Margin]:
        """Metric -> how far training with the stock optimizer may end from the graph's."""
        return self.stock.margins if self.stock else {}

    def check(self) -> None:
        """Make sure that the row can be used, as far as that shows without building a model.

        No module is imported: those of the models would bring a framework with them.

        Raises:
            BadInput: names the pair, the first field that is wrong, and how to mend it.
        """
        pair, wiring, schedule = f"pair {self.name!r}", self.wiring, self.schedule
        if not self.name.isidentifier():
            raise BadInput(
                f"{pair}: that is no name of a file of Python",
                "letters, digits and underscores, no digit first",
                "give the pair the name of its model's file",
            )
        if self.stock:
            check_form(f"{pair}: stock.optimizer", self.stock.optimizer)
        for field, reference in (
            ("graph", self.graph),
            ("keras", self.keras),
            ("data.loader", self.data.loader),
        ):
            check_reference(f"{pair}: {field}", reference)
        if not wiring.taps:
            raise BadInput(
                f"{pair}: wiring.taps is empty",
                "attribute of the graph model -> Keras layer, at least once",
                "name a layer to read on both sides",
            )
        for prefix, layer in wiring.dropout.items():
            if not prefix or not layer:
                raise BadInput(
                    f"{pair}: wiring.dropout maps {prefix!r} to {layer!r}",
                    "prefix of the graph's random op -> Keras layer, neither of them empty",
                    "name the op and the layer, or drop the entry",
                )
        if wiring.metrics[:1] != ("loss",):
            raise BadInput(
                f"{pair}: wiring.metrics is {wiring.metrics!r}",
                "'loss' first",
                "put 'loss' before the other metrics",
            )
        if wiring.output not in OUTPUTS:
            raise BadInput(
                f"{pair}: wiring.output is {wiring.output!r}",
                f"one of {', '.join(map(repr, OUTPUTS))}",
                "leave it empty where the model predicts no class",
            )
        for field, number, least in (
            ("epochs", schedule.epochs, 1),
            ("batch_size", schedule.batch_size, 1),
            ("steps", schedule.steps, 0),
        ):
            if number < least:
                raise BadInput(
                    f"{pair}: schedule.{field} is {number}",
                    f"{least} or more",
                    "write 0 for the whole schedule" if field == "steps" else "raise it",
                )
        self._check_published()

    def _check_published(self) -> None:
        """Make sure that what was published can be looked for, and has its margins."""
        margins = {f"stock.margins: {metric}": each for metric, each in self.margins.items()}
        margins |= {f"published: {each.what}": each.margin for each in self.published.figures}
        metrics = [*self.margins]
        metrics += [each.metric for each in self.published.figures if isinstance(each, Figure)]
        splits = [each.split for each in self.published.figures if isinstance(each, Figure)]
        kinds = [each.kind for each in self.published.counts]
        pair = f"pair {self.name!r}"
        for what, named, known in (
            ("metric", metrics, self.wiring.metrics),
            ("split", splits, SPLITS),
            ("kind of count", kinds, WEIGHTS + OF_CORPUS),
        ):
            if unknown := [each for each in named if each not in known]:
                raise BadInput(
                    f"{pair}: there is no {what} {unknown[0]!r}",
                    f"one of {', '.join(known)}",
                    did_you_mean(unknown[0], known) or "correct its name",
                )
        for where, margin in margins.items():
            if not (margin.size > 0 and margin.reason):
                raise BadInput(
                    f"{pair}: {where}: its margin is {margin.size:g}, reason {margin.reason!r}",
                    "more than 0, and a reason",
                    "say beforehand how near is near enough, and why",
                )
        if self.published.epochs > self.schedule.epochs:
            raise BadInput(
                f"{pair}: a figure was read after epoch {self.published.epochs}",
                f"no more than the {self.schedule.epochs} of the schedule",
                "correct either",
            )


def slipped(pair: Pair) -> Pair:
    """Return an atom as a migration has it that overlooks its difference: its slip, planted.

    Raises:
        BadInput: the pair is no atom.
    """
    if pair.atom is None:
        raise BadInput(f"pair {pair.name!r} is no atom", "one of the catalogue")
    if rules := pair.atom.slip.rules:
        return dataclasses.replace(pair, layout=dataclasses.replace(pair.layout, rules=rules))
    return dataclasses.replace(pair, keras=f"tests.slips.{pair.atom.family}:{pair.name}")


def check_form(field: str, reference: str) -> None:
    """Make sure that a reference reads ``module:attribute``.

    Args:
        field: where it is written, for the message.
        reference: what is written there.

    Raises:
        BadInput: it does not.
    """
    module, _, attribute = reference.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), attribute)):
        raise BadInput(
            f"{field} is {reference!r}",
            "'module:attribute'",
            "write the module with its dots, one colon, and a name that the module defines",
        )


def check_reference(field: str, reference: str) -> None:
    """Make sure that ``module:attribute`` leads to something, without importing the module.

    Args:
        field: where it is written, for the message.
        reference: what is written there.

    Raises:
        BadInput: it is not of that form, no such module is found, its file is not Python, or the
            file does not define the attribute.
    """
    check_form(field, reference)
    module, _, attribute = reference.partition(":")
    spec = find_module(module)
    if spec is None:
        raise BadInput(
            f"{field} is {reference!r}, and no module {module!r} is found",
            "a module on Python's path",
            "correct its name, or put the folder that holds it on PYTHONPATH",
        )
    try:
        defined = names_in(spec)
    except (ImportError, SyntaxError) as error:
        raise BadInput(
            f"{field} is {reference!r}, and {spec.origin} cannot be read ({error})",
            "a file of Python",
            "mend the file",
        ) from error
    if defined is not None and attribute not in defined:
        raise BadInput(
            f"{field} is {reference!r}, and {module!r} does not define {attribute!r}",
            f"a name at the top level of {spec.origin}",
            did_you_mean(attribute, defined) or "define it there, or correct the name",
        )


def find_module(module: str) -> ModuleSpec | None:
    """Find a module without importing it or the packages that it is in; None if there is none."""
    top, *inner = module.split(".")
    if top == "__main__":  # an engine is another process: its program is another one
        return None
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module that was made without a file
        return None
    name = top
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations)
    return spec


def names_in(spec: ModuleSpec) -> set[str] | None:
    """Return what a module defines or imports at its top level; None if it has no source.

    Raises:
        ImportError: the source cannot be decoded.
        SyntaxError: it is no Python.
    """
    if not isinstance(spec.loader, InspectLoader):
        return None
    source = spec.loader.get_source(spec.name)
    if source is None:
        return None
    symbols = symtable.symtable(source, str(spec.origin), "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
