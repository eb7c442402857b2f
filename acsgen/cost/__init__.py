"""What a program costs: cycles, bytes moved and multiply-accumulates, and what an engine takes.

:mod:`acsgen.cost.timing` has the engine's loops as formulas, :mod:`acsgen.cost.walk` the state that
they depend on, and :mod:`acsgen.cost.cycles` the figures.  Which loops an instruction runs is said
by the compiler's part of its kind of layer.  :mod:`acsgen.cost.resources` estimates the engine's
size.
"""
