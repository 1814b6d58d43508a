"""What migrations get wrong that overlook an atom's difference, as Keras models."""
