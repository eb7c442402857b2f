"""The build directory, to be opened again: its manifest, its program, its vectors.

``manifest.json`` names the board, the engines rendered, and the digests of every file that is read
back.  The sources of the engines have no digest, so that a user can change them and run the result.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from acsgen_host.digests import describe_files
from acsgen_host.files import read_file
from acsgen_host.jsontext import load_json
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import acsgen
from acsgen.engines.base import Implementation
from acsgen.program.board import Board
from acsgen.program.program import JSON_FILE, PARAMS_FILE, PROGRAM_FILE, Program, load_program
from acsgen.support.digests import check_files
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error
from acsgen.support.user_files import require_folder
from acsgen.verify.vectors import VECTOR_FILES, Vectors, load_vectors

MANIFEST_FILE = "manifest.json"
PROGRAM_FOLDER = "program"
VECTORS_FOLDER = "vectors"
HLS_FOLDER = "hls"
RTL_FOLDER = "rtl"
HOST_FOLDER = "host"
VIVADO_FOLDER = "vivado"

_FILES = (
    *(f"{PROGRAM_FOLDER}/{name}" for name in (JSON_FILE, PROGRAM_FILE, PARAMS_FILE)),
    *(f"{VECTORS_FOLDER}/{name}" for name in VECTOR_FILES),
)
_NOT_A_BUILD = "give a directory that acsgen build wrote"


class Manifest(BaseModel):
    """Content of ``manifest.json``."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    format: Literal[2] = 2
    """Version of the layout; raised when a reader of the old one would go wrong."""
    acsgen: str
    """Version that wrote it."""
    model: str
    board: Board
    dataset: str
    images: int = Field(gt=0)
    """Images among the vectors."""
    engines: list[Implementation]
    """The implementations that were rendered: ``hls/``, ``rtl/`` or both."""
    files: dict[str, Any]


@dataclass(frozen=True)
class BuildDirectory:
    """A build directory; all of it was checked except the sources of its engines."""

    path: Path
    manifest: Manifest
    program: Program
    vectors: Vectors

    def sources(self, engine: Implementation) -> Path:
        """Return the folder of an engine's sources.

        Raises:
            UserError: the build was made without that engine, or lost it.
        """
        folder = self.path / {"hls": HLS_FOLDER, "rtl": RTL_FOLDER}[engine]
        if engine not in self.manifest.engines:
            raise UserError(
                Problem(
                    str(self.path),
                    f"was built without {engine}",
                    f"build it again with --engine {engine} or --engine both",
                )
            )
        if not folder.is_dir():
            raise UserError(Problem(str(folder), "is missing", "build it again"))
        links = [path for path in (folder, *folder.rglob("*")) if path.is_symlink()]
        if links:
            what = "is a link, and a build has none: it could lead anywhere"
            raise UserError([Problem(str(path), what, "copy the file itself") for path in links])
        endless = [p for p in folder.rglob("*") if not p.is_file() and not p.is_dir()]
        if endless:
            what = "is not a regular file"
            raise UserError([Problem(str(path), what, "build it again") for path in endless])
        return folder


def save_manifest(
    folder: Path, board: Board, dataset: str, engines: Sequence[Implementation]
) -> None:
    """Write the manifest of a build whose program and vectors are in ``folder``."""
    program = load_program(folder / PROGRAM_FOLDER)
    vectors = load_vectors(folder / VECTORS_FOLDER, program)
    manifest = Manifest(
        acsgen=acsgen.__version__,
        model=program.model,
        board=board,
        dataset=dataset,
        images=len(vectors.images),
        engines=list(engines),
        files=describe_files(folder, _FILES),
    )
    text = json.dumps(manifest.model_dump(), indent=1) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def open_build(path: Path) -> BuildDirectory:
    """Open a build directory.

    Raises:
        UserError: it is none, it is damaged, or it is made for another instruction set; with
            everything that is wrong with its files.
    """
    manifest = _read_manifest(path)
    problems = check_files(path, manifest.files, _FILES)
    if problems:
        raise UserError(problems)
    program = load_program(path / PROGRAM_FOLDER)
    vectors = load_vectors(path / VECTORS_FOLDER, program)
    return BuildDirectory(path, manifest, program, vectors)


def _read_manifest(path: Path) -> Manifest:
    require_folder(path, _NOT_A_BUILD)
    file = path / MANIFEST_FILE
    try:
        content = read_file(file)
        load_json(content)
        return Manifest.model_validate_json(content)
    except FileNotFoundError as error:
        raise UserError(
            Problem(
                str(path),
                f"is not a build, or one of an older acsgen: it has no {MANIFEST_FILE}",
                _NOT_A_BUILD,
            )
        ) from error
    except OSError as error:
        raise UserError(
            Problem(str(file), f"cannot be read: {plain_os_error(error)}", "check the path")
        ) from error
    except ValidationError as error:
        raise UserError(
            [
                Problem(
                    ": ".join([str(file), ".".join(map(str, e["loc"]))]).removesuffix(": "),
                    f"is damaged: {e['msg'][0].lower()}{e['msg'][1:]}",
                    "build it again",
                )
                for e in error.errors()
            ]
        ) from error
    except ValueError as error:
        raise UserError(Problem(str(file), f"is damaged: {error}", "build it again")) from error
