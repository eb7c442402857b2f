"""Map formats and allocation: a stored map can be read back, and no living maps overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.compiler.allocate import Lifetime, allocate, peak
from acsgen.compiler.compile import MAPS, buffer_size
from acsgen.compiler.layout import choose_layouts
from acsgen.compiler.schedule import make_schedule
from acsgen.compiler.steps import Store
from acsgen.isa.generated import LANES, SEGMENT_PIXELS
from acsgen.program.engine_config import EngineConfig
from acsgen.program.map_format import MapFormat, phase_row_log2, row_pixels
from tests.nets.integer_graphs import resnet

pytestmark = pytest.mark.unit


@st.composite
def formats(draw: st.DrawFn) -> MapFormat:
    raster = draw(st.integers(0, 3))
    width = draw(st.integers(1, row_pixels(raster)))
    split = draw(st.booleans())
    channels, height = draw(st.integers(1, 3)), draw(st.integers(1, 20))
    return MapFormat(channels, height, width, phase_row_log2(raster) if split else raster, split)


def address(stored: MapFormat, c: int, y: int, x: int) -> int:
    """Byte of a pixel, by the words of the specification."""
    base, pitch = c * stored.step * LANES, SEGMENT_PIXELS * 2**stored.row_log2
    if not stored.split:
        return base + y * pitch + x
    phase = (y & 1) * 2 + (x & 1)
    within = (y >> 1) * pitch + (x >> 1)
    if x & 1:
        within = within // LANES * LANES + (within + LANES // 2) % LANES
    return base + phase * stored.plane * LANES + within


@given(formats())
def test_pixels_are_found_where_the_engine_puts_them(stored: MapFormat) -> None:
    rng = np.random.default_rng(0)
    memory = rng.integers(0, 256, stored.blocks * LANES).astype(np.uint8)
    found = stored.pixels(memory)
    assert found.shape == (stored.channels, stored.height, stored.width)
    places = [
        [[address(stored, c, y, x) for x in range(stored.width)] for y in range(stored.height)]
        for c in range(stored.channels)
    ]
    assert np.unique(places).size == found.size
    assert np.array_equal(found, memory[np.array(places)])
    if not stored.split:
        assert np.array_equal(stored.byte_index(), places)


lifetimes = st.lists(
    st.tuples(st.integers(1, 50), st.integers(0, 20), st.integers(0, 8)), max_size=25
).map(lambda rows: [Lifetime(i, s, a, a + n) for i, (s, a, n) in enumerate(rows)])


@given(lifetimes)
def test_buffers_alive_together_never_overlap(buffers: list[Lifetime[int]]) -> None:
    found = allocate(buffers)
    for a in buffers:
        assert found.offsets[a.key] + a.size <= found.size
        for b in buffers:
            if a.key < b.key and a.first <= b.last and b.first <= a.last:
                start_a, start_b = found.offsets[a.key], found.offsets[b.key]
                assert start_a + a.size <= start_b or start_b + b.size <= start_a


@given(lifetimes)
def test_allocation_is_not_below_the_peak_and_not_above_the_sum(
    buffers: list[Lifetime[int]],
) -> None:
    size = allocate(buffers).size
    assert peak(buffers)[0] <= size <= sum(b.size for b in buffers)


def test_a_chain_needs_two_places() -> None:
    chain = [Lifetime(i, 10, i, i + 1) for i in range(9)]
    assert allocate(chain).size == 20


def test_a_schedule_keeps_every_source_until_its_last_reader(engine: EngineConfig) -> None:
    graph = resnet()
    schedule = make_schedule(graph, choose_layouts(graph))
    sizes = {buffer: buffer_size(schedule, buffer) for buffer in schedule.allocated()}
    lives = {
        life.key: life for life in schedule.lifetimes(MAPS | {Store.VECTOR, Store.MASK}, sizes)
    }
    for index, step in enumerate(schedule.steps):
        for buffer in step.reads:
            assert lives[buffer].first < index <= lives[buffer].last
    residuals = [s for s in schedule.steps if getattr(s.layer, "residual", None)]
    assert residuals, "the test network has residuals"
