"""Weights and optimizer state in files: TensorFlow 1 checkpoints, Keras files, trained weights.

`open_file` tells a file's kind and lends a `Reader`. The formats are read and written with NumPy
and h5py alone (docs/decisions/0014): no framework is imported, no pickle is loaded, no code of a
file is run, and one tensor at a time is in memory.
"""

from parity.checkpoints.files import open_file
from parity.checkpoints.stored import Reader, Stored, Writer
from parity.checkpoints.trained import ABOUT, load_weights, save_weights

__all__ = ["ABOUT", "Reader", "Stored", "Writer", "load_weights", "open_file", "save_weights"]
