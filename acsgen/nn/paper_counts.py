"""Operations of a static network as the papers count them, beside acsgen's own rule.

acsgen counts multiply-accumulates (:mod:`acsgen.nn.mac_counter`). The papers count more or less:

* ``acs`` (ACS, 2023): 2 for a multiply-accumulate, 1 for the bias of a linear layer, 2 for an
  element behind BatchNorm, 1 for one behind ReLU, the window's pixels for an element behind a pool,
  nothing for additions; the shortcut of a block that changes the shape counts four times, because
  the module hangs in four places of their counter. With it the published 0.67313 GFLOPs of ResNet38
  and 0.06965 GFLOPs of DenseNet41 come out.
* ``ddi`` (DDI, 2020): 2 for a multiply-accumulate, nothing else.

Gates are not counted: the papers disagree with themselves about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from acsgen.nn.calls import CallMode
from acsgen.nn.gate_parts import gate_modules
from acsgen.nn.mac_counter import MacCounter

#: The papers whose counting is known.
Rule = Literal["acs", "ddi"]

#: How often ACS's counter visits a shortcut.
_SHORTCUT_VISITS = 4
_SHORTCUT = "downsample"
_NORMS = ("_native_batch_norm_legit_no_training", "native_batch_norm", "cudnn_batch_norm")
_POOLS = ("max_pool2d_with_indices", "avg_pool2d")


@dataclass(frozen=True)
class PaperCount:
    """A static network in a paper's units.

    Attributes:
        rule: whose counting it is.
        operations: of one image.
        by_kind: the same by kind of layer.
    """

    rule: Rule
    operations: int
    by_kind: dict[str, int]


def paper_count(network: nn.Module, example: Tensor, rule: Rule) -> PaperCount:
    """Count a network without the work of its gates.

    Args:
        network: with its gates or without; one that :class:`MacCounter` takes.
        example: one image.
        rule: whose counting.
    """
    of_gates = {id(module) for module in gate_modules(network, MacCounter(network))}
    gates = {path for path, module in network.named_modules() if id(module) in of_gates}
    listener = _Listener(network, gates)
    listener.watch(example)
    kinds = listener.doubled if rule == "ddi" else listener.counts
    return PaperCount(rule, sum(kinds.values()), dict(kinds))


class _Listener(CallMode):  # type: ignore[no-untyped-call]
    """Counts every operator of one forward pass, by the module that runs."""

    def __init__(self, network: nn.Module, gates: set[str]) -> None:
        super().__init__(network)
        self._gates = gates
        self.counts: Counter[str] = Counter()
        self.doubled: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        path = self.calls[-1][0].split("@")[0] if self.calls else ""
        if not any(path == gate or path.startswith(f"{gate}.") for gate in self._gates):
            self._count(func._overloadpacket.__name__, args, result, path)
        return result

    def _count(self, name: str, args: tuple[Any, ...], result: Any, path: str) -> None:
        visits = _SHORTCUT_VISITS if _SHORTCUT in path.split(".") else 1
        for kind, matches, count in _KINDS:
            if matches(name, args):
                out = result[0] if isinstance(result, tuple) else result
                operations = count(args, out)
                self.counts[kind] += visits * operations
                if kind in ("convolutions", "linear"):
                    bias = out.numel() if kind == "linear" and name == "addmm" else 0
                    self.doubled[kind] += operations - bias


def _pixels(size: Any) -> int:
    rows, columns = (size[0], size[-1]) if isinstance(size, (list, tuple)) else (size, size)
    return int(rows * columns)


def _mean_of_map(name: str, args: tuple[Any, ...]) -> bool:
    return name == "mean" and args[0].dim() == 4


#: Kind, which operators it is (by name and arguments), and its operations.
_KINDS: tuple[
    tuple[str, Callable[[str, Any], bool], Callable[[Any, Tensor], int]],
    ...,
] = (
    (
        "convolutions",
        lambda name, args: name == "convolution",
        lambda args, out: 2 * out.numel() * args[1][0].numel(),
    ),
    (
        "linear",
        lambda name, args: name in ("addmm", "mm"),
        lambda args, out: (
            2 * out.numel() * args[-1].shape[0] + (out.numel() if len(args) > 2 else 0)
        ),
    ),
    ("norms", lambda name, args: name in _NORMS, lambda args, out: 2 * out.numel()),
    (
        "activations",
        lambda name, args: name in ("relu", "relu_", "hardtanh"),
        lambda args, out: out.numel(),
    ),
    (
        "pools",
        lambda name, args: name in _POOLS,
        lambda args, out: out.numel() * _pixels(args[1]),
    ),
    ("pools", _mean_of_map, lambda args, out: args[0].numel()),
)
