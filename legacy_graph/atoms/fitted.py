"""The graph around an atom: a loss and a training step."""

import tensorflow.compat.v1 as tf


class Fitted(object):
    """Fits an output to a target: by mean squared error and gradient descent, unless told.

    Ops in the collection of updates, those of moving averages, run before the step.

    Args:
        x: what is fed, any shape.
        outputs: what is computed from it.
        y: target; by default one of the outputs' shape and type is fed.
        loss: scalar; by default the mean squared error.
        optimizer: by default gradient descent by an eighth of the gradient.
        step: counts training steps, where something depends on it.
        **tensors: attributes of other names: more inputs, values between, metrics.
    """

    def __init__(self, x, outputs, y=None, loss=None, optimizer=None, step=None, **tensors):
        self.x, self.outputs = x, outputs
        self.y = tf.placeholder(outputs.dtype, outputs.shape, name="y") if y is None else y
        # Not tf.losses.mean_squared_error, which computes in float32 whatever it is given.
        self.loss = tf.reduce_mean(tf.square(self.y - outputs)) if loss is None else loss
        optimizer = optimizer or tf.train.GradientDescentOptimizer(0.125)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            self.train_op = optimizer.minimize(self.loss, global_step=step)
        for name, tensor in tensors.items():
            setattr(self, name, tensor)
