"""Where pragmas stand: in a function, at the head of a body, naming variables in scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clang import cindex

from acsgen.engines.lint.directives import DIRECTIVES, Pragma
from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.parse import LOOPS, Cursor, Kind, Unit, body_of, is_const, same, walk

Type = cindex.TypeKind


@dataclass(frozen=True)
class Body:
    """A compound statement, and its owner: a function, a loop, or None."""

    compound: Cursor
    owner: Cursor | None
    function: Cursor
    pragmas: tuple[Pragma, ...]

    @property
    def file(self) -> str:
        """Name of the file, without folder."""
        return Path(self.compound.location.file.name).name

    @property
    def is_loop(self) -> bool:
        """Whether it is the body of a loop."""
        return self.owner is not None and self.owner.kind in LOOPS

    @property
    def is_function(self) -> bool:
        """Whether it is the body of a function."""
        return same(self.owner, self.function)

    def find(self, directive: str) -> Pragma | None:
        """Return the first pragma of one directive that stands directly in this body."""
        return next((p for p in self.pragmas if p.directive == directive), None)


Pragmas = dict[str, list[Pragma]]


def bodies(unit: Unit, pragmas: Pragmas) -> list[Body]:
    """Return all compound statements of a unit, each with the pragmas directly inside."""
    found: list[Body] = []
    for function in unit.functions:
        file = Path(function.location.file.name).name
        compounds = list(_compounds(function, None))
        inner_first = sorted(compounds, key=lambda c: _lines(c[0]), reverse=True)
        held: dict[int, list[Pragma]] = {}
        for pragma in pragmas.get(file, []):
            for compound, _ in inner_first:
                start, end = _lines(compound)
                if start <= pragma.line <= end:
                    held.setdefault(compound.hash, []).append(pragma)
                    break
        for compound, owner in compounds:
            here = tuple(held.get(compound.hash, ()))
            found.append(Body(compound, owner, function, here))
    return found


def _lines(compound: Cursor) -> tuple[int, int]:
    # Later start or, on the same line, earlier end is further inside.
    return compound.extent.start.line, compound.extent.end.line


def _compounds(cursor: Cursor, owner: Cursor | None) -> Iterator[tuple[Cursor, Cursor | None]]:
    owning = body_of(cursor) if owner is None or cursor.kind in LOOPS else None
    for child in cursor.get_children():
        if child.kind == Kind.COMPOUND_STMT:
            yield child, cursor if same(owning, child) else None
        yield from _compounds(child, cursor)


def check_placement(units: list[Unit], found: list[Body], top: str) -> Iterator[Finding]:
    """Every pragma stands where its directive may, and names variables in scope."""
    shared = {d.spelling: d for u in units for d in u.declarations if d.kind == Kind.VAR_DECL}
    for body in found:
        for pragma in body.pragmas:
            for message in (*_place(body, pragma, top), *_names(shared, body, pragma)):
                yield Finding(body.file, pragma.line, "pragma-place", message)


def check_placed(found: list[Body], pragmas: Pragmas) -> Iterator[Finding]:
    """Every pragma stands in some function; ``found`` has the bodies of all units."""
    placed = {(body.file, pragma.line) for body in found for pragma in body.pragmas}
    for file, held in pragmas.items():
        for pragma in held:
            if (file, pragma.line) not in placed:
                message = f"{pragma.directive} stands outside every function body"
                yield Finding(file, pragma.line, "pragma-place", message)


def _place(body: Body, pragma: Pragma, top: str) -> Iterator[str]:
    known = DIRECTIVES.get(pragma.directive)
    if known is None:
        return
    allowed = known.place
    if "scope" not in allowed:
        here = "loop" if body.is_loop else "function" if body.is_function else "block"
        if here not in allowed:
            yield f"{pragma.directive} stands in a {here}, not in a {' or '.join(sorted(allowed))}"
        elif pragma.line > _first_work(body):
            yield f"{pragma.directive} stands behind the first statement of its {here}"
    if pragma.directive == "INTERFACE" and body.function.spelling != top:
        yield f"INTERFACE stands in {body.function.spelling}, not in the top function {top}"


def _first_work(body: Body) -> int:
    """Return the line of the first statement (a declaration is one, too) in a body."""
    first = next(iter(body.compound.get_children()), None)
    return int(body.compound.extent.end.line if first is None else first.extent.start.line)


def _names(shared: dict[str, Cursor], body: Body, pragma: Pragma) -> Iterator[str]:
    parameters = {p.spelling: p for p in body.function.get_arguments()}
    port = pragma.options.get("port")
    if port is not None and port not in parameters and port != "return":
        yield f"{pragma.directive}: {body.function.spelling} has no port {port}"
    name = pragma.options.get("variable")
    if name is None:
        return
    head, *members = name.split(".")
    declared = _visible(shared, body, pragma.line).get(head)
    if declared is None:
        yield f"{pragma.directive}: no variable {head} in scope"
        return
    kind = declared.type
    for member in members:
        fields = {f.spelling: f for f in _record(kind).get_fields()}
        if member not in fields:
            yield f"{pragma.directive}: {head} has no member {member}"
            return
        kind = fields[member].type
    if pragma.directive in ("ARRAY_PARTITION", "ARRAY_RESHAPE", "BIND_STORAGE"):
        yield from _array(pragma, name, kind)


def _record(kind: cindex.Type) -> cindex.Type:
    canonical = kind.get_canonical()
    while canonical.kind in (Type.LVALUEREFERENCE, Type.POINTER, Type.CONSTANTARRAY):
        array = canonical.kind == Type.CONSTANTARRAY
        canonical = canonical.element_type if array else canonical.get_pointee()
        canonical = canonical.get_canonical()
    return canonical


def _array(pragma: Pragma, name: str, kind: cindex.Type) -> Iterator[str]:
    """Check the variable's dimensions against those that the pragma names."""
    sizes: list[int] = []
    inner = kind.get_canonical()
    while inner.kind == Type.CONSTANTARRAY:
        sizes.append(inner.element_count)
        inner = inner.element_type.get_canonical()
    if not sizes:
        yield f"{pragma.directive}: {name} is not an array"
        return
    dim = pragma.options.get("dim", "1")
    if dim.isdecimal() and int(dim) > len(sizes):
        yield f"{pragma.directive}: {name} has {len(sizes)} dimensions, not {dim}"
    elif pragma.partition != "complete" and dim.isdecimal() and int(dim) > 0:
        factor = pragma.options.get("factor", "1")
        if factor.isdecimal() and int(factor) > sizes[int(dim) - 1]:
            yield f"{pragma.directive}: factor={factor} is more than {name} has"


def _visible(shared: dict[str, Cursor], body: Body, line: int) -> dict[str, Cursor]:
    """Return the variables that are in scope at ``line`` of a body, by name."""
    visible = shared | {p.spelling: p for p in body.function.get_arguments()}
    for cursor in walk(body.function):
        if cursor.kind != Kind.VAR_DECL or cursor.location.line > line:
            continue
        start, end = _scope(body.function, cursor)
        if start <= line <= end:
            visible[cursor.spelling] = cursor
    return visible


def _scope(function: Cursor, variable: Cursor) -> tuple[int, int]:
    """Return the lines of the innermost body or loop that holds a variable's declaration."""
    holders = [c for c in walk(function) if c.kind in (Kind.COMPOUND_STMT, *LOOPS)]
    offset = variable.location.offset
    around = [c for c in holders if c.extent.start.offset <= offset < c.extent.end.offset]
    inner = min(around, key=lambda c: c.extent.end.offset - c.extent.start.offset)
    return inner.extent.start.line, inner.extent.end.line


def check_interface(found: list[Body], top: str) -> Iterator[Finding]:
    """Every port of the top function has the pragmas that drivers and co-simulation need."""
    for body in found:
        if not body.is_function or body.function.spelling != top:
            continue
        interfaces = [p for p in body.pragmas if p.directive == "INTERFACE"]
        line = body.function.location.line
        control = {
            p.options.get("port") for p in interfaces if p.options.get("mode") == "s_axilite"
        }
        memory = {p.options.get("port"): p for p in interfaces if p.options.get("mode") == "m_axi"}
        ports = [parameter.spelling for parameter in body.function.get_arguments()]
        for port in (*ports, "return"):
            if port not in control:
                message = f"{port} has no s_axilite register"
                yield Finding(body.file, line, "interface", message)
        kinds = {p.spelling: p.type for p in body.function.get_arguments()}
        for port, pragma in memory.items():
            wanted = [*_PORT_OPTIONS, *_burst_options(kinds.get(port))]
            for option in wanted:
                if option not in pragma.options:
                    message = f"m_axi port {port} has no {option}"
                    yield Finding(body.file, pragma.line, "interface", message)
            complete = any(set(o) <= pragma.options.keys() for o in (_READ_OPTIONS, _WRITE_OPTIONS))
            if not wanted[len(_PORT_OPTIONS) :] and not complete:
                message = f"m_axi port {port} says neither how its reads burst nor its writes"
                yield Finding(body.file, pragma.line, "interface", message)


#: Options that every bus port has: its depth in co-simulation, its bus, the register of its address
#: and the cycles from a request to the first word, for which the schedule makes room.
_PORT_OPTIONS = ("depth", "bundle", "offset", "latency")
_READ_OPTIONS = ("max_read_burst_length", "num_read_outstanding")
_WRITE_OPTIONS = ("max_write_burst_length", "num_write_outstanding")


def _burst_options(kind: cindex.Type | None) -> tuple[str, ...]:
    """Return the options that say how long bursts may be, and how many may be on their way."""
    if kind is None or kind.kind != Type.POINTER:
        # An hls::burst_maxi does not tell in its type which way its words go: either will do.
        return ()
    return _READ_OPTIONS if is_const(kind.get_pointee()) else _WRITE_OPTIONS
