"""Single cells, layers, optimizers, losses and schedules, each in a Keras model of a few lines."""
