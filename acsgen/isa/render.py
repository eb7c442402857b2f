"""Renders the specification: C++ header, SystemVerilog package, Python, reference page."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from acsgen.isa.spec import Spec, load_spec
from acsgen.support.assets import asset, asset_root
from acsgen.support.errors import Problem, UserError

#: Template in ``templates/spec/`` to file rendered, relative to the repository root.
TARGETS = {
    "acs_isa.hpp.j2": "templates/hls/acs_isa.hpp",
    "generated.py.j2": "acsgen/isa/generated.py",
    "acs_isa_pkg.sv.j2": "hw/rtl/acs_isa_pkg.sv",
    "host_isa.py.j2": "host/acsgen_host/isa.py",
    "engine.md.j2": "docs/reference/engine.md",
}


def render_all(spec: Spec | None = None) -> dict[str, str]:
    """Return the text of every rendered file by its path in the repository.

    Raises :class:`UserError` where a role belongs to the users of a field that is not there: the
    code of the engines, which asks for the role, needs it.
    """
    spec = load_spec() if spec is None else spec
    fields = {f.name for f in spec.fields}
    missing = [
        Problem(f"roles.{name}", f"there is no field {role.field}")
        for name, role in spec.roles.items()
        if role.field is not None and role.field not in fields
    ]
    if missing:
        raise UserError(missing)
    environment = Environment(
        loader=FileSystemLoader(asset("templates", "spec")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["comment"] = _comment
    environment.filters["hex"] = _hex
    environment.filters["grouped_hex"] = _grouped_hex
    environment.filters["quoted_lines"] = _quoted_lines
    environment.filters["prefixed"] = _prefixed
    environment.filters["listed"] = _listed
    context = {"spec": spec, "sigmoid_rows": _rows(spec.sigmoid_table, 16)}
    return {
        target: environment.get_template(template).render(context)
        for template, target in TARGETS.items()
    }


def stale(rendered: dict[str, str]) -> list[str]:
    """Return the paths whose file is absent or differs from its rendering."""
    found = []
    for target, text in rendered.items():
        path = target_path(target)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(target)
    return found


def target_path(target: str) -> Path:
    """Return where a rendered file lies in the checkout."""
    return asset_root() / target


def _comment(text: str, marker: str, indent: int = 0, width: int = 100) -> str:
    """Wrap ``text`` as comment lines that start with ``marker``."""
    prefix = " " * indent + marker + " "
    return textwrap.fill(text, width, initial_indent=prefix, subsequent_indent=prefix)


def _quoted_lines(names: Iterable[str], width: int) -> list[str]:
    """Return ``names``, separated by blanks, as string literals of at most ``width`` characters."""
    return [f'"{line}"' for line in textwrap.wrap(" ".join(names), width, break_on_hyphens=False)]


def _prefixed(names: Iterable[str], prefix: str) -> list[str]:
    return [prefix + name for name in names]


def _listed(names: Iterable[str], indent: int, width: int = 100) -> str:
    """Return ``names`` separated by commas, wrapped, the first line without its indentation."""
    margin = " " * indent
    text = textwrap.fill(", ".join(names), width, initial_indent=margin, subsequent_indent=margin)
    return text.removeprefix(margin)


def _hex(value: int, digits: int = 2) -> str:
    return f"0x{value:0{digits}X}"


def _grouped_hex(value: int) -> str:
    return "0x" + "_".join(f"{value:016X}"[i : i + 4] for i in range(0, 16, 4))


def _rows(values: list[int], width: int) -> list[list[int]]:
    return [values[i : i + width] for i in range(0, len(values), width)]
