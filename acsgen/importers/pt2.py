"""Opens a ``torch.export`` archive (``.pt2``) without running anybody's code.

``torch.export.load`` is not safe on files from strangers: it unpickles example inputs, constants
and some weights without restriction, evaluates symbolic shapes as Python, resolves operators
anywhere in the ``torch`` module, and loads compiled libraries.  So the archive is first rebuilt in
memory from the parts that a static network needs, each checked, and only that copy is given to
torch:

* every pickle must load with ``weights_only=True``; custom and compiled objects are refused;
* operators must be plain ones of ``aten`` or ``acsgen``;
* symbolic expressions (dynamic shapes) are refused, guards and debugging metadata are dropped;
* names, which end up in generated code, must be identifiers.
"""

from __future__ import annotations

import io
import json
import logging
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from acsgen.importers.network import ImportedNetwork, imported_network
from acsgen.importers.source_line import FRAME, source_line
from acsgen.support.archives import check_unpacked
from acsgen.support.errors import Problem, UserError
from acsgen.support.pickles import check_pickles

_LEGACY_PROGRAM = "serialized_exported_program.json"
_KNOWN_PARTS = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/.*|models/.*\.json"
    r"|data/(weights|constants)/.*|data/sample_inputs/.*\.pt"
    r"|serialized_exported_program\.json|serialized_(state_dict|constants|example_inputs)\.pt"
)
_CONFIG = re.compile(r"data/(weights|constants)/.*_config\.json")
_OPERATOR = re.compile(r"torch\.ops\.(aten|acsgen)\.\w+\.\w+|_operator\.getitem")
_SAFE_STRING = re.compile(r"[\w.\-+:/@, \[\]()>\"'*{}=]*")
#: Names of parameters are keys of dictionaries and never code; modules may have odd names.
_TENSOR_NAMES = {"parameter_name", "buffer_name", "tensor_constant_name"}
_PRINTABLE = re.compile(r"[^\\\"'\x00-\x1f\x7f]*")
_UNSAFE_IN_PATH = re.compile(r"[^\w.\-+:/@ ]")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_PLAIN_CONTAINERS = {None, "builtins.tuple", "builtins.list", "builtins.dict"}
#: The graph of a network of a thousand layers has a tenth of it.
_MAX_JSON_BYTES = 64 * 2**20
#: ``with`` statements in a network, which an export makes a graph of its own of.
_CONTEXTS = {
    "wrap_with_set_grad_enabled": (
        "torch.no_grad() or the like inside the network",
        "leave it out of forward: an exported network computes no gradients",
    ),
    "wrap_with_autocast": (
        "torch.autocast inside the network",
        "leave it out of forward, and export in float32",
    ),
}
_SAVE_AGAIN = "save the network in eval mode with torch.export.save"


def is_export_archive(path: Path) -> bool:
    """Whether the file is a zip that looks like the output of ``torch.export.save``."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return any(_is_program(_split_root(name)[1]) for name in names)


def import_export_archive(path: Path) -> ImportedNetwork:
    """Read a ``torch.export`` archive as a network.

    Raises:
        UserError: as :func:`load_export_archive` and
            :func:`acsgen.importers.network.imported_network` say.
    """
    return imported_network(path, load_export_archive(path), {}, "pt2")


def load_export_archive(path: Path) -> ExportedProgram:
    """Read a ``torch.export`` archive.

    Raises:
        UserError: damaged, made for another version of torch, or holding something that would run
            code; unsupported operators and dynamic shapes are listed node by node.
    """
    try:
        with _quiet():
            return torch.export.load(_clean_archive(path))
    except UserError:
        raise
    except Exception as error:
        # On a damaged file the parsers of torch and zipfile raise exceptions of any type.
        reason = str(error).strip().splitlines()
        text = f": {reason[0][:120]}" if reason else ""
        raise UserError(
            Problem(
                str(path),
                f"not a readable torch.export archive ({type(error).__name__}{text})",
                "it may be truncated, or made by another version of torch "
                f"(this is {torch.__version__})",
            )
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's loader from printing tracebacks and deprecations around our own message."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _split_root(name: str) -> tuple[str, str]:
    """``("x/", "models/model.json")`` of ``x/models/model.json``; old archives have no root."""
    if name == _LEGACY_PROGRAM or "/" not in name:
        return "", name
    root, rest = name.split("/", 1)
    return root + "/", rest


def _is_program(name: str) -> bool:
    return name == _LEGACY_PROGRAM or (name.startswith("models/") and name.endswith(".json"))


def _clean_archive(path: Path) -> io.BytesIO:
    """A copy of the archive, in memory, that holds checked parts only."""
    where = str(path)
    result = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(result, "w") as copy:
        check_unpacked(archive)
        _check_json(archive, where)
        files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
        programs = [name for name in files if _is_program(_split_root(name)[1])]
        if len(programs) != 1:
            what = f"holds {len(programs)} exported programs, not one"
            raise UserError(Problem(where, what, _SAVE_AGAIN))
        pickles = _pickled_payloads(files, where)
        for name, content in files.items():
            rest = _split_root(name)[1]
            if rest.startswith("data/aotinductor/"):
                raise UserError(
                    Problem(where, "holds compiled code, which is never loaded", _SAVE_AGAIN)
                )
            if not _KNOWN_PARTS.fullmatch(rest):
                continue
            if _is_program(rest):
                program = _clean_program(json.loads(content), where)
                content = json.dumps(_on_cpu(program)).encode()
            elif _CONFIG.fullmatch(rest):
                content = json.dumps(_on_cpu(json.loads(content))).encode()
            elif rest.endswith(".pt") or rest in pickles:
                content = _clean_pickle(content, f"{where}: {rest}")
            copy.writestr(name, content)
    result.seek(0)
    return result


def _check_json(archive: zipfile.ZipFile, where: str) -> None:
    """Refuse a graph that would be read for minutes, before any of it is unpacked."""
    for part in archive.infolist():
        if part.filename.endswith(".json") and part.file_size > _MAX_JSON_BYTES:
            what = (
                f"its part {part.filename} unpacks to {part.file_size:,} bytes, and the graph of a "
                f"network has {_MAX_JSON_BYTES:,} at most"
            )
            raise UserError(Problem(where, what, _SAVE_AGAIN))


def _pickled_payloads(files: dict[str, bytes], where: str) -> set[str]:
    """Names (without root) of the tensors stored as pickles; refuses anything but tensors."""
    found = set()
    for name, content in files.items():
        rest = _split_root(name)[1]
        match = _CONFIG.fullmatch(rest)
        if match is None:
            continue
        for payload in json.loads(content)["config"].values():
            path = str(payload["path_name"])
            if path.startswith(("custom_obj", "opaque_obj")):
                what = f"{path} is a custom object, whose loading would run code"
                raise UserError(Problem(where, what, "keep plain tensors only in the network"))
            if payload.get("use_pickle"):
                found.add(f"data/{match[1]}/{path}")
    return found


def _on_cpu(value: Any) -> Any:
    """The same JSON with every device, written as type and index, made the CPU."""
    if isinstance(value, dict):
        if set(value) == {"type", "index"} and value["type"] != "meta":
            return {"type": "cpu", "index": None}
        return {key: _on_cpu(item) for key, item in value.items()}
    return [_on_cpu(item) for item in value] if isinstance(value, list) else value


def _clean_pickle(content: bytes, where: str) -> bytes:
    """The same tensors, on the CPU."""
    if not content:
        return content
    try:
        check_pickles(io.BytesIO(content))
    except ValueError as error:
        raise UserError(Problem(where, str(error), _SAVE_AGAIN)) from None
    try:
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise UserError(
            Problem(
                where,
                "refused for safety: this part asks to run code when it is opened",
                "export with plain tensors as example inputs",
            )
        ) from None
    cleaned = io.BytesIO()
    torch.save(loaded, cleaned)
    return cleaned.getvalue()


def _clean_program(program: dict[str, Any], where: str) -> dict[str, Any]:
    """Check the serialized graph; drop the parts that only debugging or guards need."""
    module = program["graph_module"]
    graph = module["graph"]
    problems = _operator_problems(graph["nodes"])
    for node in graph["nodes"]:
        metadata = node.get("metadata") or {}
        node["metadata"] = {
            "stack_trace": _last_frame(str(metadata.get("stack_trace", ""))),
            **_module_stack(str(metadata.get("nn_module_stack", ""))),
        }
    module["metadata"] = {}
    module["module_call_graph"] = [c for c in module["module_call_graph"] if c["fqn"] == ""]
    for call in module["module_call_graph"]:
        _check_call_signature(call.get("signature") or {}, where)
    if "guards_code" in program:
        program["guards_code"] = []
    symbolic = any(graph.get(f"sym_{kind}_values") for kind in ("int", "float", "bool"))
    if symbolic or program.get("range_constraints") or _has_expression(program):
        what = "the network was exported with dynamic shapes"
        remedy = "export with one example of shape [1, C, H, W] and without dynamic_shapes"
        problems.append(Problem(where, what, remedy))
    if graph.get("custom_obj_values"):
        what = "the network holds custom objects"
        problems.append(Problem(where, what, "keep plain tensors only in the network"))
    if problems:
        raise UserError(problems)
    _check_names(module, where)
    return program


def _module_stack(text: str) -> dict[str, str]:
    """The path of the user's module, if torch can read it back.

    It joins key, path and type with commas, and modules with semicolons, whatever their names are;
    commas in brackets belong to types.
    """
    whole = text and all(_commas_outside_brackets(item) == 2 for item in text.split(";"))
    return {"nn_module_stack": text} if whole else {}


def _commas_outside_brackets(text: str) -> int:
    depth = commas = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        commas += character == "," and depth == 0
    return commas


def _last_frame(trace: str) -> str:
    """The innermost line of a stack trace, in safe characters and without the source text."""
    frames = FRAME.findall(trace)
    if not frames:
        return ""
    file, line = frames[-1]
    return f'File "{_UNSAFE_IN_PATH.sub("_", file)}", line {line}'


def _operator_problems(nodes: list[dict[str, Any]]) -> list[Problem]:
    problems = []
    for node in nodes:
        target = str(node["target"])
        if _OPERATOR.fullmatch(target):
            continue
        name = target.split(".")[-1]
        stack = str((node.get("metadata") or {}).get("nn_module_stack", "")).split(";")[-1]
        path = stack.split(",")[1] if stack.count(",") >= 2 else ""
        remedy = "write this part with torch.nn layers"
        if name in _CONTEXTS:
            what, remedy = _CONTEXTS[name]
        elif "higher_order" in target:
            what = f"{name}: control flow inside the network is not supported"
        else:
            what = f"{target[:80]}: not an operator that acsgen knows"
            if "quantized" in target:
                remedy = "export the network in floats, before it is quantized: acsgen quantizes it"
        where = path or next(_source_lines(node), "forward")
        problems.append(Problem(where, what, remedy))
    return problems


def _source_lines(value: Any) -> Iterator[str]:
    """The lines of source of a node, or of the nodes of a graph within it that it would call."""
    if isinstance(value, dict):
        # Its own first: those within stand among its inputs.
        for key in sorted(value, key=lambda key: key != "metadata"):
            if key == "stack_trace" and (line := source_line(str(value[key]))):
                yield line
            yield from _source_lines(value[key])
    elif isinstance(value, list):
        for item in value:
            yield from _source_lines(item)


def _check_call_signature(signature: dict[str, Any], where: str) -> None:
    """Inputs and outputs may be nested in plain containers only; others decode themselves."""
    for key in ("in_spec", "out_spec"):
        if key not in signature:
            continue
        pending = [json.loads(signature[key])[1]]
        while pending:
            spec = pending.pop()
            plain_context = "{" not in str(spec["context"])
            if spec["type"] not in _PLAIN_CONTAINERS or not plain_context:
                what = f"inputs or outputs are wrapped in {spec['type']}"
                raise UserError(Problem(where, what, "take and return plain tensors"))
            pending.extend(spec["children_spec"])


def _has_expression(value: Any) -> bool:
    if isinstance(value, dict):
        return "expr_str" in value or any(_has_expression(v) for v in value.values())
    return isinstance(value, list) and any(_has_expression(v) for v in value)


def _check_names(module: dict[str, Any], where: str) -> None:
    """Everything that could reach generated Python must look like a name or a plain value."""
    odd = sorted(set(_odd_strings(module["graph"])) | set(_odd_strings(module["signature"])))
    if odd:
        what = f"refused for safety: unexpected text in the graph: {odd[0][:60]!r}"
        raise UserError(Problem(where, what, _SAVE_AGAIN))


def _odd_strings(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, str):
        names = {"name", "as_name"}
        pattern = _IDENTIFIER if key in names and value else _SAFE_STRING
        if key in _TENSOR_NAMES:
            pattern = _PRINTABLE
        if key != "nn_module_stack" and not pattern.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for k, v in value.items():
            if key in ("tensor_values",) and not _IDENTIFIER.fullmatch(k):
                yield k
            yield from _odd_strings(v, k)
    elif isinstance(value, list):
        for item in value:
            yield from _odd_strings(item, key)
