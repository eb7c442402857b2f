"""Changes of the specification that must leave everything working, and checkouts with them.

They go by the specification that they find, so that they can follow other changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from acsgen.isa.bits import WORD_BITS
from acsgen.support.assets import asset_root

Data = dict[str, Any]
Change = Callable[[Data], None]

#: The folders that a checkout needs to render, build and simulate.
FOLDERS = ("acsgen", "hw", "templates", "sim", "host", "benchmarks", "tests")

#: Bits that fields get.
MORE = {"groups": 1, "channels": 1, "chunk": 1, "mask_in": 1, "dst_split": 1, "stride": 1}
#: Bits that are left of fields that have more: enough for the programs of the tests.
LEFT = {"weight_addr": 24, "table_addr": 24, "threshold_addr": 24, "trace_addr": 20}
LEFT |= {"src_base": 14, "dst_base": 14, "res_base": 14, "vec_src": 14, "vec_dst": 14}
LEFT |= {"src_step": 14, "dst_step": 14, "res_step": 14, "src_plane": 14, "row_words": 14}
LEFT |= {"result_addr": 20, "pixels": 13, "kernel": 3, "pad": 2}
RECORD_MORE = {"mult": 4, "shift": 3}


def renumber_opcodes(data: Data) -> None:
    """The codes of opcodes and modes come the other way round; a blank word is END."""
    for group in ("opcodes", "linear_modes"):
        _reverse_codes(data[group])
    taken = next((c for c in data["opcodes"].values() if c["code"] == 0), None)
    if taken is not None:
        taken["code"] = data["opcodes"]["END"]["code"]
    data["opcodes"]["END"]["code"] = 0


def renumber_statuses(data: Data) -> None:
    """The codes of statuses come the other way round."""
    _reverse_codes(data["status"])


def move_fields(data: Data) -> None:
    """Fields are put elsewhere, the widest first, the last word first."""
    _pack(data["fields"], data["constants"]["INSTRUCTION_WORDS"]["value"])
    _pack(data["record_fields"], data["constants"]["RECORD_WORDS"]["value"])


def widen_fields(data: Data) -> None:
    """Fields have more bits than their values, for which others give some."""
    for field in data["fields"]:
        field["bits"] = min(field["bits"], LEFT.get(field["name"], WORD_BITS))
        field["bits"] += MORE.get(field["name"], 0)
    for field in data["record_fields"]:
        field["bits"] += RECORD_MORE.get(field["name"], 0)
    move_fields(data)


def narrow_fields(data: Data) -> None:
    """Fields have fewer bits than their values."""
    for field in data["fields"]:
        field["bits"] = min(field["bits"], LEFT.get(field["name"], WORD_BITS))
        if field["name"] == "opcode":
            field["bits"] = max(c["code"] for c in data["opcodes"].values()).bit_length()


def share_fields(data: Data) -> None:
    """Fields are put over others that no opcode has too, into as few words as that takes."""
    _pack(data["fields"], data["constants"]["INSTRUCTION_WORDS"]["value"], shared=True)


def fewer_words(data: Data) -> None:
    """Instructions have a word less, in which fields share bits."""
    _resize(data, data["constants"]["INSTRUCTION_WORDS"]["value"] - 1)


def more_words(data: Data) -> None:
    """Instructions have a word more, which is no power of two, and fields in it."""
    _resize(data, data["constants"]["INSTRUCTION_WORDS"]["value"] + 1)


def twice_the_words(data: Data) -> None:
    """Instructions have twice the words, of which some have no fields."""
    _resize(data, 2 * data["constants"]["INSTRUCTION_WORDS"]["value"])


def reorder_header(data: Data) -> None:
    """The words of the result header come the other way round."""
    data["result_header"].reverse()


def reorder_arguments(data: Data) -> None:
    """The registers of the arguments, and the ports of the HLS engine, in another order."""
    data["arguments"].reverse()


CHANGES: dict[str, Change] = {
    "opcodes": renumber_opcodes,
    "statuses": renumber_statuses,
    "places": move_fields,
    "wider": widen_fields,
    "narrower": narrow_fields,
    "shared": share_fields,
    "fewer words": fewer_words,
    "more words": more_words,
    "twice the words": twice_the_words,
    "header": reorder_header,
    "arguments": reorder_arguments,
}


def _reverse_codes(entries: dict[str, Data]) -> None:
    codes = [entry["code"] for entry in entries.values()]
    for entry, code in zip(entries.values(), reversed(codes), strict=True):
        entry["code"] = code


def _resize(data: Data, words: int) -> None:
    """Give instructions another size; fields lie in the last words, and share bits if need be."""
    fields = data["fields"]
    data["constants"]["INSTRUCTION_WORDS"]["value"] = words
    _pack(fields, words)


def _pack(fields: list[Data], words: int, shared: bool = False) -> None:
    """Put fields where they fit, the widest first, the last word first.

    With ``shared``, or where there are not enough bits for all, only fields that some opcode has
    both of must not meet.
    """
    shared = shared or sum(field["bits"] for field in fields) > words * WORD_BITS
    placed: list[Data] = []
    for field in sorted(fields, key=lambda f: -f["bits"]):
        others = [f for f in placed if not shared or _used_together(f, field)]
        places = (
            (word, lsb)
            for word in reversed(range(words))
            for lsb in range(WORD_BITS - field["bits"] + 1)
            if not any(_meet(f, word, lsb, field["bits"]) for f in others)
        )
        place = next(places, None)
        assert place is not None, f"no room for {field['name']}"
        field.update(word=place[0], lsb=place[1])
        placed.append(field)


def _meet(field: Data, word: int, lsb: int, bits: int) -> bool:
    before = field["lsb"] + field["bits"] <= lsb or lsb + bits <= field["lsb"]
    return bool(field["word"] == word and not before)


def _used_together(one: Data, other: Data) -> bool:
    everything = "all" in (one.get("ops", "all"), other.get("ops", "all"))
    return everything or not set(one["ops"]).isdisjoint(other["ops"])


def changed_checkout(folder: Path, *changes: Change) -> Path:
    """Copy the folders :data:`FOLDERS`, change the specification, and render it."""
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(asset_root() / name, folder / name, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "NOTICE"):
        shutil.copy(asset_root() / name, folder)
    change_specification(folder, *changes)
    return folder


def change_specification(checkout: Path, *changes: Change) -> None:
    """Change the specification of a checkout, and render it."""
    specification = checkout / "hw" / "spec" / "engine.yaml"
    data = yaml.safe_load(specification.read_text(encoding="utf-8"))
    for change in changes:
        change(data)
    specification.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    in_checkout(checkout, "acsgen.isa")


def in_checkout(checkout: Path, module: str, *arguments: str) -> str:
    """Run a module of a checkout; returns its output, raises AssertionError if it fails."""
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(checkout), str(checkout / "host")))},
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"{finished.stdout[-3000:]}\n{finished.stderr[-5000:]}"
    assert finished.returncode == 0, f"{module}: {said}"
    return finished.stdout
