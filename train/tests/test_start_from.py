"""Going on from weights that were trained before."""

import json
import shutil

import pytest
import torch
from conftest import TRAIN

from thoughtline_train import quantise
from thoughtline_train.bundle import read_bundle
from thoughtline_train.fixtures import thought_of_case
from thoughtline_train.loop import load_decoder


def test_a_bundle_gives_back_the_state_that_it_was_exported_from(pretrained, bundle):
    decoder, state = load_decoder(bundle)
    before, _ = load_decoder(pretrained)
    assert {**decoder.config.to_json(), "trunk_layers": 2} == before.config.to_json()
    quantise.round_weights(before, 16)
    for name, weight in before.named_parameters():
        assert torch.equal(decoder.get_parameter(name), weight), name
    assert state["origin"] == "the bundle tiny 0.1.0"


@pytest.mark.parametrize("name", ["nano", "tiny"])
def test_the_committed_bundles_can_be_gone_on_from(name):
    decoder = read_bundle(TRAIN.parent / "models" / name)
    case = json.loads((TRAIN.parent / "test" / "fixtures" / f"{name}-parity.json").read_text())
    with torch.no_grad():
        z = thought_of_case(decoder.config)[None]
        logits = decoder.logits(decoder.top(decoder.trunk(torch.tensor([case["tokens"]])), z))[0, -1]
    assert torch.allclose(logits[:64], torch.tensor(case["logits_last"]), atol=1e-4)


def test_training_goes_on_from_a_bundle(tiny, bundle):
    run = tiny.root / "from-bundle"
    shape = ["--batch", 4, "--length", 64, "--suffix", 16]
    tiny.run("pretrain", "--run", run, "--start-from", bundle, "--minutes", 0.0001, *shape)
    state = torch.load(run / "state.pt", weights_only=True)
    assert state["clock"]["step"] > 0 and state["origin"] == "the bundle tiny 0.1.0"


def test_a_folder_without_a_bundle(tiny, tmp_path):
    with pytest.raises(SystemExit, match="manifest.json: no such file; give the folder of a bundle"):
        tiny.run("pretrain", "--run", tmp_path / "run", "--start-from", tmp_path)


def test_a_bundle_of_another_format_is_refused_by_name(bundle, tmp_path):
    old = tmp_path / "old"
    shutil.copytree(bundle, old)
    manifest = json.loads((old / "manifest.json").read_text())
    (old / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))
    with pytest.raises(SystemExit, match=r"old/manifest\.json: format must be 3, not 2; take a bundle that this"):
        read_bundle(old)
