"""The TensorFlow 1 side of docs/resume/measure.py: trains, stops and goes on with its own `Saver`.

    python graph_side.py JOB.json

A process of its own, on TensorFlow 1.15.5 (CPython 3.7). It knows the model and nothing of parity.
The job names a model, its sizes, a file of batches, and runs, one after the other: each starts from
a checkpoint, or from first weights, takes some steps, and saves where it is told to.
"""

import importlib
import json
import sys

import numpy as np
import tensorflow.compat.v1 as tf

if hasattr(tf, "disable_v2_behavior"):
    tf.disable_v2_behavior()


def main(path):
    """Does the runs of a job, and writes each one's losses, (steps,), to the file that it names."""
    with open(path) as file:
        job = json.load(file)
    batches = np.load(job["batches"])
    module, _, name = job["builder"].partition(":")
    one_thread = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    losses = {}
    for dtype in sorted({run["dtype"] for run in job["runs"]}):
        with tf.Graph().as_default(), tf.Session(config=one_thread) as session:
            tf.set_random_seed(1)
            model = getattr(importlib.import_module(module), name)(
                dtype=tf.as_dtype(dtype), **job["sizes"]
            )
            saver = tf.train.Saver(max_to_keep=None)
            first = tf.global_variables_initializer()
            for run in job["runs"]:
                if run["dtype"] == dtype:
                    losses[run["name"]] = train(session, model, saver, first, run, batches)
    np.savez(job["losses"], **losses)


def train(session, model, saver, first, run, batches):
    """Takes the steps of a run; returns the loss of each batch, as it was before its update."""
    if run["restore"]:
        saver.restore(session, run["restore"])
    else:
        session.run(first)
    found = []
    for step in range(run["start"], run["stop"] + 1):
        if str(step) in run["save"]:
            saver.save(session, run["save"][str(step)], write_meta_graph=False)
        if step == run["stop"]:
            break
        feed = {model.x: batches["x"][step], model.y: batches["y"][step]}
        if hasattr(model, "keep_prob"):
            feed[model.keep_prob] = 1.0
        loss, _ = session.run([model.loss, model.train_op], feed)
        found.append(loss)
    return np.array(found)


if __name__ == "__main__":
    main(sys.argv[1])
