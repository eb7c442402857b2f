"""CIFAR-10, binary version (Krizhevsky 2009): records of one label byte and 3072 pixel bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acsgen.data.dataset import Dataset, need_root
from acsgen.support.errors import Problem, UserError

RECORD_BYTES = 1 + 3 * 32 * 32
FILES = {
    "train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    "test": ("test_batch.bin",),
}
REMEDY = (
    "unpack 'CIFAR-10 binary version' from www.cs.toronto.edu/~kriz/cifar.html so that "
    "ROOT/data_batch_1.bin ... data_batch_5.bin and ROOT/test_batch.bin exist"
)


def load_cifar10(split: str, root: Path | None) -> Dataset:
    """Read CIFAR-10 from ``root``, or from ``root/cifar-10-batches-bin`` as the archive unpacks.

    Raises:
        UserError: files missing, cut off, or with labels above 9; all are listed.
    """
    folder = need_root("cifar10", root, REMEDY)
    if (folder / "cifar-10-batches-bin").is_dir():
        folder = folder / "cifar-10-batches-bin"
    problems = []
    parts = []
    for name in FILES[split]:
        path = folder / name
        if not path.is_file():
            problems.append(Problem(str(path), "no such file", REMEDY))
            continue
        data = np.fromfile(path, dtype=np.uint8)
        if data.size == 0 or data.size % RECORD_BYTES:
            what = f"{data.size} bytes is not a whole number of {RECORD_BYTES}-byte records"
            problems.append(Problem(str(path), what, "the file is cut off; download it again"))
            continue
        records = data.reshape(-1, RECORD_BYTES)
        if int(records[:, 0].max()) > 9:
            problems.append(Problem(str(path), "holds labels above 9", "is it CIFAR-100?"))
        parts.append(records)
    if problems:
        raise UserError(problems)
    records = np.concatenate(parts)
    return Dataset(
        name="cifar10",
        images=np.ascontiguousarray(records[:, 1:]).reshape(-1, 3, 32, 32),
        labels=records[:, 0].astype(np.int64),
        num_classes=10,
        split=split,
    )
