"""Rules on form: loops have labels, divisors are powers of two, names survive into the RTL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clang import cindex

from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.loops import operator_of
from acsgen.engines.lint.parse import (
    FUNCTIONS,
    LOOPS,
    Cursor,
    Kind,
    Unit,
    at,
    constant_value,
    is_constant,
    is_constexpr,
    unwrapped,
    walk,
)
from acsgen.engines.lint.reserved import reserved_in
from acsgen.engines.lint.scopes import Body, Pragmas

_DIVISIONS = frozenset({"/", "%", "/=", "%="})
_OPERATORS = frozenset(f"operator{division}" for division in _DIVISIONS)
_ARRAYS = (cindex.TypeKind.CONSTANTARRAY, cindex.TypeKind.INCOMPLETEARRAY)


def check_labels(found: list[Body], units: list[Unit]) -> Iterator[Finding]:
    """Every loop has a label; loops that a report may list have labels of their own."""
    unrolled = _unrolled(found)
    seen: dict[str, str] = {}
    for unit in units:
        for function in unit.functions:
            labelled = {
                child.hash: label.spelling
                for label in walk(function)
                if label.kind == Kind.LABEL_STMT
                for child in label.get_children()
            }
            for loop in walk(function):
                if loop.kind not in LOOPS:
                    continue
                label = labelled.get(loop.hash)
                if label is None:
                    yield at(loop, "label", "a loop without a label: reports name it by its line")
                elif loop.hash not in unrolled:
                    place = f"{Path(loop.location.file.name).name}:{loop.location.line}"
                    if label in seen and seen[label] != place:
                        message = f"the label {label} is also that of the loop at {seen[label]}"
                        yield at(loop, "label", message)
                    seen.setdefault(label, place)


def _unrolled(found: list[Body]) -> set[int]:
    """Loops that no report lists: those unrolled whole, and all inside a pipelined one."""
    loops: set[int] = set()
    for body in found:
        unroll, pipeline = body.find("UNROLL"), body.find("PIPELINE")
        if unroll is not None and body.owner is not None and "factor" not in unroll.options:
            loops.add(body.owner.hash)
        if pipeline is not None and "off" not in pipeline.flags:
            loops |= {c.hash for c in walk(body.compound) if c.kind in LOOPS}
    return loops


def check_divisions(units: list[Unit]) -> Iterator[Finding]:
    """Divisors are constant powers of two; others become dividers of one cycle a bit."""
    dividing: dict[str, str] = {}
    for unit in units:
        for function in unit.functions:
            for cursor in walk(function):
                problem = _division(cursor, function)
                if problem is None:
                    continue
                if is_constexpr(function):
                    # It may only be meant for constants: its calls tell.
                    dividing[function.get_usr()] = function.spelling
                else:
                    yield at(cursor, "division", problem)
    for unit in units:
        for function in unit.functions:
            if is_constexpr(function):
                continue
            for cursor in walk(function):
                called = cursor.referenced if cursor.kind == Kind.CALL_EXPR else None
                if called is None or called.get_usr() not in dividing:
                    continue
                if not all(is_constant(argument) for argument in cursor.get_arguments()):
                    message = f"{called.spelling} divides, and its arguments are no constants"
                    yield at(cursor, "division", message)


def _division(cursor: Cursor, function: Cursor) -> str | None:
    """Return the fault of a division in a function, None for a good one or for something else."""
    operands = _operands(cursor)
    if operands is None:
        return None
    dividend, divisor = operands
    if is_constant(dividend) and is_constant(divisor):
        return None
    if not is_constant(divisor):
        return "a division by a run-time value is a divider of one cycle a bit"
    parameters = _template_parameters(divisor)
    if parameters and not any(
        parameters <= _template_parameters(cursor)
        for cursor in walk(function)
        if cursor.kind == Kind.STATIC_ASSERT
    ):
        return "a division by a template's parameter, of which no static_assert says what it is"
    value = constant_value(divisor)
    if value is not None and (value < 1 or value & (value - 1)):
        return f"a division by {value}, which is no power of two, is a divider"
    return None


def _template_parameters(expression: Cursor) -> set[str]:
    """The names of a template's numbers in an expression."""
    return {
        cursor.spelling
        for cursor in walk(expression)
        if cursor.kind == Kind.DECL_REF_EXPR
        and cursor.referenced.kind == Kind.TEMPLATE_NON_TYPE_PARAMETER
    }


def _is_open_division(name: Cursor) -> bool:
    return any(
        child.kind == Kind.OVERLOADED_DECL_REF and child.spelling in _OPERATORS
        for child in name.get_children()
    )


def _operands(cursor: Cursor) -> tuple[Cursor, Cursor] | None:
    """Return both operands of a division or remainder, of numbers or of ``ap_int``."""
    if cursor.kind in (Kind.BINARY_OPERATOR, Kind.COMPOUND_ASSIGNMENT_OPERATOR):
        left, right = cursor.get_children()
        return (left, right) if operator_of(cursor) in _DIVISIONS else None
    if cursor.kind == Kind.CALL_EXPR and not cursor.spelling:
        # In a template, the operands' types will choose among the operators that there are.
        children = list(cursor.get_children())
        operands = [child for child in children if not _is_open_division(child)]
        return (operands[0], operands[1]) if len(operands) == 2 < len(children) else None
    if cursor.kind == Kind.CALL_EXPR and cursor.spelling in _OPERATORS:
        arguments = list(cursor.get_arguments())
        if len(arguments) == 2:
            return arguments[0], arguments[1]
        children = list(cursor.get_children())
        if len(arguments) == 1 and len(children) > 1:
            return unwrapped(children[0]), arguments[0]
    return None


def check_names(units: list[Unit], pragmas: Pragmas, top: str) -> Iterator[Finding]:
    """Ports, functions and memories keep their names in the RTL."""
    memories = {
        pragma.options.get("variable", "").rsplit(".", 1)[-1]
        for held in pragmas.values()
        for pragma in held
        if pragma.directive == "BIND_STORAGE"
    }
    for unit in units:
        for declaration in unit.declarations:
            for cursor in walk(declaration):
                kind = _kind_in_rtl(cursor, memories, top)
                languages = reserved_in(cursor.spelling) if kind else []
                if languages:
                    message = (
                        f"{kind} {cursor.spelling}: a reserved word of {' and '.join(languages)}"
                    )
                    yield at(cursor, "reserved", message)


def _kind_in_rtl(cursor: Cursor, memories: set[str], top: str) -> str | None:
    """Return the kind of thing that a declaration becomes in the RTL, None if it is a wire."""
    if cursor.kind in FUNCTIONS:
        return "the function"
    if cursor.kind == Kind.PARM_DECL:
        function = cursor.semantic_parent
        return "the port" if function is not None and function.spelling == top else None
    if cursor.kind in (Kind.VAR_DECL, Kind.FIELD_DECL) and cursor.spelling in memories:
        return "the memory" if cursor.type.get_canonical().kind in _ARRAYS else None
    return None
