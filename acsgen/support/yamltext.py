"""Reads YAML of strangers.

A key that is given twice is refused: the first would be lost without a word.  So are values that
PyYAML stumbles over, and merges of merges, by which a few lines become more keys than fit a memory.
"""

from __future__ import annotations

from typing import Any

import yaml

#: Keys that all merges of a file may bring in.
MAX_MERGED = 10_000


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with unique keys, and with errors of one kind."""

    _merged = 0

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (LookupError, AttributeError, TypeError, OverflowError) as error:
            # PyYAML's constructors take the text for one of their form: !!int '', !!bool maybe.
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"this cannot be read as {kind}", node.start_mark
            ) from error

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        text = super().construct_scalar(node)
        if (
            isinstance(text, str)
            and not text.isascii()
            and any("\ud800" <= character <= "\udfff" for character in text)
        ):
            raise yaml.constructor.ConstructorError(
                None, None, "this text has half a character", node.start_mark
            )
        return text

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > MAX_MERGED:
            raise yaml.constructor.ConstructorError(
                None, None, "there are too many keys", node.start_mark
            )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
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
