"""YAML with a key twice is refused, wherever it stands."""

from __future__ import annotations

import pytest
import yaml

from acsgen.support.yamltext import load_yaml, yaml_reason

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "x:\n  - {a: 1}\n  - {a: 1, a: 1}\n"])
def test_a_key_twice(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as caught:
        load_yaml(text)
    place, reason = yaml_reason(caught.value)
    assert place == "line 3"
    assert reason == "the key 'a' is there twice"


def test_other_yaml_is_read_as_ever() -> None:
    assert load_yaml("a: [1, {b: 2}]\nb: {<<: {c: 3}, d: 4}\n1: x\n'1': y\n") == {
        "a": [1, {"b": 2}], "b": {"c": 3, "d": 4}, 1: "x", "1": "y",
    }  # fmt: skip
    with pytest.raises(yaml.YAMLError):
        load_yaml("a: !!python/object/apply:os.system ['echo no']")
