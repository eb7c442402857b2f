"""What the figures of a report show, as data: the page and the figures for papers draw the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, takewhile

from acsgen_host.simulation.csim import FULL_BANDWIDTH

from acsgen.isa.generated import LANES, WORD_BYTES
from acsgen.report.data import CountedCycles, ImageFigures, LayerFigures, Report

#: The engines by their keys in ``cycles``, as people read them.
ENGINES = {"hls": "HLS", "rtl": "RTL"}

#: Images of each kind whose masks are shown.
SHOWN_IMAGES = 3

#: Bars of a histogram at most.
MOST_BINS = 24


def simulated(report: Report) -> dict[str, CountedCycles]:
    """Return the cycles of the engines that were simulated, by :data:`ENGINES`."""
    found = {name: getattr(report.cycles, name) for name in ENGINES}
    return {name: counted for name, counted in found.items() if counted is not None}


@dataclass(frozen=True)
class Limits:
    """What an engine can do at best in a cycle.

    Attributes:
        macs: multiply-accumulates of all its lanes.
        bytes: that memory gives or takes.
    """

    macs: int
    bytes: float

    def cycles(self, macs: float, moved: float) -> tuple[float, float]:
        """Return the least cycles for so many MACs, and for so many bytes."""
        return macs / self.macs, moved / self.bytes


def limits(report: Report) -> Limits:
    """Return the limits of the engine behind the memory that was simulated."""
    counted = [*simulated(report).values()]
    bandwidth = counted[0].memory.bandwidth if counted else FULL_BANDWIDTH
    return Limits(report.engine.lane_groups * LANES, WORD_BYTES * bandwidth / FULL_BANDWIDTH)


@dataclass(frozen=True)
class LayerRow:
    """A layer, or the layers of one gate together.  Means over the images of the simulation.

    Attributes:
        name: the layer's; of a gate, what its layers' names have in common.
        layers: how many there are.
        for_gates: whether they work for gates alone.
        cycles: by engine; there is none where nothing was simulated.
        dense: likewise of the network without gates; none for a gate.
        macs: executed.
        bytes: moved to and from memory.
    """

    name: str
    layers: int
    for_gates: bool
    cycles: dict[str, float]
    dense: dict[str, float]
    macs: float
    bytes: float

    @property
    def label(self) -> str:
        """Its name, and how many layers stand behind it."""
        return f"{self.name} (gate, {self.layers} layers)" if self.layers > 1 else self.name


def layer_rows(report: Report) -> list[LayerRow]:
    """Return the layers in order of execution; those in a row that work for a gate are one."""
    rows = []
    for for_gates, group in groupby(report.layers, lambda layer: layer.for_gates):
        if for_gates:
            rows.append(_row([*group]))
        else:
            rows += [_row([layer]) for layer in group]
    return rows


def _row(layers: Sequence[LayerFigures]) -> LayerRow:
    def total(attribute: str) -> dict[str, float]:
        sums = {}
        for engine, name in (("hls", "cycles"), ("rtl", "cycles_rtl")):
            known = [getattr(layer, name + attribute) for layer in layers]
            if None not in known:
                sums[engine] = float(sum(known))
        return sums

    return LayerRow(
        name=_common_name([layer.layer for layer in layers]),
        layers=len(layers),
        for_gates=layers[0].for_gates,
        cycles=total(""),
        dense=total("_dense"),
        macs=sum(layer.macs_simulated for layer in layers),
        bytes=sum(layer.bytes_simulated for layer in layers),
    )


def _common_name(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    parts = zip(*(name.split(".") for name in names), strict=False)
    common = takewhile(lambda part: len(set(part)) == 1, parts)
    return ".".join(part[0] for part in common) or names[-1]


@dataclass(frozen=True)
class RoofPoint:
    """A layer in the roofline of an engine.

    Attributes:
        name: the layer's.
        engine: key of :data:`ENGINES`.
        intensity: multiply-accumulates a byte moved.
        rate: multiply-accumulates a cycle.
        cycles: it takes.
        for_gates: whether it works for gates.
    """

    name: str
    engine: str
    intensity: float
    rate: float
    cycles: float
    for_gates: bool


def roof_points(report: Report) -> list[RoofPoint]:
    """Return the layers with multiply-accumulates, the slowest last, so that they are seen."""
    points = [
        RoofPoint(
            layer.layer,
            engine,
            layer.macs_simulated / layer.bytes_simulated,
            layer.macs_simulated / cycles,
            cycles,
            layer.for_gates,
        )
        for layer in report.layers
        for engine, cycles in (("hls", layer.cycles), ("rtl", layer.cycles_rtl))
        if cycles and layer.macs_simulated > 0 and layer.bytes_simulated > 0
    ]
    return sorted(points, key=lambda point: point.cycles)


@dataclass(frozen=True)
class Histogram:
    """Cycles of the images on one engine.

    Attributes:
        engine: key of :data:`ENGINES`.
        edges: of the bars, one more than there are.
        counts: images in each bar.
        dense: cycles of the network without gates.
        mean: of the images.
    """

    engine: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    dense: float
    mean: float


def image_cycles(report: Report, engine: str) -> list[int]:
    """Return the cycles of every image that an engine was simulated on."""
    found = [getattr(image, f"cycles_{engine}") for image in report.images]
    return [cycles for cycles in found if cycles is not None]


def histograms(report: Report) -> list[Histogram]:
    """Return the cycles an image of every engine, with the same bars for all.

    There are none where no engine takes different cycles for different images.
    """
    engines = simulated(report)
    values = {engine: image_cycles(report, engine) for engine in engines}
    every = [value for found in values.values() for value in found]
    if not any(len(set(found)) > 1 for found in values.values()):
        return []
    low, high = min(every), max(every)
    bins = min(MOST_BINS, max(5, round(2 * len(report.images) ** 0.5)))
    step = (high - low) / bins
    edges = tuple(low + step * i for i in range(bins + 1))
    result = []
    for engine, found in values.items():
        counts = [0] * bins
        for value in found:
            counts[min(bins - 1, int((value - low) / step))] += 1
        counted = engines[engine]
        result.append(Histogram(engine, edges, tuple(counts), counted.dense, counted.mean))
    return result


def shown_images(report: Report) -> tuple[list[int], list[int]]:
    """Return the images that least is skipped of, and those that most is, by their numbers.

    The order is that of executed multiply-accumulates.  No image is in both.
    """
    order = sorted(range(len(report.images)), key=lambda i: -report.images[i].macs)
    each = min(SHOWN_IMAGES, (len(order) + 1) // 2)
    least, rest = order[:each], order[each:]
    return least, rest[-each:][::-1]


@dataclass(frozen=True)
class SkippedLayer:
    """A layer of which a part is skipped: the share of its work, mean over all images."""

    name: str
    skipped: float
    dense: float = field(repr=False)


def skipped_layers(report: Report) -> list[SkippedLayer]:
    """Return the layers of which masks skip a part, in order of execution."""
    return [*_skipped(report)]


def _skipped(report: Report) -> Iterator[SkippedLayer]:
    for layer in report.layers:
        whole = layer.macs + layer.macs_skipped
        if layer.macs_skipped > 0:
            yield SkippedLayer(layer.layer, layer.macs_skipped / whole, whole)


def saved(report: Report, counted: CountedCycles) -> tuple[float, float]:
    """Return the shares of MACs and of cycles that an engine saves on the simulated images."""
    return 1 - counted.macs / report.macs.dense, 1 - counted.mean / counted.dense


def describe_image(report: Report, index: int) -> list[str]:
    """Return the facts of a simulated image as short phrases."""
    image: ImageFigures = report.images[index]
    facts = [f"image {index}"]
    if image.label is None:
        facts.append(f"predicted {image.prediction}")
    elif image.label == image.prediction:
        facts.append(f"class {image.label}, predicted so")
    else:
        facts.append(f"class {image.label}, predicted {image.prediction}")
    if image.open is not None:
        facts.append(f"{100 * image.open:.0f} % open")
    facts.append(f"{image.macs / 1e6:.2f} M MACs")
    for engine, title in ENGINES.items():
        cycles = getattr(image, f"cycles_{engine}")
        if cycles is not None:
            facts.append(f"{cycles:,} cycles, {title}")
    return facts
