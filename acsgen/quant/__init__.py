"""Quantization: the layer graph becomes the integer graph, and the integer graph can be run.

* :mod:`acsgen.quant.calibrate` measures ranges, :mod:`acsgen.quant.quantize` chooses integers.
* :mod:`acsgen.quant.golden` runs an integer graph: the golden model that every executor must equal.
* :mod:`acsgen.quant.thresholds` makes gate thresholds: from an alpha, or to force masks.
"""
