"""Dropout masks of a Keras 3 model: drawn from its seeds, or fed in their place.

A mask is a function of its layer's seed alone, so a model's masks can be computed without running
it, and drawn again by setting the seeds. Another dtype or another backend draws others from the
same seeds: there, masks are fed.
"""

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Tuple

import keras
import numpy as np

from parity.errors import EngineFailed
from parity.runners.protocol import Batch, Masks, count

DRAWS = 1000  # seed states set aside for one training step: a step draws fewer masks than that


class Dropout:
    """Every place in a model where a dropout mask is drawn: draws its masks, or feeds it others.

    Args:
        model: the Keras model.
        seed: of the masks.
        twin: whether the model is the float64 twin of a float32 one: what a graph keeps was a
            float32 number, 0.8 not being one.
    """

    def __init__(self, model: Any, seed: int, twin: bool = False) -> None:
        self._model, self._seed, self._twin = model, seed, twin
        self._generators = seed_generators(model)
        self._replay = keras.random.SeedGenerator(0)
        self._sites: Dict[int, List[Site]] = {}
        self._fed: Dict[Tuple[int, int], Any] = {}  # generator, nth draw -> variable of its mask
        self._drawn: Dict[int, int] = {}  # generator -> its draws in the trace that is being made

    def seed(self, step: int) -> None:
        """Set every dropout layer to the masks of `step`: they are a function of its seed alone."""
        for index, (_, generator) in enumerate(self._generators):
            generator.state.assign(self._state(index, step))

    def masks(self, run: Callable[..., Any], x: Batch, step: int, dtype: str) -> Masks:
        """Compute the masks of a step from the seeds, which is all they depend on."""
        return {site.name: self._draw(site, step, dtype) for site in self.sites(run, x)}

    def sites(self, run: Callable[..., Any], x: Batch) -> List["Site"]:
        """Return where masks are drawn for a batch of this size.

        One recorded pass of `run` for each size tells where, and of what shape.
        """
        if count(x) not in self._sites:
            with recorded_draws() as draws, unmoved(self._model):
                run(x, training=True)
            self._sites[count(x)] = self._name_sites(draws)
        return self._sites[count(x)]

    @contextlib.contextmanager
    def fed(self, run: Callable[..., Any], x: Batch, masks: Masks) -> Iterator[None]:
        """Put `masks` in the place of what is drawn inside the block.

        The backend's dropout is replaced by the same arithmetic on a mask from outside. So any
        backend, and any dtype, can follow the masks that another engine drew.

        Raises:
            EngineFailed: the masks are not those of the model's sites.
        """
        # Sites have the same names whatever the size of the batch.
        sites = next(iter(self._sites.values()), []) or self.sites(run, x)
        check_sites([site.name for site in sites], list(masks))
        for site in sites:
            self._feed(site, masks[site.name])
        self._drawn.clear()
        from keras.src.backend import random

        original, random.dropout = random.dropout, self._apply
        try:
            yield
        finally:
            random.dropout = original

    def _apply(self, inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
        """Scale and drop as `tf.nn.dropout` does, by the mask that was fed."""
        generator = self._index(seed)
        nth = self._drawn.get(generator, 0)
        self._drawn[generator] = nth + 1
        draws = sum(key[0] == generator for key in self._fed)
        mask = self._fed[generator, nth % draws]  # traced again, a step draws from the start
        keep = float(np.float32(1 - rate)) if self._twin else 1 - rate
        scaled = inputs * (1 / keep)
        return masked(scaled, mask)

    def _feed(self, site: "Site", mask: np.ndarray) -> None:
        key = (site.generator, site.nth)
        if key not in self._fed:
            self._fed[key] = any_shape(mask)
        self._fed[key].assign(mask)

    def _state(self, index: int, step: int) -> np.ndarray:
        return np.array([self._seed + index, step * DRAWS])

    def _draw(self, site: "Site", step: int, dtype: str) -> np.ndarray:
        """Return the mask, True where a value is kept, that a site draws at a training step."""
        self._replay.state.assign(np.add(self._state(site.generator, step), [0, site.nth]))
        ones = keras.ops.ones(site.shape, dtype)
        dropped = keras.random.dropout(ones, site.rate, seed=self._replay)
        kept: np.ndarray = np.array(dropped) != 0
        return kept

    def _index(self, seed: Any) -> int:
        for index, (_, generator) in enumerate(self._generators):
            if generator is seed:
                return index
        raise EngineFailed(
            "a dropout mask is drawn from a seed that no layer owns",
            "a layer with a keras.random.SeedGenerator, so that its masks can be replayed",
        )

    def _name_sites(self, draws: List["Draw"]) -> List["Site"]:
        """Name each draw after its layer, with a number where a layer draws more than once."""
        sites: List[Site] = []
        for draw in draws:
            index = self._index(draw.generator)
            nth = sum(site.generator == index for site in sites)
            if nth >= DRAWS:
                raise EngineFailed(
                    "a layer draws over {} masks in one step".format(DRAWS), "fewer in a step"
                )
            name = self._generators[index][0]
            before = sum(site.layer == name for site in sites)
            sites.append(Site(name, before, index, nth, draw.shape, draw.rate))
        layers = [site.layer for site in sites]
        for site in sites:
            if layers.count(site.layer) > 1:
                site.name = "{}/{}".format(site.layer, site.number)
        return sites


class Draw:
    """One recorded call of the backend's dropout."""

    def __init__(self, shape: Tuple[int, ...], rate: float, generator: Any) -> None:
        self.shape, self.rate, self.generator = shape, rate, generator


class Site:
    """One place in a model where a mask is drawn in each training step."""

    def __init__(
        self,
        layer: str,
        number: int,
        generator: int,
        nth: int,
        shape: Tuple[int, ...],
        rate: float,
    ) -> None:
        self.name = self.layer = layer
        self.number, self.generator, self.nth = number, generator, nth
        self.shape, self.rate = shape, rate


def any_shape(mask: np.ndarray) -> Any:
    """Return a variable for masks of any shape: a short last batch has another one.

    Raises:
        EngineFailed: on a backend that has no such variables.
    """
    if keras.backend.backend() != "tensorflow":
        raise EngineFailed(
            "masks cannot be fed to Keras on {}".format(keras.backend.backend()),
            "Keras on TensorFlow, for a model that drops",
        )
    import tensorflow as tf

    return tf.Variable(mask, trainable=False, shape=tf.TensorShape(None))


def masked(values: Any, mask: Any) -> Any:
    """Return `values` where `mask` is True and zeros elsewhere, of the shape of `values`."""
    import tensorflow as tf

    return tf.ensure_shape(tf.where(mask, values, tf.zeros_like(values)), values.shape)


def check_sites(expected: List[str], received: List[str]) -> None:
    """Make sure that there is a mask for every dropout site, and none for another.

    Raises:
        EngineFailed: lists both.
    """
    if set(expected) != set(received):
        raise EngineFailed(
            "masks were fed for {}".format(", ".join(sorted(received)) or "no site"),
            "one for each of {}".format(", ".join(sorted(expected)) or "no site"),
            "mend the dropout sites in the pair's wiring",
        )


def seed_generators(model: Any) -> List[Tuple[str, Any]]:
    """Return the name of the owning layer and the generator, for every one in the model."""
    return [
        (layer.name, part.seed_generator)
        for layer in model.layers
        for part in layer._flatten_layers()
        if getattr(part, "seed_generator", None) is not None
    ]


@contextlib.contextmanager
def unmoved(model: Any) -> Iterator[None]:
    """Undo what the block moves that no gradient does: moving averages, of batch norm say."""
    before = [np.array(variable) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in zip(model.non_trainable_variables, before):
            variable.assign(value)


@contextlib.contextmanager
def recorded_draws() -> Iterator[List[Draw]]:
    """Record every dropout draw inside the block; the model runs as it is."""
    from keras.src.backend import random

    draws: List[Draw] = []
    original = random.dropout

    def recording(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
        shape = tuple(inputs.shape)
        if noise_shape is not None:
            shape = tuple(s if n is None else n for s, n in zip(shape, noise_shape))
        draws.append(Draw(shape, rate, seed))
        return original(inputs, rate, noise_shape=noise_shape, seed=seed)

    random.dropout = recording
    try:
        yield draws
    finally:
        random.dropout = original
