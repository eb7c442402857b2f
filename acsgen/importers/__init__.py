"""Model files become exported programs.

:mod:`acsgen.importers.load` opens a file by the kind of its content, :mod:`acsgen.importers.pt2`
and :mod:`acsgen.importers.checkpoint` each read one kind.  Their result is defined by
:mod:`acsgen.importers.network`, and :mod:`acsgen.importers.exported` runs it node by node.
"""
