"""The folder of a sweep: what is done stays done, whatever happens to the process.

Every file is written whole.  A row's file carries a digest of its content, so that one which was
damaged is noticed, and its point is measured again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from acsgen_host.jsontext import load_json
from pydantic import BaseModel, ConfigDict

from acsgen.flow.sweep.figures import Figure
from acsgen.flow.sweep.jobs import Outcome, Status
from acsgen.flow.sweep.plan import MODELS_FOLDER, digest
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import check_folder, file_digest, write_whole

#: What a sweep is: it only goes on where this is the same.
PLAN_FILE = "sweep.json"

_LOCK_FILE = ".lock"
_ROWS_FOLDER = "points"
_WORK_FOLDER = "work"
_DIGEST = ".sha256"
_FORMAT = 1


class Record(BaseModel):
    """The outcome of a point that is not tried again.

    Attributes:
        key: of the point.
        status: see :data:`acsgen.flow.sweep.jobs.Status`.
        reason: in words, where it is not done.
        figures: by the name of the column.
        remarks: warnings, in words.
        images: digest of the images that it was measured on.
        model: digest of the model file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    key: str
    status: Status
    reason: str = ""
    figures: dict[str, Figure] = {}
    remarks: tuple[str, ...] = ()
    images: str = ""
    model: str = ""

    @classmethod
    def of(cls, key: str, outcome: Outcome, model: str = "") -> Record:
        """Return the record of an outcome."""
        return cls(
            key=key,
            status=outcome.status,
            reason=outcome.reason,
            figures=outcome.figures,
            remarks=outcome.remarks,
            images=outcome.images,
            model=model,
        )


def to_bytes(record: Record) -> bytes:
    """Return the content of a file that keeps a record."""
    content = record.model_dump(mode="json")
    text = json.dumps({"sha256": digest(content), "row": content}, indent=1, allow_nan=False)
    return text.encode() + b"\n"


def from_bytes(content: bytes) -> Record | None:
    """Return the record of a file's content; None if it is damaged."""
    try:
        found = load_json(content)
        if found["sha256"] != digest(found["row"]):
            return None
        return Record.model_validate_json(json.dumps(found["row"]))
    except (ValueError, TypeError, KeyError, RecursionError):  # ValidationError is a ValueError
        return None


class SweepFolder:
    """The folder of a sweep, held by this process alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.models = path / MODELS_FOLDER
        self.work = path / _WORK_FOLDER
        self._rows = path / _ROWS_FOLDER

    def begin(self, identity: dict[str, Any]) -> None:
        """Note what the sweep is, or find that the folder has the same one begun.

        Raises:
            UserError: the folder has another sweep, a damaged one, or cannot be written.
        """
        file = self.path / PLAN_FILE
        if file.exists():
            _require_same(file, identity)
        else:
            content = {"format": _FORMAT, **identity}
            write_whole(file, json.dumps(content, indent=1).encode() + b"\n")
        # A process that was killed leaves its work behind.
        shutil.rmtree(self.work, ignore_errors=True)
        for folder in (self.models, self.work, self._rows):
            check_folder(folder)

    def records(self) -> dict[str, Record]:
        """Return the records by the key of their point; damaged ones are left out.

        Warns:
            UserWarning: a damaged one.
        """
        found = {}
        for file in sorted(self._rows.glob("*.json")):
            record = _read(file)
            if record is None or record.key != file.stem:
                warnings.warn(f"{file} is damaged: its point is measured again", stacklevel=2)
                continue
            found[record.key] = record
        return found

    def keep(self, record: Record) -> None:
        """Note an outcome for good.

        Raises:
            UserError: it cannot be written.
        """
        write_whole(self._rows / f"{record.key}.json", to_bytes(record))

    def forget(self, key: str) -> None:
        """Take an outcome back, so that its point is tried again."""
        (self._rows / f"{key}.json").unlink(missing_ok=True)

    def keep_trace(self, key: str, trace: str) -> Path:
        """Write the traceback of a defect, and return its file."""
        file = self._rows / f"{key}.log"
        write_whole(file, trace.encode())
        return file

    def model(self, name: str) -> Path:
        """Return the place of a trained model file."""
        return self.models / f"{name}.pt"

    def has_model(self, name: str) -> bool:
        """Whether a trained model file is there, whole.

        Warns:
            UserWarning: it is damaged.
        """
        file = self.model(name)
        try:
            if file_digest(file) == file.with_suffix(_DIGEST).read_text(encoding="ascii").strip():
                return True
        except FileNotFoundError:  # of a process that was killed between the two, or before
            return False
        except (OSError, UnicodeDecodeError):
            pass
        warnings.warn(f"{file} is damaged: it is trained again", stacklevel=2)
        return False

    def keep_model(self, name: str, content: bytes) -> None:
        """Write a trained model file, and the digest that says that it is whole.

        Raises:
            UserError: it cannot be written.
        """
        file = self.model(name)
        write_whole(file, content)
        write_whole(file.with_suffix(_DIGEST), f"{sha256(content).hexdigest()}\n".encode())
        shutil.rmtree(self.models / name, ignore_errors=True)

    def training_folder(self, name: str) -> Path:
        """Return the folder where a training keeps its state from epoch to epoch."""
        folder = self.models / name
        check_folder(folder)
        return folder

    def end(self) -> None:
        """Remove what is of no use after the sweep."""
        shutil.rmtree(self.work, ignore_errors=True)


def _read(file: Path) -> Record | None:
    try:
        return from_bytes(file.read_bytes())
    except OSError:
        return None


def _require_same(file: Path, identity: dict[str, Any]) -> None:
    try:
        found = load_json(file.read_bytes())
        kept = {**found}
        if kept.pop("format") != _FORMAT:
            raise ValueError("another format")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        remedy = "choose another --out, or remove the folder"
        raise UserError(Problem(str(file), f"is damaged: {error}", remedy)) from error
    different = [key for key in {**kept, **identity} if kept.get(key) != identity.get(key)]
    if different:
        words = [_DIFFERENCES.get(key, key) for key in different]
        what = f"is of another sweep, which differs in {', '.join(words)}"
        remedy = "choose another --out, or remove the folder; what is cached is not measured again"
        raise UserError(Problem(str(file), what, remedy))


#: Parts of a sweep's identity, in words.
_DIFFERENCES = {
    "source_sha256": "the content of the model file or the recipe",
    "images_sha256": "the images",
    "code": "the version of acsgen or of a package that computes for it",
    "boards_sha256": "the content of a board file",
}


@contextmanager
def held_folder(path: Path) -> Iterator[SweepFolder]:
    """Yield the folder of a sweep, which no other process writes to meanwhile.

    Raises:
        UserError: another process holds it, it has other files, or it cannot be written.
    """
    _refuse_foreign(path)
    check_folder(path)
    handle = os.open(path / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what, remedy = "another sweep writes to it now", "wait for it, or choose another --out"
            raise UserError(Problem(str(path), what, remedy)) from None
        except OSError:  # a file system without locks
            pass
        yield SweepFolder(path)
    finally:
        os.close(handle)


def _refuse_foreign(path: Path) -> None:
    if not path.is_dir() or (path / PLAN_FILE).exists():
        return
    with contextlib.suppress(OSError):
        if {entry.name for entry in path.iterdir()} <= {_LOCK_FILE}:
            return
    what = "is a directory with other files in it, not an earlier sweep; it is left untouched"
    raise UserError(Problem(str(path), what, "choose another --out"))
