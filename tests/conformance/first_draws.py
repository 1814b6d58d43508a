"""First weights as TensorFlow 1 draws them: run by the interpreter of a graph engine.

python first_draws.py OUT.npz
"""

import sys
from typing import Any, Callable, Dict

import numpy as np
import tensorflow.compat.v1 as tf

SHAPE = (100, 200)  # (inputs, units)

# What is written in TensorFlow 1 -> the initializer. The Keras side has the same keys.
CORE: Dict[str, Callable[[], Any]] = {
    "tf.glorot_uniform_initializer()": tf.glorot_uniform_initializer,
    "tf.glorot_normal_initializer()": tf.glorot_normal_initializer,
    "tf.variance_scaling_initializer(2.0)": lambda: tf.variance_scaling_initializer(2.0),
    "tf.uniform_unit_scaling_initializer()": tf.uniform_unit_scaling_initializer,
    "tf.truncated_normal_initializer()": tf.truncated_normal_initializer,
    "tf.random_normal_initializer()": tf.random_normal_initializer,
    "tf.random_uniform_initializer()": tf.random_uniform_initializer,
    "tf.orthogonal_initializer()": tf.orthogonal_initializer,
    "tf.get_variable without an initializer": lambda: None,
}


def initializers() -> Dict[str, Callable[[], Any]]:
    """Return those of core, and of contrib where it is."""
    found = dict(CORE)
    if tf.__version__.startswith("1."):
        from tensorflow.contrib import layers

        found["contrib.layers.xavier_initializer()"] = layers.xavier_initializer
        found["contrib.layers.xavier_initializer(uniform=False)"] = lambda: (
            layers.xavier_initializer(uniform=False)
        )
        found["contrib.layers.variance_scaling_initializer()"] = layers.variance_scaling_initializer
    return found


def main(path: str) -> None:
    """Draw a matrix by each, and write them all."""
    if hasattr(tf, "disable_v2_behavior"):
        tf.disable_v2_behavior()
    drawn = {}
    for name, make in initializers().items():
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(0)
            weight = tf.get_variable("weight", SHAPE, tf.float32, make())
            session.run(tf.global_variables_initializer())
            drawn[name] = session.run(weight)
    np.savez(path, **drawn)


if __name__ == "__main__":
    main(sys.argv[1])
