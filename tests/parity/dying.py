"""A graph model that takes its engine down, as running out of memory would."""

from __future__ import annotations

import os
import signal
from typing import Any

from legacy_graph.sms_rnn import SmsRnn


def dies_in_float32(**hyperparameters: Any) -> Any:
    """Kills its process where it is built in float32, and works in float64."""
    if hyperparameters["dtype"] == "float32":
        os.kill(os.getpid(), signal.SIGKILL)
    return SmsRnn(**hyperparameters)  # type: ignore[no-untyped-call]
