"""A path of a bitstream alone: its .hwh, its bundle, and words for what is missing or stale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from acsgen_host import Accelerator, BackendError, BundleError, InputError
from acsgen_host.locate import check_pair, find_bundle, hashed_stem, stem_hash

from .conftest import Prepared

pytestmark = pytest.mark.unit


def pair(folder: Path, stem: str = "", bit: bytes = b"bit", hwh: bytes = b"hwh") -> Path:
    """Write a .bit and a .hwh of this stem, or of NAME-HASH; return the path of the .bit."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x.bit").write_bytes(bit)
    (folder / "x.hwh").write_bytes(hwh)
    stem = stem or hashed_stem("net-zedboard", folder / "x.bit", folder / "x.hwh")
    (folder / "x.hwh").rename(folder / f"{stem}.hwh")
    return (folder / "x.bit").rename(folder / f"{stem}.bit")


def bundle_in(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text("{}")
    return folder


def test_the_bundle_is_around_the_bitstream_or_beside_it(tmp_path: Path) -> None:
    for number, place in enumerate(("", "vivado", "vivado/out")):
        folder = bundle_in(tmp_path / str(number))
        bit = pair(folder / place)
        assert find_bundle(bit) == (bit, folder.resolve())
        assert find_bundle(str(folder)) == (bit, folder)
    deep = pair(bundle_in(tmp_path / "deep") / "a/b/c")
    with pytest.raises(BundleError, match=r"has no bundle: no manifest\.json in"):
        find_bundle(deep)
    alone = pair(tmp_path / "alone")
    only = bundle_in(tmp_path / "alone" / "only")
    assert find_bundle(alone) == (alone, only.resolve())
    named = bundle_in(tmp_path / "alone" / "net-zedboard")
    assert find_bundle(alone) == (alone, named.resolve())
    other = pair(tmp_path / "alone", "other")
    with pytest.raises(BundleError, match="could be for any of net-zedboard, only"):
        find_bundle(other)
    assert find_bundle(other, only) == (other, only)
    with pytest.raises(BackendError, match=r"has 2 bitstreams: net-zedboard-.*bit, other\.bit"):
        find_bundle(tmp_path / "alone")
    with pytest.raises(BackendError, match=r"no bitstreams .*Accelerator\.simulate\("):
        find_bundle(only)


def test_a_pair_that_is_not_whole_is_named(tmp_path: Path) -> None:
    bit = pair(tmp_path)
    check_pair(bit)
    hwh = bit.with_suffix(".hwh")
    hwh.rename(tmp_path / "old.hwh")
    with pytest.raises(BackendError, match=r"is not there, beside it there is old\.hwh") as caught:
        check_pair(bit)
    assert [problem.where for problem in caught.value.problems] == [str(hwh)]
    with pytest.raises(BackendError) as caught:
        find_bundle(tmp_path / "nothing.bit")
    assert [Path(p.where).name for p in caught.value.problems] == ["nothing.bit", "nothing.hwh"]


@pytest.mark.parametrize("stale", [".bit", ".hwh"])
def test_a_stale_file_is_known_by_the_hash(tmp_path: Path, stale: str) -> None:
    """The file of another build under the name of this one: one of the two was copied."""
    bit = pair(bundle_in(tmp_path))
    bit.with_suffix(stale).write_bytes(b"of another build")
    with pytest.raises(BackendError, match="one of them is stale or damaged"):
        check_pair(bit)


@pytest.mark.parametrize("stem", ["acs", "net-20261126", "net-1a2b", "net-ABCDEF01"])
def test_other_stems_have_no_hash(tmp_path: Path, stem: str) -> None:
    check_pair(pair(tmp_path, stem))


def test_every_hash_is_known_as_one(tmp_path: Path) -> None:
    """Also the few that begin with digits alone."""
    bit, hwh = tmp_path / "a.bit", tmp_path / "a.hwh"
    hwh.write_bytes(b"")
    lengths = set()
    for number in range(300):
        bit.write_bytes(str(number).encode())
        stem = hashed_stem("net", bit, hwh)
        named = pair(tmp_path / str(number), stem, str(number).encode(), b"")
        check_pair(named)
        named.write_bytes(b"other")
        with pytest.raises(BackendError, match="stale"):
            check_pair(named)
        assert stem_hash(bit, hwh).startswith(stem[len("net-") :])
        lengths.add(len(stem))
    assert len(lengths) > 1, "one of them began with digits alone"


def test_a_pc_without_a_board_names_the_simulation(prepared: Prepared, tmp_path: Path) -> None:
    """There is no pynq in this environment, which is found out after the files were."""
    folder = shutil.copytree(prepared.bundle.path, tmp_path / "build")
    bit = pair(folder)
    with pytest.raises(BackendError) as caught:
        Accelerator(bit)
    assert str(caught.value).startswith("pynq: cannot be imported: ")
    assert f'without a board, simulate it: Accelerator.simulate("{folder}")' in str(caught.value)
    # A damaged bundle is said first.
    weights = folder / "program" / "params.bin"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(BundleError, match=r"params\.bin: has \d+ bytes, and had"):
        Accelerator(bit)
    with pytest.raises(InputError, match="timeout"):
        Accelerator(bit, timeout=0)
