"""The latent-thought decoder: a LLaMA-like transformer whose upper layers cross-attend a thought `z`.

Layers 0 … trunk_layers-1 form the *trunk*, which never sees `z`: its states can be computed once and cached. The
layers above form the *top*; each of them reads its own `thought_vectors` vectors of `z` through a cross-attention
whose output projection starts at zero (so that a decoder trained without `z` is left as it was).

Shapes: B batch, S new tokens, P past tokens, V vocabulary, W width, H heads, G key/value heads, D head width,
L top layers, n thought vectors per layer, Z rows of z: one for each top layer; with `token_groups` further ones behind
them, which hold
one number for each token of the vocabulary, added to the token's logit; with `token_features` as many again for each
feature of the last
state, which that number is multiplied by first. So a thought can say which words a repository uses, and behind what,
wherever the
cross-attention of a few vectors cannot. Everything is written as `x @ W` with W stored [in, out].
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
    thought_vectors: int = 8
    rope_base: float = 10000.0
    token_groups: int = 0  # rows of z behind the layers' that hold what is added to each token's logit; 0: nothing is
    token_features: int = 0  # features of the last state for each of which z holds as many rows again; 0: none
    norm_epsilon: float = 1e-5
    head_size: int = 0  # 0: the heads share the width

    @property
    def head_width(self) -> int:
        return self.head_size or self.width // self.heads

    @property
    def top_layers(self) -> int:
        return self.layers - self.trunk_layers

    @property
    def thought_rows(self) -> int:
        """Z: one for each top layer, then those of the tokens, then those of each feature in turn."""
        return sum(self.group_rows)

    @property
    def group_rows(self) -> list[int]:
        """How many rows of z each of its groups has, which share step sizes: one each, but all rows of features are one
        group."""
        return [1] * (self.top_layers + self.token_groups) + [self.token_groups * self.token_features] * (
            self.token_features > 0
        )

    def __post_init__(self) -> None:
        if self.token_groups not in (0, self.groups_of_vocabulary):
            raise SystemExit(
                f"token_groups {self.token_groups}: a vocabulary of {self.vocabulary} takes {self.groups_of_vocabulary}"
            )
        if self.token_features and not self.token_groups:
            raise SystemExit(
                f"token_features {self.token_features}: they need token_groups, too: {self.groups_of_vocabulary}"
            )

    @property
    def groups_of_vocabulary(self) -> int:
        """As many rows of z as have a number for each token."""
        return -(-self.vocabulary // (self.thought_vectors * self.width))

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
    """Self-attention, cross-attention to the thought (top layers only) and SwiGLU, each on a normalised residual."""

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
            self.thought_norm = nn.Parameter(torch.ones(c.width))
            self.thought_query = weight(c.width, q)
            self.thought_key, self.thought_value = weight(c.width, kv), weight(c.width, kv)
            self.thought_output = nn.Parameter(torch.zeros(q, c.width))

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

    def think(self, x: Tensor, z: Tensor) -> Tensor:
        """Cross-attention of x [B, S, W] to this layer's thought z [B, n, W]."""
        c = self.config
        q = self.heads(rms_norm(x, self.thought_norm, c.norm_epsilon) @ self.thought_query, c.heads)
        z = z.to(x.dtype)
        repeat = c.heads // c.kv_heads
        k = self.heads(z @ self.thought_key, c.kv_heads).repeat_interleave(repeat, 1)
        v = self.heads(z @ self.thought_value, c.kv_heads).repeat_interleave(repeat, 1)
        scores = (q @ k.transpose(-1, -2)) * c.head_width**-0.5
        return (scores.float().softmax(-1).to(x.dtype) @ v).transpose(1, 2).flatten(2) @ self.thought_output

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, z: Tensor | None = None) -> Tensor:
        x = x + self.attend(x, cos, sin)
        if z is not None:
            x = x + self.think(x, z)
        h = rms_norm(x, self.mlp_norm, self.config.norm_epsilon)
        return x + (F.silu(h @ self.gate) * (h @ self.up)) @ self.down


class Decoder(nn.Module):
    """Decoder of p(y | z, window). `z` is None (no thought at all) or [B, Z, n, W]."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.embedding = nn.Parameter(torch.randn(config.vocabulary, config.width) * 0.02)
        self.stack = nn.ModuleList(Layer(config, i >= config.trunk_layers) for i in range(config.layers))
        self.final_norm = nn.Parameter(torch.ones(config.width))
        if config.token_features:
            # Of the final states: `features.measure` makes them uncorrelated and of variance 1.
            self.features = weight(config.width, config.token_features)
            self.feature_means = nn.Parameter(torch.zeros(config.token_features))

    def parts(self, z: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Of z [B, Z, n, W] the layers' rows, [B, L, n, W], what is added to the logit of each token, [B, 1, V], and
        what of it for each
        feature of a state, [B, features, V]: None if it says nothing of tokens, or of features."""
        c = self.config
        if not c.token_groups:
            return z, None, None
        layers, tokens, *features = z.split(
            (c.top_layers, c.token_groups, *c.group_rows[c.top_layers + c.token_groups :]), 1
        )
        leaning = tokens.flatten(1)[:, None, : c.vocabulary]
        return (
            layers,
            leaning,
            features[0].unflatten(1, (c.token_features, c.token_groups)).flatten(2)[..., : c.vocabulary]
            if features
            else None,
        )

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
        x, z = states, None if z is None else self.parts(z)[0]
        for i, layer in enumerate(self.stack[self.config.trunk_layers :]):
            x = layer(x, cos, sin, None if z is None else z[:, i])
        return rms_norm(x, self.final_norm, self.config.norm_epsilon)

    def logits(self, hidden: Tensor, z: Tensor | None) -> Tensor:
        """[B, S, V] of normalised hidden states under a thought."""
        return self.logits_of(hidden, *(None, None) if z is None else self.parts(z)[1:])

    def logits_of(self, hidden: Tensor, leaning: Tensor | None, by_feature: Tensor | None) -> Tensor:
        """The same of what a thought says of tokens (`parts`)."""
        logits = hidden @ self.embedding.to(hidden.dtype).T
        if leaning is not None:
            logits = logits + leaning.to(logits.dtype)
        if by_feature is not None:
            features = hidden @ self.features.to(hidden.dtype) - self.feature_means.to(hidden.dtype)
            logits = logits + features @ by_feature.to(hidden.dtype)
        return logits

    def token_nll(self, hidden: Tensor, targets: Tensor, z: Tensor | None) -> Tensor:
        """−log p of each target, in nats, [B, S]; positions with target −100 give 0."""
        logits = self.logits(hidden, z)
        flat = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=-100)
        return flat.view_as(targets)

    def forward(self, tokens: Tensor, targets: Tensor, z: Tensor | None = None) -> Tensor:
        return self.token_nll(self.top(self.trunk(tokens), z), targets, z)
