"""The top with the ports of the HLS engine runs programs, with a memory on each of its ports."""

from __future__ import annotations

import ctypes
import shutil
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.words import POISON, pack_image
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.emit.rtl import render_rtl
from acsgen.engines.rtl import Memory
from acsgen.engines.rtl.compile import CXX_FLAGS, FLAGS, run_verilator, verilator_version
from acsgen.isa.generated import HEADER_WORDS, Register, ResultHeader, Status
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.program.result import decode_result
from acsgen.quant.golden import GoldenModel
from acsgen.support.assets import asset
from acsgen.support.buildcache import cached_file
from acsgen.verify.compare import expected_words
from tests.nets.integer_graphs import resnet

pytestmark = pytest.mark.rtl

ENGINE = EngineConfig(1, feature_kib=256, weight_kib=8, vector_bytes=8192, post_lanes=4)
BENCH = Path(__file__).with_name("acs_top_bench.cpp")
BUNDLES = 3
REGISTERS = (
    Register.PROGRAM, Register.PARAMS, Register.IMAGE, Register.RESULT, Register.PROGRAM_WORDS,
    Register.PARAMS_WORDS, Register.IMAGE_WORDS, Register.RESULT_WORDS, Register.CONTROL,
    Register.GIE, Register.IER, Register.ISR, Register.STATUS, Register.FAULT_INDEX,
)  # fmt: skip


class Outcome(ctypes.Structure):
    _fields_ = (
        ("cycles", ctypes.c_uint64),
        ("read_beats", ctypes.c_uint64 * BUNDLES),
        ("write_beats", ctypes.c_uint64 * BUNDLES),
        ("stray_beats", ctypes.c_uint64 * BUNDLES),
        ("status", ctypes.c_uint32),
        ("fault_index", ctypes.c_uint32),
        ("finished", ctypes.c_uint32),
    )


class Top:
    """The compiled top; its on-chip memories live on from run to run."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.acs_top_new.restype = ctypes.c_void_p
        self._library.acs_top_violation.restype = ctypes.c_char_p
        self._handle = ctypes.c_void_p(self._library.acs_top_new())

    def run(
        self, program: Program, image: NDArray[np.uint64], memories: list[Memory]
    ) -> tuple[NDArray[np.uint64], Outcome]:
        result = np.full(program.result_words, POISON, np.uint64)
        buffers = (program.words, program.params, image, result)
        options = [word for memory in memories for word in astuple(memory)]
        outcome = Outcome()
        self._library.acs_top_run(
            self._handle,
            (ctypes.c_void_p * 4)(*(words.ctypes.data for words in buffers)),
            (ctypes.c_uint32 * 4)(*map(len, buffers)),
            (ctypes.c_uint32 * len(options))(*options),
            (ctypes.c_uint8 * len(REGISTERS))(*REGISTERS),
            ctypes.c_uint64(3_000_000),
            ctypes.byref(outcome),
        )
        assert outcome.finished, self._library.acs_top_violation(self._handle).decode() or "hangs"
        return result, outcome


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Top:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    folder = tmp_path_factory.mktemp("top")
    render_rtl(folder / "rtl", model="test", board=load_board("zedboard"), engine=ENGINE)
    memory = asset("sim", "rtl", "axi_memory.hpp")
    sources = sorted(path for path in (folder / "rtl").iterdir() if path.suffix in (".sv", ".v"))

    def build(library: Path) -> None:
        run_verilator(
            [
                *("--exe", "--build", *FLAGS, "-CFLAGS", f"{CXX_FLAGS} -I{memory.parent}"),
                *("-LDFLAGS", "-shared", "--Mdir", str(folder / "obj")),
                *("-f", str(list_with_paths(folder / "rtl")), str(BENCH), "-o", "top.so"),
            ]
        )
        shutil.move(folder / "obj" / "top.so", library)

    parts = [verilator_version(), *FLAGS, CXX_FLAGS, memory, BENCH, *sources]
    return Top(cached_file("rtl-top.so", parts, build))


def list_with_paths(rtl: Path) -> Path:
    """The build's own file list, to be used from another folder."""
    lines = (rtl / "files.f").read_text().splitlines()
    names = [str(rtl / line) if line.endswith((".v", ".sv")) else line for line in lines]
    listed = rtl.parent / "files.f"
    listed.write_text("\n".join(names) + "\n")
    return listed


@pytest.fixture(scope="module")
def network() -> tuple[Program, NDArray[np.uint64], NDArray[np.uint64]]:
    """A program, an image, and the words that it must give behind the header."""
    graph = resnet()
    program = compile_graph(graph, ENGINE)
    pixels = np.random.default_rng(1).integers(0, 256, (1, *graph.input.shape)).astype(np.uint8)
    golden = GoldenModel(graph).run(pixels)
    return program, pack_image(pixels[0]), expected_words(program, golden, 0)


FAST, SLOW = Memory(latency=1), Memory(latency=120)


@pytest.mark.parametrize(
    "memories",
    [
        [Memory(), Memory(), Memory()],
        [SLOW, FAST, FAST],
        [FAST, SLOW, FAST],
        [FAST, FAST, SLOW],
        [Memory(seed=3), Memory(seed=4, bandwidth=60), Memory(latency=7, seed=5)],
    ],
    ids=["alike", "slow-program", "slow-params", "slow-image", "pauses"],
)
def test_every_buffer_goes_through_its_bundle(
    top: Top,
    network: tuple[Program, NDArray[np.uint64], NDArray[np.uint64]],
    memories: list[Memory],
) -> None:
    program, image, expected = network
    for _ in range(2):
        result, outcome = top.run(program, image, memories)
        assert outcome.status == Status.OK
        np.testing.assert_array_equal(result[HEADER_WORDS:], expected)
        header = decode_result(program, result).header
        reads, writes = list(outcome.read_beats), list(outcome.write_beats)
        assert list(outcome.stray_beats) == [0, 0, 0]
        assert sum(reads) == header["read_words"]
        assert reads[0] == len(program.words)
        assert reads[2] == len(image)
        assert reads[1] > 0
        assert writes == [header["written_words"] + HEADER_WORDS, 0, 0]


@pytest.mark.parametrize("bundle", range(BUNDLES))
def test_an_error_on_any_bundle_stops_the_engine(
    top: Top,
    network: tuple[Program, NDArray[np.uint64], NDArray[np.uint64]],
    bundle: int,
) -> None:
    program, image, expected = network
    memories = [Memory(), Memory(), Memory()]
    memories[bundle] = replace(memories[bundle], fail_read=11)
    result, outcome = top.run(program, image, memories)
    assert outcome.status == Status.BUS_ERROR
    assert result[ResultHeader.STATUS] == Status.BUS_ERROR
    result, outcome = top.run(program, image, [Memory(), Memory(), Memory()])
    assert outcome.status == Status.OK
    np.testing.assert_array_equal(result[HEADER_WORDS:], expected)
