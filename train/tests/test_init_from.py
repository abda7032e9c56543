"""Going on from weights that were trained before."""

import copy
import json

import pytest
import torch
from conftest import TRAIN

from thoughtline_train import export, quantise
from thoughtline_train.bundle import read_bundle
from thoughtline_train.loop import load_decoder
from thoughtline_train.model import Config, Decoder
from thoughtline_train.thought import Thought

WINDOW = {"tokens": 96, "suffixTokens": 24, "hop": 16, "chunk": 48}


def state_of(path) -> tuple[Decoder, Thought]:
    decoder, state = load_decoder(path)
    thought = Thought(decoder.config)
    thought.load_state_dict(state["thought"])
    return decoder, thought


@pytest.fixture(scope="module")
def random_decoder() -> Decoder:
    """Equal weights among others: a graph stores them once, under the name of the first. And a hidden width that is
    twice the model's looks like two matrices side by side."""
    torch.manual_seed(1)
    decoder = Decoder(Config(vocabulary=96, width=32, heads=4, kv_heads=2, hidden=64, layers=4, trunk_layers=1, thought_vectors=2))
    torch.nn.init.constant_(decoder.stack[2].mlp_norm, 0.5)
    torch.nn.init.normal_(decoder.stack[3].thought_output, std=0.2)
    return decoder.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def random_graphs(random_decoder):
    return export.graphs(random_decoder)


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_a_bundle_gives_back_the_state_that_it_was_exported_from(tiny, random_decoder, random_graphs, tmp_path, monkeypatch, bits):
    monkeypatch.setattr(export, "graphs", lambda decoder: copy.deepcopy(random_graphs))
    before, thought = copy.deepcopy(random_decoder), Thought(random_decoder.config)
    torch.nn.init.normal_(thought.log_size, -2)
    torch.nn.init.normal_(thought.pull_logit, -3)
    torch.nn.init.uniform_(thought.deviation, 0.2, 0.9)
    export.write_bundle(before, thought, tiny.tokenizer, tmp_path, "tiny", "0.0.1", WINDOW, {}, "# tiny\n", bits)
    tiny.run("init-from", tmp_path, "--run", tmp_path / "run")
    decoder, read = state_of(tmp_path / "run" / "state.pt")
    assert decoder.config == before.config
    quantise.round_weights(before, bits)
    for name, weight in before.named_parameters():
        assert torch.equal(decoder.get_parameter(name), weight), name
    assert torch.equal(read.prior, thought.prior) and torch.equal(read.deviation, thought.deviation)
    assert torch.allclose(read.log_size, thought.log_size, atol=1e-5)
    assert torch.allclose(read.pull_logit, thought.pull_logit, atol=1e-4)
    assert (tmp_path / "run" / "tokenizer.json").read_bytes() == tiny.tokenizer.read_bytes()
    with pytest.raises(SystemExit, match="another --run"):
        tiny.run("init-from", tmp_path, "--run", tmp_path / "run")


@pytest.mark.parametrize("name", ["nano", "tiny"])
def test_the_committed_bundles_can_be_gone_on_from(name):
    decoder, thought = read_bundle(TRAIN.parent / "models" / name)
    case = json.loads((TRAIN.parent / "test" / "fixtures" / f"{name}-parity.json").read_text())
    with torch.no_grad():
        hidden = decoder.top(decoder.trunk(torch.tensor([case["tokens"]])), thought.prior[None])
        logits = hidden[0, -1] @ decoder.embedding.T
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


def test_a_folder_that_is_no_bundle(tiny, tmp_path):
    with pytest.raises(SystemExit, match="no manifest.json; give"):
        tiny.run("init-from", tmp_path, "--run", tmp_path / "run")
