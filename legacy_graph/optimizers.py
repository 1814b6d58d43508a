"""Optimizers that TensorFlow 1 users brought along."""

import re

import tensorflow.compat.v1 as tf


class AdamWeightDecayOptimizer(tf.train.Optimizer):
    """BERT's: Adam without bias correction, with decay added to the update.

    The running means are variables of their own, `X/adam_m` and `X/adam_v`. It does not move the
    global step.

    Args:
        learning_rate: step size.
        weight_decay_rate: share of a weight that is added to its update.
        beta_1: decay of the mean gradient.
        beta_2: decay of the mean square.
        epsilon: added to the root.
        exclude_from_weight_decay: regular expressions of names that do not decay.
        name: of its ops.
    """

    def __init__(
        self,
        learning_rate,
        weight_decay_rate=0.0,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        exclude_from_weight_decay=None,
        name="AdamWeightDecayOptimizer",
    ):
        super(AdamWeightDecayOptimizer, self).__init__(False, name)
        self.learning_rate = learning_rate
        self.weight_decay_rate = weight_decay_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.exclude_from_weight_decay = exclude_from_weight_decay or []

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Returns one op that updates every variable that has a gradient."""
        assignments = []
        for grad, param in grads_and_vars:
            if grad is None:
                continue
            m, v = (self._mean_of(param, slot) for slot in ("adam_m", "adam_v"))
            grad = tf.convert_to_tensor(grad)
            next_m = self.beta_1 * m + (1.0 - self.beta_1) * grad
            next_v = self.beta_2 * v + (1.0 - self.beta_2) * tf.square(grad)
            update = next_m / (tf.sqrt(next_v) + self.epsilon)
            if not any(re.search(each, param.op.name) for each in self.exclude_from_weight_decay):
                update += self.weight_decay_rate * param
            next_param = param - tf.cast(self.learning_rate, param.dtype.base_dtype) * update
            assignments += [param.assign(next_param), m.assign(next_m), v.assign(next_v)]
        return tf.group(*assignments, name=name)

    def _mean_of(self, param, slot):
        return tf.get_variable(
            param.op.name + "/" + slot,
            param.shape.as_list(),
            param.dtype.base_dtype,
            tf.zeros_initializer(),
            trainable=False,
        )
