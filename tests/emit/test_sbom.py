"""The bill of materials is valid by its schema, says what is in a build, and is always the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from sklearn.datasets import load_digits, load_sample_images

from acsgen.emit.sbom import BUNDLE_FILES, Contents, bill_of_materials, write_bundle_files
from acsgen.support.assets import asset

pytestmark = pytest.mark.unit

CONTENTS = Contents("net-zedboard", "net.pt2", "ab" * 32, "digits32", ("hls", "rtl"))
VALIDATOR = JsonStrictValidator(SchemaVersion.V1_6)


@pytest.mark.parametrize("engines", [("hls",), ("rtl",), ("hls", "rtl")])
@pytest.mark.parametrize("dataset", ["digits32", "photographs", "cifar10", "npz:/home/me/mine.npz"])
def test_it_is_valid(engines: tuple[str, ...], dataset: str) -> None:
    bill = bill_of_materials(Contents("a", "b.pt", "0" * 64, dataset, engines))
    text = json.dumps(bill)
    assert VALIDATOR.validate_str(text) is None
    assert "/home/me" not in text


def test_the_validator_refuses_what_is_wrong() -> None:
    bill = bill_of_materials(CONTENTS)
    assert VALIDATOR.validate_str(json.dumps({**bill, "author": "me"})) is not None
    bill["components"][0]["licenses"] = [{"license": {"id": "Apache"}}]
    assert VALIDATOR.validate_str(json.dumps(bill)) is not None


def test_it_has_every_part_once_and_the_build_depends_on_all() -> None:
    bill = bill_of_materials(CONTENTS)
    parts = [part["bom-ref"] for part in bill["components"]]
    assert parts == ["hls", "rtl", "ap_types", "host", "model", "images"]
    assert bill["dependencies"] == [{"ref": "build", "dependsOn": parts}]
    model = bill["components"][4]
    assert model["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    alone = bill_of_materials(Contents("a", "b", "0" * 64, "cifar10", ("rtl",)))
    assert [part["bom-ref"] for part in alone["components"]] == ["rtl", "host", "model", "images"]


def test_works_of_others_are_named_with_their_licences_here_and_in_the_notice() -> None:
    (images,) = (
        part for part in bill_of_materials(CONTENTS)["components"] if part["type"] == "data"
    )
    notice = asset("NOTICE").read_text(encoding="utf-8")
    assert {work["name"] for work in images["components"]} >= {"china.jpg", "flower.jpg"}
    for work in images["components"]:
        assert work["name"] in notice
        licence = work["licenses"][0]["license"]
        if "id" in licence:
            assert f"{licence['id'][:5].replace('-', ' ')} {licence['id'][6:]}" in notice
        else:
            assert licence["url"] in notice


def test_licences_are_those_that_scikit_learn_states() -> None:
    """The data is taken from there, and nobody remembers licences right."""
    (images,) = (
        part for part in bill_of_materials(CONTENTS)["components"] if part["type"] == "data"
    )
    photographs = load_sample_images().DESCR
    described = {
        "china.jpg": photographs.partition("flower.jpg")[0],
        "flower.jpg": photographs.partition("flower.jpg")[2],
        "Optical Recognition of Handwritten Digits": load_digits().DESCR,
    }
    assert {work["name"] for work in images["components"]} == set(described)
    for work in images["components"]:
        text, licence = described[work["name"]], work["licenses"][0]["license"]
        if licence.get("id") == "CC-BY-2.0":
            assert "creativecommons.org/licenses/by/2.0/" in text
            assert f"flickr.com/photos/{work['authors'][0]['name']}/" in text
        else:
            assert "id" not in licence
            assert "licen" not in text.lower()
            assert all(name.split()[-1] in text for name in work["authors"][0]["name"].split(", "))


def test_other_data_sets_name_no_works() -> None:
    cifar = bill_of_materials(Contents("a", "b", "0" * 64, "cifar10", ("rtl",)))["components"][-1]
    assert cifar["components"] == []


def test_the_same_build_has_the_same_bill_and_another_one_another(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_bundle_files(folder, CONTENTS)
    assert sorted(path.name for path in first.iterdir()) == sorted(BUNDLE_FILES)
    for name in BUNDLE_FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()
    other = bill_of_materials(Contents("net-zedboard", "net.pt2", "cd" * 32, "digits32", ("hls",)))
    assert other["serialNumber"] != bill_of_materials(CONTENTS)["serialNumber"]
