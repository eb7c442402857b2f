"""``report.html``: whole, true to the report, and right on every screen and on paper."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.report.clock import clock_note, recorded_evidence
from acsgen.report.data import Report
from acsgen.report.file import read_report
from acsgen.report.page import PAGE_FILE, render_page
from acsgen.report.series import ENGINES, histograms, layer_rows, shown_images, simulated
from acsgen.support.numbers import count
from acsgen.verify.builddir import open_build
from tests.report.browser import audit, browser, print_pages
from tests.report.networks import DEEP, make_build
from tests.report.test_file import FULL

pytestmark = pytest.mark.xdist_group("own-board")

Builds = Callable[[str], Path]
KINDS = ("gated", "plain", "one", "deep", pytest.param("rtl", marks=pytest.mark.rtl))

#: Elements without an end.
VOID = {"meta", "link", "img", "br", "wbr"}


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Builds by kind, each made once."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def made(kind: str) -> Path:
        return make_build(kind, folder)

    return made


@pytest.fixture
def chromium() -> None:
    if browser() is None:
        pytest.skip("no Chromium: apt-get install chromium")


class Page(HTMLParser):
    """A page's elements; ends that do not fit their beginnings fail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(build: Path) -> Page:
    return Page((build / PAGE_FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_else_and_says_what_it_shows(builds: Builds, kind: str) -> None:
    page = page_of(builds(kind))
    assert page.all("script") == []
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert all(image["alt"] for image in page.all("img"))
    assert all(drawing["aria-label"] for drawing in page.all("svg"))
    assert all(cell["scope"] for cell in page.all("th"))
    assert len(page.all("h1")) == 1
    names = [a["id"] for _, a in page.elements if "id" in a]
    assert len(names) == len(set(names))
    assert {a["href"] for a in page.all("a")} == {f"#{name}" for name in names}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_the_figures_of_its_report(builds: Builds, kind: str) -> None:
    report, page = read_report(builds(kind)), page_of(builds(kind))
    words = {word.strip() for word in page.words}
    for counted in simulated(report).values():
        assert {count(counted.mean), counted.source} <= words
    for check in report.bit_exact.values():
        assert count(check.values) in words
    assert report.origin.sha256 in words
    assert ("skipping" in {a.get("id") for _, a in page.elements}) == bool(report.gates)
    assert len(page.all("img")) == (sum(map(len, shown_images(report))) if report.gates else 0)


def test_every_layer_of_a_deep_network_is_there(builds: Builds) -> None:
    report = read_report(builds("deep"))
    rows = layer_rows(report)
    assert sum(row.layers for row in rows) == len(report.layers) > 2 * DEEP
    assert {row.layers for row in rows if row.for_gates} == {2}
    assert sum(row.cycles["hls"] for row in rows) == pytest.approx(report.cycles.hls.mean)
    counts = [sum(item.counts) for item in histograms(report)]
    assert counts == [len(report.images)]


def test_the_images_shown_are_the_extremes(builds: Builds) -> None:
    report = read_report(builds("gated"))
    least, most = shown_images(report)
    macs = [image.macs for image in report.images]
    assert not {*least} & {*most}
    assert min(macs[i] for i in least) >= max(macs[i] for i in most)
    assert max(macs) == macs[least[0]]
    assert min(macs) == macs[most[0]]


@pytest.mark.parametrize("kind", ["gated", "deep"])
def test_results_that_are_alive_together_do_not_share_memory(builds: Builds, kind: str) -> None:
    report = read_report(builds(kind))
    places = [place for place in report.buffers if place.memory == "feature"]
    assert max(p.address + p.size for p in places) == report.memory.feature_blocks
    for a in places:
        for b in places:
            together = a is not b and a.first <= b.last and b.first <= a.last
            apart = a.address + a.size <= b.address or b.address + b.size <= a.address
            assert apart or not together, (a, b)


@pytest.mark.rtl
def test_cycles_of_layers_add_up_on_the_rtl(builds: Builds) -> None:
    report = read_report(builds("rtl"))
    counted = report.cycles.rtl
    assert counted is not None
    assert report.cycles.hls is None
    assert sum(layer.cycles_rtl for layer in report.layers) == pytest.approx(counted.mean)
    assert sum(layer.cycles_rtl_dense or 0 for layer in report.layers) == counted.dense
    assert all(layer.cycles_rtl > 0 for layer in report.layers)


def test_names_are_text_and_no_markup(builds: Builds) -> None:
    report, evil = read_report(builds("gated")), "<script>alert(1)</script>"
    layers = tuple(replace(layer, layer=evil) for layer in report.layers)
    changed: Report = replace(report, model=evil, dataset=evil, layers=layers)
    page = Page(render_page(changed, open_build(builds("gated"))))
    assert page.all("script") == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("chromium")
def test_nothing_is_cut_or_overlaps_or_is_faint(
    builds: Builds, tmp_path: Path, kind: str, width: int, dark: bool
) -> None:
    found = audit(builds(kind) / PAGE_FILE, width, dark, tmp_path)
    assert (found["width"], found["dark"]) == (width, dark)
    assert found["texts"] > 20
    assert found["faults"] == []


@pytest.mark.usefixtures("chromium")
def test_the_look_at_a_page_finds_faults(builds: Builds, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    text = (builds("gated") / PAGE_FILE).read_text(encoding="utf-8")
    drawing = '<text x="9" y="40">one</text><text x="12" y="41">two</text><text x="398" y="40">out'
    bad.write_text(
        text.replace("</main>", f'<svg viewBox="0 0 400 90">{drawing}</text></svg></main>')
        .replace("--soft: #565d68", "--soft: #c5cad2")
        .replace(".scroll tbody th { overflow-wrap: normal; }", "")
        .replace("min-width: 8rem", "max-width: 2rem")
        .replace(
            '"Every layer" tabindex="0">\n<table class="dense">',
            '"Every layer" tabindex="0">\n<table class="dense"><caption>Long words</caption>',
        )
        .replace("<h1>", '<h1><span style="display: block; width: 900px">x</span>')
    )
    faults = " ".join(audit(bad, 390, False, tmp_path)["faults"])
    for word in (
        "beyond the screen",
        "sideways",
        "overlap",
        "cut off",
        "faint",
        "broken word",
        "behind",
    ):
        assert word in faults


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("chromium")
def test_a_page_can_be_printed(builds: Builds, tmp_path: Path, kind: str) -> None:
    assert 3 <= print_pages(builds(kind) / PAGE_FILE, tmp_path / "page.pdf") <= 14


def report_command(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, words)])
    assert result.exit_code == status, result.output
    return " ".join(result.output.split())


def test_the_command_renders_the_same_page(builds: Builds, tmp_path: Path) -> None:
    target = tmp_path / "again.html"
    report_command(builds("gated"), "--html", target)
    assert target.read_bytes() == (builds("gated") / PAGE_FILE).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_a_page_is_not_written_over_a_folder(builds: Builds, tmp_path: Path) -> None:
    assert "is a directory" in report_command(builds("gated"), "--html", tmp_path, status=2)


@pytest.mark.parametrize("kind", ["gated", "plain", "one", "deep"])
def test_figures_are_written_as_pdf_and_svg(builds: Builds, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    for folder in ("once", "twice"):
        report_command(builds(kind), "--figures", tmp_path / folder)
    files = {path.name: path.read_bytes() for path in (tmp_path / "once").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "twice").iterdir()}
    names = {name.split(".")[0] for name in files}
    assert {f"{name}.{suffix}" for name in names for suffix in ("pdf", "svg")} == files.keys()
    assert {"roofline", "cycles-by-layer", "resources", "memory-map"} <= names
    assert ("masks-by-image" in names) == (kind in ("gated", "deep"))
    for name, content in files.items():
        assert content.startswith(b"%PDF" if name.endswith("pdf") else b"<?xml")


def test_without_matplotlib_a_message_says_what_to_do(
    builds: Builds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = report_command(builds("gated"), "--figures", tmp_path / "figures", status=2)
    assert "pip install 'acsgen[figures]'" in said
    assert not (tmp_path / "figures").exists()


def test_times_say_that_their_clock_is_assumed_and_what_is_known_of_it(builds: Builds) -> None:
    report = read_report(builds("gated"))
    assert report.clock == recorded_evidence()
    page = Page(render_page(report, open_build(builds("gated"))))
    # At the head, beside the milliseconds.
    assert any(word.endswith("at 187.5 MHz, assumed") for word in page.words)
    said = " ".join(" ".join(page.words).split())
    assert f"are cycles at 187.5 MHz: {clock_note(report)}." in said
    assert f"estimated at {recorded_evidence().estimate_mhz:g} MHz" in clock_note(report)


def test_a_bitstream_is_shown_beside_the_estimate(builds: Builds) -> None:
    report = replace(read_report(builds("gated")), bitstream=FULL.bitstream)
    page = Page(render_page(report, open_build(builds("gated"))))
    words = [word.strip() for word in page.words]
    for label, made in FULL.bitstream.items():
        row = words.index(f"Look-up tables, {ENGINES[label]}")
        assert count(made.resources.lut) in words[row : row + 8]
        assert made.source in words[row : row + 24]
        assert f"{made.resources.bram36:,.1f}" in words
    assert any("finds a slack of" in word for word in words)
