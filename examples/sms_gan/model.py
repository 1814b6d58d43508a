"""The generator and the discriminator of train.py, in Keras 3, trained in turn."""

from typing import Any

import keras
import tensorflow as tf
from keras import layers, ops

from keras_v2.optimizers import TF1Adam


class GAN(keras.Model):
    """Trains the discriminator on what is real and what is made, then the generator.

    Its inputs are real counts (batch, words) and the noise (batch, numbers) that others are made
    from: noise that is drawn in here could not be compared. It gives what the discriminator makes
    of both, logits (batch, 1).
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model) -> None:
        real = keras.Input(discriminator.input_shape[1:], name="real")
        noise = keras.Input(generator.input_shape[1:], name="noise")
        made = layers.Identity(name="made")(generator(noise))
        super().__init__(
            {"real": real, "noise": noise},
            {
                "real_logits": layers.Identity(name="real_logits")(discriminator(real)),
                "made_logits": layers.Identity(name="made_logits")(discriminator(made)),
            },
        )
        self.generator, self.discriminator = generator, discriminator

    def compile(
        self, d_optimizer: keras.optimizers.Optimizer, g_optimizer: keras.optimizers.Optimizer
    ) -> None:
        """Set the optimizers of both."""
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def losses_of(self, x: dict[str, Any], training: bool) -> tuple[Any, Any]:
        """Return the losses of discriminator and generator."""
        logits = self(x, training=training)
        d_loss = cross_entropy(1.0, logits["real_logits"])
        d_loss += cross_entropy(0.0, logits["made_logits"])
        return d_loss, cross_entropy(1.0, logits["made_logits"])

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train both on one batch, one after the other; return their losses."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            d_loss, _ = self.losses_of(x, training=True)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply(tape.gradient(d_loss, weights), weights)
        with tf.GradientTape() as tape:
            _, g_loss = self.losses_of(x, training=True)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply(tape.gradient(g_loss, weights), weights)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return the losses of one batch."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        d_loss, g_loss = self.losses_of(x, training=False)
        return {"d_loss": d_loss, "g_loss": g_loss}


def cross_entropy(label: float, logits: Any) -> Any:
    """Return the mean sigmoid cross-entropy of logits that all have one label."""
    labels = ops.full_like(logits, label)
    return ops.mean(ops.binary_crossentropy(labels, logits, from_logits=True))


def build_model(words: int = 60, noise: int = 16, units: int = 32) -> GAN:
    """Build and compile both models."""
    generator = keras.Sequential(
        [
            keras.Input((noise,)),
            layers.Dense(units, use_bias=False, name="hidden"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Dense(words, "tanh", name="counts"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((words,)),
            layers.Dense(units, name="hidden"),
            layers.LeakyReLU(0.2),
            layers.Dense(1, name="real"),
        ],
        name="discriminator",
    )
    gan = GAN(generator, discriminator)
    gan.compile(TF1Adam(0.0002, beta_1=0.5), TF1Adam(0.0002, beta_1=0.5))
    return gan
