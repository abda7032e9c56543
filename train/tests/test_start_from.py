"""Going on from weights that were trained before."""

import json

import pytest
import torch
from conftest import TRAIN

from thoughtline_train import quantise
from thoughtline_train.bundle import read_bundle
from thoughtline_train.loop import load_decoder
from thoughtline_train.model import Decoder
from thoughtline_train.thought import Thought


def thought_of(decoder: Decoder, state: dict) -> Thought:
    thought = Thought(decoder.config)
    thought.load_state_dict(state["thought"])
    return thought


def test_a_bundle_gives_back_the_state_that_it_was_exported_from(thinking, bundle):
    decoder, state = load_decoder(bundle)
    started = thought_of(decoder, state)
    before, trained = load_decoder(thinking)
    learned = thought_of(before, trained)
    assert decoder.config == before.config
    quantise.round_weights(before, 16)
    for name, weight in before.named_parameters():
        assert torch.equal(decoder.get_parameter(name), weight), name
    assert torch.equal(learned.prior, started.prior) and torch.equal(learned.deviation, started.deviation)
    assert torch.allclose(learned.log_size, started.log_size, atol=1e-5)
    assert torch.allclose(learned.pull_logit, started.pull_logit, atol=1e-4)
    assert state["origin"] == "the bundle tiny 0.1.0"


@pytest.mark.parametrize("name", ["nano", "tiny"])
def test_the_committed_bundles_can_be_gone_on_from(name):
    decoder, thought = read_bundle(TRAIN.parent / "models" / name)
    case = json.loads((TRAIN.parent / "test" / "fixtures" / f"{name}-parity.json").read_text())
    with torch.no_grad():
        z = thought.prior[None]
        logits = decoder.logits(decoder.top(decoder.trunk(torch.tensor([case["tokens"]])), z), z)[0, -1]
    assert torch.allclose(logits[:64], torch.tensor(case["logits_last"]), atol=1e-4)


def test_thinking_goes_on_from_the_thought_of_a_state(tiny, thinking):
    run, start = tiny.root / "think-again", tiny.root / "start.pt"
    state = torch.load(thinking, weights_only=True)
    # Far from where any thought begins.
    state["thought"]["prior"] += 3
    torch.save(state, start)
    shape = ["--batch", 4, "--chunks", 2, "--chunk", 32, "--length", 64, "--suffix", 16]
    tiny.run("think", "--run", run, "--start-from", start, "--minutes", 0.0001, *shape)
    after = torch.load(run / "state.pt", weights_only=True)
    # AdamW moves no number much further than its learning rate a step.
    moved = (after["thought"]["prior"] - state["thought"]["prior"]).abs().max()
    assert 0 < moved <= 0.004 * after["clock"]["step"] * 1.5


def test_training_goes_on_from_a_bundle(tiny, bundle):
    run = tiny.root / "from-bundle"
    shape = ["--batch", 4, "--chunks", 2, "--chunk", 32, "--length", 64, "--suffix", 16]
    tiny.run("think", "--run", run, "--start-from", bundle, "--minutes", 0.0001, *shape)
    state = torch.load(run / "state.pt", weights_only=True)
    assert state["clock"]["step"] > 0 and state["origin"] == "the bundle tiny 0.1.0"


def test_a_folder_without_a_bundle(tiny, tmp_path):
    with pytest.raises(SystemExit, match="manifest.json: no such file; give the folder of a bundle"):
        tiny.run("think", "--run", tmp_path / "run", "--start-from", tmp_path)
