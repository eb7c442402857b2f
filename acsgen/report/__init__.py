"""What a build reports: :mod:`~acsgen.report.data` is the report, the others show or keep it."""
