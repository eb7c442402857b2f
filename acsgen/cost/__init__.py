"""The cost of a program (counters of the engines, multiply-accumulates) and the size of an engine.

:mod:`acsgen.cost.rounds` says how work is dealt to the lanes, :mod:`acsgen.cost.walk` has the state
that costs depend on, and :mod:`acsgen.cost.counters` the figures.  The counters of an instruction
are stated by the compiler's part of its kind of layer.  :mod:`acsgen.cost.resources` estimates the
engine's size.  Cycles are counted by simulations (:mod:`acsgen.engines`).
"""
