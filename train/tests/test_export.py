"""A tiny bundle, exported by the command line, and the report about it."""

import hashlib
import json
import shutil

import numpy as np
import onnx
import pytest
import torch
from conftest import TRAIN

from thoughtline_train import parity, quantise, report
from thoughtline_train.export import export_graphs
from thoughtline_train.loop import load_decoder
from thoughtline_train.model import Config, Decoder
from thoughtline_train.thought import Thought
from thoughtline_train.tokenizer import load


def test_onnx_runtime_computes_what_pytorch_does(bundle, thinking):
    decoder, _ = load_decoder(thinking)
    with torch.no_grad():
        for p in decoder.parameters():
            p.copy_(p.half().float())
    for length, seed in ((24, 3), (1, 4), (48, 5)):
        found = parity.differences(decoder, bundle, length, seed)
        assert max(found.values()) <= 1e-3, found


def test_the_comparison_notices_a_wrong_weight(bundle, thinking, tmp_path):
    decoder, _ = load_decoder(thinking)
    wrong = tmp_path / "wrong"
    shutil.copytree(bundle, wrong)
    weights = np.fromfile(wrong / "weights.bin", np.float16)
    weights[: weights.size // 3] *= 1.1
    weights.tofile(wrong / "weights.bin")
    assert max(parity.differences(decoder, wrong).values()) > 1e-3


def test_eight_bits_compute_what_pytorch_does_with_the_rounded_weights(thinking, bundle, tmp_path):
    decoder, _ = load_decoder(thinking)
    export_graphs(decoder, tmp_path, 8)
    found = parity.differences(decoder, tmp_path)
    assert all(found[name] <= limit for name, limit in parity.LIMITS.items()), found
    # They are widened everywhere: MatMulNBits would round the states, too.
    for name in ("trunk", "top", "evidence"):
        assert "MatMulNBits" not in [node.op_type for node in onnx.load(tmp_path / f"{name}.onnx").graph.node]
    # One file for all graphs: 8 bits, and half a bit of scale, for 16.
    ratio = (tmp_path / "weights.bin").stat().st_size / (bundle / "weights.bin").stat().st_size
    assert ratio < 9 / 16, ratio


def test_blocks_are_rounded_once():
    matrix = np.random.default_rng(1).standard_normal((5, 96)).astype(np.float32)
    matrix[2, :32] = 0
    matrix[3, 32:64] = 1e-9
    rounded = quantise.dequantise(*quantise.quantise(matrix))
    largest = np.abs(matrix).reshape(5, 3, 32).max(-1).repeat(32, -1)
    assert (np.abs(rounded - matrix) <= largest * 2.0**-7 * 1.01 + 1e-7).all()
    assert (quantise.dequantise(*quantise.quantise(rounded)) == rounded).all()
    assert not quantise.fits(matrix[:, :50]) and not quantise.fits(matrix[0])


def test_the_manifest_describes_the_bundle(bundle, tiny, thinking):
    manifest = json.loads((bundle / "manifest.json").read_text())
    decoder, state = load_decoder(thinking)
    assert manifest["format"] == 2 and manifest["name"] == "tiny"
    assert manifest["window"] == {"tokens": 96, "suffixTokens": 24, "hop": 16} and manifest["chunk"] == {"tokens": 48}
    assert manifest["architecture"]["layers"] - manifest["architecture"]["trunkLayers"] == decoder.config.top_layers
    assert set(manifest["files"]) == {"trunk", "top", "evidence", "weights", "tokenizer", "prior", "card"}
    for file in manifest["files"].values():
        content = (bundle / file["path"]).read_bytes()
        assert len(content) == file["bytes"] and hashlib.sha256(content).hexdigest() == file["sha256"]
    thought = Thought(decoder.config)
    thought.load_state_dict(state["thought"])
    assert (np.fromfile(bundle / "prior.bin", "<f4") == thought.prior.detach().numpy().ravel()).all()
    assert (bundle / "tokenizer.json").read_bytes() == tiny.tokenizer.read_bytes()


def test_the_card_says_corpus_runs_and_figures(bundle, rows):
    card = (bundle / "README.md").read_text()
    for words in (
        "| pretrain |",
        "| think |",
        "z_0",
        "shuffled T=4",
        "plain decoder",
        "Licences of the packages: in an earlier manifest",
    ):
        assert words in card, words
    four = next(row for row in rows if row["arm"] == "T=4" and row["band"] == "all")
    assert f"{four['minus_z0']:+.4f} ± {four['error']:.4f}" in card
    assert " ".join(card.split()).count("pinned with licence and owner") == 1
    assert str(TRAIN.parent) not in card
    # What the bundle before had been trained by comes first.
    before = json.loads((TRAIN.parent / "models" / "nano" / "manifest.json").read_text())["training"]["runs"]
    runs = json.loads((bundle / "manifest.json").read_text())["training"]["runs"]
    assert runs[: len(before)] == before and [r["run"] for r in runs[len(before) :]] == ["pretrain", "think"]
    assert card.index(before[0]["run"]) < card.index("| pretrain |")


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


def test_other_libraries_can_load_the_weights(bundle, thinking):
    data = (bundle / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__")["name"] == "tiny"
    decoder, state = load_decoder(thinking)
    found = {}
    for name, told in header.items():
        begin, end = told["data_offsets"]
        kind = {"F16": np.float16, "F32": np.float32}[told["dtype"]]
        found[name] = np.frombuffer(data[8 + length + begin : 8 + length + end], kind).reshape(told["shape"])
    # Every byte of the file belongs to one tensor.
    ends = sorted(told["data_offsets"] for told in header.values())
    assert ends[0][0] == 0 and all(a[1] == b[0] for a, b in zip(ends, ends[1:], strict=False))
    assert 8 + length + ends[-1][1] == len(data) and length % 8 == 0
    for name, values in decoder.state_dict().items():
        if name in found:
            assert (found[name] == values.half().numpy()).all(), name
    thought = {k.removeprefix("thought."): v for k, v in found.items() if k.startswith("thought.")}
    assert set(thought) == set(state["thought"])
    parameters = {name for name, _ in decoder.named_parameters()}
    assert parameters <= set(found), parameters - set(found)
    # What is not in the manifest is no part of the bundle.
    assert "model.safetensors" not in (bundle / "manifest.json").read_text()


def test_the_report_is_paired(rows):
    # No window of this size has tokens behind 384 others: that band is left out.
    assert {row["band"] for row in rows} == {"all", "middle"}
    for band in ("all", "middle"):
        arms = {row["arm"]: row for row in rows if row["band"] == band}
        assert set(arms) == {"z_0", "T=1", "T=2", "T=4", "T=8", "shuffled T=4", "plain decoder", "T=4 minus shuffled"}
        assert arms["z_0"]["minus_z0"] == 0 and arms["z_0"]["error"] == 0
        gap = arms["T=4"]["minus_z0"] - arms["shuffled T=4"]["minus_z0"]
        assert arms["T=4 minus shuffled"]["minus_z0"] == pytest.approx(gap, abs=1e-6)
        assert len({row["files"] for row in arms.values()}) == 1


def test_an_opponent_with_a_thought_is_read_under_its_prior(tiny, thinking):
    out = tiny.root / "against-itself.json"
    shape = ["--chunks", 3, "--chunk", 48, "--length", 96, "--suffix", 24]
    tiny.run("report", "--state", thinking, "--plain", thinking, "--files", 6, "--batch", 3, "--out", out, *shape)
    opponents = [row for row in json.loads(out.read_text()) if row["arm"] == "plain decoder"]
    assert opponents and all(abs(row["minus_z0"]) < 1e-3 for row in opponents)


def test_means_and_errors_of_the_report():
    scores = report.Scores(
        nats={
            ("T=0", "all"): [10.0, 20.0, 0.0],
            ("T=4", "all"): [8.0, 19.0, 0.0],
            ("shuffled T=4", "all"): [11.0, 20.0, 0.0],
        },
        tokens={"all": [10, 10, 0]},
        bytes={"all": [40, 40, 0]},
    )
    found = {row["arm"]: row for row in report.table(scores)}
    assert found["T=4"]["files"] == 2
    assert found["T=4"]["nats_per_token"] == pytest.approx(27 / 20)
    assert found["T=4"]["bits_per_byte"] == pytest.approx(27 / np.log(2) / 80)
    assert found["T=4"]["minus_z0"] == pytest.approx(-0.15)
    assert found["T=4"]["error"] == pytest.approx(0.05)
    assert found["T=4 minus shuffled"]["minus_z0"] == pytest.approx(-0.2)
    assert found["T=4 minus shuffled"]["error"] == pytest.approx(0.1)


def test_strangers_belong_to_other_owners(tiny):
    test = tiny.split("test")
    owners = test.documents[:, 4]

    class Item:
        def __init__(self, file):
            self.file = file

    group = [Item(index) for index in range(len(owners))]
    for mine, other in enumerate(report.strangers(test, group)):
        assert owners[mine] != owners[other]


def test_bytes_of_tokens(tiny):
    lengths = report.token_bytes(tiny.tokenizer)
    encoder = load(tiny.tokenizer)
    for text in ("const x = 1;\n", "naïve 漢字 😀\n\t", ""):
        assert lengths[encoder.encode(text).ids].sum() == len(text.encode())
    assert lengths[:8].tolist() == [0] * 8


def test_what_a_thought_says_of_tokens_is_part_of_the_graphs(tmp_path):
    torch.manual_seed(0)
    shape = dict(vocabulary=100, width=32, layers=3, trunk_layers=1, heads=2, kv_heads=1, hidden=24, thought_vectors=2)
    leaning = Decoder(Config(**shape, token_groups=2, token_features=32))
    torch.nn.init.normal_(leaning.feature_means)
    for name, weight in leaning.named_parameters():
        if "thought_" in name:
            torch.nn.init.normal_(weight, std=0.2)
    export_graphs(leaning, tmp_path)
    assert max(parity.differences(leaning, tmp_path).values()) <= 1e-3
    # What they say is heard: with its numbers on the wrong tokens the same graphs compute something else.
    parts = leaning.parts
    for wrong in (
        lambda z: (parts(z)[0], parts(z)[1].flip(-1), parts(z)[2]),
        lambda z: (*parts(z)[:2], parts(z)[2].flip(1)),
    ):
        leaning.parts = wrong
        assert parity.differences(leaning, tmp_path)["logits"] > 0.1
