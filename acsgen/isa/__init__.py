"""The instruction set: the specification ``hw/spec/engine.yaml`` and everything rendered from it.

* :mod:`acsgen.isa.spec` loads and validates the specification and computes its version hash.
* :mod:`acsgen.isa.render` renders the C++ header, the SystemVerilog package, the Python encoder,
  the host constants and the reference page; ``python -m acsgen.isa`` writes them and ``--check``
  fails when one is stale.
* :mod:`acsgen.isa.generated` is the rendered Python: enums, ``Instruction``, ``Record``, registers.

This package imports nothing by itself, and the renderer imports nothing that is rendered: it works
when the rendered files are stale, broken or missing.
"""
