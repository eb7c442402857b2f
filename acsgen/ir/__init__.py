"""The two representations between the stages.

* :mod:`acsgen.ir.layers`: the *layer graph*, float, after folding and fusing.  The front end makes
  it.
* :mod:`acsgen.ir.integer`: the *integer graph*, the same layers with integer constants.  The
  quantizer makes it; its PyTorch executor is the golden model, and the compiler turns it into a
  program.

Both are frozen dataclasses in execution order.  A kind of layer is one file of
:mod:`acsgen.ir.kinds`, which has it in both, and states as data what such a layer may look like:
what it reads, shapes, formats, ranges (:mod:`acsgen.ir.grammar`).  One validator reads all of these
whenever a graph is built (:mod:`acsgen.ir.check`).
"""
