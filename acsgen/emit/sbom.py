"""The bill of materials of a build: what it contains, by whom, under which licence.

``sbom.cdx.json`` is CycloneDX 1.6 (ECMA-424).  It has no time stamp, and its serial number follows
from its content, so that the same build has the same bill.  ``LICENSE`` and ``NOTICE`` lie beside
it, because licences want to travel with what they are about.  Digests of single files are in
``manifest.json``.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import acsgen_host

import acsgen
from acsgen.isa.generated import SPEC_HASH
from acsgen.support.assets import asset

SBOM_FILE = "sbom.cdx.json"
LICENCE_FILES = ("LICENSE", "NOTICE")

#: Files of a build that say what may be done with it; the folder for the board has them too.
BUNDLE_FILES = (SBOM_FILE, *LICENCE_FILES)

_OURS = "Apache-2.0"


@dataclass(frozen=True)
class _Work:
    """A work of others whose data a data set contains.

    Attributes:
        name: of the work.
        author: as scikit-learn, where the data is taken from, names or links them.
        licence: identifier of SPDX; None where scikit-learn states none.
        source: page that states the terms.
    """

    name: str
    author: str
    licence: str | None
    source: str


_PHOTOGRAPHS = tuple(
    _Work(name, author, "CC-BY-2.0", f"https://www.flickr.com/photos/{author}/")
    for name, author in (("china.jpg", "danielbuechele"), ("flower.jpg", "vultilion"))
)
_DIGITS = _Work(
    "Optical Recognition of Handwritten Digits",
    "E. Alpaydin, C. Kaynak",
    None,
    "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
)

#: Works inside of the images of data sets; those of other data sets are their users' to know.
_WORKS = {"digits32": (_DIGITS, *_PHOTOGRAPHS), "photographs": _PHOTOGRAPHS}


@dataclass(frozen=True)
class Contents:
    """What a build is made of.

    Attributes:
        name: of the build, MODEL-BOARD.
        model: name of the model file.
        sha256: its digest.
        dataset: where the images of the vectors are from.
        engines: the implementations that were rendered, ``hls`` and ``rtl``.
    """

    name: str
    model: str
    sha256: str
    dataset: str
    engines: Sequence[str]


def write_bundle_files(folder: Path, contents: Contents) -> None:
    """Write the bill of materials and the licences into a build directory."""
    text = json.dumps(bill_of_materials(contents), indent=1) + "\n"
    (folder / SBOM_FILE).write_text(text, encoding="utf-8")
    for name in LICENCE_FILES:
        shutil.copyfile(asset(name), folder / name)


def bill_of_materials(contents: Contents) -> dict[str, Any]:
    """Return the bill of materials as CycloneDX has it."""
    components = list(_components(contents))
    described = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [_ours("application", "acsgen", acsgen.__version__)]},
            "component": {
                "type": "application",
                "bom-ref": "build",
                "name": contents.name,
                "description": "An accelerator for a neural network: sources, program, driver.",
            },
        },
        "components": components,
        "dependencies": [{"ref": "build", "dependsOn": [part["bom-ref"] for part in components]}],
    }
    seed = json.dumps(described, sort_keys=True)
    return {**described, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, seed)}"}


def _components(contents: Contents) -> Iterator[dict[str, Any]]:
    for engine in contents.engines:
        title = {"hls": "C++ for Vitis HLS", "rtl": "SystemVerilog"}[engine]
        yield {
            **_ours("library", f"acsgen-engine-{engine}", acsgen.__version__),
            "bom-ref": engine,
            "description": f"The engine, {title}.",
            "properties": [
                *_in(f"{engine}/", "vivado/"),
                _property("instruction-set", f"0x{SPEC_HASH:08X}"),
            ],
        }
    if "hls" in contents.engines:
        version = importlib.metadata.version("hls4ml")
        yield {
            "type": "library",
            "bom-ref": "ap_types",
            "name": "ap_types",
            "version": version,
            "description": "Headers of arbitrary precision types, compiled into the simulation.",
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "purl": f"pkg:pypi/hls4ml@{version}",
            "properties": _in("csim/libacs.so"),
        }
    yield {
        **_ours("library", "acsgen_host", acsgen_host.__version__),
        "bom-ref": "host",
        "description": "The board's driver.",
        "properties": _in("host/"),
    }
    yield {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": contents.model,
        "description": "Its licence is its author's to state.",
        "hashes": [{"alg": "SHA-256", "content": contents.sha256}],
        "properties": _in("program/"),
    }
    kind = contents.dataset.partition(":")[0]
    yield {
        "type": "data",
        "bom-ref": "images",
        "name": kind,
        "description": "Images and golden results that prove the engine.",
        "components": [_work(work) for work in _WORKS.get(kind, ())],
        "properties": _in("vectors/", "report.html"),
    }


def _ours(kind: str, name: str, version: str) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": _OURS}}],
        "purl": f"pkg:generic/{name}@{version}",
    }


def _work(work: _Work) -> dict[str, Any]:
    licence = {"id": work.licence}
    if work.licence is None:
        licence = {"name": "the terms that its source states", "url": work.source}
    return {
        "type": "data",
        "name": work.name,
        "authors": [{"name": work.author}],
        "licenses": [{"license": licence}],
        "externalReferences": [{"type": "website", "url": work.source}],
    }


def _in(*places: str) -> list[dict[str, str]]:
    return [_property("folder", place) for place in places]


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"acsgen:{name}", "value": value}
