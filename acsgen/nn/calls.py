"""The calls of one forward pass: their names, their multiplications, the results that they read.

A module may be called several times in one pass: a gate, or a whole gating network, that several
blocks share. Everything that is said about a network's layers and gates is therefore said by call
(:func:`call_name`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from acsgen.ir.gating import Step, gate_work
from acsgen.nn.gates.gate import ChannelGate

#: Parts of the names of operators that multiply, but that PyTorch's table does not price: whole
#: recurrent layers, and some forms of attention. They are refused, not counted as nothing.
_UNPRICED = ("rnn", "scaled_dot_product")
_LABELS = {"convolution": "conv", "addmm": "linear", "mm": "linear", "channel_gate": "gate"}


def call_name(path: str, number: int = 0) -> str:
    """Name of a module's call, as ``torch.export`` names it.

    Args:
        path: of the module in the network. A module that hangs in several places goes by the first,
            which is the one that ``named_modules()`` gives.
        number: how many calls of the module came before this one in the same forward pass.

    Returns:
        ``path`` for the first call, then ``path@1``, ``path@2``, ...
    """
    return f"{path}@{number}" if number else path


@contextmanager
def named_calls(
    model: nn.Module,
    modules: Iterable[nn.Module],
    before: Callable[[str, nn.Module], object] | None = None,
    after: Callable[[str, nn.Module, Any, Any], object] | None = None,
) -> Iterator[None]:
    """While entered, tell of every call of some modules of ``model``, under its name.

    Works through hooks, so that an exported graph is unaffected. Counting starts again with every
    call of ``model`` itself.

    Args:
        model: the network.
        modules: those of its modules whose calls are of interest.
        before: called with name and module when the call begins.
        after: called with name, module, arguments and result when it has ended.
    """
    wanted = {id(module) for module in modules}
    running: list[str] = []
    counts: Counter[str] = Counter()

    def begin(path: str) -> Callable[[nn.Module, Any], None]:
        def hook(module: nn.Module, _: Any) -> None:
            name = call_name(path, counts[path])
            counts[path] += 1
            running.append(name)
            if before is not None:
                before(name, module)

        return hook

    def end(module: nn.Module, arguments: Any, result: Any) -> None:
        name = running.pop()
        if after is not None:
            after(name, module, arguments, result)

    def restart(*_: Any) -> None:
        counts.clear()
        running.clear()

    handles = [model.register_forward_pre_hook(restart)]
    for path, module in model.named_modules():
        if id(module) in wanted:
            handles.append(module.register_forward_pre_hook(begin(path)))
            handles.append(module.register_forward_hook(end))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class Operation:
    """A multiplication by weights, or the decision of a gate, as one forward pass executed it.

    Attributes:
        name: that of the module's call (:func:`call_name`); where one call executes several
            operations, the further ones have the name of their operator appended.
        module: the innermost module whose call executed it.
        macs: multiply-accumulates per image, nothing skipped and all taps counted; 0 for a
            decision.
        decides: whether it is the decision of a gate.
        for_gates: whether it works for gates (:mod:`acsgen.ir.gating`).
        outs: output channels of a convolution, or outputs of a linear layer.
        ins: its input channels, or inputs.
        groups: number of groups of its channels.
        kernel: weights that connect an input with an output channel of its group.
        height: rows of its result, 1 of a vector.
        width: columns of its result, 1 of a vector.
        path: of the module, which is ``name`` without the number of the call.
    """

    name: str
    module: nn.Module
    macs: int
    decides: bool
    for_gates: bool
    outs: int
    ins: int
    groups: int
    kernel: int = 1
    height: int = 1
    width: int = 1
    path: str = ""


def trace_operations(model: nn.Module, example: Tensor) -> tuple[Operation, ...]:
    """The operations of a forward pass in eval mode, in execution order.

    An operation on which no output of the network depends is left out: no accelerator would
    execute it.

    Args:
        model: on any device; the training modes of its modules are restored.
        example: a batch, on the same device.

    Raises:
        TypeError: an operator whose multiplications cannot be counted.
    """
    tracer = _Tracer(model, len(example))
    return tracer.operations(tracer.watch(example))


class CallMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operator of one forward pass, and the calls that are running.

    Args:
        model: on any device.

    Attributes:
        calls: names and modules of the calls that are running, the innermost last.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.model = model
        self.calls: list[tuple[str, nn.Module]] = []

    def watch(self, example: Tensor) -> Any:
        """Run the model on a batch and return its output; its training modes are restored."""
        modes = [(module, module.training) for module in self.model.modules()]
        named = named_calls(
            self.model,
            self.model.modules(),
            before=lambda name, module: self.calls.append((name, module)),
            after=lambda *_: self.calls.pop(),
        )
        self.model.eval()
        try:
            # In inference mode a convolution arrives as an operator that no table has.
            with torch.inference_mode(False), torch.no_grad(), named, self:
                return self.model(example)
        finally:
            for module, training in modes:
                module.training = training


@dataclass(frozen=True)
class _Found:
    """An operation of which it is not known yet whether it works for gates."""

    module: nn.Module
    macs: int
    decides: bool
    reads: frozenset[str]
    sizes: tuple[int, int, int, int, int, int]
    path: str


class _Tracer(CallMode):  # type: ignore[no-untyped-call]
    """Follows every operator of a forward pass.

    For each tensor it keeps the names of the operations whose results went into it since the last
    operation. It keeps them by storage: a view shares its storage with its base, and an in-place
    operator writes to that of its argument.
    """

    def __init__(self, model: nn.Module, images: int) -> None:
        super().__init__(model)
        self._images = images
        self._found: dict[str, _Found] = {}
        self._sources: dict[int, frozenset[str]] = {}
        self._kept: list[Tensor] = []

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        reads = self._of(_tensors((args, kwargs)))
        decides = func is torch.ops.acsgen.channel_gate.default
        macs = self._macs(func, args, kwargs, result)
        made = reads
        if decides or macs:
            name = self._name(func, decides)
            call, module = self.calls[-1]
            sizes = _sizes(func, args, result)
            self._found[name] = _Found(module, macs, decides, reads, sizes, call.split("@")[0])
            made = frozenset((name,))
        if made:
            for tensor in (*_tensors(result), *_tensors(_written(func, args, kwargs))):
                self._add(tensor, made)
        return result

    def operations(self, output: Any) -> tuple[Operation, ...]:
        """The operations found, as far as the network's output needs them."""
        outputs = self._of(_tensors(output))
        live = set(outputs)
        for name, found in reversed(self._found.items()):
            if name in live:
                live |= found.reads
        kept = {name: found for name, found in self._found.items() if name in live}
        steps = [Step(name, tuple(found.reads), found.decides) for name, found in kept.items()]
        for_gates = gate_work(steps, outputs)
        return tuple(
            Operation(
                name,
                found.module,
                found.macs,
                found.decides,
                name in for_gates,
                *found.sizes,
                path=found.path,
            )
            for name, found in kept.items()
        )

    def _macs(self, func: Any, args: Any, kwargs: Any, result: Any) -> int:
        """Per image, after PyTorch's own table, which counts two operations for one MAC."""
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            return int(formula(*args, **kwargs, out_val=result)) // (2 * self._images)
        name = func._overloadpacket.__name__
        if any(word in name for word in _UNPRICED):
            where = self.calls[-1][0] or type(self.model).__name__
            raise TypeError(
                f"{where}: the multiplications of {name} cannot be counted; "
                "compute it with linear layers"
            )
        return 0

    def _name(self, func: Any, decides: bool) -> str:
        call, module = self.calls[-1]
        label = func._overloadpacket.__name__
        label = _LABELS.get(label, label)
        name = call
        if decides != isinstance(module, ChannelGate) or name in self._found or not name:
            name = f"{call}.{label}" if call else label
        base, number = name, 0
        while name in self._found:
            number += 1
            name = f"{base}_{number}"
        return name

    def _of(self, tensors: Iterable[Tensor]) -> frozenset[str]:
        return frozenset().union(*(self._sources.get(_storage(t), ()) for t in tensors))

    def _add(self, tensor: Tensor, names: frozenset[str]) -> None:
        self._kept.append(tensor)  # so that no other tensor gets its storage
        key = _storage(tensor)
        self._sources[key] = self._sources.get(key, frozenset()) | names


def _sizes(func: Any, args: tuple[Any, ...], result: Any) -> tuple[int, int, int, int, int, int]:
    """Outputs, inputs, groups, weights of a kernel, rows and columns of the result."""
    if func is torch.ops.aten.convolution.default:
        weight, groups = args[1], args[8]
        height, width = (*result.shape[2:], 1)[:2]
        return weight.shape[0], args[0].shape[1], groups, weight[0, 0].numel(), height, width
    matrices = {torch.ops.aten.addmm.default: 1, torch.ops.aten.mm.default: 0}
    if func in matrices:
        return result.shape[1], args[matrices[func]].shape[1], 1, 1, 1, 1
    return 0, 0, 1, 1, 1, 1


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """The arguments that an operator writes to."""
    names = [argument.name for argument in func._schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    return [
        given[argument.name]
        for argument in func._schema.arguments
        if argument.alias_info is not None
        and argument.alias_info.is_write
        and argument.name in given
    ]


def _tensors(values: Any) -> list[Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, Tensor)]


def _storage(tensor: Tensor) -> int:
    key: int = tensor.untyped_storage()._cdata
    return key
