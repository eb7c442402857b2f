"""Everything that crosses the bus between a host and an engine.

* :mod:`acsgen.program.program`: instructions, parameters, and their description for a host.
* :mod:`acsgen.program.result`: the result buffer; :mod:`acsgen.program.map_format`: maps in it.
* :mod:`acsgen.program.engine_config`, :mod:`acsgen.program.board`: the engine and its board.

How images, thresholds, logits and masks lie in words is the driver's to say, in
:mod:`acsgen_host.words`: a build carries the driver, and both must agree.
"""
