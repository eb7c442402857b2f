"""Damages files: their bytes, and, where a format has a structure, the values in it.

Every choice is drawn by hypothesis, which repeats a failure with fewer and simpler choices.
"""

from __future__ import annotations

import copy
import io
import json
import math
import warnings
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import yaml
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

#: Values that a parser may stumble over, for a place that holds any value.
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.5, -0.0, 1e308,
    math.inf, -math.inf, math.nan, "", " ", "x", "0", "1e999", "../../escaped", "/etc/passwd",
    "a\x00b", "\x1b[31m", "\ud800", "é" * 40, "x" * 5000, "name: [", "{{ 7 * 7 }}", "%s%n", "$(id)",
    [], {}, [[]], [0], [None], [1, 2, 3], {"": ""}, {"a": {"b": 1}}, [[1, 2], [3, 4]], [0] * 300,
)  # fmt: skip

ODD_BYTES = (
    b"", b"\x00", b"\xff" * 8, b"\n", b"../", b"PK\x05\x06", b"9" * 5000, b"[" * 4000, b"{" * 4000,
    b"\xef\xbb\xbf", b"\r\n", b"%s", b"-", b"1e999", b"NaN", b"\x80\x02", b"\xf0\x9f\x92\xa9",
)  # fmt: skip

#: What YAML has beyond JSON.
ODD_YAML = (
    "&a", "*a", "<<: *a", "!!int ''", "!!float ''", "!!bool maybe", "!!timestamp x", "!!binary '?'",
    "!!set {a}", "!!omap [a]", "!!pairs [1]", "!!python/object:os.system x", "? [a, b]", "|", ">-",
    "\t", "---", "...", "%YAML 9.9", "2020-99-99", "0x", "1:60:60", "? {a: b}", "!x", "''", '"\\x"',
    "&a [*a, *a]", "&a {<<: *a}", "{a: 1, a: 2}", "!!null 1", "2001-01-01T00:00:00+99:99", "= ",
)  # fmt: skip

ODD_XML = (
    '<!DOCTYPE x [<!ENTITY a "b">]>', "&a;", "&#0;", "&#x110000;", "<![CDATA[x]]>", "<?x y?>",
    "<a>", "</a>", "<!-- -- -->", "<a" + " b='c'" * 500 + "/>", "<a>" * 3000, "\x00",
    "<a b=c>", "]]>",
)  # fmt: skip


def damage_bytes(content: bytes, draw: Draw) -> bytes:
    """Change bytes anywhere, up to four times."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 1, 2, 4, 8, 64, 1000]))
        match draw(st.sampled_from(["replace", "flip", "cut", "end", "double"])):
            case "replace":
                data[start : start + length] = draw(st.sampled_from(ODD_BYTES))
            case "flip" if start < len(data):
                data[start] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del data[start : start + length]
            case "end":
                del data[start:]
            case "double":
                data[start:start] = data[start : start + length]
            case _:
                pass
    return bytes(data)


def damage_value(content: Any, draw: Draw, odd: tuple[Any, ...] = ODD_VALUES) -> Any:
    """Change values of nested mappings and lists, up to three times."""
    holder = {"": copy.deepcopy(content)}
    for _ in range(draw(st.integers(1, 3))):
        container, key = _place(holder, draw)
        kinds = ["replace", "replace", "replace", "remove", "nest", "other", "twice"]
        match draw(st.sampled_from(kinds)):
            case "replace":
                container[key] = copy.deepcopy(draw(st.sampled_from(odd)))
            case "remove" if container is not holder:
                del container[key]
            case "nest":
                for _ in range(draw(st.sampled_from([1, 2, 50]))):
                    container[key] = [container[key]]
            case "other":
                source, other = _place(holder, draw)
                container[key] = copy.deepcopy(source[other])
            case "twice" if isinstance(container, list):
                container.insert(key, copy.deepcopy(container[key]))
            case "twice" if container is not holder:
                container[draw(st.sampled_from(["", "extra", "../x", "0"]))] = container[key]
            case _:
                pass
    return holder[""]


def _place(holder: dict[str, Any], draw: Draw) -> tuple[Any, Any]:
    """A random container in ``holder``, and one of its keys."""
    container: Any = holder
    key: Any = ""
    while True:
        inside = container[key]
        usable = isinstance(inside, (dict, list)) and len(inside) > 0
        if not usable or (container is not holder and draw(st.integers(0, 3)) == 0):
            return container, key
        keys = list(inside) if isinstance(inside, dict) else range(len(inside))
        container, key = inside, draw(st.sampled_from(list(keys)))


def damage_json(content: bytes, draw: Draw) -> bytes:
    """Change values, or the text."""
    how = draw(st.sampled_from(["value", "value", "value", "bytes", "deep"]))
    if how == "bytes":
        return damage_bytes(content, draw)
    if how == "deep":
        depth = draw(st.sampled_from([500, 20_000]))
        return b'{"a":' * depth + b"1" + b"}" * depth if draw(st.booleans()) else b"[" * depth
    text = json.dumps(damage_value(json.loads(content), draw))
    return text.replace('"1e999"', "1e999").encode("utf-8", "surrogatepass")


def damage_yaml(content: bytes, draw: Draw) -> bytes:
    """Change values, the text, or put in what only YAML has."""
    match draw(st.sampled_from(["value", "value", "bytes", "yaml", "yaml", "laughs", "merges"])):
        case "bytes":
            return damage_bytes(content, draw)
        case "yaml":
            lines = content.decode().splitlines()
            for _ in range(draw(st.integers(1, 3))):
                at = draw(st.integers(0, len(lines) - 1))
                head, colon, rest = lines[at].partition(": ")
                word = draw(st.sampled_from(ODD_YAML))
                lines[at] = head + (colon or " ") + draw(st.sampled_from([word, f"{word} {rest}"]))
            return "\n".join(lines).encode()
        case "laughs":
            return content + b"\n" + _laughs("[{}]", "name").encode()
        case "merges":
            return content + b"\n" + _laughs("{{<<: [{}]}}", "name").encode()
    value = damage_value(yaml.safe_load(content), draw)
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


def _laughs(form: str, key: str) -> str:
    """Few lines that stand for 10 to the power of 12 values."""
    lines = ["x0: &x0 {a: 1, b: 2}"]
    lines += [
        f"x{level}: &x{level} " + form.format(", ".join([f"*x{level - 1}"] * 10))
        for level in range(1, 13)
    ]
    return "\n".join([*lines, f"{key}2: *x12"])


def damage_xml(content: bytes, draw: Draw) -> bytes:
    """Change elements, texts and attributes, or the text."""
    how = draw(st.sampled_from(["tree", "tree", "bytes", "text", "encoding"]))
    if how == "bytes":
        return damage_bytes(content, draw)
    if how == "text":
        at = draw(st.integers(0, len(content)))
        return content[:at] + draw(st.sampled_from(ODD_XML)).encode() + content[at:]
    if how == "encoding":
        name = draw(st.sampled_from(["utf-16", "big5", "no-such", "idna", "punycode", "utf-7"]))
        head = f'<?xml version="1.0" encoding="{name}"?>'.encode()
        return head + content.partition(b"?>")[2]
    root = ElementTree.fromstring(content)
    for _ in range(draw(st.integers(1, 3))):
        elements = list(root.iter())
        element = draw(st.sampled_from(elements))
        text = str(
            draw(st.sampled_from([v for v in ODD_VALUES if not isinstance(v, (dict, list))]))
        )
        text = "".join(c for c in text if c.isprintable() and c != "\ud800")
        match draw(st.sampled_from(["text", "attribute", "without", "remove", "double", "name"])):
            case "text":
                element.text = text
            case "attribute" if element.attrib:
                element.set(draw(st.sampled_from(sorted(element.attrib))), text)
            case "without" if element.attrib:
                del element.attrib[draw(st.sampled_from(sorted(element.attrib)))]
            case "remove" if len(element):
                element.remove(element[draw(st.integers(0, len(element) - 1))])
            case "double" if len(element):
                element.append(copy.deepcopy(element[draw(st.integers(0, len(element) - 1))]))
            case _:
                element.tag = "Other"
    return ElementTree.tostring(root)


#: Changes the content of one part of an archive, by the part's name.
Part = Callable[[str, bytes, Draw], bytes]


def damage_zip(content: bytes, draw: Draw, part: Part) -> bytes:
    """Change an archive: its bytes, its list of parts, or the content of one part."""
    how = draw(st.sampled_from(["part", "part", "part", "list", "bytes"]))
    if how == "bytes":
        return damage_bytes(content, draw)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = draw(st.integers(0, len(parts) - 1))
    name, inside = parts[at]
    if how == "part":
        parts[at] = (name, part(name, inside, draw))
    else:
        match draw(st.sampled_from(["remove", "rename", "twice", "escape", "long"])):
            case "remove":
                del parts[at]
            case "rename":
                parts[at] = (name + draw(st.sampled_from(["x", "/", ".json", "\udcff"])), inside)
            case "twice":
                parts.append((name, damage_bytes(inside, draw)))
            case "escape":
                parts.append(
                    (draw(st.sampled_from(["../escaped", "/tmp/escaped", "a/../../b"])), b"")
                )
            case "long":
                parts.append(("x" * 3000, inside))
    result = io.BytesIO()
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
    with warnings.catch_warnings(), zipfile.ZipFile(result, "w", method) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, inside in parts:
            archive.writestr(name.encode("utf-8", "surrogateescape").decode("latin-1"), inside)
    return result.getvalue()
