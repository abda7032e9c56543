"""The batched Muon against PyTorch's own."""

import pytest
import torch

from thoughtline_train import muon, precision

OPTIONS = {"lr": 0.01, "weight_decay": 0.05, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}


@pytest.fixture
def both():
    """Matrices of three shapes, twice, each with an optimiser of its own and the same gradients for some steps."""
    torch.manual_seed(3)
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in [(12, 12), (8, 20), (20, 8), (8, 20), (12, 12)]]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    gradients = [[torch.randn_like(p) for p in ours] for _ in range(4)]

    def run():
        pair = muon.Muon(ours, **OPTIONS), torch.optim.Muon(theirs, **OPTIONS)
        for step in gradients:
            for p, q, g in zip(ours, theirs, step):
                p.grad, q.grad = g.clone(), g.clone()
            for optimiser in pair:
                optimiser.step()
        return pair, ours, theirs

    return run


def test_in_bfloat16_the_steps_are_those_of_pytorch(both, monkeypatch):
    monkeypatch.setattr(muon, "narrow", lambda device: True)
    (own, other), ours, theirs = both()
    for p, q in zip(ours, theirs):
        assert torch.allclose(p, q, atol=2e-3)
        assert torch.equal(own.state[p]["momentum_buffer"], other.state[q]["momentum_buffer"])
    other.load_state_dict(own.state_dict())


def test_in_float32_they_differ_by_rounding_only(both, monkeypatch):
    monkeypatch.setattr(muon, "narrow", lambda device: False)
    _, ours, theirs = both()
    for p, q in zip(ours, theirs):
        assert (p - q).norm() < 0.02 * q.norm()


def test_matrices_without_gradient_stay():
    still, moved = (torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    moved.grad = torch.eye(4)
    muon.Muon([still, moved], **OPTIONS).step()
    assert torch.equal(still, torch.ones(4, 4)) and not torch.equal(moved, torch.ones(4, 4))


def test_a_cpu_trains_in_bfloat16_only_if_it_has_it(monkeypatch):
    cpu = torch.device("cpu")
    for has in (False, True):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda has=has: has)
        assert precision.narrow(cpu) is has
        with precision.autocast(cpu):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if has else torch.float32)
    assert precision.narrow(torch.device("cuda"))
