"""Rules on single constructs, which Vitis HLS cannot synthesize or our style rules out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from clang import cindex

from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.parse import (
    FUNCTIONS,
    Cursor,
    Kind,
    Unit,
    at,
    is_const,
    is_constant,
    is_constexpr,
    qualified_name,
    unwrapped,
    walk,
    without_comments,
)

Type = cindex.TypeKind

#: Headers that synthesizable code may include, beside its own.
ALLOWED_HEADERS = frozenset({"ap_int.h", "stdint.h", "hls_stream.h", "hls_burst_maxi.h"})

#: Macros that only a simulator defines, for the probes of ``acs_probe.hpp``.
SIMULATION = re.compile(r"\b(?:ACS_PROBE|ACS_COUNT)\b")

#: Library functions that Vitis HLS turns into loops.
_ALLOWED_CALLS = frozenset({"memcpy", "memset"})
_HEAP = frozenset({"malloc", "calloc", "realloc", "free", "alloca", "__builtin_alloca"})
#: Namespaces of allowed headers.
_ALLOWED_NAMESPACES = ("hls", "ap_", "_AP_", "_ap_")

_FORBIDDEN = {
    Kind.CXX_NEW_EXPR: ("dynamic-memory", "new"),
    Kind.CXX_DELETE_EXPR: ("dynamic-memory", "delete"),
    Kind.CXX_THROW_EXPR: ("exception", "throw"),
    Kind.CXX_TRY_STMT: ("exception", "try"),
    Kind.GOTO_STMT: ("goto", "goto"),
    Kind.INDIRECT_GOTO_STMT: ("goto", "goto"),
    Kind.UNION_DECL: ("union", "a union"),
    Kind.CXX_DYNAMIC_CAST_EXPR: ("rtti", "dynamic_cast"),
    Kind.CXX_TYPEID_EXPR: ("rtti", "typeid"),
    Kind.CXX_REINTERPRET_CAST_EXPR: ("pointer-cast", "reinterpret_cast"),
    Kind.FLOATING_LITERAL: ("floating-point", "a floating-point literal"),
    Kind.LAMBDA_EXPR: ("function-pointer", "a lambda"),
    Kind.ASM_STMT: ("assembly", "asm"),
    Kind.MS_ASM_STMT: ("assembly", "asm"),
}

_FLOATS = (Type.FLOAT, Type.DOUBLE, Type.LONGDOUBLE, Type.FLOAT128, Type.HALF)
_POINTERS = (Type.POINTER, Type.LVALUEREFERENCE, Type.RVALUEREFERENCE)
_ARRAYS = (Type.CONSTANTARRAY, Type.INCOMPLETEARRAY, Type.VARIABLEARRAY)
_CASTS = (Kind.CSTYLE_CAST_EXPR, Kind.CXX_STATIC_CAST_EXPR, Kind.CXX_FUNCTIONAL_CAST_EXPR)
_VARIABLES = (Kind.VAR_DECL, Kind.PARM_DECL, Kind.FIELD_DECL)


def check_includes(path: Path) -> Iterator[Finding]:
    """A file includes only its folder's headers and the allowed ones, but for those of probes."""
    conditions: list[bool] = []
    for line, text in enumerate(without_comments(path).splitlines(), 1):
        directive = re.match(r"\s*#\s*(if\w*|el\w+|endif)\b(.*)", text)
        if directive:
            if directive[1].startswith("if"):
                conditions.append(False)
            if directive[1] == "endif":
                conditions.pop()
            else:
                conditions[-1] = bool(SIMULATION.search(directive[2]))
        if any(conditions):
            continue
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]*)', text)
        if match and match[1] not in ALLOWED_HEADERS and not (path.parent / match[1]).is_file():
            yield Finding(path.name, line, "include", f"{match[1]} is not for synthesis")


def check_constructs(unit: Unit, top: str) -> Iterator[Finding]:
    """Every cursor of the folder's code is allowed by itself."""
    for declaration in unit.declarations:
        yield from _globals(declaration)
        for cursor in walk(declaration):
            yield from _cursor(cursor)
    for function in unit.functions:
        yield from _statics(function, top)


def _cursor(cursor: Cursor) -> Iterator[Finding]:
    found = _FORBIDDEN.get(cursor.kind)
    if found is not None:
        yield at(cursor, found[0], f"{found[1]} is not for synthesis")
    if cursor.kind in _VARIABLES:
        yield from _variable(cursor)
    elif cursor.kind in FUNCTIONS:
        yield from _function(cursor)
    elif cursor.kind == Kind.CALL_EXPR:
        yield from _call(cursor)
    elif cursor.kind in _CASTS:
        yield from _cast(cursor)
    if cursor.kind in (Kind.DECL_REF_EXPR, Kind.TYPE_REF, Kind.TEMPLATE_REF, Kind.NAMESPACE_REF):
        name = "" if cursor.referenced is None else qualified_name(cursor.referenced)
        if name == "std" or name.startswith("std::"):
            yield at(cursor, "standard-library", f"{name} is not for synthesis")


def _variable(cursor: Cursor) -> Iterator[Finding]:
    if cursor.type.kind == Type.VARIABLEARRAY:
        yield at(cursor, "dynamic-memory", f"{cursor.spelling} is an array of run-time size")
    kind, pointee = _element(cursor.type)
    if kind in _FLOATS:
        yield at(cursor, "floating-point", f"{cursor.spelling} is a floating-point number")
    if pointee in (Type.FUNCTIONPROTO, Type.FUNCTIONNOPROTO) or kind == Type.MEMBERPOINTER:
        yield at(cursor, "function-pointer", f"{cursor.spelling} points to a function")
    # A parameter that is an array decays to a pointer; the rule is about a declared ** alone.
    written = cursor.type.get_canonical()
    if written.kind == Type.POINTER and written.get_pointee().kind == Type.POINTER:
        yield at(cursor, "pointer-to-pointer", f"{cursor.spelling} points to a pointer")


def _element(declared: cindex.Type) -> tuple[cindex.TypeKind, cindex.TypeKind]:
    """Return the kind below all arrays, and below all pointers and references too."""
    inner = declared.get_canonical()
    while inner.kind in _ARRAYS:
        inner = inner.element_type.get_canonical()
    kind = inner.kind
    while inner.kind in _POINTERS:
        inner = inner.get_pointee().get_canonical()
    return (inner.kind if inner.kind in _FLOATS else kind), inner.kind


def _function(cursor: Cursor) -> Iterator[Finding]:
    if cursor.kind in (Kind.CXX_METHOD, Kind.DESTRUCTOR) and cursor.is_virtual_method():
        yield at(cursor, "virtual", f"{cursor.spelling} is virtual")
    prototype = cursor.kind == Kind.FUNCTION_DECL and cursor.type.kind == Type.FUNCTIONPROTO
    if prototype and cursor.type.is_function_variadic():
        yield at(cursor, "variadic", f"{cursor.spelling} takes any number of arguments")
    if cursor.result_type.get_canonical().kind in _FLOATS:
        yield at(cursor, "floating-point", f"{cursor.spelling} returns a floating-point number")


def _call(cursor: Cursor) -> Iterator[Finding]:
    called = cursor.referenced
    if called is None or called.kind in _VARIABLES:
        children = list(cursor.get_children())
        callee = unwrapped(children[0]) if children else None
        pointer = callee is not None and "(*)" in callee.type.get_canonical().spelling
        if called is not None or pointer:
            yield at(cursor, "function-pointer", "a call through a pointer")
        return
    if called.kind != Kind.FUNCTION_DECL or called.location.file is None:
        return
    name = called.spelling
    if name in _HEAP:
        yield at(cursor, "dynamic-memory", f"{name} is not for synthesis")
        return
    here = Path(cursor.location.file.name).parent
    if Path(called.location.file.name).parent == here or name in _ALLOWED_CALLS:
        return
    if not qualified_name(called).startswith(_ALLOWED_NAMESPACES) and not name.startswith(
        "operator"
    ):
        yield at(cursor, "foreign-call", f"{name} is a function of the host, not for synthesis")


def _cast(cursor: Cursor) -> Iterator[Finding]:
    children = [
        c for c in cursor.get_children() if c.kind not in (Kind.TYPE_REF, Kind.NAMESPACE_REF)
    ]
    kinds = {cursor.type.get_canonical().kind}
    kinds |= {unwrapped(c).type.get_canonical().kind for c in children[-1:]}
    if Type.POINTER in kinds:
        yield at(cursor, "pointer-cast", "a cast to or from a pointer")


def _globals(declaration: Cursor) -> Iterator[Finding]:
    if declaration.kind == Kind.VAR_DECL and not is_const(declaration.type):
        yield at(declaration, "global", f"{declaration.spelling} is a global variable")


def _statics(function: Cursor, top: str) -> Iterator[Finding]:
    if function.spelling == top:
        return
    for cursor in walk(function):
        static = cursor.kind == Kind.VAR_DECL and cursor.storage_class == cindex.StorageClass.STATIC
        if static and not is_const(cursor.type):
            yield at(cursor, "static-local", f"{cursor.spelling} keeps its value between calls")


def check_recursion(units: list[Unit]) -> Iterator[Finding]:
    """No function reaches itself, through calls in any unit; of constants, a constexpr one may."""
    calls: dict[str, set[str]] = {}
    definitions: dict[str, Cursor] = {}
    for unit in units:
        for function in unit.functions:
            usr = function.get_usr()
            definitions[usr] = function
            calls[usr] = {
                c.referenced.get_usr()
                for c in walk(function)
                if c.kind == Kind.CALL_EXPR and c.referenced is not None
            }
    for usr, function in definitions.items():
        reached: set[str] = set()
        pending = list(calls[usr])
        while pending:
            callee = pending.pop()
            if callee not in reached:
                reached.add(callee)
                pending.extend(calls.get(callee, ()))
        if usr in reached and not is_constexpr(function):
            yield at(function, "recursion", f"{function.spelling} calls itself")
        elif usr in reached:
            yield from _run_time_calls(units, function)


def _run_time_calls(units: list[Unit], called: Cursor) -> Iterator[Finding]:
    for unit in units:
        for function in unit.functions:
            for cursor in walk(function):
                target = cursor.referenced if cursor.kind == Kind.CALL_EXPR else None
                if target is None or target.get_usr() != called.get_usr():
                    continue
                if function.get_usr() != target.get_usr() and not all(
                    is_constant(argument) for argument in cursor.get_arguments()
                ):
                    message = f"{called.spelling} calls itself, and its arguments are no constants"
                    yield at(cursor, "recursion", message)
