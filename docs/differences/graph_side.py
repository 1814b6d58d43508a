"""The TensorFlow 1 side of every measurement in docs/differences, in graph mode.

    python graph_side.py OUT.npz

A process of its own, started by measure.py: it runs on TensorFlow 1.15.5 (CPython 3.7) and on
`tf.compat.v1` of the installed TensorFlow. `given` makes what both sides are given.
"""

import sys

import numpy as np

RATE = 0.001
STEEP = np.array([1.0, 0.1, 0.01])  # steady gradients, one a column
SMALL = 10.0 ** -np.arange(1, 10)
STEPS, LONG = 120, 400
ROWS, SPARSE = 4, 200  # rows of an embedding, training steps
ABSENT = range(100, 150)  # steps in which row 2 does not occur
SIZE, UNITS, TIME, BATCH = 8, 16, 20, 4
WORDS, PADDED = 5, 25
KEEP = 0.8
MASKED = 32  # inputs, so many that no two masks are the same by chance
OUTPUTS = 20  # classes of the softmax
LINE = np.linspace(-6, 6, 241)


def given():
    """Returns what both sides are given: weights, inputs, and ids and gradients of each step."""
    random = np.random.RandomState(0)

    def uniform(*shape):
        spread = np.sqrt(6 / sum(shape[-2:]))
        return random.uniform(-spread, spread, shape)

    arrays = {
        "rnn/kernel": uniform(2 * UNITS, UNITS),
        "rnn/bias": random.uniform(-0.1, 0.1, UNITS),
        "rnn_inputs": random.uniform(-1, 1, (BATCH, TIME, UNITS)),
        "lstm/kernel": uniform(SIZE + UNITS, 4 * UNITS),
        "lstm/bias": random.uniform(-0.1, 0.1, 4 * UNITS),
        "gru/gates/kernel": uniform(SIZE + UNITS, 2 * UNITS),
        "gru/gates/bias": 1 + random.uniform(-0.1, 0.1, 2 * UNITS),
        "gru/candidate/kernel": uniform(SIZE + UNITS, UNITS),
        "gru/candidate/bias": random.uniform(-0.1, 0.1, UNITS),
        "inputs": random.uniform(-1, 1, (BATCH, TIME, SIZE)),
        "sentences": random.uniform(-1, 1, (2, WORDS, SIZE)),
        "padding": random.uniform(-1, 1, SIZE),
    }
    # Both sentences are followed by the same word vector, that of the padding.
    tail = np.broadcast_to(arrays["padding"], (2, PADDED - WORDS, SIZE))
    arrays["padded"] = np.concatenate([arrays["sentences"], tail], axis=1)
    return arrays


def named_rows(step):
    """Returns the ids of a step: row 0 three times, row 2 not always, row 3 never."""
    return [0, 0, 0, 1] + ([] if step in ABSENT else [2])


def main(path):
    """Measures everything, and writes it."""
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    arrays, found = given(), {}

    def train(optimizer, gradients, slots=()):
        """Returns weights after every step (steps, ...) and the last slots; they start at 0."""
        with tf.Graph().as_default(), tf.Session() as session:
            variable = tf.get_variable(
                "w", initializer=np.zeros_like(gradients[0]), use_resource=False
            )
            gradient = tf.placeholder(variable.dtype.base_dtype, gradients[0].shape)
            made = optimizer()
            step = made.apply_gradients([(gradient, variable)])
            session.run(tf.global_variables_initializer())
            trace = []
            for value in gradients:
                session.run(step, {gradient: value})
                trace.append(session.run(variable))
            return np.array(trace), [session.run(made.get_slot(variable, s)) for s in slots]

    found["rmsprop_start"], _ = train(lambda: tf.train.RMSPropOptimizer(RATE), [STEEP] * STEPS)
    found["rmsprop_epsilon"], _ = train(lambda: tf.train.RMSPropOptimizer(RATE), [SMALL] * LONG)
    found["adam"], _ = train(lambda: tf.train.AdamOptimizer(RATE), [SMALL] * LONG)
    one = [np.ones(1)]
    found["descent"], _ = train(lambda: tf.train.GradientDescentOptimizer(RATE), one)
    _, found["moments"] = train(lambda: tf.train.AdamOptimizer(RATE), one, ("m", "v"))

    with tf.Graph().as_default(), tf.Session() as session:
        table = tf.get_variable("w", initializer=np.zeros((ROWS, 1)), use_resource=False)
        ids = tf.placeholder(tf.int32, [None])
        gradient = tf.IndexedSlices(tf.ones_like(tf.gather(table, ids)), ids, (ROWS, 1))
        optimizer = tf.train.RMSPropOptimizer(RATE)
        step = optimizer.apply_gradients([(gradient, table)])
        session.run(tf.global_variables_initializer())
        trace, slots = [], []
        for number in range(SPARSE):
            session.run(step, {ids: named_rows(number)})
            weights, slot = session.run([table, optimizer.get_slot(table, "rms")])
            trace.append(weights)
            slots.append(slot)
        found["sparse"], found["sparse_slots"] = np.array(trace), np.array(slots)

    def unroll(cell, inputs, values, length=None):
        """Returns outputs (batch, time, units) and the last state of a cell with given weights."""
        with tf.Graph().as_default(), tf.Session() as session:
            outputs, state = tf.nn.dynamic_rnn(
                cell(), tf.constant(inputs), length, dtype=tf.float64
            )
            for variable in tf.global_variables():
                name = variable.op.name.split("_cell/")[1]
                variable.load(values[name], session)
            return session.run([outputs, state])

    def part(prefix):
        return {n[len(prefix) :]: value for n, value in arrays.items() if n.startswith(prefix)}

    found["rnn"], _ = unroll(
        lambda: tf.nn.rnn_cell.BasicRNNCell(UNITS), arrays["rnn_inputs"], part("rnn/")
    )
    lstm = lambda: tf.nn.rnn_cell.BasicLSTMCell(UNITS)  # noqa: E731
    found["lstm"], _ = unroll(lstm, arrays["inputs"], part("lstm/"))
    found["gru"], _ = unroll(lambda: tf.nn.rnn_cell.GRUCell(UNITS), arrays["inputs"], part("gru/"))
    found["unpadded"], _ = unroll(lstm, arrays["padded"], part("lstm/"))
    found["masked"], (_, found["masked_state"]) = unroll(
        lstm, arrays["padded"], part("lstm/"), [WORDS, WORDS]
    )

    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        cell = tf.nn.rnn_cell.BasicLSTMCell(32)
        tf.nn.dynamic_rnn(cell, tf.zeros([1, 2, 32]), dtype=tf.float32)
        session.run(tf.global_variables_initializer())
        found["first_kernel"], found["first_bias"] = session.run(tf.global_variables())

        found["dropped"] = session.run(tf.nn.dropout(tf.ones([100000]), keep_prob=KEEP))

    class Echo(tf.nn.rnn_cell.RNNCell):
        """Its output is its input: what is left of ones is the mask."""

        state_size = output_size = MASKED

        def call(self, inputs, state):
            return inputs, state

    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(0)
        ones = tf.ones([BATCH, TIME, MASKED])
        for name, options in (
            ("plain", {}),
            ("variational", {"variational_recurrent": True, "input_size": MASKED}),
        ):
            wrapped = tf.nn.rnn_cell.DropoutWrapper(
                Echo(), input_keep_prob=0.5, dtype=tf.float32, **options
            )
            outputs, _ = tf.nn.dynamic_rnn(wrapped, ones, dtype=tf.float32, scope=name)
            found["masks_" + name] = session.run(outputs)

        found["hard_sigmoid"] = session.run(tf.keras.activations.hard_sigmoid(tf.constant(LINE)))

        logits = np.zeros((len(LINE), OUTPUTS))
        logits[:, 0] = LINE
        p = tf.clip_by_value(tf.nn.softmax(tf.constant(logits)), 1e-7, 1 - 1e-7)
        right = np.eye(OUTPUTS)[:1]
        losses = -tf.reduce_mean(right * tf.log(p) + (1 - right) * tf.log(1 - p), 1)
        found["cross_entropy"] = session.run(losses)

    found["version"] = np.array(tf.__version__)
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
