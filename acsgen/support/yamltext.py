"""Reads YAML, and refuses a key that is given twice: the first would be lost without a word."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with unique keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            text = f"{key.tag} {key.value}"
            if text in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} is there twice", key.start_mark
                )
            seen.add(text)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def load_yaml(text: str) -> Any:
    """Return the content of a YAML document, plain values only.

    Raises:
        yaml.YAMLError: it is no YAML, or a mapping has a key twice.
        ValueError: a value that looks like a date and is none.
        RecursionError: it is nested too deeply.
    """
    return yaml.load(text, _Loader)


def yaml_reason(error: Exception) -> tuple[str, str]:
    """Return the place (``line 3``; "" if unknown) and the reason of a failure to read YAML."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}" if mark else ""
    return place, str(getattr(error, "problem", None) or error).splitlines()[0]
