"""The report of a build: :mod:`~acsgen.report.data` defines it, the others show or keep it."""
