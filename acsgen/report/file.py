"""``report.json``: the one writer and the one reader of a build's report."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from acsgen_host.files import read_file
from acsgen_host.jsontext import load_json, without_noise
from pydantic import TypeAdapter, ValidationError

from acsgen.report.data import Report
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error

REPORT_FILE = "report.json"

_REPORT = TypeAdapter(Report)


def rounded(report: Report) -> Report:
    """Return the report without the noise of floating-point sums: 4280 for 4279.999999999986."""
    return _REPORT.validate_python(without_noise(_REPORT.dump_python(report, by_alias=True)))


def write_report(folder: Path, report: Report) -> None:
    """Write ``report.json`` into ``folder``."""
    content = _REPORT.dump_python(report, by_alias=True)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8")


def replace_report(folder: Path, report: Report) -> None:
    """Put a report in place of that of a build; the old one stays whole if that fails."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".report.") as scratch:
        write_report(Path(scratch), report)
        (Path(scratch) / REPORT_FILE).replace(folder / REPORT_FILE)


def read_report(folder: Path) -> Report:
    """Return the report of a build directory.

    Raises:
        UserError: it is missing, or it is no report; with everything that is wrong with it.
    """
    path = folder / REPORT_FILE
    try:
        content = read_file(path)
        load_json(content)
        report = _REPORT.validate_json(content, strict=True)
        if report.clock_mhz <= 0:  # times are divided by it
            raise ValueError(f"clock_mhz is {report.clock_mhz:g}")
        return report
    except OSError as error:
        raise UserError(
            Problem(str(path), f"cannot be read: {plain_os_error(error)}", "give a build directory")
        ) from error
    except ValidationError as error:
        raise UserError(
            [
                Problem(
                    ": ".join([str(path), ".".join(map(str, e["loc"]))]).removesuffix(": "),
                    f"is no report: {e['msg'][0].lower()}{e['msg'][1:]}",
                    "build it again",
                )
                for e in error.errors()
            ]
        ) from error
    except ValueError as error:
        raise UserError(Problem(str(path), f"is no report: {error}", "build it again")) from error
