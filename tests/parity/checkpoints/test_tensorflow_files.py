"""Checkpoints: what `Saver` wrote is read, what is written here `Saver` restores."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.checkpoints import Stored, open_file, protos, tensorflow_files
from parity.checkpoints.crc32c import crc32c, masked
from parity.checkpoints.files import step_in_name
from parity.checkpoints.tables import Table, write_table
from parity.checkpoints.tensorflow_files import writing, writing_v1
from parity.engines import tf1_python
from parity.errors import BadInput
from parity.slots import power
from parity.wire import Arrays

SAVER = Path(__file__).with_name("saver.py")
ENGINES = ("graph", pytest.param("tf1", marks=pytest.mark.oracle))


def saver(engine: str, what: str, folder: Path) -> None:
    python = sys.executable if engine == "graph" else str(tf1_python())
    done = subprocess.run(
        [python, str(SAVER), what, str(folder)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=ENGINES)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "tf1" and tf1_python() is None:
        pytest.skip("no TensorFlow 1.15.5 to ask")
    folder = tmp_path_factory.mktemp(request.param)
    saver(request.param, "write", folder)
    (folder / "engine").write_text(request.param)
    return folder


def values_of(folder: Path) -> Arrays:
    with np.load(folder / "values.npz") as values:
        return dict(values)


@pytest.mark.parametrize("name", ["v2.ckpt-2", "v2.ckpt-2.index", "sharded.ckpt", "v1.ckpt"])
def test_what_saver_wrote_is_read_bit_by_bit(saved: Path, name: str) -> None:
    expected = values_of(saved)
    if name == "v1.ckpt":
        del expected["empty"]
    with open_file(saved / name) as reader:
        assert set(reader.variables) == set(expected)
        for variable, value in expected.items():
            found = reader.read(variable)
            np.testing.assert_array_equal(found, value, strict=True)
            assert found.tobytes() == value.tobytes()
            assert reader.variables[variable].shape == value.shape
        assert reader.variables["part"].note == "in 3 parts"
        assert reader.variables["part/Adam"].note == "in 3 parts"


def test_a_folder_is_its_latest_checkpoint(saved: Path) -> None:
    with open_file(saved) as reader:
        assert "a/kernel" in reader.variables
    assert step_in_name(saved / "v2.ckpt-2") == 2
    assert step_in_name(saved / "v2.ckpt-2.index") == 2
    assert step_in_name(saved / "v1.ckpt") is None


def test_what_is_written_here_saver_restores(saved: Path) -> None:
    values = values_of(saved)
    for name, lent in (("ours.v2", writing), ("ours.v1", writing_v1)):
        with lent(saved / name) as writer:
            for variable in sorted(values, reverse=True):
                if not (variable == "empty" and name == "ours.v1"):
                    writer.write(variable, values[variable])
    saver((saved / "engine").read_text(), "read", saved)


def test_powers_of_beta_are_those_of_tensorflow_at_every_step(saved: Path) -> None:
    saver((saved / "engine").read_text(), "powers", saved)
    with np.load(saved / "powers.npz") as archive:
        found = archive["powers"]  # (steps, betas)
    expected = [[power(beta, step) for beta in (0.9, 0.999)] for step in range(len(found))]
    normal = found >= np.finfo(np.float32).tiny  # not every processor takes less for zero
    np.testing.assert_array_equal(np.where(normal, found, 0), expected)
    assert normal[:800].all()


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
arrays = st.builds(
    lambda dtype, shape, seed: np.frombuffer(
        np.random.RandomState(seed).bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype
    ).reshape(shape),
    st.sampled_from(["float32", "float64", "int32", "int64", "float16", "uint8"]),
    st.lists(st.integers(0, 9), max_size=3).map(tuple),
    st.integers(0, 99),
)


@given(st.dictionaries(names, arrays, max_size=6))
@settings(deadline=None, max_examples=50)
def test_any_values_survive_both_formats(
    tmp_path_factory: pytest.TempPathFactory, values: Arrays
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, lent in (("v2", writing), ("v1", writing_v1)):
        with lent(folder / name) as writer:
            for variable, value in values.items():
                writer.write(variable, value)
        with open_file(folder / name) as reader:
            assert set(reader.variables) == set(values)
            for variable, value in values.items():
                found = reader.read(variable)
                assert (found.dtype, found.shape) == (value.dtype, value.shape)
                assert found.tobytes() == value.tobytes()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("ours") / "model.ckpt"
    for path, lent in ((prefix, writing), (prefix.with_name("old.ckpt"), writing_v1)):
        with lent(path) as writer:
            writer.write("w", np.arange(300, dtype=np.float32))
            writer.write("b", np.arange(3.0))
    return prefix


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_damage_is_bad_input_or_no_damage(
    checkpoint: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    for file in checkpoint.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    name = data.draw(st.sampled_from(sorted(file.name for file in folder.iterdir())))
    whole = (folder / name).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        broken = whole[:at]
    else:
        broken = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    (folder / name).write_bytes(broken)
    prefix = folder / ("old.ckpt" if name == "old.ckpt" else "model.ckpt")
    try:
        with open_file(prefix) as reader:
            found = {variable: reader.read(variable) for variable in reader.variables}
    except BadInput:
        return
    np.testing.assert_array_equal(found["w"], np.arange(300, dtype=np.float32), strict=True)
    np.testing.assert_array_equal(found["b"], np.arange(3.0), strict=True)


def test_a_flipped_bit_is_named(checkpoint: Path, tmp_path: Path) -> None:
    for file in checkpoint.parent.glob("model.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    whole = bytearray(data.read_bytes())
    whole[100] ^= 1
    data.write_bytes(whole)
    with open_file(tmp_path / "model.ckpt") as reader:
        reader.read("b")
        with pytest.raises(BadInput, match="is damaged: the checksum of w is another one"):
            reader.read("w")


def test_a_missing_data_file_is_named(checkpoint: Path, tmp_path: Path) -> None:
    index = tmp_path / "model.ckpt.index"
    index.write_bytes((checkpoint.parent / "model.ckpt.index").read_bytes())
    missing = r"data-00000-of-00001 is missing, and model\.ckpt\.index names it"
    with pytest.raises(BadInput, match=missing), open_file(index):
        pass


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x80\x04K\x01." * 30])
def test_a_foreign_file_is_refused_and_no_pickle_is_loaded(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.ckpt").write_bytes(content)
    with pytest.raises(BadInput, match="no checkpoint and no Keras file, or is cut off"):  # noqa: SIM117
        with open_file(tmp_path / "model.ckpt"):
            pass


def test_a_missing_file_names_its_neighbours(checkpoint: Path) -> None:
    with pytest.raises(BadInput, match=r"model\.ckpt-50; .*; there are model\.ckpt"):  # noqa: SIM117
        with open_file(checkpoint.with_name("model.ckpt-50")):
            pass


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    for lent in (writing, writing_v1):
        with pytest.raises(KeyboardInterrupt), lent(tmp_path / "model.ckpt") as writer:  # noqa: PT012
            writer.write("w", np.ones(5))
            raise KeyboardInterrupt
        assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_old_checkpoint(checkpoint: Path) -> None:
    before = {file.name: file.read_bytes() for file in checkpoint.parent.iterdir()}
    with pytest.raises(BadInput, match="is <U1"), writing(checkpoint) as writer:
        writer.write("text", np.array(["a"]))
    assert {file.name: file.read_bytes() for file in checkpoint.parent.iterdir()} == before


def test_overlapping_parts_are_refused() -> None:
    stored = Stored("float32", (4,))
    half = (((0, 2),), np.ones(2, np.float32))
    with pytest.raises(BadInput, match="parts of 2 values; expected the 4"):
        tensorflow_files.assembled(stored, [half])
    with pytest.raises(BadInput, match="a part"):
        tensorflow_files.assembled(stored, [(((0, 2),), np.ones(3, np.float32))])


def test_crc32c_has_the_values_of_its_standard() -> None:
    # RFC 3720, B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(b"") == 0xA282EAD8


@given(st.integers(0, 70_000), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_crc32c_in_lanes_is_crc32c_byte_by_byte(size: int, seed: int) -> None:
    data = np.random.RandomState(seed).bytes(size)
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFFFFFF


parts = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(0, 2**40), st.integers(1, 2**40))), max_size=3
)


@given(st.lists(st.tuples(names, parts), min_size=2, max_size=2))
def test_keys_of_parts_sort_as_what_they_stand_for(pair: list[tuple[str, list[object]]]) -> None:
    def plain(name: str, extents: list[object]) -> object:
        whole = (0, -1)
        return name.encode(), len(extents), [each or whole for each in extents]

    (one, other) = pair
    keys = [protos.slice_key(name, tuple(e)) for name, e in pair]  # type: ignore[arg-type]
    assert (keys[0] < keys[1]) == (plain(*one) < plain(*other))  # type: ignore[operator]
    assert (keys[0] == keys[1]) == (plain(*one) == plain(*other))


@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=400), max_size=40))
@settings(deadline=None)
def test_a_table_keeps_what_is_put_into_it(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[bytes, bytes]
) -> None:
    path = tmp_path_factory.mktemp("table") / "table"
    with path.open("wb") as file:
        write_table(file, sorted(entries.items()))
    table = Table(path)
    assert {key: bytes(value) for key, value in table} == entries
    for key, value in entries.items():
        found = table.get(key)
        assert found is not None
        assert bytes(found) == value
    assert table.get(b"\xff" * 50) is None


def test_a_table_of_many_blocks_finds_each_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity.checkpoints.tables.BLOCK", 100)
    entries = [(struct.pack(">I", i), b"v" * i) for i in range(50)]
    with (tmp_path / "table").open("wb") as file:
        write_table(file, entries)
    table = Table(tmp_path / "table")
    assert [(key, bytes(value)) for key, value in table] == entries
    assert all(bytes(table.get(key) or b"") == value for key, value in entries)
