from __future__ import annotations

from pathlib import Path

import numpy as np

from parity.reports import plots

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_training_draws_one_picture_a_metric(tmp_path: Path) -> None:
    history = {"train_loss": [1.0, np.nan], "test_loss": [1.1, 0.6]}
    (path,) = plots.write_history(tmp_path, history, "sms_rnn, keras", ["loss"])
    assert path.name == "loss.png"
    assert path.read_bytes().startswith(PNG)
