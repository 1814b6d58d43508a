"""Single cells, layers, optimizers, losses and schedules, each in a graph of a few lines."""
