"""The thought beside the MLPs, and the fixed maps that it is read through."""

import pytest
import torch
import torch.nn.functional as F

from thoughtline_train import features
from thoughtline_train.fixtures import measure_of_noise
from thoughtline_train.graphs import evidence_nll, fused
from thoughtline_train.model import Config, Decoder, rms_norm

CONFIG = Config(vocabulary=64, width=16, layers=3, trunk_layers=1, heads=2, kv_heads=1, hidden=24, features=4)


@pytest.fixture
def decoder() -> Decoder:
    """Random weights, with maps."""
    torch.manual_seed(0)
    decoder = Decoder(CONFIG).requires_grad_(False)
    measure_of_noise(decoder)
    return decoder


@pytest.fixture
def text() -> torch.Tensor:
    return torch.randint(8, 64, (3, 12), generator=torch.Generator().manual_seed(2))


def thought(*batch: int) -> torch.Tensor:
    return torch.randn(*batch, *CONFIG.thought_shape, generator=torch.Generator().manual_seed(3))


def logits(decoder: Decoder, tokens: torch.Tensor, z: torch.Tensor | None) -> torch.Tensor:
    return decoder.logits(decoder.top(decoder.trunk(tokens), z))


def test_no_thought_leaves_the_decoder_as_it_is_to_the_last_bit(decoder, text):
    without = Decoder(CONFIG).requires_grad_(False)
    without.load_state_dict(decoder.state_dict())
    expected = logits(without, text, None)
    assert torch.equal(logits(decoder, text, torch.zeros(3, *CONFIG.thought_shape)), expected)
    assert torch.equal(logits(decoder, text, None), expected)
    assert (logits(decoder, text, thought(3)) - expected).abs().max() > 0.01


def test_a_thought_adds_its_features_to_the_output_of_the_mlp(decoder):
    layer = decoder.stack[1]
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(4))
    n, z = rms_norm(x, layer.mlp_norm, CONFIG.norm_epsilon), thought(2)[:, 0]
    own = (F.silu(n @ layer.gate) * (n @ layer.up)) @ layer.down
    values = n @ layer.thought_features - layer.thought_means
    torch.testing.assert_close(layer.mlp(n) + layer.think(n, z), own + torch.einsum("bsf,bfw->bsw", values, z))


def test_the_maps_are_no_part_of_a_state(decoder):
    assert not any("thought" in name for name in decoder.state_dict())


def test_every_text_of_a_batch_has_a_thought_of_its_own(decoder, text):
    z = thought(3)
    together = logits(decoder, text, z)
    for row in range(3):
        apart = logits(decoder, text[row : row + 1], z[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], apart)


def test_the_gradient_is_that_of_finite_differences(decoder, text):
    """Along its own direction, and along each layer's alone: no layer's part is lost on the way down."""
    decoder = decoder.double()
    states = decoder.trunk(text[:1])
    weights = torch.ones(1, 12, dtype=torch.float64)
    weights[:, :3] = 0

    def nll(z: torch.Tensor) -> torch.Tensor:
        return evidence_nll(fused(decoder), z, states, text[1:2], weights)[0]

    at = 0.1 * thought().double()
    leaf = at.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nll(leaf), leaf)
    for direction in (gradient, *(gradient * one[:, None, None] for one in torch.eye(CONFIG.top_layers).double())):
        size = 1e-4 / direction.norm()
        slope = (nll(at + size * direction) - nll(at - size * direction)) / (2 * size)
        assert slope.item() == pytest.approx((gradient * direction).sum().item(), rel=1e-5)


def test_a_small_step_along_the_gradient_makes_the_evidence_more_likely(decoder, text):
    z = torch.zeros(3, *CONFIG.thought_shape, requires_grad=True)
    targets = text.roll(-1, 1)
    before = decoder(text, targets, z).sum()
    (gradient,) = torch.autograd.grad(before, z)
    after = decoder(text, targets, -0.1 * gradient / gradient.pow(2).mean().sqrt()).sum()
    assert after < before - 0.1


def test_features_are_uncorrelated_and_as_large_as_what_the_mlp_writes():
    layer = Decoder(CONFIG).stack[1]
    mix = torch.randn(16, 16, generator=torch.Generator().manual_seed(5)).double()
    inputs = torch.randn(4000, 16, generator=torch.Generator().manual_seed(6)).double() @ mix + 3
    # One channel of the output is huge: it must not set the size.
    outputs = torch.full((4000, 16), 0.5).double()
    outputs[:, 7] = 1e4
    features.set_map(layer, inputs, outputs)
    values = inputs @ layer.thought_features.double() - layer.thought_means.double()
    size = 0.5 / CONFIG.features**0.5
    torch.testing.assert_close(torch.cov(values.T), torch.eye(4).double() * size**2, atol=1e-3 * size**2, rtol=0)
    assert values.mean(0).abs().max() < 1e-5
    # They are the directions in which most happens.
    largest = torch.linalg.eigvalsh(torch.cov(inputs.T)).flip(0)[:4]
    torch.testing.assert_close(size / layer.thought_features.double().norm(dim=0), largest.sqrt(), atol=0, rtol=1e-3)


def test_maps_are_measured_where_the_text_passes(decoder, text):
    """On the very text that they were measured on the features of every top layer are whitened."""
    features.measure(decoder, text)
    one_to_one = torch.eye(CONFIG.features, CONFIG.width).expand(3, -1, -1)
    x = decoder.trunk(text)
    cos, sin = decoder.tables(text.shape[1], text.device)
    for layer in decoder.stack[1:]:
        n = layer.mlp_input(x + layer.attend(x, cos, sin))
        values = layer.think(n, one_to_one)[..., : CONFIG.features].flatten(0, 1)
        covariance = torch.cov(values.T)
        expected = covariance.diagonal().mean() * torch.eye(CONFIG.features)
        torch.testing.assert_close(covariance, expected, atol=1e-2 * expected.max().item(), rtol=0)
        assert values.mean(0).abs().max() < 1e-4
        x = layer(x, cos, sin)
