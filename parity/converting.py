"""Carries a checkpoint across: TensorFlow 1 to Keras with the optimizer's state, and back.

What goes where is planned from names and shapes before a value is read. Then one rule after the
other is read, rearranged and written, so that no more than its tensors are in memory.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from parity.cases import check_finite
from parity.checkpoints import (
    Reader,
    Stored,
    Writer,
    files,
    keras_files,
    open_file,
    tensorflow_files,
)
from parity.checkpoints.keras_files import KerasReader
from parity.errors import BadInput, did_you_mean
from parity.subjects import Ask, Place, Places, Subject, places_in
from parity.weights import ITERATION, Layout, Move, fitting, steps_of
from parity.wire import Arrays

GLOBAL_STEP = "global_step"
# What `ExponentialMovingAverage` appends to a name, and Keras to that of a slot if `use_ema=True`.
AVERAGE, KERAS_AVERAGE = "ExponentialMovingAverage", "average"
BETAS = (0.999, 0.9)  # tried where a beta is not known: a power fits to the last bit, or is none

Watch = Callable[[int, int], None]  # bytes read so far, and in all


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user has decided.

    Args:
        step: training steps that were taken, where the file does not tell.
        slots: whether the optimizer's state is carried as well.
        averages: whether moving averages take the place of the weights that they are of.
        drop: patterns of names that are left out, as in a shell.
        global_step: whether a TensorFlow 1 checkpoint gets a ``global_step``.
        v1: whether it is written in the format before TensorFlow 0.12.
    """

    step: int | None = None
    slots: bool = True
    averages: bool = False
    drop: tuple[str, ...] = ()
    global_step: bool = False
    v1: bool = False


@dataclasses.dataclass(frozen=True)
class Plan:
    """What will be read and written.

    Args:
        moves: from names in the source to names in the target.
        given: what is written without being read: counters, rates.
        expected: name in the target -> what a model has there; empty where nobody knows.
        left_out: names of the source that are not carried.
        step: training steps that were taken; None where nothing tells.
        told_by: what told.
        with_slots: whether the optimizer's state is carried.
    """

    moves: Sequence[Move]
    given: Arrays
    expected: Mapping[str, Place]
    left_out: Sequence[str]
    step: int | None
    told_by: str
    with_slots: bool


def convert(
    ask: Ask,
    subject: Subject,
    source: Path,
    target: Path,
    options: Options,
    overwrite: bool = False,
    watch: Watch = lambda *_: None,
) -> Plan:
    """Convert a file into one of the other side; return what was done.

    Args:
        ask: puts a question to the Keras engine, which may end then.
        subject: the two models.
        source: a TensorFlow 1 checkpoint or a Keras file.
        target: a Keras file, if it ends as one does; else the prefix of a checkpoint.
        options: what a user has decided.
        overwrite: replace a file that is there.
        watch: called after each rule.

    Raises:
        BadInput: the file cannot be read or does not fit the model, or the target is there, or of
            the same side.
        EngineFailed: the Keras model cannot be built.
    """
    with open_file(source) as reader:
        from_keras = isinstance(reader, KerasReader)
        if from_keras == keras_files.is_keras(target):
            raise BadInput(
                f"{source} is a {reader.kind}, and {target} would be one of the same side",
                "a TensorFlow 1 checkpoint on one side, and FILE.weights.h5 or FILE.keras on the "
                "other",
            )
        there = target if from_keras and options.v1 else target.with_name(f"{target.name}.index")
        there = there if from_keras else target
        if there.exists() and not overwrite:
            raise BadInput(f"{there} exists", mend="add --overwrite to replace it")
        places = places_in(ask, subject, reader)
        layout = subject.layout(places.model)
        if from_keras:
            plan = to_tf1(reader, layout, places, options)
        else:
            plan = to_keras(reader, layout, places, options, files.step_in_name(source))
        write(reader, plan, places, source, target, options.v1, watch)
    return plan


def to_keras(
    reader: Reader, layout: Layout, places: Places, options: Options, in_name: int | None = None
) -> Plan:
    """Plan the way of a TensorFlow 1 checkpoint into a Keras file.

    Args:
        reader: the checkpoint.
        layout: rules.
        places: of the Keras model.
        options: what a user has decided.
        in_name: step that the checkpoint's name tells.

    Raises:
        BadInput: lists every name that no rule knows, or that is missing.
    """
    variables, left_out = _without(reader.variables, options.drop)
    weights, slots = places.of("weight"), places.of("slot")
    layout, averaged = _with_averages(layout, variables, slots, options)
    counters = {*layout.slots.counters, *({GLOBAL_STEP} & set(variables))}
    powers = dict(layout.slots.powers)
    slot_moves = layout.slot_moves("keras")
    known_slots = {name for move in slot_moves for name in move.sources}
    names = {name for move in layout.weight_moves("keras") for name in move.sources}
    _refuse_unknown(
        variables, {*names, *known_slots, *counters, *powers, *averaged.values()}, "slot"
    )
    moves = [
        dataclasses.replace(move, sources=tuple(averaged.get(n, n) for n in move.sources))
        for move in layout.weight_moves("keras")
    ]
    taken = {name for move in moves for name in move.sources}
    moves = fitting("weights", _shapes(variables, taken), moves, complete=True)
    step, told_by = _step(reader, layout, counters, options.step, in_name)
    _same_names("weights", {n for move in moves for n in move.targets}, set(weights))
    placed = [_placed(move, {}, {p: each.place for p, each in weights.items()}) for move in moves]
    given = {
        each.place: places.values[each.place]
        for each in places.variables
        if each.kind == "other" and each.place in places.values
    }
    present = _shapes(variables, known_slots) if options.slots else {}
    if present:
        found = fitting("slots", present, slot_moves)
        targets = {n for move in found for n in move.targets}
        _same_names("slots", targets, set(slots) - {ITERATION})
        placed += [
            _placed(move, {}, {p: each.place for p, each in slots.items()}) for move in found
        ]
        given[slots[ITERATION].place] = np.asarray(step or 0, slots[ITERATION].dtype)
    else:
        given = {name: v for name, v in given.items() if not name.startswith("optimizer/")}
    read = {name for move in placed for name in move.sources} | counters | set(powers)
    left_out += sorted(set(variables) - read)
    by_place = {each.place: each for each in places.variables}
    return Plan(placed, given, by_place, left_out, step, told_by, bool(present))


def to_tf1(reader: Reader, layout: Layout, places: Places, options: Options) -> Plan:
    """Plan the way of a Keras file into a TensorFlow 1 checkpoint.

    Args:
        reader: the file.
        layout: rules.
        places: of the Keras model that the file is of.
        options: what a user has decided.

    Raises:
        BadInput: lists everything in the file that is not the model's, or that is missing.
    """
    by_place = {each.place: each for each in places.variables}
    _refuse_unknown(reader.variables, set(by_place), "place")
    for name, stored in reader.variables.items():
        _check_shape(name, stored.shape, stored.dtype, by_place[name])
    weights, slots = places.of("weight"), places.of("slot")
    here = {by_place[name].path: name for name in reader.variables if by_place[name].kind == "slot"}
    layout, _ = _with_averages(layout, {}, slots, options)
    moves = fitting(
        "weights",
        {p: each.shape for p, each in weights.items() if each.place in reader.variables},
        layout.weight_moves("tf1"),
        complete=True,
    )
    placed = [_placed(move, {p: each.place for p, each in weights.items()}, {}) for move in moves]
    step = None
    if ITERATION in here:
        step = int(reader.read(here[ITERATION]))
    step = step if options.step is None else options.step
    with_slots = options.slots and bool(set(here) - {ITERATION})
    given: Arrays = {}
    if with_slots:
        shapes = {path: slots[path].shape for path in here if path != ITERATION}
        _same_names("slots", set(shapes), set(slots) - {ITERATION})
        found = fitting("slots", shapes, layout.slot_moves("tf1"))
        placed += [_placed(move, here, {}) for move in found]
        given.update(layout.counted(step or 0))
    if options.global_step:
        given[GLOBAL_STEP] = np.asarray(step or 0, np.int64)
    read = {name for move in placed for name in move.sources} | {here.get(ITERATION, "")}
    left_out = [by_place[name].path for name in reader.variables if name not in read]
    told_by = "Keras's iteration" if options.step is None else "--step"
    return Plan(placed, given, {}, left_out, step, told_by, with_slots)


def carry(
    reader: Reader, plan: Plan, writer: Writer, where: str, watch: Watch = lambda *_: None
) -> None:
    """Read, rearrange and write what is planned, one rule after the other.

    Args:
        reader: what is read.
        plan: from `to_keras` or `to_tf1`.
        writer: what is written.
        where: name of the source, for messages.
        watch: called after each rule.

    Raises:
        BadInput: a value is not finite, or an array does not fit the model.
    """
    sizes = [sum(reader.variables[name].size for name in move.sources) for move in plan.moves]
    done, total = 0, sum(sizes)
    for name, value in plan.given.items():
        writer.write(name, value)
    for move, size in zip(plan.moves, sizes, strict=True):
        given = []
        for name in move.sources:
            given.append(reader.read(name))
            check_finite({name: given[-1]}, where)
        for name, value in move.take(given).items():
            if name in plan.expected:
                _check_shape(
                    " + ".join(move.sources), value.shape, value.dtype.name, plan.expected[name]
                )
            writer.write(name, value)
        done += size
        watch(done, total)


def write(
    reader: Reader,
    plan: Plan,
    places: Places,
    source: Path,
    target: Path,
    v1: bool = False,
    watch: Watch = lambda *_: None,
) -> None:
    """Write what is planned to a file that is there whole or not at all.

    Args:
        reader: what is read.
        plan: what is to be done.
        places: of the Keras model.
        source: path of what is read.
        target: path of what is written: a Keras file by its ending, or a checkpoint's prefix.
        v1: whether a checkpoint is written in the format before TensorFlow 0.12.
        watch: called after each rule.

    Raises:
        BadInput: as `carry`.
    """
    if not keras_files.is_keras(target):
        lent = tensorflow_files.writing_v1 if v1 else tensorflow_files.writing
        with lent(target) as checkpoint:
            carry(reader, plan, checkpoint, str(source), watch)
        return
    with keras_files.writing(target, places.config, places.metadata) as file:
        for group, layer in places.names.items():
            if plan.with_slots or group != "optimizer":
                file.note(group, layer)
        carry(reader, plan, file, str(source), watch)


def _without(
    variables: Mapping[str, Stored], patterns: Sequence[str]
) -> tuple[dict[str, Stored], list[str]]:
    """Return what is left of variables, and the names that are dropped."""
    dropped: list[str] = []
    for pattern in patterns:
        matching = fnmatch.filter(variables, pattern)
        if not matching:
            raise BadInput(f"--drop {pattern}: nothing is called so", ", ".join(variables))
        dropped += matching
    kept = {name: stored for name, stored in variables.items() if name not in dropped}
    return kept, sorted(set(dropped))


def _with_averages(
    layout: Layout, variables: Mapping[str, Stored], slots: Mapping[str, Place], options: Options
) -> tuple[Layout, dict[str, str]]:
    """Return rules that know of moving averages, and weight -> the average that stands for it.

    Raises:
        BadInput: there are some, and the Keras model has no place for them.
    """
    suffix = f"/{AVERAGE}"
    averages = [name for name in variables if name.endswith(suffix)]
    if averages and options.averages:
        return layout, {name.removesuffix(suffix): name for name in averages}
    if any(path.endswith(f"_{KERAS_AVERAGE}") for path in slots):
        rules = {**layout.slots.tf1_to_keras, AVERAGE: KERAS_AVERAGE}
        return dataclasses.replace(
            layout, slots=dataclasses.replace(layout.slots, tf1_to_keras=rules)
        ), {}
    if averages:
        raise BadInput(
            f"there are moving averages, such as {averages[0]}, and the Keras optimizer keeps none",
            "an optimizer with use_ema=True",
            f"say --averages to take them for the weights, or --drop '*/{AVERAGE}'",
        )
    return layout, {}


def _step(
    reader: Reader, layout: Layout, counters: set[str], said: int | None, in_name: int | None
) -> tuple[int | None, str]:
    """Return how many training steps were taken, and what told.

    Raises:
        BadInput: Keras's Adam would take its powers from a count that they disagree with.
    """
    told: list[tuple[int, str]] = [] if said is None else [(said, "--step")]
    for name in sorted(counters & set(reader.variables)):
        told.append((int(reader.read(name)), name))
    by_powers = []
    for name, base in layout.slots.powers.items():
        if name not in reader.variables:
            continue
        value = reader.read(name)
        steps = steps_of(value, base)
        if steps is not None:
            by_powers.append((steps, name))
        elif value != 0:
            raise BadInput(
                f"{name} is {float(value):.6g}, which is no power of the Keras model's {base:g}",
                "the same beta on both sides",
                "make the Keras optimizer with the beta of the graph",
            )
    for steps, name in by_powers:
        if told and steps != told[0][0]:
            raise BadInput(
                f"{name} says {steps} steps, and {told[0][1]} says {told[0][0]}; Keras's Adam "
                "takes its powers from the one count that it keeps",
                "one count",
                f"say --step {steps}, or use an Adam that keeps its powers (keras_v2.optimizers)",
            )
    told += by_powers
    if in_name is not None:
        told.append((in_name, "the checkpoint's name"))
    for name in layout.slots.shared if not told else ():
        steps_found = [
            steps_of(reader.read(name), beta) for beta in BETAS if name in reader.variables
        ]
        told += [(steps, name) for steps in steps_found if steps is not None]
    return told[0] if told else (None, "")


def _refuse_unknown(found: Mapping[str, Stored], known: set[str], what: str) -> None:
    wrong = []
    for name in found:
        if name not in known:
            near = did_you_mean(name, known)
            wrong.append(f"{name} {found[name].shape}" + (f" ({near})" if near else ""))
    if wrong:
        raise BadInput(
            "\n  ".join([f"no rule knows {len(wrong)} of {len(found)} names:", *wrong]) + "\n",
            f"weights and slots of this model: {', '.join(sorted(known)[:6])}, ...",
            "leave out what is not needed with --drop PATTERN, or see with `parity inspect FILE "
            "--pair NAME` what each would be"
            if what == "slot"
            else "name the pair or the Keras model that the file is of",
        )


def _same_names(what: str, found: set[str], expected: set[str]) -> None:
    missing, extra = sorted(expected - found), sorted(found - expected)
    if missing or extra:
        said = [f"missing: {name}" for name in missing] + [f"left over: {name}" for name in extra]
        raise BadInput(
            "\n  ".join([f"these {what} are not those of the Keras model:", *said]) + "\n",
            "all of them, each once",
            "convert without the optimizer's state: --no-slots" if what == "slots" else "",
        )


def _check_shape(name: str, shape: tuple[int, ...], dtype: str, expected: Place) -> None:
    if (shape, dtype) != (expected.shape, expected.dtype):
        raise BadInput(
            f"{name} gives {expected.path} as {dtype} {shape}",
            f"{expected.dtype} {expected.shape}, as the Keras model has it",
            "give the model the sizes of the checkpoint: --set NAME=VALUE",
        )


def _placed(move: Move, sources: Mapping[str, str], targets: Mapping[str, str]) -> Move:
    """Return a move whose names are those of the files."""
    return dataclasses.replace(
        move,
        sources=tuple(sources.get(name, name) for name in move.sources),
        targets=tuple(targets.get(name, name) for name in move.targets),
    )


def _shapes(variables: Mapping[str, Stored], names: set[str]) -> dict[str, tuple[int, ...]]:
    return {name: stored.shape for name, stored in variables.items() if name in names}
