"""The place of an operation in the user's source, from the stack trace that an export keeps."""

from __future__ import annotations

import re

from torch import fx

#: Not of code that was generated, whose file is named ``<eval_with_key>.7``.
FRAME = re.compile(r'File "([^"<\n][^"\n]*)", line (\d+)')
#: PyTorch's own layers have a path in the network, which says more than a line of PyTorch's source.
_IN_TORCH = re.compile(r"[/\\_]torch[/\\_](nn|_\w+|functional)")


def source_line(trace: str) -> str:
    """Return ``net.py:12`` for the innermost line of ``trace``; "" if there is none, or torch's."""
    frames = FRAME.findall(trace)
    if not frames or _IN_TORCH.search(frames[-1][0]):
        return ""
    file, line = frames[-1]
    name = file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}:{line}"


def module_path(node: fx.Node) -> str:
    """Path of the user's module that a node belongs to; "" at the top level or unknown."""
    stack = node.meta.get("nn_module_stack") or {}
    if not stack:
        return ""
    path = str(list(stack.values())[-1][0])
    path = re.sub(r"^(L\['self'\]|L__self__)\.?", "", path)
    return re.sub(r"@\d+", "", path)


def call_path(node: fx.Node) -> str:
    """Name of the module's call that a node belongs to: ``path`` for the first call of the module,
    then ``path@1``, ``path@2``, ... (:func:`acsgen.nn.calls.call_name`)."""
    stack = node.meta.get("nn_module_stack") or {}
    number = re.search(r"@\d+$", str(list(stack)[-1])) if stack else None
    return module_path(node) + (number.group() if number else "")


def place(node: fx.Node) -> str:
    """Module path, and the line of the source for a functional operation, for messages."""
    path, line = module_path(node), source_line(str(node.meta.get("stack_trace") or ""))
    if not line:
        return path or "forward"
    return f"{path} ({line})" if path else line
