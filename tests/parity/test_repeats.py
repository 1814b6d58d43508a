"""The noise of a difference: rounding twins of both sides."""

from __future__ import annotations

import numpy as np
import pytest

from parity import checks
from parity.engines import find
from parity.executor import Executor
from parity.options import Options
from parity.repeats import repeat
from parity.results import Outcome
from tests.conformance.tiny import tiny
from tests.parity.samples import MADE_UP

OPTIONS = Options([find("graph")], dtypes=("float32",), stock=False)


@pytest.fixture(scope="module")
def repeated(executor: Executor) -> Outcome:
    pair, dataset = tiny("sms_rnn")
    outcome = Outcome(pair.name, MADE_UP)
    checks.prove(outcome, pair, dataset, executor, OPTIONS.references, ("float32",), stock=False)
    repeat(outcome, pair, dataset, executor, OPTIONS, 4)
    return outcome


def test_every_rung_has_a_value_of_every_twin(repeated: Outcome) -> None:
    (found,) = repeated.comparisons
    assert {rung: len(values) for rung, values in found.repeats.items()} == dict.fromkeys(
        found.rungs, 3
    )


def test_twins_give_other_values_of_the_same_size(repeated: Outcome) -> None:
    (found,) = repeated.comparisons
    for rung in ("gradients", "update", "curve"):
        largest = found.largest(rung)
        assert largest is not None
        values = np.array([largest.error, *found.repeats[rung]])
        assert len(set(values)) > 1, rung
        assert values.max() < 30 * values.min(), rung
    assert found.repeats["variables"] == (0.0, 0.0, 0.0), "both sides are given the same twin"


def test_the_proof_itself_stays_as_it_was(repeated: Outcome) -> None:
    (found,) = repeated.comparisons
    assert found.exit_code == 0
    assert [job.what for job in repeated.jobs].count("float32 lead") == 2
