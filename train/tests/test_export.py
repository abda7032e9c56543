"""A tiny bundle, exported by the command line."""

import hashlib
import json
import shutil

import numpy as np
import onnx
import pytest
from conftest import TRAIN
from onnx import numpy_helper

from thoughtline_train import parity, quantise
from thoughtline_train.bundle import read_bundle
from thoughtline_train.export import split_at
from thoughtline_train.fixtures import measure_of_noise
from thoughtline_train.loop import load_decoder
from thoughtline_train.model import Decoder
from thoughtline_train.onnx_graphs import export_graphs


def rounded(state, bits: int = 16) -> Decoder:
    """The decoder of a state as a bundle stores it, with maps measured on noise."""
    decoder = split_at(load_decoder(state)[0], 1)
    quantise.round_weights(decoder, bits)
    measure_of_noise(decoder)
    return decoder


def test_onnx_runtime_computes_what_pytorch_does(bundle):
    for length, seed in ((24, 3), (1, 4), (48, 5)):
        found = parity.differences(read_bundle(bundle), bundle, length, seed)
        assert max(found.values()) <= 1e-3, found


def test_the_comparison_notices_a_wrong_weight(bundle, tmp_path):
    wrong = tmp_path / "wrong"
    shutil.copytree(bundle, wrong)
    weights = np.fromfile(wrong / "weights.bin", np.float16)
    weights[: weights.size // 3] *= 1.1
    weights.tofile(wrong / "weights.bin")
    assert max(parity.differences(read_bundle(bundle), wrong).values()) > 1e-3


@pytest.mark.parametrize("part", ["thought_features", "thought_means"])
def test_the_maps_are_part_of_the_graphs(bundle, part):
    """With other maps the same graphs compute something else."""
    decoder = read_bundle(bundle)
    for layer in decoder.stack[1:]:
        getattr(layer, part).mul_(1.5).add_(0.01)
    found = parity.differences(decoder, bundle)
    assert found["logits"] > 1e-2, found


@pytest.mark.parametrize("bits", [8, 16])
def test_maps_are_stored_in_16_bits_by_their_names(pretrained, tmp_path, bits):
    decoder = rounded(pretrained, bits)
    export_graphs(decoder, tmp_path, bits)
    for graph in ("top", "evidence"):
        known = {i.name: i for i in onnx.load(tmp_path / f"{graph}.onnx").graph.initializer}
        for i, layer in enumerate(decoder.stack[1:]):
            features = numpy_helper.to_array(known[f"layers.{i}.thought_features.f16"])
            assert features.dtype == np.float16 and (features == layer.thought_features.numpy()).all()
            assert (numpy_helper.to_array(known[f"layers.{i}.thought_means"]) == layer.thought_means.numpy()).all()
    assert not any("thought" in i.name for i in onnx.load(tmp_path / "trunk.onnx").graph.initializer)


def test_maps_that_were_not_measured_are_refused(pretrained, tmp_path):
    with pytest.raises(SystemExit, match="layers.0.thought_features: zero, or .*; measure the maps first"):
        export_graphs(load_decoder(pretrained)[0], tmp_path)


def test_eight_bits_compute_what_pytorch_does_with_the_rounded_weights(pretrained, bundle, tmp_path):
    decoder = rounded(pretrained, 8)
    export_graphs(decoder, tmp_path, 8)
    found = parity.differences(decoder, tmp_path)
    assert all(found[name] <= limit for name, limit in parity.LIMITS.items()), found
    # They are widened everywhere: MatMulNBits would round the states, too.
    for name in ("trunk", "top", "evidence"):
        assert "MatMulNBits" not in [node.op_type for node in onnx.load(tmp_path / f"{name}.onnx").graph.node]
    # One file for all graphs: 8 bits, and half a bit of scale, for 16; but for the maps.
    maps = 2 * 2 * 32 * 16
    ratio = ((tmp_path / "weights.bin").stat().st_size - maps) / ((bundle / "weights.bin").stat().st_size - maps)
    assert ratio < 9 / 16, ratio


@pytest.mark.parametrize("layers", [0, 3])
def test_some_layers_are_below_and_some_above_the_thought(tiny, pretrained, layers):
    with pytest.raises(SystemExit, match=f"--trunk-layers {layers}: give 1 to 2"):
        split_at(load_decoder(pretrained)[0], layers)


def test_blocks_are_rounded_once():
    matrix = np.random.default_rng(1).standard_normal((5, 96)).astype(np.float32)
    matrix[2, :32] = 0
    matrix[3, 32:64] = 1e-9
    rounded = quantise.dequantise(*quantise.quantise(matrix))
    largest = np.abs(matrix).reshape(5, 3, 32).max(-1).repeat(32, -1)
    assert (np.abs(rounded - matrix) <= largest * 2.0**-7 * 1.01 + 1e-7).all()
    assert (quantise.dequantise(*quantise.quantise(rounded)) == rounded).all()
    assert not quantise.fits(matrix[:, :50]) and not quantise.fits(matrix[0])


def test_the_manifest_describes_the_bundle(bundle, tiny):
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert manifest["format"] == 3 and manifest["needs"] == "0.3.0" and manifest["name"] == "tiny"
    assert manifest["window"] == {"tokens": 96, "suffixTokens": 24, "hop": 16} and manifest["chunk"] == {"tokens": 48}
    assert manifest["architecture"]["layers"] == 3 and manifest["architecture"]["trunkLayers"] == 1
    assert set(manifest["files"]) == {"trunk", "top", "evidence", "weights", "tokenizer", "card"}
    for file in manifest["files"].values():
        content = (bundle / file["path"]).read_bytes()
        assert len(content) == file["bytes"] and hashlib.sha256(content).hexdigest() == file["sha256"]
    assert (bundle / "tokenizer.json").read_bytes() == tiny.tokenizer.read_bytes()
    # What was fitted to the bundle before serves until it is fitted again.
    before = json.loads((TRAIN.parent / "models" / "nano" / "manifest.json").read_text())
    assert all(manifest[part] == before[part] for part in ("memory", "states", "energy"))


def test_what_the_manifest_says_of_the_thought(bundle):
    thought = json.loads((bundle / "manifest.json").read_text())["thought"]
    assert thought["features"] == 16
    assert len(thought["stepSize"]) == len(thought["priorPull"]) == thought["maxSteps"]
    rows = [*thought["stepSize"], *thought["priorPull"], thought["warmStepSize"], thought["warmPriorPull"]]
    rows += [thought["priorDeviation"], thought["posteriorDeviation"]]
    assert all(len(row) == 2 and 0 < min(row) and max(row) < 1 for row in rows)


def test_the_card_says_corpus_and_runs(bundle):
    card = (bundle / "README.md").read_text()
    assert "| pretrain |" in card and "Licences of the packages: in an earlier manifest" in card
    assert "16 vectors for each of the upper 2 layers" in card
    assert "Hardware: 2 CPU cores. Then they were left alone. Made with" in card
    assert " ".join(card.split()).count("pinned with licence and owner") == 1
    assert str(TRAIN.parent) not in card
    # What the bundle before had been trained by comes first.
    before = json.loads((TRAIN.parent / "models" / "nano" / "manifest.json").read_text())["training"]["runs"]
    runs = json.loads((bundle / "manifest.json").read_text())["training"]["runs"]
    assert runs[: len(before)] == before and [r["run"] for r in runs[len(before) :]] == ["pretrain"]
    assert card.index(before[0]["run"]) < card.index("| pretrain |")


def test_a_bundle_exported_anew_without_a_run_says_what_the_one_before_said(tiny, bundle):
    out = tiny.root / "again"
    tiny.run("export", "--state", bundle, "--out", out, "--name", "tiny", "--after", bundle, "--hardware", "none")
    before, after = (json.loads((folder / "manifest.json").read_text())["training"] for folder in (bundle, out))
    assert {key: before[key] for key in ("runs", "hardware", "corpus")} == {
        k: v for k, v in after.items() if k != "hours"
    }
    assert (out / "weights.bin").read_bytes() == (bundle / "weights.bin").read_bytes()


def test_the_card_says_what_the_model_is_for_in_the_form_of_model_cards(bundle):
    _, front, text = (bundle / "README.md").read_text().split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.strip().split("\n"))
    assert fields["license"] == "mit" and fields["pipeline_tag"] == "text-generation"
    assert fields["library_name"] == "onnx" and "fill-in-the-middle" in fields["tags"]
    assert text.startswith("\n# tiny ") and "## Intended use" in text and "Not intended:" in text


def test_graphs_say_what_they_are(bundle):
    manifest = json.loads((bundle / "manifest.json").read_text())
    for name in ("trunk", "top", "evidence"):
        model = onnx.load(bundle / f"{name}.onnx", load_external_data=False)
        assert {p.key: p.value for p in model.metadata_props} == {
            "graph": name,
            "name": "tiny",
            "version": manifest["version"],
            "licence": "MIT",
            "tokenizer_sha256": manifest["files"]["tokenizer"]["sha256"],
        }
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_other_libraries_can_load_the_weights(bundle):
    data = (bundle / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__")["name"] == "tiny"
    found = {}
    for name, told in header.items():
        begin, end = told["data_offsets"]
        kind = {"F16": np.float16, "F32": np.float32}[told["dtype"]]
        found[name] = np.frombuffer(data[8 + length + begin : 8 + length + end], kind).reshape(told["shape"])
    # Every byte of the file belongs to one tensor.
    ends = sorted(told["data_offsets"] for told in header.values())
    assert ends[0][0] == 0 and all(a[1] == b[0] for a, b in zip(ends, ends[1:], strict=False))
    assert 8 + length + ends[-1][1] == len(data) and length % 8 == 0
    decoder = read_bundle(bundle)
    expected = dict([*decoder.named_parameters(), *decoder.named_buffers()])
    assert set(found) == set(expected)
    assert all((found[name] == values.detach().numpy()).all() for name, values in expected.items())
    # What is not in the manifest is no part of the bundle.
    assert "model.safetensors" not in (bundle / "manifest.json").read_text()
