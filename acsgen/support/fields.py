"""Files with keys that pydantic checks: problems in words for people, and the meaning of keys."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from acsgen.support.errors import Problem

_WANTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "string_type": "text",
    "string_too_short": "some text",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "too_short": "a list with at least one entry",
    "invalid_key": "text",
}


def field_problems(
    error: ValidationError,
    where: str,
    model: type[BaseModel],
    what: str,
    patterns: Mapping[str, str] | None = None,
    inner: Mapping[str, type[BaseModel]] | None = None,
) -> list[Problem]:
    """Return the problems of a file, each with the key, the reason and a remedy.

    Args:
        error: what pydantic found.
        where: the file.
        model: the model of the whole file.
        what: the kind of file, for example ``board file``.
        patterns: the text that is wanted, by key, where a pattern decides.
        inner: the models of mappings that the model of the file leaves open, by their key.
    """
    models = inner or {}
    items = error.errors()
    # pydantic counts only the good entries of a list: with a bad one, it may be "too short".
    within = {item["loc"][:length] for item in items for length in range(len(item["loc"]))}
    return [
        _problem(item, where, model, what, patterns or {}, models)
        for item in items
        if item["type"] != "too_short" or item["loc"] not in within
    ]


def _problem(
    item: Any,
    where: str,
    model: type[BaseModel],
    what: str,
    patterns: Mapping[str, str],
    inner: Mapping[str, type[BaseModel]],
) -> Problem:
    key = ".".join(str(part) for part in _location(item["loc"], model))
    place = f"{where}: {key}" if key else where
    value, kind = item["input"], item["type"]
    if kind == "missing":
        return Problem(place, "is missing", f"see a shipped {what} for its meaning")
    if kind == "extra_forbidden":
        known = _keys_beside(item["loc"], model, inner)
        close = difflib.get_close_matches(str(item["loc"][-1]), known, n=1)
        remedy = f"the keys are {', '.join(known)}" if known else "remove it"
        return Problem(
            place, f"is not a key of a {what}", f"did you mean {close[0]}?" if close else remedy
        )
    if kind in ("value_error", "model"):
        # The message of a check of ours is a whole sentence with its remedy.
        return Problem(place, item["msg"].removeprefix("Value error, "))
    if kind == "string_pattern_mismatch":
        wanted = patterns.get(key, item["msg"].removeprefix("String should "))
    else:
        wanted = _WANTED.get(kind, item["msg"].removeprefix("Input should be "))
    shown = repr(value) if isinstance(value, (str, int, float)) else kind_of_value(value)
    return Problem(place, f"is {shown[:60]}", f"must be {wanted}")


def kind_of_value(value: object) -> str:
    """Name a YAML value's kind for people."""
    if value is None:
        return "nothing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "a mapping" if isinstance(value, dict) else "something else")


def _location(loc: tuple[Any, ...], model: type[BaseModel]) -> list[Any]:
    """Return the keys of the file: pydantic adds the name of the model that a union chose."""
    keys: list[Any] = []
    models = [model]
    for part in loc:
        names = {name for item in models for name in item.model_fields}
        chosen = [item for item in models if _tag(item) == part]
        if part not in names and len(models) > 1 and chosen:
            models = chosen
            continue
        keys.append(part)
        if isinstance(part, str):
            fields = [m.model_fields[part] for m in models if part in m.model_fields]
            models = [inner for f in fields for inner in _models_in(f.annotation)]
    return keys


def _keys_beside(
    loc: tuple[Any, ...], model: type[BaseModel], inner: Mapping[str, type[BaseModel]]
) -> list[str]:
    models = [model]
    for part in loc[:-1]:
        if not isinstance(part, str):
            continue
        chosen = [item for item in models if _tag(item) == part]
        if len(models) > 1 and chosen:
            models = chosen
            continue
        fields = [m.model_fields[part] for m in models if part in m.model_fields]
        open_mapping = (
            [inner[part]] if len(models) == 1 and models[0] is model and part in inner else []
        )
        models = [chosen for f in fields for chosen in _models_in(f.annotation)] + open_mapping
    return [name for item in models for name in item.model_fields]


def _tag(model: type[BaseModel]) -> object:
    field = model.model_fields.get("name")
    return field.default if field is not None else None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)


def meanings(holder: type) -> dict[str, str]:
    """Return the meaning of each field of a model or dataclass, from its documentation.

    It stands in a section ``Attributes:`` of the docstring of the class that has the field, or
    below the field itself.
    """
    found: dict[str, str] = {}
    for base in reversed(holder.__mro__):
        if base not in (object, BaseModel):
            found |= _documented(base)
    names = (
        list(holder.model_fields)
        if issubclass(holder, BaseModel)
        else [field.name for field in dataclasses.fields(holder)]  # type: ignore[arg-type]
    )
    return {name: found.get(name, "") for name in names}


def _documented(holder: type) -> dict[str, str]:
    """The meanings that a class documents itself, without those of the classes it inherits from."""
    found = _from_section(inspect.cleandoc(holder.__doc__ or ""))
    tree = ast.parse(textwrap.dedent(inspect.getsource(holder))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for field, behind in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = behind.value if isinstance(behind, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                found[field.target.id] = " ".join(text.value.split())
    return found


def _from_section(doc: str) -> dict[str, str]:
    section = doc.partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        start = re.match(r" {4}(\w+): (.*)", line)
        if start:
            name = start[1]
            found[name] = start[2]
        elif name and line.startswith(" " * 8):
            found[name] += " " + line.strip()
        elif line.strip():
            break
    return found
