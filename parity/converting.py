"""Carries a checkpoint across: TensorFlow 1 to Keras with the optimizer's state, and back.

What goes where is planned from names and shapes before a value is read. Then one rule after the
other is read, rearranged and written, so that no more than its tensors are in memory.
"""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence, Set
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
from parity.checkpoints.naming import AVERAGE, GLOBAL_STEP, is_state, role
from parity.errors import BadInput, did_you_mean
from parity.layout import Layout, Move, fitting
from parity.slots import ITERATION, steps_of
from parity.subjects import Ask, Place, Places, Subject, in_file, of_optimizer, places_in
from parity.wire import Arrays

# What Keras appends to the name of a slot in which it averages, with `use_ema=True`.
KERAS_AVERAGE = "average"
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

    def check(self, from_keras: bool) -> None:
        """Make sure that what was decided is about this direction.

        Raises:
            BadInput: it is about the other one, where it would go unheard.
        """
        of_checkpoint = {"--global-step": self.global_step, "--v1": self.v1}
        of_keras = {"--averages": self.averages, "--drop": bool(self.drop)}
        for name, given in (of_keras if from_keras else of_checkpoint).items():
            if given:
                way = "from a checkpoint to Keras" if from_keras else "from Keras to a checkpoint"
                raise BadInput(f"{name} is about the way {way}", "the other way", "leave it out")


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
        options.check(from_keras)
        sign = target.with_name(f"{target.name}.index")  # a V2 checkpoint is where its index is
        there = sign if from_keras and not options.v1 else target
        if there.exists() and not overwrite:
            raise BadInput(f"{there} exists", mend="add --overwrite to replace it")
        places = places_in(ask, subject, reader)
        layout = subject.layout(places.model)
        if from_keras:
            plan = to_tf1(reader, layout, places, options)
            plan.given.update(subject.settings)
        else:
            in_name = files.step_in_name(source)
            plan = to_keras(reader, layout, places, options, in_name, set(subject.settings))
        write(reader, plan, places, source, target, options.v1, watch)
    return plan


def to_keras(
    reader: Reader,
    layout: Layout,
    places: Places,
    options: Options,
    in_name: int | None = None,
    settings: Set[str] = frozenset(),
) -> Plan:
    """Plan the way of a TensorFlow 1 checkpoint into a Keras file.

    Args:
        reader: the checkpoint.
        layout: rules.
        places: of the Keras model.
        options: what a user has decided.
        in_name: step that the checkpoint's name tells.
        settings: variables that Keras has not: settings of training.

    Raises:
        BadInput: lists every name that no rule knows, or that is missing.
    """
    variables, left_out = _without(reader.variables, options)
    weights, slots = places.of("weight"), places.of("slot")
    layout, averaged = _with_averages(layout, variables, slots, options)
    counted = {*layout.slots.counters, *layout.slots.powers, *({GLOBAL_STEP} & set(variables))}
    moves, of_slots = layout.weight_moves("keras"), layout.slot_moves("keras")
    in_slots = {name for move in of_slots for name in move.sources}
    known = {name for move in moves for name in move.sources} | in_slots
    _refuse_unknown(variables, {*known, *counted, *averaged.values(), *settings})
    moves = [_placed(move, averaged, {}) for move in moves]
    shapes = _shapes(variables, {name for move in moves for name in move.sources})
    moves = fitting("weights", shapes, moves, complete=True)
    _same_names("weights", {n for move in moves for n in move.targets}, set(weights))
    placed = [_placed(move, {}, in_file(weights)) for move in moves]
    step, told_by = _step(reader, layout, variables, options.step, in_name)
    present = _shapes(variables, in_slots)
    with_slots = options.slots and _has_state(set(present), slots)
    given = {p: v for p, v in places.others.items() if with_slots or not of_optimizer(p)}
    if with_slots:
        taken = fitting("slots", present, of_slots)
        _same_names("slots", {n for move in taken for n in move.targets}, {*slots} - {ITERATION})
        placed += [_placed(move, {}, in_file(slots)) for move in taken]
        given[slots[ITERATION].place] = np.asarray(step or 0, slots[ITERATION].dtype)
    read = {name for move in placed for name in move.sources} | counted
    by_place = {each.place: each for each in places.variables}
    left_out += sorted(set(variables) - read)
    return Plan(placed, given, by_place, left_out, step, told_by, with_slots)


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
    _refuse_others(reader.variables, by_place)
    weights, slots = (
        {path: each for path, each in places.of(kind).items() if each.place in reader.variables}
        for kind in ("weight", "slot")
    )
    all_slots = places.of("slot")
    layout, _ = _with_averages(layout, {}, all_slots, options)
    shapes = {path: each.shape for path, each in weights.items()}
    moves = fitting("weights", shapes, layout.weight_moves("tf1"), complete=True)
    placed = [_placed(move, in_file(weights), {}) for move in moves]
    step, told_by = options.step, "--step"
    if step is None and ITERATION in slots:
        step, told_by = int(reader.read(slots[ITERATION].place)), "Keras's iteration"
    with_slots = options.slots and ITERATION in slots and _has_state(set(slots), all_slots)
    given: Arrays = {}
    if with_slots:
        _same_names("slots", set(slots), set(all_slots))
        shapes = {path: each.shape for path, each in slots.items() if path != ITERATION}
        taken = fitting("slots", shapes, layout.slot_moves("tf1"))
        placed += [_placed(move, in_file(slots), {}) for move in taken]
        given.update(layout.counted(step or 0))
    if options.global_step:
        given[GLOBAL_STEP] = np.asarray(step or 0, np.int64)
    read = {name for move in placed for name in move.sources}
    left_out = [
        by_place[name].path
        for name in reader.variables
        if name not in read and by_place[name].path != ITERATION
    ]
    return Plan(placed, given, {}, left_out, step, told_by, with_slots)


def _has_state(found: set[str], slots: Mapping[str, Place]) -> bool:
    """Tell whether an optimizer's state is there: slots, or a count where it has nothing else."""
    return bool(found - {ITERATION}) or set(slots) == {ITERATION}


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
    variables: Mapping[str, Stored], options: Options
) -> tuple[dict[str, Stored], list[str]]:
    """Return what is left of variables, and the names that are left out."""
    dropped: list[str] = []
    for pattern in options.drop:
        matching = fnmatch.filter(variables, pattern)
        if not matching:
            raise BadInput(f"--drop {pattern}: nothing is called so", ", ".join(variables))
        dropped += matching
    if not options.slots:  # whatever optimizer they are of
        state = [name for name in variables if is_state(name, variables)]
        dropped += [n for n in state if not (options.averages and n.endswith(f"/{AVERAGE}"))]
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
        slots_too = dataclasses.replace(layout.slots, averages={AVERAGE: KERAS_AVERAGE})
        return dataclasses.replace(layout, slots=slots_too), {}
    if averages:
        raise BadInput(
            f"there are moving averages, such as {averages[0]}, and the Keras optimizer keeps none",
            "an optimizer with use_ema=True",
            f"say --averages to take them for the weights, or --drop '*/{AVERAGE}'",
        )
    return layout, {}


def _step(
    reader: Reader,
    layout: Layout,
    variables: Mapping[str, Stored],
    said: int | None,
    in_name: int | None,
) -> tuple[int | None, str]:
    """Return how many training steps were taken, and what told.

    Raises:
        BadInput: Keras's Adam would take its powers from a count that they disagree with.
    """
    told: list[tuple[int, str]] = [] if said is None else [(said, "--step")]
    for name in sorted({*layout.slots.counters, GLOBAL_STEP} & set(variables)):
        told.append((int(reader.read(name)), name))
    by_powers = []
    for name, base in layout.slots.powers.items():
        if name not in variables:
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
        steps_found = [steps_of(reader.read(name), beta) for beta in BETAS if name in variables]
        told += [(steps, name) for steps in steps_found if steps is not None]
    return told[0] if told else (None, "")


def _refuse_unknown(variables: Mapping[str, Stored], known: set[str]) -> None:
    wrong = []
    for name in variables:
        if name not in known:
            what = role(name, variables)
            near = "" if what.startswith("slot") else did_you_mean(name, known)
            wrong.append(f"{name} {variables[name].shape}, {what}" + (f" ({near})" if near else ""))
    if wrong:
        raise BadInput(
            "\n  ".join([f"no rule knows {len(wrong)} of {len(variables)} names:", *wrong]) + "\n",
            f"weights and slots of this model: {', '.join(sorted(known)[:6])}, ...",
            "leave out the optimizer's state with --no-slots, or what is not needed with --drop "
            "PATTERN; `parity inspect FILE --pair PAIR` says what each would be",
        )


def _refuse_others(variables: Mapping[str, Stored], places: Mapping[str, Place]) -> None:
    wrong = [f"{name} {stored.shape}" for name, stored in variables.items() if name not in places]
    if wrong:
        raise BadInput(
            "\n  ".join([f"{len(wrong)} of {len(variables)} are not of this model:", *wrong])
            + "\n",
            f"what Keras would save of it: {', '.join([*places][:6])}, ...",
            "name the pair, or the Keras model, that the file is of",
        )
    for name, stored in variables.items():
        _check_shape(name, stored.shape, stored.dtype, places[name])


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
