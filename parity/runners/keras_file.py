"""Reads a model that was saved as a `.keras` file, in the dtype that is asked for."""

import importlib
import json
import re
import zipfile
from typing import Any

import keras

from parity.errors import BadInput

SUFFIX = ".keras"


def load(path: str, dtype: str) -> Any:
    """Return the model of a `.keras` file, compiled as it was saved.

    Keras finds classes of other modules once they are imported. Which ones a file names does not
    decide what is imported here: whoever names the file does.

    Its weights stay in the file: whoever compares a model sets them. So a model that was saved in
    float32 is built in float64 as well.

    Args:
        path: of the file; of ``MODULE:FILE``, the module is imported before.
        dtype: of the computation.

    Raises:
        BadInput: it is no such file, or holds what only the code that saved it can build.
    """
    module, _, path = path.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
    except ImportError as error:
        raise BadInput(
            "{!r} cannot be imported: {}".format(module, error),
            "a module",
            "correct its name, or put the folder that holds it on PYTHONPATH",
        ) from error
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise BadInput(
            "{} cannot be read: {}".format(path, error),
            "a .keras file",
            "save the model anew: model.save('model.keras')",
        ) from error
    try:
        return keras.saving.deserialize_keras_object(in_dtype(config, dtype), safe_mode=True)
    except (ValueError, TypeError, ImportError) as error:
        unknown = re.search(r"Could not locate [^.]*", str(error))
        raise BadInput(
            "{} cannot be built: {}".format(
                path, unknown[0] if unknown else str(error).partition("\n")[0]
            ),
            "classes of Keras and of a module that is named, MODULE:FILE.keras; no Lambda",
            "name the module, or the function that builds the model: MODULE:FUNCTION",
        ) from error


def in_dtype(config: Any, dtype: str) -> Any:
    """Return a configuration whose floats are of another dtype: layers', inputs' and policies'."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy" and _is_float(config["config"]["name"]):
            return dict(config, config=dict(config["config"], name=dtype))
        return {
            key: dtype if key == "dtype" and _is_float(value) else in_dtype(value, dtype)
            for key, value in config.items()
        }
    if isinstance(config, list):
        return [in_dtype(each, dtype) for each in config]
    return config


def _is_float(name: Any) -> bool:
    return name in ("float32", "float64")
