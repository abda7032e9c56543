"""The decoder: a LLaMA-like transformer, beside whose upper layers a thought `z` acts.

Layers 0 … trunk_layers-1 form the *trunk*, which never sees `z`: its states can be computed once and cached. The
layers above form the *top*. Beside the MLP of each of them `z` adds f(n) · z, where n is the MLP's normalised input and
f(n) = n · F − m a fixed linear map to a few features (features.py). Nothing is trained for it, and z = 0 leaves the
decoder as it is.

Shapes: B batch, S new tokens, P past tokens, V vocabulary, W width, H heads, G key/value heads, D head width,
L top layers, f features. z is [B, L, f, W]. Everything is written as `x @ W` with W stored [in, out].
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Config:
    vocabulary: int = 8192
    width: int = 256
    layers: int = 6
    trunk_layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    hidden: int = 704
    features: int = 16  # of the MLP's input in each top layer, for which z holds a row each
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5
    head_size: int = 0  # 0: the heads share the width

    @property
    def head_width(self) -> int:
        return self.head_size or self.width // self.heads

    @property
    def top_layers(self) -> int:
        return self.layers - self.trunk_layers

    @property
    def thought_shape(self) -> tuple[int, int, int]:
        """Of z, for one text."""
        return self.top_layers, self.features, self.width

    def to_json(self) -> dict:
        return asdict(self)


def rms_norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    """Root-mean-square normalisation (Zhang & Sennrich 2019), in float32."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)).to(x.dtype) * weight.to(x.dtype)


def rotary_table(past: int, new: int, width: int, base: float, device) -> tuple[Tensor, Tensor]:
    """Cosines and sines [new, width/2] of the positions past … past+new-1 (RoPE, Su et al. 2021)."""
    frequency = base ** (-torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    angle = torch.arange(past, past + new, device=device, dtype=torch.float32)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE on x [B, heads, S, D]: dimension i pairs with i + D/2."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def weight(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * scale * rows**-0.5)


class Layer(nn.Module):
    """Self-attention and SwiGLU, each on a normalised residual; next to the latter the thought, in top layers."""

    def __init__(self, config: Config, reads_thought: bool):
        super().__init__()
        c, q, kv = config, config.heads * config.head_width, config.kv_heads * config.head_width
        self.config, self.reads_thought = c, reads_thought
        shrink = (2 * c.layers) ** -0.5
        self.attention_norm = nn.Parameter(torch.ones(c.width))
        self.query, self.key, self.value = weight(c.width, q), weight(c.width, kv), weight(c.width, kv)
        self.output = weight(q, c.width, shrink)
        self.mlp_norm = nn.Parameter(torch.ones(c.width))
        self.gate, self.up = weight(c.width, c.hidden), weight(c.width, c.hidden)
        self.down = weight(c.hidden, c.width, shrink)
        if reads_thought:
            # F and m. No part of a state: they are measured of the weights that a bundle is made of.
            self.register_buffer("thought_features", torch.zeros(c.width, c.features), persistent=False)
            self.register_buffer("thought_means", torch.zeros(c.features), persistent=False)

    def heads(self, x: Tensor, count: int) -> Tensor:
        return x.unflatten(-1, (count, self.config.head_width)).transpose(1, 2)

    def attend(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Causal self-attention over x alone (no past), [B, S, W]."""
        c = self.config
        h = rms_norm(x, self.attention_norm, c.norm_epsilon)
        q = rotate(self.heads(h @ self.query, c.heads), cos, sin)
        k = rotate(self.heads(h @ self.key, c.kv_heads), cos, sin)
        v = self.heads(h @ self.value, c.kv_heads)
        repeat = c.heads // c.kv_heads
        out = F.scaled_dot_product_attention(
            q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1), is_causal=True
        )
        return out.transpose(1, 2).flatten(2) @ self.output

    def mlp_input(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.mlp_norm, self.config.norm_epsilon)

    def mlp(self, n: Tensor) -> Tensor:
        """Of its normalised input."""
        return (F.silu(n @ self.gate) * (n @ self.up)) @ self.down

    def think(self, n: Tensor, z: Tensor) -> Tensor:
        """What this layer's thought z [B, f, W] adds to the MLP's output."""
        return (n @ self.thought_features.to(n.dtype) - self.thought_means.to(n.dtype)) @ z.to(n.dtype)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, z: Tensor | None = None) -> Tensor:
        x = x + self.attend(x, cos, sin)
        n = self.mlp_input(x)
        out = self.mlp(n)
        return x + (out if z is None else out + self.think(n, z))


class Decoder(nn.Module):
    """Decoder of p(y | z, window). `z` is [B, L, f, W], or None, which is the same as zeros."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embedding = nn.Parameter(torch.randn(config.vocabulary, config.width) * 0.02)
        self.stack = nn.ModuleList(Layer(config, i >= config.trunk_layers) for i in range(config.layers))
        self.final_norm = nn.Parameter(torch.ones(config.width))

    def compile_parts(self) -> None:
        """Compiles one layer for all that are alike, and the loss, for one shape of batch: seconds, where the whole
        stack takes
        minutes (regional compilation). What has another shape runs under `torch.compiler.set_stance("force_eager")`."""
        for layer in self.stack:
            layer.compile(dynamic=False)
        self.token_nll = torch.compile(self.token_nll, dynamic=False)

    def tables(self, length: int, device) -> tuple[Tensor, Tensor]:
        return rotary_table(0, length, self.config.head_width, self.config.rope_base, device)

    def trunk(self, tokens: Tensor) -> Tensor:
        """States [B, S, W] of tokens [B, S] below the first layer that reads the thought."""
        cos, sin = self.tables(tokens.shape[1], tokens.device)
        x = F.embedding(tokens, self.embedding)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        for layer in self.stack[: self.config.trunk_layers]:
            x = layer(x, cos, sin)
        return x

    def top(self, states: Tensor, z: Tensor | None) -> Tensor:
        """Normalised hidden states [B, S, W] above the trunk's."""
        cos, sin = self.tables(states.shape[1], states.device)
        x = states
        for i, layer in enumerate(self.stack[self.config.trunk_layers :]):
            x = layer(x, cos, sin, None if z is None else z[:, i])
        return rms_norm(x, self.final_norm, self.config.norm_epsilon)

    def logits(self, hidden: Tensor) -> Tensor:
        """[B, S, V] of normalised hidden states."""
        return hidden @ self.embedding.to(hidden.dtype).T

    def token_nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """−log p of each target, in nats, [B, S]; positions with target −100 give 0."""
        logits = self.logits(hidden)
        flat = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=-100)
        return flat.view_as(targets)

    def forward(self, tokens: Tensor, targets: Tensor, z: Tensor | None = None) -> Tensor:
        return self.token_nll(self.top(self.trunk(tokens), z), targets)
