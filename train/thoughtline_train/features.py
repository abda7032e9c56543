"""The fixed maps through which a thought acts (`Layer.think`): f(n) = n · F − m for each top layer.

F holds the principal components in which the MLP's input n varies most on plain text, each divided by its deviation
(whitened), so that a step along the gradient goes as far along each of them as a second-order one would. They are
scaled by the size of what the MLP writes, so that z has no unit, and one length of step fits all layers.
"""

import torch
from torch import Tensor

from .model import Decoder, Layer


@torch.no_grad()
def measure(decoder: Decoder, tokens: Tensor) -> None:
    """Sets the decoder's maps by plain text, tokens [B, S]."""
    x = decoder.trunk(tokens)
    cos, sin = decoder.tables(tokens.shape[1], tokens.device)
    for layer in decoder.stack[decoder.config.trunk_layers :]:
        x = x + layer.attend(x, cos, sin)
        n = layer.mlp_input(x)
        out = layer.mlp(n)
        set_map(layer, n.flatten(0, 1).double(), out.flatten(0, 1).double())
        x = x + out


def set_map(layer: Layer, inputs: Tensor, outputs: Tensor) -> None:
    """Sets F and m of a layer by inputs and outputs of its MLP [N, W]."""
    count = layer.config.features
    values, vectors = torch.linalg.eigh(torch.cov(inputs.T))
    # They come in ascending order.
    values, vectors = values.flip(0)[:count], vectors.flip(1)[:, :count]
    # The median: a few channels are so large that they would decide any mean.
    size = outputs.pow(2).mean(0).sqrt().median() / count**0.5
    # As they are stored; m is that of the rounded ones, so that the features of plain text have no mean.
    features = (vectors * values.clamp(min=1e-6).rsqrt() * size).half().double()
    layer.thought_features.copy_(features)
    layer.thought_means.copy_(inputs.mean(0) @ features)
