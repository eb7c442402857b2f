"""The pragmas that Vitis HLS knows (UG1399), and the reading of one ``#pragma HLS`` line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_OPTION = re.compile(r"\s*([A-Za-z_][\w.]*)(?:\s*=\s*([^\s=]+))?")

# Kinds of option values, beside a set of words.
NATURAL = "a whole number"
POSITIVE = "a positive number"
REAL = "a number"
NAME = "a name"
TEXT = "a word"

Kind = str | frozenset[str]


def _one_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


@dataclass(frozen=True)
class Directive:
    """Options of one directive: by name the kind of value; ``flags`` stand without a value."""

    options: Mapping[str, Kind] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    #: Where it may stand: "function", "loop" (head of a body), "scope" (anywhere in a function).
    place: frozenset[str] = frozenset({"scope"})


_TRUE = _one_of("true")
_BOOLEAN = _one_of("true false")
_PARTITION: Mapping[str, Kind] = {
    "variable": NAME,
    "type": _one_of("cyclic block complete"),
    "factor": POSITIVE,
    "dim": NATURAL,
    "off": _TRUE,
}

DIRECTIVES: Mapping[str, Directive] = {
    "AGGREGATE": Directive(
        {"variable": NAME, "compact": _one_of("bit byte none auto")}, required=_one_of("variable")
    ),
    "ALLOCATION": Directive(
        {"instances": NAME, "limit": POSITIVE},
        flags=_one_of("function operation"),
        required=_one_of("instances limit"),
    ),
    "ARRAY_PARTITION": Directive(
        _PARTITION, flags=_one_of("cyclic block complete"), required=_one_of("variable")
    ),
    "ARRAY_RESHAPE": Directive(
        {**_PARTITION, "object": _TRUE},
        flags=_one_of("cyclic block complete object"),
        required=_one_of("variable"),
    ),
    "BIND_OP": Directive(
        {
            "variable": NAME,
            "op": _one_of("add sub mul fadd fsub fmul fdiv dadd dsub dmul ddiv facc fmacc"),
            "impl": _one_of("dsp fabric meddsp fulldsp maxdsp primitivedsp auto none"),
            "latency": NATURAL,
        },
        required=_one_of("variable op"),
    ),
    "BIND_STORAGE": Directive(
        {
            "variable": NAME,
            "type": _one_of("fifo ram_1p ram_1wnr ram_2p ram_s2p ram_t2p rom_1p rom_2p rom_np"),
            "impl": _one_of("bram bram_ecc lutram uram uram_ecc srl memory auto"),
            "latency": NATURAL,
        },
        required=_one_of("variable type"),
    ),
    "CACHE": Directive(
        {"port": NAME, "lines": POSITIVE, "depth": POSITIVE, "ways": POSITIVE, "users": POSITIVE},
        required=_one_of("port"),
        place=_one_of("function"),
    ),
    "DATAFLOW": Directive(
        flags=_one_of("disable_start_propagation"), place=_one_of("function loop")
    ),
    "DEPENDENCE": Directive(
        {
            "variable": NAME,
            "class": _one_of("array pointer"),
            "type": _one_of("inter intra"),
            "direction": _one_of("RAW WAR WAW"),
            "distance": POSITIVE,
            "dependent": _BOOLEAN,
        },
        flags=_one_of("inter intra array pointer RAW WAR WAW true false"),
    ),
    "DISAGGREGATE": Directive({"variable": NAME}, required=_one_of("variable")),
    "EXPRESSION_BALANCE": Directive(flags=_one_of("off")),
    "FUNCTION_INSTANTIATE": Directive({"variable": NAME}, required=_one_of("variable")),
    "INLINE": Directive(flags=_one_of("off recursive"), place=_one_of("function")),
    "INTERFACE": Directive(
        {
            "mode": _one_of(
                "m_axi s_axilite axis ap_none ap_vld ap_ack ap_hs ap_ovld ap_memory bram ap_fifo "
                "ap_ctrl_none ap_ctrl_hs ap_ctrl_chain ap_stable"
            ),
            "port": NAME,
            "bundle": NAME,
            "offset": TEXT,
            "depth": POSITIVE,
            "latency": NATURAL,
            "name": NAME,
            "clock": NAME,
            "channel": TEXT,
            "register_mode": _one_of("both forward reverse off"),
            "num_read_outstanding": POSITIVE,
            "num_write_outstanding": POSITIVE,
            "max_read_burst_length": POSITIVE,
            "max_write_burst_length": POSITIVE,
            "max_widen_bitwidth": NATURAL,
            "storage_type": TEXT,
            "storage_impl": _one_of("bram uram lutram auto"),
        },
        flags=_one_of("register"),
        required=_one_of("mode port"),
        place=_one_of("function"),
    ),
    "LATENCY": Directive({"min": NATURAL, "max": NATURAL}),
    "LOOP_FLATTEN": Directive(flags=_one_of("off"), place=_one_of("loop")),
    "LOOP_MERGE": Directive(flags=_one_of("force")),
    "LOOP_TRIPCOUNT": Directive(
        {"min": NATURAL, "max": POSITIVE, "avg": NATURAL},
        required=_one_of("max"),
        place=_one_of("loop"),
    ),
    "OCCURRENCE": Directive({"cycle": POSITIVE}, flags=_one_of("off")),
    "PERFORMANCE": Directive(
        {"target_ti": REAL, "target_tl": REAL, "assume_ti": REAL, "assume_tl": REAL}
        | {"unit": _one_of("cycle sec"), "scope": TEXT},
        place=_one_of("function loop"),
    ),
    "PIPELINE": Directive(
        {"II": POSITIVE, "style": _one_of("stp frp flp")},
        flags=_one_of("off rewind"),
        place=_one_of("function loop"),
    ),
    "PROTOCOL": Directive(
        {"mode": _one_of("floating fixed")}, flags=_one_of("floating fixed"), place=_one_of("scope")
    ),
    "RESET": Directive({"variable": NAME, "off": _TRUE}, flags=_one_of("off")),
    "STABLE": Directive({"variable": NAME}, required=_one_of("variable")),
    "STREAM": Directive(
        {
            "variable": NAME,
            "depth": POSITIVE,
            "type": _one_of("fifo pipo shared unsync"),
            "off": _TRUE,
        },
        flags=_one_of("off"),
        required=_one_of("variable"),
    ),
    "TOP": Directive({"name": NAME}, place=_one_of("function")),
    "UNROLL": Directive(
        {"factor": POSITIVE, "off": _TRUE},
        flags=_one_of("skip_exit_check"),
        place=_one_of("loop"),
    ),
}

#: Storage types, each with its possible implementations; Vitis ignores a pragma with another pair.
_STORAGE_IMPL = {
    "fifo": _one_of("bram lutram uram srl memory auto"),
    "ram_1wnr": _one_of("bram lutram uram auto"),
    "ram_1p": _one_of("bram lutram uram auto"),
    "ram_2p": _one_of("bram lutram uram auto"),
    "ram_s2p": _one_of("bram bram_ecc lutram uram uram_ecc auto"),
    "ram_t2p": _one_of("bram uram auto"),
    "rom_1p": _one_of("bram lutram auto"),
    "rom_2p": _one_of("bram lutram auto"),
    "rom_np": _one_of("bram lutram auto"),
}


@dataclass(frozen=True)
class Pragma:
    """One ``#pragma HLS`` line: upper-case directive, ``key=value`` options, bare flags."""

    line: int
    directive: str
    options: Mapping[str, str]
    flags: tuple[str, ...]

    @property
    def partition(self) -> str:
        """How an array is partitioned; Vitis' default is complete."""
        bare = [f for f in self.flags if f in ("cyclic", "block", "complete")]
        return self.options.get("type", bare[0] if bare else "complete")


def parse_pragma(line: int, text: str, constants: Mapping[str, int]) -> tuple[Pragma, list[str]]:
    """Read the text behind ``#pragma HLS``; return the pragma, and its faults in words.

    Where an option is a number, the name of one of the ``constants`` stands for its value.
    """
    directive, _, rest = text.strip().partition(" ")
    kinds = DIRECTIVES[directive].options if directive in DIRECTIVES else {}
    options: dict[str, str] = {}
    flags: list[str] = []
    problems: list[str] = []
    position = 0
    while rest[position:].strip():
        match = _OPTION.match(rest, position)
        if match is None:
            problems.append(f"cannot read {rest[position:].strip()!r}")
            break
        position = match.end()
        name, value = match.groups()
        if name in options or name in flags:
            problems.append(f"{name} is given twice")
        if value is None:
            flags.append(name)
        elif kinds.get(name) in (NATURAL, POSITIVE) and value in constants:
            options[name] = str(constants[value])
        else:
            options[name] = value
    pragma = Pragma(line, directive, options, tuple(flags))
    return pragma, problems + list(_problems(pragma))


def _problems(pragma: Pragma) -> Iterator[str]:
    known = DIRECTIVES.get(pragma.directive)
    if known is None:
        yield f"unknown directive {pragma.directive!r}"
        return
    for flag in pragma.flags:
        if flag not in known.flags:
            needs = " needs a value" if flag in known.options else " is not its option"
            yield f"{pragma.directive}: {flag}{needs}"
    for name, value in pragma.options.items():
        if name not in known.options:
            yield f"{pragma.directive}: {name} is not its option"
        elif not _fits(value, known.options[name]):
            kind = known.options[name]
            wanted = kind if isinstance(kind, str) else " or ".join(sorted(kind))
            yield f"{pragma.directive}: {name}={value} is not {wanted}"
    for name in sorted(known.required - pragma.options.keys()):
        yield f"{pragma.directive}: {name} is missing"
    yield from _combinations(pragma)


def _combinations(pragma: Pragma) -> Iterator[str]:
    """Options that must agree with each other."""
    options = pragma.options
    if pragma.directive in ("ARRAY_PARTITION", "ARRAY_RESHAPE"):
        if pragma.partition == "complete" and "factor" in options:
            yield f"{pragma.directive}: complete takes no factor"
        if pragma.partition != "complete" and "factor" not in options:
            yield f"{pragma.directive}: {pragma.partition} needs a factor"
    if pragma.directive in ("LOOP_TRIPCOUNT", "LATENCY"):
        counts = [options[key] for key in ("min", "avg", "max") if key in options]
        if all(c.isdecimal() for c in counts) and sorted(counts, key=int) != counts:
            yield f"{pragma.directive}: min, avg and max are not in order"
    if pragma.directive == "BIND_STORAGE":
        allowed = _STORAGE_IMPL.get(options.get("type", ""))
        impl = options.get("impl", "auto")
        if allowed is not None and impl not in allowed:
            yield f"BIND_STORAGE: {options['type']} cannot be made of {impl}"
    if pragma.directive == "INTERFACE" and options.get("mode") == "m_axi":
        offset = options.get("offset", "slave")
        if offset not in ("slave", "direct", "off"):
            yield f"INTERFACE: offset={offset} of m_axi is not slave, direct or off"


def _fits(value: str, kind: Kind) -> bool:
    if isinstance(kind, frozenset):
        return value in kind
    if kind == NATURAL:
        return value.isdecimal()
    if kind == POSITIVE:
        return value.isdecimal() and int(value) > 0
    if kind == REAL:
        return re.fullmatch(r"\d+(\.\d+)?([eE][-+]?\d+)?", value) is not None
    if kind == NAME:
        return _NAME.fullmatch(value) is not None
    return True
