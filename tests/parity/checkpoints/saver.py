"""What TensorFlow's own `Saver` writes and reads, in a process of its own.

    python saver.py write FOLDER     a checkpoint in each format, and its values in values.npz
    python saver.py read FOLDER      restores ours.v2 and ours.v1, and compares them with values.npz
    python saver.py powers FOLDER    Adam's powers of beta after each of 900 steps, in powers.npz

It runs on TensorFlow 1.15.5 (CPython 3.7) and on the installed TensorFlow.
"""

import os
import sys
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

if hasattr(tf, "disable_v2_behavior"):
    tf.disable_v2_behavior()

PARTED = ("part", [100, 6])


def partitioned(parts: int) -> Any:
    name, shape = PARTED
    split = tf.fixed_size_partitioner(parts)
    return tf.get_variable(name, shape, partitioner=split, initializer=tf.zeros_initializer())


def write(folder: str) -> None:
    draw = np.random.RandomState(0)
    kernel = tf.get_variable("a/kernel", initializer=draw.rand(300, 40).astype(np.float32))
    parts = list(partitioned(3))
    for name, value in (
        ("double", draw.rand(3)),
        ("flag", np.array([True, False])),
        ("half", draw.rand(4).astype(np.float16)),
        ("whole", np.array([-5, 7], np.int32)),
        ("scalar", np.float32(-0.0)),
    ):
        tf.get_variable(name, initializer=value, trainable=False)
    step = tf.train.get_or_create_global_step()
    loss = tf.reduce_sum(kernel**2) + tf.add_n([tf.reduce_sum((part - 1) ** 2) for part in parts])
    adam = tf.train.AdamOptimizer(0.1).minimize(loss, step, [kernel, *parts])
    empty = tf.get_variable("empty", initializer=np.zeros((0, 3), np.float32), trainable=False)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(2):
            session.run(adam)
        tf.train.Saver().save(session, os.path.join(folder, "v2.ckpt"), step)
        tf.train.Saver(sharded=True).save(session, os.path.join(folder, "sharded.ckpt"))
        filled = [v for v in tf.global_variables() if v is not empty]  # V1 has no empty ones
        old = tf.train.Saver(filled, write_version=tf.train.SaverDef.V1)
        old.save(session, os.path.join(folder, "v1.ckpt"), latest_filename="old")
    reader = tf.train.load_checkpoint(os.path.join(folder, "v2.ckpt-2"))
    names = reader.get_variable_to_shape_map()
    np.savez(os.path.join(folder, "values.npz"), **{n: reader.get_tensor(n) for n in names})


def read(folder: str) -> None:
    with np.load(os.path.join(folder, "values.npz")) as values:
        for name in ("ours.v2", "ours.v1"):
            with tf.Graph().as_default(), tf.Session() as session:
                plain = [
                    tf.get_variable(n, initializer=np.zeros_like(values[n]))
                    for n in values.files
                    if n != "part" and not (n == "empty" and name == "ours.v1")
                ]
                parts = list(partitioned(4))  # of a whole one, into others than it came from
                tf.train.Saver([*plain, *parts]).restore(session, os.path.join(folder, name))
                for variable in plain:
                    found = session.run(variable)
                    assert found.tobytes() == values[variable.op.name].tobytes(), variable
                found = np.concatenate(session.run(parts))
                assert found.tobytes() == values["part"].tobytes()


def powers(folder: str) -> None:
    weight = tf.get_variable("weight", initializer=np.float32(1))
    adam = tf.train.AdamOptimizer(0.1)
    step = adam.minimize(weight**2)
    found = []
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(900):
            found.append(session.run(adam._get_beta_accumulators()))
            session.run(step)
    np.savez(os.path.join(folder, "powers.npz"), powers=np.array(found))


if __name__ == "__main__":
    {"write": write, "read": read, "powers": powers}[sys.argv[1]](sys.argv[2])
