"""Which layers are wrong on right input: every one of them, not only the first and its echo.

By values alone (`parity.values`). A layer that was given what the graph has at its input, and gives
what the graph has at its output, is right. Behind a wrong layer nothing that Keras computes is in
the graph any more; so tensors of the graph are tried in its place. The one of which what follows
makes other tensors of the graph is what the wrong layer should have given, and from there on the
layers are fed right input again. `parity.hypotheses` has the words for that.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from parity.hypotheses import (
    Apply,
    Call,
    Layered,
    Link,
    Option,
    Trial,
    among,
    in_shape,
    moved,
    unconfirmed,
)
from parity.segments import OPEN, RIGHT, WRONG, Segment
from parity.values import Tensors, distance, same

MOST = 400  # tensors of the graph that a value may be: those that are computed last are taken
TRIALS = 2000  # of one layer
LARGEST = 256 * 2**20  # bytes that the trials of one layer are fed, all together


def locate(model: Layered, tensors: Tensors, apply: Apply) -> tuple[Segment, ...]:
    """Return an account of every layer that gives floating point numbers.

    Args:
        model: the Keras model.
        tensors: what the graph computed of the same input.
        apply: has layers of the model called.
    """
    walk = _Walk(model, tensors, apply)
    for number in range(len(model.calls)):
        walk.visit(number)
    walk.decide()
    return walk.verdicts()


class _Walk:
    """The state of a search.

    Args:
        model: the Keras model.
        tensors: those of the graph.
        apply: has layers of the model called.
    """

    def __init__(self, model: Layered, tensors: Tensors, apply: Apply) -> None:
        self._model, self._tensors, self._apply = model, tensors, apply
        self._options = {i: [Option(model.values[i], made=True, found=True)] for i in model.inputs}
        self._links: dict[int, list[Link]] = {}
        self._tried: dict[int, list[Link]] = {}
        self._reopened: dict[int, list[Link]] = {}  # what matched on other than what it was fed
        self._names: dict[int, str] = {}  # value of the model -> the tensor that is the same
        used = {i for call in model.calls for i in call.inputs}
        self._judged = {
            i
            for i in used | set(model.ends) | set(model.taps)
            if np.issubdtype(model.values[i].dtype, np.floating)
        }
        self._makers = {i: n for n, call in enumerate(model.calls) for i in call.outputs}

    def visit(self, number: int) -> None:
        """Try a layer on all that its inputs may rightly be, and note what its outputs may be."""
        call = self._model.calls[number]
        links = self._try(number, [self._options[i] for i in call.inputs])
        matched = any(link.matched for link in links)
        if matched:
            links = [link for link in links if link.matched or unconfirmed(link)]
        self._links[number] = links
        if not matched and (reopened := self._reopen(number)):
            self._reopened[number] = reopened
            self._links[number] += reopened
        for place, i in enumerate(call.outputs):
            options = list(dict.fromkeys(link.outputs[place] for link in links))
            if i in self._judged and not matched:
                options += self._seeds(i, call.inputs, {o.name for o in options})
            self._options[i] = options

    def decide(self) -> None:
        """Drop what is not borne out by what follows."""
        self._prune()
        for number, reopened in self._reopened.items():
            right = self._model.calls[number].weights or self._borne_out(number)
            left = [link for link in self._links[number] if (link in reopened) == right]
            if left:
                self._links[number] = left
            self._prune()
        proven = self._proven(self._links.values())
        for links in self._links.values():
            if any(link.matched for link in links):
                links[:] = [link for link in links if link.matched or proven & set(link.outputs)]
        self._prune()

    def _borne_out(self, number: int) -> bool:
        """Tell whether what a layer made of other input than it was fed is right further on."""
        call = self._model.calls[number]
        others = self._proven(links for n, links in self._links.items() if n != number)
        return any(
            option in others or i in self._model.ends
            for link in self._links[number]
            if link in self._reopened[number]
            for option, i in zip(link.outputs, call.outputs, strict=True)
        )

    def _prune(self) -> None:
        """Drop options and links that lead nowhere, until all that is left holds together."""
        size = -1
        while size != (size := self._size()):
            for number, call in enumerate(self._model.calls):
                links = self._links[number] = [
                    link
                    for link in self._links[number]
                    if among(link.inputs, call.inputs, self._options)
                    and among(link.outputs, call.outputs, self._options)
                ]
                if any(link.matched for link in links):
                    for place, i in enumerate(call.inputs):
                        used = {link.inputs[place] for link in links}
                        self._options[i] = [o for o in self._options[i] if o in used]
                for place, i in enumerate(call.outputs):
                    given = {link.outputs[place] for link in links}
                    self._options[i] = [o for o in self._options[i] if o in given or not o.made]

    def _size(self) -> int:
        links, options = self._links.values(), self._options.values()
        return sum(map(len, links)) + sum(map(len, options))

    def verdicts(self) -> tuple[Segment, ...]:
        """Return an account of every layer."""
        proven = self._proven(self._links.values())
        found: dict[int, Segment] = {}
        for number, call in enumerate(self._model.calls):
            judged = [place for place, i in enumerate(call.outputs) if i in self._judged]
            if judged:
                found[number] = self._verdict(number, judged, proven)
        runs = self._runs([n for n, segment in found.items() if segment.verdict == OPEN])
        return tuple(dataclasses.replace(s, run=runs.get(n, 0)) for n, s in found.items())

    def _runs(self, numbers: Sequence[int]) -> dict[int, int]:
        """Number the calls that hang together; each is told the number of its run, from 1."""
        runs: dict[int, int] = {}
        for number in numbers:
            inputs = set(self._model.calls[number].inputs)
            joined = {runs[n] for n in runs if inputs & set(self._model.calls[n].outputs)}
            first = min(joined, default=max(runs.values(), default=0) + 1)
            runs = {n: first if run in joined else run for n, run in runs.items()}
            runs[number] = first
        order = list(dict.fromkeys(runs.values()))
        return {n: order.index(run) + 1 for n, run in runs.items()}

    def _verdict(self, number: int, judged: Sequence[int], proven: set[Option]) -> Segment:
        """Return an account of one layer.

        Args:
            number: of its call.
            judged: places of its outputs that count.
            proven: options that are what the value must be.
        """
        call, tried = self._model.calls[number], self._tried[number]
        wholly = [link for link in self._links[number] if proven.issuperset(link.inputs)]
        right = [link for link in wholly if all(link.outputs[p] in proven for p in judged)]
        if right:
            names = (link.outputs[p].name for link in right for p in judged)
            fed = not any(self._is_own(call, link.inputs) for link in right)
            known = tuple(dict.fromkeys(filter(None, names)))
            return Segment(call.name, RIGHT, known, fed=fed, tried=len(tried))
        given = next((link for link in tried if proven.issuperset(link.inputs)), None)
        wanted = {p: [o for o in self._options[call.outputs[p]] if o in proven] for p in judged}
        wrong = [p for p in judged if wanted[p] and given and given.outputs[p] not in wanted[p]]
        if not given or not wrong:
            return Segment(call.name, OPEN, tried=len(tried))
        own, fitting = given.outputs[wrong[0]], wanted[wrong[0]]
        # Of one value in several shapes, such as time first, the first is named.
        fitting = [
            option
            for place, option in enumerate(fitting)
            if not any(np.array_equal(option.array, o.array) for o in fitting[:place])
        ]
        distances = [distance(own.array, o.array) for o in fitting]
        return Segment(
            call.name,
            WRONG,
            tuple(dict.fromkeys(o.name for o in fitting if o.name)),
            own.name,
            min((each for each in distances if each is not None), default=None),
            not self._is_own(call, given.inputs),
            len(tried),
        )

    def _proven(self, each_call: Iterable[Sequence[Link]]) -> set[Option]:
        """Return the options that are what the value must be, as far as anything shows that.

        What a layer makes of it, or it was made of, is in the graph; or that holds of what it is
        made into.
        """
        links = [link for links in each_call for link in links]
        found = {o for i in self._model.inputs for o in self._options[i]}
        found |= {o for i in self._model.taps for o in self._options[i] if o.found}
        for link in links:
            if link.matched and not link.moves:
                found.update(link.inputs, link.outputs)
        size = -1
        while size != (size := len(found)):
            for link in links:
                if found.intersection(link.outputs):
                    found.update(link.inputs)
                if link.moves and found.issuperset(link.inputs):
                    found.update(link.outputs)
        return found

    def _try(self, number: int, options: Sequence[Sequence[Option]]) -> list[Link]:
        """Try a layer on every combination of options, as far as there is room."""
        call = self._model.calls[number]
        size = sum(self._model.values[i].nbytes for i in call.inputs)
        room = max(1, min(TRIALS, LARGEST // max(1, size)))
        combinations = list(itertools.islice(itertools.product(*options), room))
        strange = [each for each in combinations if not self._is_own(call, each)]
        trials = [Trial(number, tuple(o.array for o in each)) for each in strange]
        answers = dict(zip(strange, self._apply(trials), strict=True)) if trials else {}
        own = tuple(self._model.values[i] for i in call.outputs)
        links: list[Link] = []
        known: dict[tuple[int, str], Option] = {}
        for each in combinations:
            outputs = answers.get(each, own)
            if outputs is not None:
                links.append(self._link(call, each, outputs, known))
        self._tried.setdefault(number, []).extend(links)
        return links

    def _link(
        self,
        call: Call,
        inputs: tuple[Option, ...],
        outputs: tuple[np.ndarray, ...],
        known: dict[tuple[int, str], Option],
    ) -> Link:
        made, matches = [], []
        for i, array in zip(call.outputs, outputs, strict=True):
            option = self._option(i, array, all(o.found for o in inputs))
            made.append(known.setdefault((i, option.name), option) if option.name else option)
            if i in self._judged:
                matches.append(option.found)
        matched = all(matches) if matches else all(o.found for o in inputs)
        moves = len(inputs) == len(outputs) == 1 and moved(inputs[0].array, outputs[0])
        return Link(inputs, tuple(made), matched, moves)

    def _option(self, i: int, array: np.ndarray, known: bool) -> Option:
        """Return what a layer made, with the graph's name for it."""
        if i in self._model.taps:
            name, wanted = self._model.taps[i]
            if same(array, wanted):
                return Option(array, name, made=True, found=True)
            return Option(array, self._name(i, array), made=True)  # elsewhere, maybe; not there
        if i not in self._judged:
            return Option(array, made=True, found=known)
        name = self._name(i, array)
        return Option(array, name, made=True, found=bool(name))

    def _name(self, i: int, array: np.ndarray) -> str:
        if array is not self._model.values[i]:
            return self._tensors.name_of(array)
        if i not in self._names:
            self._names[i] = self._tensors.name_of(array)
        return self._names[i]

    def _seeds(self, i: int, inputs: Sequence[int], known: set[str]) -> list[Option]:
        """Return the tensors of the graph that a value may be, made of what its layer is fed."""
        if i in self._model.taps:
            name, wanted = self._model.taps[i]
            return [Option(in_shape(wanted, self._model.values[i].shape), name, found=True)]
        within: set[str] | None = None
        for each in inputs:
            names = [option.name for option in self._options[each]]
            if all(names) and (below := self._tensors.below(names)) is not None:
                within = below if within is None else within & below
        return self._fitting(i, within, known)

    def _fitting(self, i: int, within: set[str] | None, known: set[str]) -> list[Option]:
        fitting = self._tensors.fitting(self._model.values[i].shape, within)
        seeds = (Option(a, name, found=True) for name, a in fitting if name not in known)
        return list(itertools.islice(seeds, MOST))

    def _reopen(self, number: int) -> list[Link]:
        """Try a layer that fails on what comes later in the graph than what it was fed.

        A layer in front that lacks its activation, say, gives a tensor of the graph, but not the
        one that the graph goes on with.
        """
        call = self._model.calls[number]
        for place, i in enumerate(call.inputs):
            options = [self._options[each] for each in call.inputs]
            options[place] = self._later(i)
            links = [link for link in self._try(number, options) if link.matched]
            if links:
                self._add(i, [link.inputs[place] for link in links], number)
                return links
        return []

    def _later(self, i: int) -> list[Option]:
        """Return other options of a value which is in the graph and of no other use there."""
        maker = self._makers.get(i)
        options = self._options[i]
        if maker is None or i in self._model.taps or not all(o.made and o.name for o in options):
            return []
        links = [link for link in self._links[maker] if set(link.outputs) & set(options)]
        if not options or not links:
            return []
        if all(link.moves for link in links):  # what is behind it may be another
            source = self._model.calls[maker].inputs[0]
            links = self._try(maker, [self._later(source)])
            self._links[maker] += links
            return [link.outputs[0] for link in links]
        if any(
            link.matched and not link.moves and set(link.inputs) & set(options)
            for links in self._links.values()
            for link in links
        ):
            return []
        names = {option.name for option in options}
        return self._fitting(i, self._tensors.below(names), names)

    def _add(self, i: int, options: Iterable[Option], tried: int) -> None:
        """Add options to a value, and to what it is moved from; try what else they are fed to.

        Args:
            i: the value.
            options: of it.
            tried: the layer that was tried on them.
        """
        new = [option for option in options if option not in self._options[i]]
        self._options[i] += new
        maker = self._makers[i]
        movers = [k for k in self._links[maker] if k.moves and set(k.outputs) & set(new)]
        if movers:
            source = self._model.calls[maker].inputs[0]
            self._add(source, [link.inputs[0] for link in movers], maker)
        for number in [n for n in self._links if n != tried]:
            inputs = self._model.calls[number].inputs
            if i in inputs:
                links = self._try(number, [new if j == i else self._options[j] for j in inputs])
                self._links[number] += links
                for place, j in enumerate(self._model.calls[number].outputs):
                    known = self._options[j]
                    known += dict.fromkeys(link.outputs[place] for link in links)

    def _is_own(self, call: Call, inputs: Sequence[Option]) -> bool:
        """Tell whether these are what the model itself feeds a layer."""
        values = self._model.values
        return all(o.array is values[i] for o, i in zip(inputs, call.inputs, strict=True))
