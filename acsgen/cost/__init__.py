"""What a program costs: cycles, bytes moved and multiply-accumulates, and what an engine takes.

:mod:`acsgen.cost.timing` has the engine's loops as formulas, :mod:`acsgen.cost.cycles` applies them
to a program and masks, :mod:`acsgen.cost.resources` estimates the engine's size.
"""
