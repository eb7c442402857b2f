"""Parses sources with libclang, one :class:`Unit` for every ``*.cpp``, and reads their pragmas."""

from __future__ import annotations

import ctypes
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from clang import cindex

from acsgen.engines.csim.compile import ap_types_directory, compiler
from acsgen.engines.lint.directives import Pragma, parse_pragma
from acsgen.engines.lint.finding import Finding

#: libclang's cursors; its Python binding has no types.
Cursor = Any
Kind = cindex.CursorKind

STANDARD = "-std=c++14"

_LITERALS = (Kind.INTEGER_LITERAL, Kind.CXX_BOOL_LITERAL_EXPR, Kind.CHARACTER_LITERAL)
_OPERATORS = (
    Kind.BINARY_OPERATOR,
    Kind.UNARY_OPERATOR,
    Kind.PAREN_EXPR,
    Kind.UNEXPOSED_EXPR,
    Kind.CONDITIONAL_OPERATOR,
    Kind.CSTYLE_CAST_EXPR,
    Kind.CXX_FUNCTIONAL_CAST_EXPR,
    Kind.CXX_STATIC_CAST_EXPR,
)

#: Chooses the types of synthesis, which the C simulation replaces by faster ones.
_SYNTHESIS = "-DACS_AP_TYPES"

#: libclang's ``CXEval_Int``.
_EVALUATED_INT = 1

LOOPS = (Kind.FOR_STMT, Kind.WHILE_STMT, Kind.DO_STMT, Kind.CXX_FOR_RANGE_STMT)
FUNCTIONS = (
    Kind.FUNCTION_DECL,
    Kind.CXX_METHOD,
    Kind.CONSTRUCTOR,
    Kind.DESTRUCTOR,
    Kind.CONVERSION_FUNCTION,
    Kind.FUNCTION_TEMPLATE,
)


@dataclass(frozen=True)
class Unit:
    """One translation unit: the declarations and definitions of the linted folder's files in it.

    Those of a header are in the first unit that includes it, and in no other.

    Attributes:
        diagnostics: the parser's errors.
        declarations: top declarations, those in namespaces and in extern "C" too.
        functions: functions with a body, member functions too.
    """

    diagnostics: tuple[Finding, ...]
    declarations: tuple[Cursor, ...] = field(repr=False)
    functions: tuple[Cursor, ...] = field(repr=False)


@cache
def _system_includes() -> tuple[str, ...]:
    """Return arguments for g++'s own header folders: libclang brings no headers along."""
    command = [compiler(), "-E", "-x", "c++", "-v", "/dev/null"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    first = said.index("#include <...> search starts here:") + 1
    folders = [line.strip() for line in said[first : said.index("End of search list.")]]
    return ("-nostdinc", "-nostdinc++", *(f"-isystem{folder}" for folder in folders))


#: Headers of the tool that the type headers lack: ``hls_burst_maxi.h``.
_TOOL_HEADERS = Path(__file__).parent.parent / "hlscheck" / "include" / "analysis"


@cache
def _arguments() -> tuple[str, ...]:
    includes = (f"-isystem{ap_types_directory()}", f"-isystem{_TOOL_HEADERS}")
    return ("-x", "c++", STANDARD, _SYNTHESIS, *includes, *_system_includes())


@cache
def _precompiled() -> tuple[tempfile.TemporaryDirectory[str], tuple[str, ...]]:
    """Parse ap_int.h, which is large, once for all; return its folder, to keep, and options."""
    scratch = tempfile.TemporaryDirectory(prefix="acsgen-lint-")
    header, parsed = Path(scratch.name) / "common.hpp", Path(scratch.name) / "common.pch"
    header.write_text("#include <ap_int.h>\n", encoding="utf-8")
    arguments = ["-x", "c++-header", *_arguments()[2:]]
    unit = cindex.Index.create().parse(
        str(header), arguments, options=cindex.TranslationUnit.PARSE_INCOMPLETE
    )
    unit.save(str(parsed))
    return scratch, ("-include-pch", str(parsed))


def parse_units(folder: Path, sources: Sequence[str]) -> list[Unit]:
    """Parse the named ``*.cpp`` of ``folder``."""
    folder = folder.resolve()
    index = cindex.Index.create()
    arguments = [*_arguments(), f"-I{folder}", *_precompiled()[1]]
    seen: set[str] = set()
    return [_unit(index.parse(str(folder / name), arguments), folder, seen) for name in sources]


def _unit(parsed: Any, folder: Path, seen: set[str]) -> Unit:
    diagnostics = tuple(
        Finding(Path(d.location.file.name).name, d.location.line, "parse", d.spelling)
        for d in parsed.diagnostics
        if d.severity >= cindex.Diagnostic.Error and d.location.file is not None
    )
    declarations = tuple(
        d for d in _declarations(parsed.cursor, f"{folder}/") if d.location.file.name not in seen
    )
    seen.update(d.location.file.name for d in declarations)
    functions = tuple(
        cursor
        for declaration in declarations
        for cursor in walk(declaration)
        if cursor.kind in FUNCTIONS and body_of(cursor) is not None
    )
    return Unit(diagnostics, declarations, functions)


def _declarations(cursor: Cursor, prefix: str) -> Iterator[Cursor]:
    for child in cursor.get_children():
        file = child.location.file
        if file is None or not file.name.startswith(prefix):
            continue
        # Some versions call extern "C" unexposed.
        if child.kind in (Kind.NAMESPACE, Kind.LINKAGE_SPEC, Kind.UNEXPOSED_DECL):
            yield from _declarations(child, prefix)
        else:
            yield child


def walk(cursor: Cursor) -> Iterator[Cursor]:
    """Yield a cursor and all below it."""
    return iter(cursor.walk_preorder())


def at(cursor: Cursor, rule: str, message: str) -> Finding:
    """Return a finding at a cursor."""
    return Finding(Path(cursor.location.file.name).name, cursor.location.line, rule, message)


def body_of(cursor: Cursor) -> Cursor | None:
    """Return the body of a function or loop, None for a declaration."""
    children = list(cursor.get_children())
    # A do loop has its body first.
    for child in children if cursor.kind == Kind.DO_STMT else reversed(children):
        if child.kind == Kind.COMPOUND_STMT:
            return child
    return None


def same(one: Cursor | None, other: Cursor | None) -> bool:
    """Whether two cursors are one; the binding cannot compare with None."""
    return one is not None and other is not None and bool(one == other)


def unwrapped(cursor: Cursor) -> Cursor:
    """Look through parentheses and implicit conversions."""
    while cursor.kind in (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR):
        children = list(cursor.get_children())
        if len(children) != 1:
            break
        cursor = children[0]
    return cursor


def is_const(declared: cindex.Type) -> bool:
    """Whether a type is constant; of an array, its elements, wherever the qualifier is kept."""
    inner = declared.get_canonical()
    while inner.kind == cindex.TypeKind.CONSTANTARRAY and not inner.is_const_qualified():
        inner = inner.element_type
    return bool(inner.is_const_qualified())


def is_constant(cursor: Cursor) -> bool:
    """Whether an expression is made of literals, enumerators and constants only."""
    if cursor.kind in _LITERALS:
        return True
    if cursor.kind == Kind.DECL_REF_EXPR:
        target = cursor.referenced
        if target.kind in (Kind.ENUM_CONSTANT_DECL, Kind.TEMPLATE_NON_TYPE_PARAMETER):
            return True
        if target.kind != Kind.VAR_DECL or not target.type.is_const_qualified():
            return False
        initial = [c for c in target.get_children() if c.kind.is_expression()]
        return bool(initial) and is_constant(initial[-1])
    if cursor.kind in _OPERATORS:
        parts = [c for c in cursor.get_children() if c.kind.is_expression()]
        return bool(parts) and all(is_constant(part) for part in parts)
    return False


def is_constexpr(function: Cursor) -> bool:
    """Whether a function may be evaluated by the compiler."""
    head = []
    for token in function.get_tokens():
        if token.spelling in ("(", "{"):
            break
        head.append(token.spelling)
    return "constexpr" in head


def constant_value(cursor: Cursor) -> int | None:
    """Return the whole number that an expression is, None if the parser cannot tell."""
    library = cindex.conf.lib
    library.clang_Cursor_Evaluate.restype = ctypes.c_void_p
    library.clang_Cursor_Evaluate.argtypes = [cindex.Cursor]
    library.clang_EvalResult_getKind.argtypes = [ctypes.c_void_p]
    library.clang_EvalResult_getAsLongLong.argtypes = [ctypes.c_void_p]
    library.clang_EvalResult_getAsLongLong.restype = ctypes.c_longlong
    library.clang_EvalResult_dispose.argtypes = [ctypes.c_void_p]
    result = library.clang_Cursor_Evaluate(cursor)
    if not result:
        return None
    try:
        if library.clang_EvalResult_getKind(result) != _EVALUATED_INT:
            return None
        return int(library.clang_EvalResult_getAsLongLong(result))
    finally:
        library.clang_EvalResult_dispose(result)


def qualified_name(cursor: Cursor) -> str:
    """Return a declaration's name with its namespaces."""
    parts: list[str] = []
    while cursor is not None and cursor.kind != Kind.TRANSLATION_UNIT:
        if cursor.spelling:
            parts.append(cursor.spelling)
        cursor = cursor.semantic_parent
    return "::".join(reversed(parts))


def whole_constants(units: Sequence[Unit]) -> dict[str, int]:
    """Return the constant whole numbers outside functions by name, if the name has one value."""
    found: dict[str, set[int | None]] = {}
    for unit in units:
        for declaration in unit.declarations:
            if declaration.kind == Kind.VAR_DECL and is_const(declaration.type):
                found.setdefault(declaration.spelling, set()).add(_whole_value(declaration))
    single = {name: values.pop() for name, values in found.items() if len(values) == 1}
    return {name: value for name, value in single.items() if value is not None}


def _whole_value(declaration: Cursor) -> int | None:
    """Return the number that a constant is, itself or through another constant."""
    initial = None
    for child in declaration.get_children():
        initial = unwrapped(child)
    if initial is None:
        return None
    if initial.kind == Kind.INTEGER_LITERAL:
        token = next(iter(initial.get_tokens()), None)
        return int(token.spelling) if token is not None and token.spelling.isdecimal() else None
    if initial.kind == Kind.DECL_REF_EXPR and initial.referenced.kind == Kind.VAR_DECL:
        return _whole_value(initial.referenced)
    return None


def read_pragmas(path: Path, constants: Mapping[str, int]) -> tuple[list[Pragma], list[Finding]]:
    """Return the HLS pragmas of a file, and findings for those that Vitis would not understand.

    A name of ``constants`` is read as its number.

    libclang has no cursors for pragmas that it does not know, so they are read from the text, in
    which comments have been blanked out.
    """
    pragmas: list[Pragma] = []
    findings: list[Finding] = []
    for number, line in enumerate(without_comments(path).splitlines(), 1):
        match = re.match(r"\s*#\s*pragma\b\s*(.*)", line)
        if match is None or match[1].strip() == "once":
            continue
        kind, _, rest = match[1].partition(" ")
        if kind != "HLS":
            findings.append(Finding(path.name, number, "pragma", f"#pragma {kind} is not of HLS"))
            continue
        pragma, problems = parse_pragma(number, rest, constants)
        pragmas.append(pragma)
        findings.extend(Finding(path.name, number, "pragma", problem) for problem in problems)
    return pragmas, findings


def without_comments(path: Path) -> str:
    """Return a file's text with its comments blanked out, the lines where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, path.read_text("utf-8"))
