"""Model files become exported programs.

:mod:`acsgen.importers.load` opens a file, of a kind that each other module here reads, and
:mod:`acsgen.importers.exported` runs what it holds node by node.
"""
