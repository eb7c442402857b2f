"""A report that no build made."""

from __future__ import annotations

from acsgen import __version__
from acsgen.cost.resources import ResourceEstimate
from acsgen.engines.rtl import Memory
from acsgen.ir.mask_statistics import MaskStatistics
from acsgen.ir.noise import LayerNoise
from acsgen.program.engine_config import EngineConfig
from acsgen.program.memory_map import BufferPlace
from acsgen.program.program import MemoryUse
from acsgen.report.data import (
    Accuracy,
    BitExactness,
    BytesMoved,
    CountedCycles,
    Cycles,
    EnergyFigures,
    GateFigures,
    ImageFigures,
    LayerFigures,
    MacFigures,
    Origin,
    OutputFigures,
    Report,
)

REPORT = Report(
    model="resnet8-acs-digits32",
    board="zedboard",
    acsgen=__version__,
    spec_hash="0x00000000",
    dataset="digits32",
    engines=("hls", "rtl"),
    bit_exact={"csim": BitExactness(8, 2, 976_416, 0)},
    macs=MacFigures(dense=12_500_000, mean=7_500_000.4, std=0.0, gates=250_000),
    cycles=Cycles(
        hls=CountedCycles(
            8, 50_000, 31_000.6, 0.0, 9.0, 7_500_000.4, Memory(), "C simulation", {"ROWS": 9.5}
        )
    ),
    bytes=BytesMoved(dense=92_000, read=90_000, written=1_000),
    accuracy=Accuracy(0.9512, 0.9498, 500, 0.99, 0.9961),
    outputs=(OutputFigures("fc", 10, 0.9512, 0.9498, 0.99),),
    masks=MaskStatistics(112, 0.51, 0.97, 0.5),
    resources=ResourceEstimate(dsp=150, bram36=100, lut=30_000, ff=40_000),
    engine=EngineConfig(4, feature_kib=256, weight_kib=32, vector_bytes=8192),
    clock_mhz=100.0,
    memory=MemoryUse(768, 8, 1),
    layers=(
        LayerFigures("conv1", 31_000.6, 7_500_000.4, 0.0, 90_000.0, 50_000),
        LayerFigures("gate", 8.0, 9.0, 0.0, 8.0, None, for_gates=True),
    ),
    noise=(LayerNoise("conv1", 31.5, 28.25, 70.75),),
    gates=(GateFigures("gate", 0.51, 0.9961, (1.0, 0.5, 0.03)),),
    images=(ImageFigures(3, 3, 7_000_000, 0.5, 30_000, None),),
    buffers=(BufferPlace("conv1", "feature", 0, 768, 0, 1),),
    energy=EnergyFigures("model", "MAC", {"macs": 1.0}, {"macs": 7.0}, {"macs": 9.0}, {}, ()),
    origin=Origin("resnet8.pt", "0" * 64, "acsgen build resnet8.pt", {"Python": "3.11.2"}),
)
