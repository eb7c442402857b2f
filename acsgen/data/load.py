"""Loads a data set by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acsgen.data.dataset import Dataset, Images
from acsgen.support.errors import Problem, UserError

SPLITS = ("train", "test")


def dataset_names() -> tuple[str, ...]:
    """The names that :func:`load_dataset` knows, besides ``npz:<path>``."""
    return tuple(sorted(_LOADERS))


def known_dataset(name: str) -> str:
    """Return the name of a data set as it is.  Its files are not looked for.

    Raises:
        ValueError: there is no data set of this name; its text has all names.
    """
    if not name.startswith("npz:") and name not in _LOADERS:
        raise ValueError(f"unknown data set '{name}' ({_known()})")
    return name


def _known() -> str:
    return "known: " + ", ".join([*dataset_names(), "npz:<path>"])


def load_dataset(
    name: str, split: str, root: str | Path | None = None, limit: int | None = None
) -> Dataset:
    """Load a data set by name.

    Args:
        name: ``digits32`` (made offline), ``cifar10`` or ``svhn`` (files under ``root``), or
            ``npz:<path>`` (arrays ``images`` uint8 [N, C, H, W] and ``labels`` [N]).
        split: ``train`` or ``test``; an ``npz`` file is taken as it is.
        root: folder of the downloaded files, for ``cifar10`` and ``svhn``.
        limit: keep only the first ``limit`` images.

    Raises:
        UserError: unknown name or split, files missing or malformed.
    """
    if split not in SPLITS:
        raise UserError([Problem("dataset", f"unknown split '{split}'", "use train or test")])
    _require_limit(limit)
    if name.startswith("npz:"):
        from acsgen.data.npz import load_npz

        dataset = load_npz(Path(name.removeprefix("npz:")), split)
    elif name in _LOADERS:
        dataset = _LOADERS[name](split, None if root is None else Path(root))
    else:
        remedy = f"write npz:{name}" if name.endswith(".npz") else _known()
        raise UserError([Problem("dataset", f"unknown data set '{name}'", remedy)])
    return dataset if limit is None else dataset.head(limit)


def _require_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise UserError([Problem("dataset", f"limit must be at least 1, got {limit}")])


def load_images(
    name: str, split: str, root: str | Path | None = None, limit: int | None = None
) -> Images:
    """Load the images of a data set, whose labels may be missing in an ``npz`` file.

    Args:
        name: as of :func:`load_dataset`.
        split: ``train`` or ``test``.
        root: folder of the downloaded files.
        limit: keep only the first ``limit`` images.

    Raises:
        UserError: as :func:`load_dataset`.
    """
    _require_limit(limit)
    if name.startswith("npz:"):
        from acsgen.data.npz import load_npz_images

        found = load_npz_images(Path(name.removeprefix("npz:")))
        return found if limit is None else found.head(limit)
    return load_dataset(name, split, root, limit)


def _digits32(split: str, root: Path | None) -> Dataset:
    from acsgen.data.digits32 import load_digits32

    return load_digits32(split)


def _cifar10(split: str, root: Path | None) -> Dataset:
    from acsgen.data.cifar10 import load_cifar10

    return load_cifar10(split, root)


def _svhn(split: str, root: Path | None) -> Dataset:
    from acsgen.data.svhn import load_svhn

    return load_svhn(split, root)


_LOADERS: dict[str, Callable[[str, Path | None], Dataset]] = {
    "digits32": _digits32,
    "cifar10": _cifar10,
    "svhn": _svhn,
}
