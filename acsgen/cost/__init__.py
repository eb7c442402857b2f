"""The cost of a program (cycles, bytes moved, multiply-accumulates) and the size of an engine.

:mod:`acsgen.cost.timing` has the engine's loops as formulas, :mod:`acsgen.cost.walk` the state that
they depend on, and :mod:`acsgen.cost.cycles` the figures.  Which loops an instruction runs is said
by the compiler's part of its kind of layer.  :mod:`acsgen.cost.resources` estimates the engine's
size.
"""
