"""The TensorFlow 1 side of test_convert.py: `Saver` restores every variable of every model.

    python saver_side.py JOB.json

The job lists models: builder, sizes, and the prefix to restore from; what was restored is written
beside it as .npz. TensorFlow 1.15.5 or the installed one.
"""

import importlib
import json
import sys

import numpy as np
import tensorflow.compat.v1 as tf

if hasattr(tf, "disable_v2_behavior"):
    tf.disable_v2_behavior()


def main(path: str) -> None:
    with open(path) as file:
        models = json.load(file)
    for model in models:
        module, _, name = model["builder"].partition(":")
        with tf.Graph().as_default(), tf.Session() as session:
            getattr(importlib.import_module(module), name)(**model["sizes"])
            tf.train.Saver().restore(session, model["restore"])
            values = {v.op.name: session.run(v) for v in tf.global_variables()}
            np.savez(model["restore"] + ".npz", **values)


if __name__ == "__main__":
    main(sys.argv[1])
