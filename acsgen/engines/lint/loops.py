"""Rules on loops: trip counts, unrolling, and dataflow regions."""

from __future__ import annotations

from collections.abc import Iterator

from clang import cindex

from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.parse import (
    LOOPS,
    Cursor,
    Kind,
    Unit,
    at,
    is_const,
    is_constant,
    same,
    unwrapped,
    walk,
)
from acsgen.engines.lint.scopes import Body

Type = cindex.TypeKind


def check_loops(found: list[Body], units: list[Unit]) -> Iterator[Finding]:
    """Loops with run-time bounds carry a trip count; none is unrolled or inside a pipeline."""
    by_owner = {body.owner.hash: body for body in found if body.is_loop and body.owner is not None}
    looping = _functions_with_open_loops(units)
    for body in found:
        if body.is_function and body.find("PIPELINE"):
            yield from _pipelined(body.compound, looping)
        if body.owner is None or not body.is_function:
            continue
        for loop in walk(body.function):
            if loop.kind not in LOOPS or trip_count_known(loop):
                continue
            inner = by_owner.get(loop.hash)
            if inner is None or inner.find("LOOP_TRIPCOUNT") is None:
                yield at(loop, "trip-count", "a loop with run-time bounds has no LOOP_TRIPCOUNT")
            unroll = inner.find("UNROLL") if inner is not None else None
            if unroll is not None and not {"factor", "off"} & unroll.options.keys():
                yield at(loop, "unroll", "a loop with run-time bounds cannot be unrolled whole")
    for body in found:
        pipeline = body.find("PIPELINE") if body.is_loop else None
        if pipeline is not None and "off" not in pipeline.flags:
            yield from _pipelined(body.compound, looping)


def _pipelined(compound: Cursor, looping: set[str]) -> Iterator[Finding]:
    """Vitis unrolls every loop inside a pipeline, so their bounds must be constant."""
    for cursor in walk(compound):
        if cursor.kind in LOOPS and not trip_count_known(cursor):
            message = "a loop with run-time bounds inside a pipeline cannot be unrolled"
            yield at(cursor, "pipeline", message)
        called = cursor.referenced if cursor.kind == Kind.CALL_EXPR else None
        if called is not None and called.get_usr() in looping:
            message = (
                f"{called.spelling} has loops with run-time bounds, and is called in a pipeline"
            )
            yield at(cursor, "pipeline", message)


def _functions_with_open_loops(units: list[Unit]) -> set[str]:
    """Return the functions that run a loop of run-time bounds, also in functions they call."""
    calls: dict[str, set[str]] = {}
    looping: set[str] = set()
    for unit in units:
        for function in unit.functions:
            usr = function.get_usr()
            calls[usr] = set()
            for cursor in walk(function):
                if cursor.kind in LOOPS and not trip_count_known(cursor):
                    looping.add(usr)
                elif cursor.kind == Kind.CALL_EXPR and cursor.referenced is not None:
                    calls[usr].add(cursor.referenced.get_usr())
    size = -1
    while size != len(looping):
        size = len(looping)
        looping |= {usr for usr, called in calls.items() if called & looping}
    return looping


def trip_count_known(loop: Cursor) -> bool:
    """Whether a loop is ``for (T i = constant; i < constant; i += constant)`` or the like."""
    if loop.kind != Kind.FOR_STMT:
        return False
    parts = list(loop.get_children())
    if len(parts) != 4:
        return False
    start, condition, step, body = parts
    variables = [c for c in start.get_children() if c.kind == Kind.VAR_DECL]
    if len(variables) != 1:
        return False
    counter = variables[0]
    initial = [c for c in counter.get_children() if c.kind.is_expression()]
    if not initial or not is_constant(initial[-1]) or condition.kind != Kind.BINARY_OPERATOR:
        return False
    left, right = condition.get_children()
    if not same(_reference(left), counter) or not is_constant(right):
        return False
    stepped = list(step.get_children())
    if not stepped or not same(_reference(stepped[0]), counter):
        return False
    if step.kind == Kind.COMPOUND_ASSIGNMENT_OPERATOR:
        if not is_constant(stepped[1]):
            return False
    elif step.kind != Kind.UNARY_OPERATOR:
        return False
    # A break leaves early: the trip count is then at most the constant, and Vitis is content.
    return not any(_writes(cursor, counter) for cursor in walk(body))


def _writes(cursor: Cursor, variable: Cursor) -> bool:
    """Whether a cursor changes a variable (a reference to it counts as no change)."""
    if cursor.kind == Kind.COMPOUND_ASSIGNMENT_OPERATOR:
        return same(_reference(next(cursor.get_children())), variable)
    if cursor.kind == Kind.BINARY_OPERATOR and operator_of(cursor) == "=":
        return same(_reference(next(cursor.get_children())), variable)
    if cursor.kind == Kind.UNARY_OPERATOR and {"++", "--"} & set(_texts(cursor)):
        return same(_reference(next(cursor.get_children())), variable)
    return False


def _texts(cursor: Cursor) -> list[str]:
    return [token.spelling for token in cursor.get_tokens()]


def operator_of(cursor: Cursor) -> str:
    """Return the operator between the two operands of a cursor, also where a macro has it."""
    library = cindex.conf.lib
    library.clang_getCursorBinaryOperatorKind.argtypes = [cindex.Cursor]
    library.clang_getBinaryOperatorKindSpelling.restype = cindex._CXString
    kind = library.clang_getCursorBinaryOperatorKind(cursor)
    return str(cindex._CXString.from_result(library.clang_getBinaryOperatorKindSpelling(kind)))


def _reference(cursor: Cursor) -> Cursor | None:
    cursor = unwrapped(cursor)
    return cursor.referenced if cursor.kind == Kind.DECL_REF_EXPR else None


def check_dataflow(found: list[Body]) -> Iterator[Finding]:
    """Dataflow regions have the canonical form, in which Vitis overlaps the calls."""
    for body in found:
        if body.find("DATAFLOW") is None:
            continue
        if body.is_loop and body.owner is not None and not _canonical_loop(body):
            message = (
                "the loop around DATAFLOW is not for (int i = 0; i < n; ++i) "
                "with n a constant or a by-value parameter"
            )
            yield at(body.owner, "dataflow", message)
        yield from _region(body)


def _canonical_loop(body: Body) -> bool:
    loop = body.owner
    if loop is None or loop.kind != Kind.FOR_STMT:
        return False
    parts = list(loop.get_children())
    if len(parts) != 4 or parts[1].kind != Kind.BINARY_OPERATOR:
        return False
    counters = [c for c in parts[0].get_children() if c.kind == Kind.VAR_DECL]
    if len(counters) != 1 or _texts(parts[0])[-2:-1] != ["0"]:
        return False
    left, right = parts[1].get_children()
    limit = _reference(right)
    by_value = limit is not None and limit.kind == Kind.PARM_DECL and _scalar(limit.type)
    if not same(_reference(left), counters[0]) or not (by_value or is_constant(right)):
        return False
    return parts[2].kind == Kind.UNARY_OPERATOR and "++" in _texts(parts[2])


def _scalar(declared: cindex.Type) -> bool:
    kind = declared.get_canonical().kind
    return kind not in (
        *(Type.POINTER, Type.LVALUEREFERENCE, Type.RVALUEREFERENCE, Type.RECORD),
        *(Type.CONSTANTARRAY, Type.INCOMPLETEARRAY),
    )


def _region(body: Body) -> Iterator[Finding]:
    """Only declarations and calls of void functions; each channel made once, then used once."""
    channels: dict[str, Cursor] = {}
    uses: dict[str, list[bool]] = {}
    changed: set[str] = set()
    for statement in body.compound.get_children():
        if statement.kind == Kind.DECL_STMT:
            for variable in statement.get_children():
                if variable.storage_class == cindex.StorageClass.STATIC:
                    yield at(variable, "dataflow", f"{variable.spelling} is static")
                if any(_computes(c) for c in walk(variable)):
                    yield at(variable, "dataflow", f"{variable.spelling} is computed in the region")
                if not is_const(variable.type):
                    channels[variable.spelling] = variable
            continue
        call = unwrapped(statement)
        if call.kind != Kind.CALL_EXPR or call.referenced is None:
            yield at(statement, "dataflow", "only declarations and calls may stand in the region")
            continue
        if call.type.get_canonical().kind != Type.VOID:
            yield at(call, "dataflow", f"{call.spelling} returns a value")
        if call.referenced.kind == Kind.CXX_METHOD and not call.referenced.is_const_method():
            message = f"{call.spelling} changes its object, which is not passed as an argument"
            yield at(call, "dataflow", message)
        # strict=False: default arguments have no cursors.
        for argument, formal in zip(
            call.get_arguments(), call.referenced.get_arguments(), strict=False
        ):
            used = _reference(argument)
            if used is not None and used.spelling in channels:
                uses.setdefault(used.spelling, []).append(_written(formal.type))
            elif _is_expression(argument, formal.type):
                message = f"an argument of {call.spelling} is an expression, not a variable"
                yield at(argument, "dataflow", message)
            elif used is not None and _shared_value(formal.type):
                message = (
                    f"{call.spelling} takes {used.spelling} by reference from outside the region: "
                    "iterations depend on each other through it"
                )
                yield at(argument, "dataflow", message)
            elif used is not None and _written(formal.type):
                if used.spelling in changed:
                    message = (
                        f"{used.spelling} is changed by two calls: one would wait for the other"
                    )
                    yield at(argument, "dataflow", message)
                changed.add(used.spelling)
    for name, accesses in uses.items():
        if accesses != [True, False]:
            message = f"{name} is not written by one call and then read by one other"
            yield at(channels[name], "dataflow", message)


def _is_expression(argument: Cursor, formal: cindex.Type) -> bool:
    """Whether an argument is neither a variable, nor a constant, nor a member that is no number.

    The number in a member is read in the region before the call: that is an expression, too.
    """
    inner = unwrapped(argument)
    if inner.kind == Kind.MEMBER_REF_EXPR and not _scalar(formal):
        while inner.kind == Kind.MEMBER_REF_EXPR:
            inner = next((unwrapped(child) for child in inner.get_children()), inner)
    return inner.kind not in (Kind.DECL_REF_EXPR, Kind.CXX_THIS_EXPR) and not is_constant(inner)


def _shared_value(formal: cindex.Type) -> bool:
    """Whether a parameter is a number that the callee changes in its caller."""
    inner = formal.get_canonical()
    if inner.kind != Type.LVALUEREFERENCE or is_const(inner.get_pointee()):
        return False
    return inner.get_pointee().get_canonical().kind not in (Type.CONSTANTARRAY, Type.RECORD)


def _computes(cursor: Cursor) -> bool:
    """Whether a call does something: default constructors of plain structures do not."""
    if cursor.kind != Kind.CALL_EXPR:
        return False
    called = cursor.referenced
    return called is None or not called.is_default_constructor()


def _written(formal: cindex.Type) -> bool:
    """Whether a parameter lets the callee write its argument."""
    inner = formal.get_canonical()
    if inner.kind == Type.CONSTANTARRAY:
        return not is_const(inner)
    if inner.kind not in (Type.POINTER, Type.LVALUEREFERENCE):
        return False
    return not is_const(inner.get_pointee())
