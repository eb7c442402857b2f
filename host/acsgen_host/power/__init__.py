"""Power and energy of inferences: sensors, the protocol of a measurement, intervals, a model.

    from acsgen_host.power import Inferences, Ina, Plan, Recorder, Setting, measure

    source = Ina("ina226", bus=1, shunt_ohm=0.01, scope="12 V input of the board")
    settings = [Setting("as trained", accelerator.reset_thresholds)]
    points, trace, timeline = measure(
        Inferences(accelerator, images), Recorder(source), settings, Plan()
    )
    print(points[0].energy.net.value, points[0].energy.net.resolved)

``evaluate`` takes any trace and the times of the loops.  Every figure belongs to a scope, the part
of the board that the sensor sees, which the trace carries with it.
"""

from .align import Alignment, Chip, align
from .csvfile import read_csv
from .i2c import Ina
from .meters import Scpi, SerialMeter
from .model import EnergyModel, counts_of, fit, literature_model
from .protocol import Plan, Point, Setting, Timeline, measure, points_of, run_timeline
from .rails import PynqRail
from .source import Recorder, Source
from .sources import open_source, parse
from .statistics import Energy, Estimate, Repeat, estimate, evaluate, student_t
from .synthetic import BANNER, SyntheticBench
from .sysfs import Hwmon, Iio
from .trace import SourceInfo, Trace, make_trace
from .workload import Inferences, Loop, Workload

__all__ = [
    "BANNER",
    "Alignment",
    "Chip",
    "Energy",
    "EnergyModel",
    "Estimate",
    "Hwmon",
    "Iio",
    "Ina",
    "Inferences",
    "Loop",
    "Plan",
    "Point",
    "PynqRail",
    "Recorder",
    "Repeat",
    "Scpi",
    "SerialMeter",
    "Setting",
    "Source",
    "SourceInfo",
    "SyntheticBench",
    "Timeline",
    "Trace",
    "Workload",
    "align",
    "counts_of",
    "estimate",
    "evaluate",
    "fit",
    "literature_model",
    "make_trace",
    "measure",
    "open_source",
    "parse",
    "points_of",
    "read_csv",
    "run_timeline",
    "student_t",
]
