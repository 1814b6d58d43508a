"""Connectionist temporal classification, as tf.nn.ctc_loss has it."""

from typing import Any

from keras import ops

NEVER = -1e30  # the logarithm of a share that is none; infinity would have no gradient


def ctc_loss(labels: Any, scores: Any, label_lengths: Any, lengths: Any) -> Any:
    r"""`tf.compat.v1.nn.ctc_loss`: how unlikely a sequence of labels is, however it is aligned.

    Blank is the last class. With l = (blank, label, blank, ..., label, blank), and log p of the
    scores' softmax:

        a[0] = log p[0, l] for its first two places
        a[t, s] = log p[t, l[s]] + log(exp a[t-1, s] + exp a[t-1, s-1] + exp a[t-1, s-2])

    where the last way is open to a label that is not the one before it. `keras.ops.ctc_loss` has
    blank as the first class, unless told, and computes in float32 on TensorFlow.

    Args:
        labels: integers below classes - 1, (batch, labels).
        scores: logits, (batch, time, classes).
        label_lengths: labels of each row, (batch,).
        lengths: steps of each row, (batch,).

    Returns:
        Losses, (batch,).

    References:
        tensorflow/core/util/ctc/ctc_loss_calculator.cc (TensorFlow 1.15). Graves et al.,
        Connectionist Temporal Classification, 2006, section 4.1.

    >>> even = ops.zeros((1, 2, 2))  # two steps, a label and blank: 3 of 4 ways to say the label
    >>> round(float(ops.exp(-ctc_loss([[0]], even, [1], [2]))[0]), 4)
    0.75
    """
    blank = scores.shape[-1] - 1
    labels, label_lengths, lengths = (
        ops.cast(ops.convert_to_tensor(each), "int32") for each in (labels, label_lengths, lengths)
    )
    blanks = ops.full_like(labels, blank)
    ways = ops.reshape(ops.stack([blanks, labels], axis=2), (-1, 2 * labels.shape[1]))
    ways = ops.concatenate([ways, blanks[:, :1]], axis=1)  # (batch, places)
    shares = ops.take_along_axis(ops.log_softmax(scores), ways[:, None, :], axis=2)
    skips = ops.logical_and(ways[:, 2:] != blank, ways[:, 2:] != ways[:, :-2])
    skips = ops.pad(skips, ((0, 0), (2, 0)))  # (batch, places)
    never = ops.cast(NEVER, scores.dtype)
    start = ops.where(ops.arange(ways.shape[1]) < 2, shares[:, 0], never)

    def step(before: Any, given: Any) -> tuple[Any, Any]:
        now, running = given  # (batch, places), (batch, 1)
        one = ops.pad(before[:, :-1], ((0, 0), (1, 0)), constant_values=NEVER)
        two = ops.pad(before[:, :-2], ((0, 0), (2, 0)), constant_values=NEVER)
        two = ops.where(skips, two, never)
        after = now + ops.logsumexp(ops.stack([before, one, two]), axis=0)
        after = ops.where(running, after, before)
        return after, after

    steps = ops.arange(1, scores.shape[1], dtype="int32")
    runs = steps[:, None, None] < lengths[:, None]  # (time - 1, batch, 1)
    last, _ = ops.scan(step, start, (ops.swapaxes(shares[:, 1:], 0, 1), runs))
    ends = ops.stack([2 * label_lengths, ops.maximum(2 * label_lengths - 1, 0)], axis=1)
    return -ops.logsumexp(ops.take_along_axis(last, ends, axis=1), axis=1)
