"""What a user gives to the driver: everything is either taken or refused in words."""

from __future__ import annotations

import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Accelerator, BackendError, Bundle, BundleError, HostError, InputError
from acsgen_host.arguments import path_of, shown
from acsgen_host.jsontext import without_noise

from .conftest import Bench, Prepared
from .test_simulate import folder as folder

pytestmark = pytest.mark.xdist_group("driver")


@pytest.fixture
def accelerator(folder: Path) -> Iterator[Accelerator]:
    with Accelerator.simulate(folder) as made:
        yield made


class OnGpu:
    """A tensor in the memory of a GPU, as torch and cupy have it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu()")


class Loader:
    """A series with a length that only a loop reads, as torch's DataLoader."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts)


@pytest.mark.parametrize("source", [5, None, 1.5, [], b"\0.bit", "", object(), Accelerator])
def test_a_source_that_is_neither_path_nor_engine(source: Any, folder: Path) -> None:
    for bundle in ((), (folder,)):
        with pytest.raises(InputError, match="source"):
            Accelerator(source, *bundle)


def test_a_bundle_or_an_accelerator_as_source(accelerator: Accelerator) -> None:
    """The remedy is the call that was meant."""
    with pytest.raises(InputError, match=r"Accelerator\.simulate\("):
        Accelerator(accelerator.bundle)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a back end, not <acsgen_host"):
        Accelerator(accelerator, accelerator.bundle)  # type: ignore[arg-type]
    overlay = collections.namedtuple("Overlay", "ip_dict")({})
    with pytest.raises(InputError, match=r"PynqBackend\(overlay\)"):
        Accelerator(overlay, accelerator.bundle)  # type: ignore[arg-type]


@pytest.mark.parametrize("bundle", [5, [], {}, "", "a\0", 1.5])
def test_a_bundle_that_is_no_path(bench: Bench, bundle: Any) -> None:
    with pytest.raises(InputError, match="bundle"):
        Accelerator(bench.backend(), bundle)
    with pytest.raises(InputError, match="build"):
        Accelerator.simulate(bundle)
    with pytest.raises(InputError, match="bundle"):
        Bundle.load(bundle)


@pytest.mark.parametrize("interrupts", ["no", 0, 1, [], "False"])
def test_interrupts_are_wanted_or_not(bench: Bench, interrupts: Any) -> None:
    with pytest.raises(InputError, match="interrupts: must be True, False or None"):
        bench.accelerator(interrupts=interrupts)


def test_paths_of_every_kind(
    folder: Path, prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert path_of("~/build", "build") == folder
    for build in (str(folder), str(folder).encode(), "~/build", Bundle.load(folder)):
        with Accelerator.simulate(build) as accelerator:  # type: ignore[arg-type]
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
    (folder / "a.bit").write_bytes(b"bits")
    with Accelerator.simulate(folder / "a.bit") as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])


def test_a_path_that_the_system_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="File name too long") as long:
        Accelerator("x" * 5000 + ".bit")
    assert len(str(long.value)) < 400

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(BackendError, match="cannot be read: Permission denied"):
        Accelerator(tmp_path / "a.bit")


def test_images_that_are_no_pixels_in_the_memory_of_this_processor(
    accelerator: Accelerator, prepared: Prepared
) -> None:
    shape, image = prepared.bundle.shape, prepared.images[0]
    wrong = [
        (OnGpu(shape), r"Use Tensor\.cpu\(\)"),
        ([OnGpu(shape)], r"Use Tensor\.cpu\(\)"),
        ("cat.png", "are 'cat.png'"),
        (Path("cat.png"), "open the files first"),
        (["a.png", "b.png"], "'a.png'"),
        (image.tobytes(), "open the files first"),
        ({"image": image}, "open the files first"),
        (image.tolist(), r"as numpy\.uint8"),
        (image.astype(object), "open the files first"),
        ([[image], [image, image]], "differ in shape|are no array"),
    ]
    for images, text in wrong:
        for use in (accelerator.infer, accelerator.run, accelerator.run_many):
            with pytest.raises(InputError, match=text):
                use(images)


def test_a_shape_that_can_be_mended_is_told_how(
    accelerator: Accelerator, prepared: Prepared
) -> None:
    images = prepared.images
    with pytest.raises(InputError, match=r"images\.transpose\(2, 0, 1\)"):
        accelerator.infer(images[0].transpose(1, 2, 0))
    with pytest.raises(InputError, match=r"images\.transpose\(0, 3, 1, 2\)"):
        accelerator.infer(images.transpose(0, 2, 3, 1))
    with pytest.raises(InputError, match=r"numpy\.concatenate\(batches\)"):
        accelerator.infer(Loader(images[:2], images[2:4]))


def test_series_that_only_a_loop_reads(accelerator: Accelerator, prepared: Prepared) -> None:
    images = prepared.images
    for given in (
        Loader(*images),
        dict(enumerate(images)).values(),
        collections.deque(images),
        map(np.copy, images),
        memoryview(images),
    ):
        prepared.check("trained", list(accelerator.infer(given)))


def test_settings_that_are_none(accelerator: Accelerator, prepared: Prepared) -> None:
    gate = next(iter(prepared.bundle.gates))
    before = accelerator.thresholds
    ragged = [[1], [2, 3]]
    for use in (
        lambda: accelerator.set_thresholds({gate: ragged}),
        lambda: accelerator.set_thresholds({gate: OnGpu((1,))}),
        lambda: accelerator.force_masks({gate: ragged}),
        lambda: accelerator.force_masks({gate: ["1"] * prepared.bundle.gates[gate].channels}),
        lambda: accelerator.force_masks(True),  # type: ignore[arg-type]
        lambda: accelerator.force_masks(None),  # type: ignore[arg-type]
        lambda: accelerator.force_masks([gate]),  # type: ignore[arg-type]
        lambda: accelerator.set_budget(5e6, 5),  # type: ignore[arg-type]
        lambda: accelerator.set_strictness(10**5000),
        lambda: setattr(accelerator, "timeout", -(10**5000)),
    ):
        with pytest.raises(InputError):
            use()
    assert all(
        np.array_equal(before[name], after) for name, after in accelerator.thresholds.items()
    )
    prepared.check("trained", [accelerator.run(prepared.images[0])], [0])


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog", "cat", "dog"],
        [0.0, 1, 2, 3],
        [True] * 4,
        [0, 1, 2, 7],
        [-1, 0, 0, 0],
        [0, 1, 2],
        [[0], [1], [2], [3]],
        [0, 1, 2, None],
        [[0], [1, 2], 0, 0],
        3,
        "0123",
    ],
)
def test_an_accuracy_is_counted_with_classes_of_the_network(
    accelerator: Accelerator, prepared: Prepared, labels: Any
) -> None:
    with pytest.raises(InputError, match="labels"):
        accelerator.measure_budget(prepared.images, labels, [0.5])
    with pytest.raises(InputError, match="no strictness"):
        accelerator.measure_budget(prepared.images, None, [])
    with pytest.raises(InputError, match="no images"):
        accelerator.measure_budget([], None)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "2", True, [1], float("inf")])
def test_a_self_test_compares_something(accelerator: Accelerator, limit: Any) -> None:
    with pytest.raises(InputError, match="limit: must be a whole number of at least 1"):
        accelerator.selftest(limit)
    assert accelerator.selftest(1).values > 0


def test_nothing_is_done_with_a_closed_accelerator(folder: Path, prepared: Prepared) -> None:
    accelerator = Accelerator.simulate(folder)
    accelerator.close()
    accelerator.close()
    for use in (
        lambda: accelerator.infer([]),
        accelerator.registers,
        accelerator.__enter__,
        accelerator.exclusive().__enter__,
        accelerator.reset_thresholds,
        lambda: accelerator.measure_budget(prepared.images),
    ):
        with pytest.raises(HostError, match="this accelerator is closed"):
            use()


def test_a_value_in_a_message_is_short_and_never_an_error() -> None:
    class Silent:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert shown(Silent()) == "<Silent>"
    assert shown(10**5000) in ("<int>", "1" + 76 * "0" + "...")
    assert "\n" not in shown(np.zeros((50, 50)))
    assert len(shown("x" * 1000)) == 80


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="nothing"):
        Accelerator.simulate(tmp_path / "nothing")


def test_means_have_no_noise_and_stay_what_they_are_in_the_file(
    accelerator: Accelerator, prepared: Prepared
) -> None:
    """Sums of floats end in figures like 4279.999999999986, which say nothing to anybody."""
    profile = accelerator.measure_budget(prepared.images[:3], [0, 1, 2], [0.3, 0.5])
    path = accelerator.bundle.path / "program" / "budget.json"
    profile.save(path)
    assert Bundle.load(accelerator.bundle.path).budget == profile
    assert not re.search(r"\d\.\d{12,}|\.\d*(?:00000|99999)\d", path.read_text())
    for point in profile.points:
        assert accelerator.set_budget(point.macs_mean, profile).macs_mean <= point.macs_mean
    assert without_noise({"a": [4279.999999999986, 0.1 + 0.2], "b": 3}) == {
        "a": [4280.0, 0.3],
        "b": 3,
    }
