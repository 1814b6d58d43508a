"""Streaming metrics as TensorFlow 1 computes them: run by the interpreter of a graph engine.

python streamed_metrics.py STREAM.npz OUT.npz

The stream has labels and probabilities, (batches, rows); of each metric, its value after each
batch is written.
"""

import sys
from typing import Any, Callable, Dict, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

# What is written in TensorFlow 1 -> of labels and probabilities, (value, update). The Keras side
# has the same keys.
Metric = Callable[[Any, Any], Tuple[Any, Any]]
METRICS: Dict[str, Metric] = {
    "tf.metrics.mean(p)": lambda y, p: tf.metrics.mean(p),
    "tf.metrics.accuracy(y, p > 0.5)": lambda y, p: tf.metrics.accuracy(y, tf.to_int32(p > 0.5)),
    "tf.metrics.precision(y, p > 0.5)": lambda y, p: tf.metrics.precision(y, p > 0.5),
    "tf.metrics.recall(y, p > 0.5)": lambda y, p: tf.metrics.recall(y, p > 0.5),
    "tf.metrics.auc(y, p)": tf.metrics.auc,
    'tf.metrics.auc(y, p, curve="PR")': lambda y, p: tf.metrics.auc(y, p, curve="PR"),
    "tf.metrics.mean_squared_error(y, p)": lambda y, p: tf.metrics.mean_squared_error(
        tf.to_float(y), p
    ),
    "tf.metrics.mean_iou(y, p > 0.5, 2)": lambda y, p: tf.metrics.mean_iou(
        y, tf.to_int32(p > 0.5), 2
    ),
}


def streamed(make: Metric, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return a metric's value after each batch, (batches,)."""
    with tf.Graph().as_default(), tf.Session() as session:
        y, p = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.float32, [None])
        value, update = make(y, p)
        session.run(tf.local_variables_initializer())
        found = []
        for some_labels, some in zip(labels, probabilities):
            session.run(update, {y: some_labels, p: some})
            found.append(session.run(value))
        return np.array(found)


def main(stream: str, path: str) -> None:
    """Compute each metric, and write them all."""
    if hasattr(tf, "disable_v2_behavior"):
        tf.disable_v2_behavior()
    with np.load(stream) as arrays:
        given = arrays["labels"], arrays["probabilities"]
    found: Dict[str, Any] = {name: streamed(make, *given) for name, make in METRICS.items()}
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
