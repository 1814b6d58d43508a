from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity import store
from parity.store import Kept, Store

ROOT = Path(__file__).resolve().parent.parent.parent
ABOUT = {"kind": "climb", "losses": [0.5, 0.25], "nothing": None}
ARRAYS: dict[str, np.ndarray] = {
    "weights/a/b": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int64).reshape(3, 2)),
    "scalar": np.array(2, np.int32),
    "empty": np.zeros((0, 4), np.float32),
    "words": np.array(["où", "b"]),
    "file": np.array([np.nan, -0.0, np.inf], np.float32),
}


def name(number: int) -> str:
    return f"{number:064x}"


def same(kept: Kept | None, arrays: dict[str, np.ndarray] = ARRAYS) -> bool:
    if kept is None or kept.about != ABOUT or list(kept.arrays) != list(arrays):
        return False
    return all(
        kept.arrays[key].dtype == value.dtype
        and kept.arrays[key].shape == value.shape
        and kept.arrays[key].tobytes() == value.tobytes()
        for key, value in arrays.items()
    )


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def kept_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets small entries be read as large ones are."""
    monkeypatch.setattr(store, "_IN_MEMORY", 0)


@pytest.fixture(params=["in memory", "on disk"])
def either_way(request: pytest.FixtureRequest) -> None:
    if request.param == "on disk":
        request.getfixturevalue("kept_on_disk")


@pytest.mark.usefixtures("either_way")
def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    answers = Store(tmp_path / "new" / "answers")
    assert answers.load(name(1)) is None
    answers.save(name(1), ABOUT, ARRAYS)
    assert same(answers.load(name(1)))
    assert same(Store(answers.folder).load(name(1)))
    assert (answers.hits, answers.misses, answers.damaged, answers.notes) == (1, 1, 0, [])
    assert entries(answers.folder) == [name(1) + ".npz"]


def test_an_entry_is_a_plain_npz_file(tmp_path: Path) -> None:
    Store(tmp_path).save(name(1), ABOUT, ARRAYS)
    with np.load(tmp_path / (name(1) + ".npz"), allow_pickle=False) as archive:
        assert archive["weights/a/b"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_array_is_read_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    read = []
    read_array = np.lib.format.read_array

    def watched(file: Any, **options: Any) -> Any:
        read.append(file.name)
        return read_array(file, **options)

    monkeypatch.setattr(np.lib.format, "read_array", watched)
    kept = answers.load(name(1))
    assert kept is not None
    assert "scalar" in kept.arrays
    assert "other" not in kept.arrays
    assert len(kept.arrays) == len(ARRAYS)
    assert set(kept.arrays) == set(ARRAYS)
    assert read == []
    assert kept.arrays["scalar"] == 2
    assert read == ["scalar.npy"]
    with pytest.raises(KeyError, match="other"):
        kept.arrays["other"]


@pytest.mark.usefixtures("kept_on_disk")
def test_large_arrays_are_not_in_memory(tmp_path: Path) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, {"large": np.zeros(8 << 20, np.uint8)})
    tracer = (
        "import sys, tracemalloc; from pathlib import Path; from parity.store import Store\n"
        "tracemalloc.start(); kept = Store(Path(sys.argv[1])).load(sys.argv[2])\n"
        "assert kept and 'large' in kept.arrays; print(tracemalloc.get_traced_memory()[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", tracer, str(tmp_path), name(1)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert int(done.stdout) < 4 << 20


@pytest.mark.usefixtures("kept_on_disk")
@pytest.mark.skipif(os.name == "nt", reason="Windows removes no open file")
def test_an_evicted_entry_stays_readable_to_who_has_it(tmp_path: Path) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    kept = answers.load(name(1))
    answers.save(name(1), {}, {"other": np.ones(3)})
    (tmp_path / (name(1) + ".npz")).unlink()
    assert same(kept)


def test_threads_read_one_entry_at_once(tmp_path: Path, kept_on_disk: None) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    kept = answers.load(name(1))
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: same(kept), range(20)))
        assert all(pool.map(lambda _: same(answers.load(name(1))), range(20)))
    assert answers.hits == 21


def damages(content: bytes) -> Iterator[bytes]:
    """Yield the file cut at any place, and with any byte changed."""
    for place in range(len(content)):
        yield content[:place]
        yield content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :]


@pytest.mark.usefixtures("either_way")
def test_whatever_is_broken_the_answer_is_right_or_none(tmp_path: Path) -> None:
    arrays = {"a/b": np.arange(5.0), "ü": np.array(3)}
    answers, path = Store(tmp_path), tmp_path / (name(1) + ".npz")
    answers.save(name(1), ABOUT, arrays)
    whole, removed, survived = path.read_bytes(), 0, 0
    for content in damages(whole):
        path.write_bytes(content)
        kept = answers.load(name(1))
        removed += kept is None
        survived += kept is not None
        assert kept is None or same(kept, arrays)
        assert path.exists() == (kept is not None)
    assert answers.damaged == answers.misses == removed
    assert removed > len(whole)  # every cut, and most changes
    assert 0 < survived < len(whole) / 2  # dates and file modes of the archive's members


@pytest.mark.parametrize("where", ["cut", "flipped"])
def test_a_damaged_entry_is_removed_with_a_note(tmp_path: Path, where: str) -> None:
    answers, path = Store(tmp_path), tmp_path / (name(1) + ".npz")
    answers.save(name(1), ABOUT, {"ones": np.ones(999)})
    content = bytearray(path.read_bytes())
    if where == "cut":
        del content[-300:]
    else:
        content[4000] ^= 1
    path.write_bytes(content)
    assert answers.load(name(1)) is None
    assert (answers.hits, answers.misses, answers.damaged) == (0, 1, 1)
    [note] = answers.notes
    assert note.startswith(f"{path} is damaged (")
    assert note.endswith("): its answer is computed anew")
    assert entries(tmp_path) == []
    answers.save(name(1), ABOUT, ARRAYS)
    assert same(answers.load(name(1)))


def test_the_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    os.rename(tmp_path / (name(1) + ".npz"), tmp_path / (name(2) + ".npz"))
    assert answers.load(name(2)) is None
    assert f"it answers the question {name(1)}" in answers.notes[0]
    assert entries(tmp_path) == []


@pytest.mark.parametrize("members", [{}, {"about.json": "{}"}, {"about.json": "[]"}, None])
def test_a_foreign_file_is_refused(tmp_path: Path, members: dict[str, str] | None) -> None:
    answers, path = Store(tmp_path), tmp_path / (name(1) + ".npz")
    if members is None:
        path.write_bytes(b"anything")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
    assert answers.load(name(1)) is None
    assert answers.damaged == 1


def test_an_entry_of_another_format_is_merely_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Store(tmp_path)
    with monkeypatch.context() as earlier:
        earlier.setattr(store, "FORMAT", 0)
        answers.save(name(1), ABOUT, ARRAYS)
    assert answers.load(name(1)) is None
    assert (answers.misses, answers.damaged, answers.notes) == (1, 0, [])
    answers.save(name(1), ABOUT, ARRAYS)
    assert same(answers.load(name(1)))


class Pickled:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit",)


def test_a_pickle_is_neither_written_nor_read(tmp_path: Path) -> None:
    answers, path = Store(tmp_path), tmp_path / (name(1) + ".npz")
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        answers.save(name(1), ABOUT, {"objects": np.array([Pickled()])})
    assert entries(tmp_path) == []
    with zipfile.ZipFile(path, "w") as archive:
        header = {"format": 1, "digest": name(1), "arrays": ["objects"], "about": {}}
        archive.writestr("about.json", json.dumps(header))
        with archive.open("objects.npy", "w") as file:
            np.lib.format.write_array(file, np.array([Pickled()]), allow_pickle=True)
    kept = answers.load(name(1))
    assert kept is not None
    with pytest.raises(ValueError, match="allow_pickle=False"):
        kept.arrays["objects"]


def test_what_json_cannot_hold_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Store(tmp_path).save(name(1), {"path": tmp_path}, {})
    with pytest.raises(ValueError, match="JSON compliant"):
        Store(tmp_path).save(name(1), {"loss": float("nan")}, {})


def age(folder: Path, number: int, seconds: int) -> None:
    path = folder / (name(number) + ".npz")
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    answers, arrays = Store(tmp_path, limit=35_000), {"bytes": np.zeros(10_000, np.uint8)}
    for number in (1, 2, 3):
        answers.save(name(number), ABOUT, arrays)
        age(tmp_path, number, 100 - number)
    assert same(answers.load(name(1)), arrays)
    answers.save(name(4), ABOUT, arrays)
    assert entries(tmp_path) == [name(number) + ".npz" for number in (1, 3, 4)]
    assert answers.notes == []


def test_the_folder_never_exceeds_its_limit(tmp_path: Path) -> None:
    answers = Store(tmp_path, limit=50_000)
    (tmp_path / "mine.txt").write_bytes(bytes(60_000))
    for number in range(20):
        answers.save(name(number), ABOUT, {"bytes": np.zeros(1000 * number, np.uint8)})
        kept = [path.stat().st_size for path in tmp_path.glob("*.npz")]
        assert 0 < sum(kept) <= answers.limit
    assert (tmp_path / "mine.txt").exists()  # what is not ours is let alone, and not counted


def test_an_answer_above_the_limit_is_noted(tmp_path: Path) -> None:
    answers = Store(tmp_path, limit=5000)
    answers.save(name(1), ABOUT, {"small": np.zeros(10)})
    answers.save(name(2), ABOUT, {"large": np.zeros(1000)})
    assert answers.notes == ["an answer is larger than the 5000 bytes of the store: not kept"]
    assert entries(tmp_path) == [name(1) + ".npz"]


def test_what_a_dead_process_left_goes(tmp_path: Path) -> None:
    left, fresh = (tmp_path / f".{name(1)}.{number:032x}.part" for number in (1, 2))
    for path in (left, fresh):
        path.write_bytes(b"half")
    os.utime(left, (0, 0))
    Store(tmp_path).save(name(2), ABOUT, ARRAYS)
    assert not left.exists()
    assert fresh.exists()


def test_a_folder_that_cannot_be_written_is_noted_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    answers = Store(tmp_path / "file" / "answers")
    for number in (1, 2):
        answers.save(name(number), ABOUT, ARRAYS)
        assert answers.load(name(number)) is None
    written, read = answers.notes
    assert written.startswith(f"answers cannot be kept in {answers.folder} (")
    assert "PARITY_CACHE_DIR" in written
    assert read.startswith(f"answers in {answers.folder} cannot be read (")


def test_what_cannot_be_opened_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / (name(1) + ".npz")).mkdir()
    answers = Store(tmp_path)
    assert answers.load(name(1)) is None
    answers.save(name(1), ABOUT, ARRAYS)
    assert (answers.misses, answers.damaged, len(answers.notes)) == (1, 0, 2)
    assert "cannot be read (" in answers.notes[0]
    assert entries(tmp_path) == [name(1) + ".npz"]


def test_a_read_only_folder_is_read(tmp_path: Path) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write anywhere")
        assert same(answers.load(name(1)))
        answers.save(name(2), ABOUT, ARRAYS)
        answers.save(name(3), ABOUT, ARRAYS)
    finally:
        tmp_path.chmod(0o700)
    assert len(answers.notes) == 1
    assert "Permission denied" in answers.notes[0]
    assert entries(tmp_path) == [name(1) + ".npz"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Store(tmp_path)
    answers.save(name(1), ABOUT, ARRAYS)
    write_array = np.lib.format.write_array

    def full(file: Any, *args: Any, **options: Any) -> None:
        write_array(file, *args, **options)
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(np.lib.format, "write_array", full)
    answers.save(name(1), {}, {"new": np.ones(3)})
    answers.save(name(2), {}, {"new": np.ones(3)})
    assert len(answers.notes) == 1
    assert "(No space left on device)" in answers.notes[0]
    assert entries(tmp_path) == [name(1) + ".npz"]
    assert same(answers.load(name(1)))


# Every answer is its number, over and over: a mixture of two would show.
HAMMER = """
import random, sys
from pathlib import Path
import numpy as np
from parity.store import Store

answers, draw = Store(Path(sys.argv[1]), limit=60_000), random.Random(int(sys.argv[2]))
for _ in range(300):
    number = draw.randrange(8)
    kept = answers.load(f"{number:064x}")
    if kept is None:
        values = np.full(1000 + 100 * number, number)
        answers.save(f"{number:064x}", {"number": number}, {"values": values})
    else:
        assert kept.about == {"number": number}
        assert (kept.arrays["values"] == number).all()
        assert kept.arrays["values"].shape == (1000 + 100 * number,)
assert answers.hits and answers.misses and not answers.damaged, vars(answers)
assert not answers.notes, answers.notes
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HAMMER, str(tmp_path), str(number)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 60_000
    assert not list(tmp_path.glob(".*"))


def test_the_default_folder_is_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARITY_CACHE_DIR", str(tmp_path))
    assert store.default_folder() == tmp_path / "answers"
