"""The three graphs of a bundle, written in plain operations that export to ONNX.

Layouts are those of the run time: key/value caches are sequence-first, [P, B, layers, G, D], so that they only grow
at their end; graphs return the new keys and values only. Keys are stored rotated.

They read a decoder whose layers are `fused`: matrices that multiply the same states lie side by side in one.
"""

import copy

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from .model import Config, Decoder, Layer, project


class FusedLayer(nn.Module):
    """A layer's weights for the graphs. A decoding step waits for memory and for the start of each product, so few
    large products take less time than many small ones."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.config, self.attention_norm, self.mlp_norm = layer.config, layer.attention_norm, layer.mlp_norm
        self.query_key_value = beside(layer.query, layer.key, layer.value)
        biased = layer.config.attention_bias
        self.query_key_value_bias = beside(layer.query_bias, layer.key_bias, layer.value_bias) if biased else None
        self.output = layer.output
        self.gate_up, self.down = beside(layer.gate, layer.up), layer.down
        if layer.reads_thought:
            self.thought_norm, self.thought_query = layer.thought_norm, layer.thought_query
            self.thought_key_value = beside(layer.thought_key, layer.thought_value)
            self.thought_output = layer.thought_output


def beside(*parts: Tensor) -> nn.Parameter:
    return nn.Parameter(torch.cat(parts, -1).detach(), requires_grad=False)


def fused(decoder: Decoder) -> Decoder:
    """The same decoder, only for the graphs of this module."""
    result = copy.copy(decoder)
    # nn.Module keeps its children in this dictionary, which a shallow copy would share.
    result._modules = {**decoder._modules, "stack": nn.ModuleList(FusedLayer(layer) for layer in decoder.stack).eval()}
    return result


def norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    # Written as ONNX Runtime looks for it to make one operator of it.
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight


def silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def angles(config: Config, past: int, new: int) -> tuple[Tensor, Tensor]:
    exponent = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
    frequency = config.rope_base ** (-exponent)
    angle = torch.arange(past, past + new, dtype=torch.float32)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def heads(x: Tensor, config: Config) -> Tensor:
    """[B, S, heads · D] → [B, heads, S, D]."""
    return x.unflatten(-1, (-1, config.head_width)).transpose(1, 2)


def attention(layer: FusedLayer, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """q [B, H, S, D] over k, v [B, G, N, D]: query heads share the keys of their group (grouped-query attention)."""
    c = layer.config
    grouped = q.unflatten(1, (c.kv_heads, c.heads // c.kv_heads))
    scores = (grouped @ k.unsqueeze(2).transpose(-1, -2)) * c.head_width**-0.5
    if mask is not None:
        scores = scores + mask
    out = torch.softmax(scores, -1) @ v.unsqueeze(2)
    return out.flatten(1, 2).transpose(1, 2).flatten(2)


def causal_mask(past: int, new: int) -> Tensor:
    """0 where a new token may look, −1e9 where it may not: [S, P+S]."""
    rows = torch.arange(past, past + new)[:, None]
    return torch.where(torch.arange(0, past + new)[None] <= rows, 0.0, -1e9)


def run_layer(layer: FusedLayer, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past, z: Tensor | None):
    """One layer on x [B, S, W]; `past` is (k, v) [B, G, P, D] or None. Returns the states and the new (k, v)."""
    c = layer.config
    own, shared = c.heads * c.head_width, c.kv_heads * c.head_width
    h = norm(x, layer.attention_norm, c.norm_epsilon)
    q, k, v = project(h, layer.query_key_value, layer.query_key_value_bias).split((own, shared, shared), -1)
    q, k = rotate(heads(q, c), cos, sin), rotate(heads(k, c), cos, sin)
    v = heads(v, c)
    keys, values = (k, v) if past is None else (torch.cat((past[0], k), 2), torch.cat((past[1], v), 2))
    x = x + attention(layer, q, keys, values, mask) @ layer.output
    if z is not None:
        q = norm(x, layer.thought_norm, c.norm_epsilon) @ layer.thought_query
        tk, tv = (z @ layer.thought_key_value).split((shared, shared), -1)
        x = x + attention(layer, heads(q, c), heads(tk, c), heads(tv, c), None) @ layer.thought_output
    gate, up = (norm(x, layer.mlp_norm, c.norm_epsilon) @ layer.gate_up).split((c.hidden, c.hidden), -1)
    return x + (silu(gate) * up) @ layer.down, k, v


class Cached(nn.Module):
    """Runs a range of layers over a key/value cache."""

    def __init__(self, decoder: Decoder, first: int, last: int):
        super().__init__()
        self.decoder, self.first, self.last = decoder, first, last

    def run(self, x: Tensor, past_k: Tensor, past_v: Tensor, z: Tensor | None):
        past, new = past_k.shape[0], x.shape[1]
        cos, sin = angles(self.decoder.config, past, new)
        mask = causal_mask(past, new)
        keys, values = [], []
        for i, layer in enumerate(self.decoder.stack[self.first : self.last]):
            cache = past_k[:, :, i].permute(1, 2, 0, 3), past_v[:, :, i].permute(1, 2, 0, 3)
            x, k, v = run_layer(layer, x, cos, sin, mask, cache, None if z is None else z[:, i])
            keys.append(k.permute(2, 0, 1, 3))
            values.append(v.permute(2, 0, 1, 3))
        return x, torch.stack(keys, 2), torch.stack(values, 2)


class TrunkGraph(Cached):
    """tokens [B, S], past → states [B, S, W], new keys and values [S, B, Lt, G, D]."""

    def __init__(self, decoder: Decoder):
        super().__init__(decoder, 0, decoder.config.trunk_layers)

    def forward(self, tokens: Tensor, past_k: Tensor, past_v: Tensor):
        return self.run(self.decoder.embedding[tokens], past_k, past_v, None)


class TopGraph(Cached):
    """states [B, S, W], past, z [B, L, n, W], logit_count [1] → logits of the last positions, new keys and values."""

    def __init__(self, decoder: Decoder):
        super().__init__(decoder, decoder.config.trunk_layers, decoder.config.layers)

    def forward(self, states: Tensor, past_k: Tensor, past_v: Tensor, z: Tensor, logit_count: Tensor):
        x, keys, values = self.run(states, past_k, past_v, self.decoder.read(z))
        rows = torch.arange(0, states.shape[1], dtype=torch.int64)
        chosen = torch.nonzero(rows >= states.shape[1] - logit_count).squeeze(1)
        hidden = norm(x.index_select(1, chosen), self.decoder.final_norm, self.decoder.config.norm_epsilon)
        return hidden @ self.decoder.head.T, keys, values


def evidence_nll(decoder: Decoder, z: Tensor, states: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Σ weight · (−log p(target | z)) in nats, for trunk states [1, S, W] of one chunk and z [L, n, W]."""
    c = decoder.config
    new = states.shape[1]
    cos, sin = angles(c, 0, new)
    mask = causal_mask(0, new)
    x, read = states, decoder.read(z.unsqueeze(0))
    for i, layer in enumerate(decoder.stack[c.trunk_layers :]):
        x = run_layer(layer, x, cos, sin, mask, None, read[:, i])[0]
    logits = norm(x, decoder.final_norm, c.norm_epsilon) @ decoder.head.T
    shifted = logits - logits.amax(-1, keepdim=True).detach()
    chosen = shifted.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (weights * (torch.log(torch.exp(shifted).sum(-1)) - chosen)).sum()


def evidence_graph(decoder: Decoder, example: tuple[Tensor, ...]) -> nn.Module:
    """Forward and backward in one graph: (states, targets, weights, z) → nll [1], gradient [L, n, W]."""
    gradient = torch.func.grad_and_value(lambda z, *rest: evidence_nll(decoder, z, *rest))

    def run(states: Tensor, targets: Tensor, weights: Tensor, z: Tensor):
        grad, nll = gradient(z, states, targets, weights)
        return nll.reshape(1), grad

    table = torch.export.default_decompositions()
    return make_fx(run, table, "symbolic", _allow_non_fake_inputs=True)(*example)
