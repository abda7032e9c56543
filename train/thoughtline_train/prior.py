"""The learned prior z = U(z_0) of the Latent Plan Transformer (Kong et al. 2024): a network between the vectors that the
gradient steps move and the vectors that the layers read.

The steps are taken on z_0, through U: whatever they do, what the decoder reads is something that U can say. U belongs to
the decoder, so `Thought`, the inner loop and the run time know nothing of it: in a bundle it is part of the graphs that
read a thought, `top` and `evidence`, and the latter's gradient is the one with respect to z_0.
"""

import torch
from torch import Tensor, nn


class LearnedPrior(nn.Module):
    """A residual network over all vectors of a thought, [B, L, n, W] → the same: first each feature over the vectors of
    all layers, then each vector over its features (as in MLP-Mixer, Tolstikhin et al. 2021). The last matrices start at
    zero, so that it starts as the identity. `hidden` is kept small: a bundle's `top` computes it in every run."""

    def __init__(self, vectors: int, width: int, hidden: int):
        super().__init__()
        self.mix_norm, self.norm = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.mix_in = nn.Parameter(torch.randn(vectors, hidden) * vectors**-0.5)
        self.mix_out = nn.Parameter(torch.zeros(hidden, vectors))
        self.up = nn.Parameter(torch.randn(width, hidden) * width**-0.5)
        self.down = nn.Parameter(torch.zeros(hidden, width))

    def forward(self, z: Tensor) -> Tensor:
        x = z.flatten(1, 2)
        mixed = normal(x, self.mix_norm).transpose(1, 2) @ self.mix_in
        x = x + (silu(mixed) @ self.mix_out).transpose(1, 2)
        x = x + silu(normal(x, self.norm) @ self.up) @ self.down
        return x.unflatten(1, z.shape[1:3])


def normal(x: Tensor, weight: Tensor) -> Tensor:
    """Root-mean-square normalisation in plain operations, which export."""
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)
