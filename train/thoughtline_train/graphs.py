"""The three graphs of a bundle.

Trunk and top attend by ONNX Runtime's `GroupQueryAttention` over buffers of the caller: for each layer keys and values
[B, G, C, D] with room for C tokens, of which the first `past_length` are filled. It writes those of the new tokens
behind them,
in place where output and input are the same memory. Keys are stored rotated. The gradient's graph is written
in plain operations, which can be differentiated.

They read a decoder whose layers are `fused`: matrices that multiply the same states lie side by side in one.
"""

import copy

import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from .model import Config, Decoder, Layer

# Tokens of a window and what is written behind it, at most.
POSITIONS = 1 << 13


class FusedLayer(nn.Module):
    """A layer's weights for the graphs. A decoding step waits for memory and for the start of each product, so few
    large products take less time than many small ones."""

    def __init__(self, layer: Layer):
        super().__init__()
        self.config, self.attention_norm, self.mlp_norm = layer.config, layer.attention_norm, layer.mlp_norm
        self.query_key_value = hstack(layer.query, layer.key, layer.value)
        self.output = layer.output
        self.gate_up, self.down = hstack(layer.gate, layer.up), layer.down
        if layer.reads_thought:
            self.register_buffer("thought_features", layer.thought_features)
            self.register_buffer("thought_means", layer.thought_means)


def hstack(*parts: Tensor) -> nn.Parameter:
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


def frequencies(config: Config) -> Tensor:
    """Of the rotation (RoPE), in radians a position, [D/2]."""
    exponent = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
    return config.rope_base ** (-exponent)


def angles(config: Config, length: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the first positions' rotations, [S, D/2]."""
    angle = torch.arange(0, length, dtype=torch.float32)[:, None] * frequencies(config)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def heads(x: Tensor, config: Config) -> Tensor:
    """[B, S, heads · D] → [B, heads, S, D]."""
    return x.unflatten(-1, (-1, config.head_width)).transpose(1, 2)


def attention(layer: FusedLayer, q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """q [B, H, S, D] over k, v [B, G, N, D]: query heads share the keys of their group (grouped-query attention)."""
    c = layer.config
    grouped = q.unflatten(1, (c.kv_heads, c.heads // c.kv_heads))
    scores = (grouped @ k.unsqueeze(2).transpose(-1, -2)) * c.head_width**-0.5
    out = torch.softmax(scores + mask, -1) @ v.unsqueeze(2)
    return out.flatten(1, 2).transpose(1, 2).flatten(2)


def causal_mask(length: int) -> Tensor:
    """0 where a token may look, −1e9 where it may not: [S, S]."""
    places = torch.arange(0, length)
    return torch.where(places[None] <= places[:, None], 0.0, -1e9)


def mlp(layer: FusedLayer, x: Tensor, z: Tensor | None) -> Tensor:
    """Of states x [B, S, W], and what the layer's thought z [B, f, W] adds to it."""
    c = layer.config
    n = norm(x, layer.mlp_norm, c.norm_epsilon)
    gate, up = (n @ layer.gate_up).split((c.hidden, c.hidden), -1)
    out = (silu(gate) * up) @ layer.down
    return out if z is None else out + (n @ layer.thought_features - layer.thought_means) @ z


def queries_keys_values(layer: FusedLayer, x: Tensor) -> Tensor:
    """Side by side, not rotated: [B, S, (H + 2 G) · D]."""
    h = norm(x, layer.attention_norm, layer.config.norm_epsilon)
    return h @ layer.query_key_value


class Cached(nn.Module):
    """Runs a range of layers over a key/value cache."""

    def __init__(self, decoder: Decoder, first: int, last: int):
        super().__init__()
        if decoder.config.head_width % 16:
            raise SystemExit(f"heads are {decoder.config.head_width} wide; GroupQueryAttention wants a multiple of 16")
        self.decoder, self.layers = decoder, decoder.stack[first:last]
        cosines, sines = angles(decoder.config, POSITIONS)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)

    def run(self, x: Tensor, past_length: Tensor, past: tuple[Tensor, ...], z: Tensor | None):
        """`past`: keys and values of each layer in turn. Returns the states, and the same with the new tokens' in
        it."""
        c = self.decoder.config
        total = (past_length + x.shape[1]).to(torch.int32)
        last = (total - 1).expand(x.shape[0])
        present = []
        for i, layer in enumerate(self.layers):
            keys, values = past[2 * i], past[2 * i + 1]
            attended, *new = torch.onnx.ops.symbolic_multi_out(
                "com.microsoft::GroupQueryAttention",
                (queries_keys_values(layer, x), None, None, keys, values, last, total, self.cosines, self.sines),
                {"num_heads": c.heads, "kv_num_heads": c.kv_heads, "do_rotary": 1},
                dtypes=(torch.float32,) * 3,
                shapes=((x.shape[0], x.shape[1], c.heads * c.head_width), keys.shape, values.shape),
                version=1,
            )
            present += new
            x = x + attended @ layer.output
            x = x + mlp(layer, x, None if z is None else z[:, i])
        return x, present


def cache_names(prefix: str, layers: int) -> list[str]:
    """What the inputs (`past`) and outputs (`present`) of a cache are called: keys and values of each layer in turn."""
    return [f"{prefix}_{part}_{i}" for i in range(layers) for part in ("key", "value")]


class TrunkGraph(Cached):
    """tokens [B, S], past → states [B, S, W], present."""

    def __init__(self, decoder: Decoder):
        super().__init__(decoder, 0, decoder.config.trunk_layers)

    def forward(self, tokens: Tensor, past_length: Tensor, *past: Tensor):
        states, present = self.run(self.decoder.embedding[tokens], past_length, past, None)
        return states, *present


class TopGraph(Cached):
    """states [B, S, W], z [B, L, f, W], logit_count [1], past → logits of the last positions, present, hidden keys
    [B, S, W]."""

    def __init__(self, decoder: Decoder):
        super().__init__(decoder, decoder.config.trunk_layers, decoder.config.layers)

    def forward(self, states: Tensor, z: Tensor, logit_count: Tensor, past_length: Tensor, *past: Tensor):
        x, present = self.run(states, past_length, past, z)
        rows = torch.arange(0, states.shape[1], dtype=torch.int64)
        chosen = torch.nonzero(rows >= states.shape[1] - logit_count).squeeze(1)
        hidden = norm(x, self.decoder.final_norm, self.decoder.config.norm_epsilon)
        return self.decoder.logits(hidden.index_select(1, chosen)), *present, hidden_keys(hidden)


# What graphs of bundles call the hidden keys: the name is part of the bundle format.
HIDDEN_KEYS = "directions"


def hidden_keys(hidden: Tensor) -> Tensor:
    """Last states as unit vectors: the kNN cache compares them by the cosine between them."""
    return hidden / torch.sqrt(hidden.pow(2).sum(-1, keepdim=True))


def evidence_nll(
    decoder: Decoder, z: Tensor, states: Tensor, targets: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Σ weight · (−log p(target | z)) in nats, for trunk states [1, S, W] of one chunk and z [L, f, W]; and the
    hidden keys of its tokens."""
    c = decoder.config
    new = states.shape[1]
    own, shared = c.heads * c.head_width, c.kv_heads * c.head_width
    cos, sin = angles(c, new)
    mask = causal_mask(new)
    x = states
    for layer, own_z in zip(decoder.stack[c.trunk_layers :], z.unbind(0)):
        q, k, v = (heads(part, c) for part in queries_keys_values(layer, x).split((own, shared, shared), -1))
        x = x + attention(layer, rotate(q, cos, sin), rotate(k, cos, sin), v, mask) @ layer.output
        x = x + mlp(layer, x, own_z)
    hidden = norm(x, decoder.final_norm, c.norm_epsilon)
    logits = decoder.logits(hidden)
    shifted = logits - logits.amax(-1, keepdim=True).detach()
    chosen = shifted.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return (weights * (torch.log(torch.exp(shifted).sum(-1)) - chosen)).sum(), hidden_keys(hidden)


def evidence_graph(decoder: Decoder, example: tuple[Tensor, ...]) -> nn.Module:
    """Forward and backward in one graph: (states, targets, weights, z) → nll [1], gradient [L, f, W], hidden keys
    [1, S, W]."""
    gradient = torch.func.grad_and_value(lambda z, *rest: evidence_nll(decoder, z, *rest), has_aux=True)

    def run(states: Tensor, targets: Tensor, weights: Tensor, z: Tensor):
        grad, (nll, last) = gradient(z, states, targets, weights)
        return nll.reshape(1), grad, last

    table = torch.export.default_decompositions()
    return make_fx(run, table, "symbolic", _allow_non_fake_inputs=True)(*example)
