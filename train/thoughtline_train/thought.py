"""The latent thought: its prior, and posterior refinement by gradient steps — at training time as at test time."""

import torch
from torch import Tensor, nn

from .model import Config

MAX_STEPS = 8

# Where training begins: the length of a step and the prior's deviation, of what the layers read and of what is added to
# logits; the latter
# of so many features together is FEATURE_SIZE and FEATURE_DEVIATION.
LAYER_SIZE, TOKEN_SIZE, FEATURE_SIZE = 0.15, 0.015, 0.06
LAYER_DEVIATION, TOKEN_DEVIATION, FEATURE_DEVIATION = 0.3, 0.03, 0.15


class Thought(nn.Module):
    """Learned prior mean z_0, step sizes and pull toward the prior, by step and group of z (`Config.group_rows`): one
    for each top layer,
    then those of the tokens, and one of all features; of tokens z_0 says nothing (zero: what is likely in general the
    decoder knows).

    One step, per group l (g: mean gradient of the evidence's NLL per token): ĝ = g / rms(g);
    z ← z_0 + (1 − pull[t, l]) · (z − z_0) − size[t, l] · ĝ. Row MAX_STEPS holds the warm step after an edit.
    First-order meta-learning: g is detached, so the outer loss reaches z_0, the sizes and the pulls only (unless the
    last step is seen `through`).
    """

    def __init__(self, config: Config):
        super().__init__()
        self.layers = config.top_layers
        self.rows = config.group_rows
        prior = torch.randn(config.thought_rows, config.thought_vectors, config.width) * 0.5
        prior[self.layers :] = 0
        self.prior = nn.Parameter(prior)
        self.prior.register_hook(self.of_layers)
        sizes = self.by_group(config, LAYER_SIZE, TOKEN_SIZE, FEATURE_SIZE)
        self.log_size = nn.Parameter(sizes.log().repeat(MAX_STEPS + 1, 1))
        self.pull_logit = nn.Parameter(torch.full((MAX_STEPS + 1, len(self.rows)), -4.0))
        # Root mean square of z_T − z_0 by group, a running average: the scale of the prior's deviation.
        self.register_buffer("deviation", self.by_group(config, LAYER_DEVIATION, TOKEN_DEVIATION, FEATURE_DEVIATION))

    @staticmethod
    def by_group(c: Config, of_layers: float, of_tokens: float, of_features: float) -> Tensor:
        each = [of_features / c.token_features] if c.token_features else []
        return torch.tensor([of_layers] * c.top_layers + [of_tokens] * c.token_groups + each)

    def by_row(self, of_groups: Tensor) -> Tensor:
        """Numbers of groups, [..., groups], as numbers of rows that broadcast against z: [..., Z, 1, 1]."""
        rows = torch.tensor(self.rows, device=of_groups.device)
        return of_groups.repeat_interleave(rows, -1, output_size=sum(self.rows))[..., None, None]

    def mean_square(self, z: Tensor) -> Tensor:
        """Of each group of z [B, Z, n, W]: [B, groups]."""
        return torch.stack([rows.pow(2).mean((1, 2, 3)) for rows in z.split(self.rows, 1)], 1)

    def of_layers(self, gradient: Tensor) -> Tensor:
        """A gradient of the prior without that of the tokens."""
        return torch.cat((gradient[: self.layers], torch.zeros_like(gradient[self.layers :])))

    def take_over(self, state: dict) -> None:
        """What a thought that says nothing of tokens, or of features, has learned; of another it is all."""
        for name, value in self.state_dict().items():
            groups = 0 if name in ("prior", "deviation") else 1
            value.narrow(groups, 0, state[name].shape[groups]).copy_(state[name])

    def start(self, batch: int) -> Tensor:
        """z_0 for every row: [B, Z, n, W]."""
        return self.prior.unsqueeze(0).expand(batch, -1, -1, -1)

    def step(self, z: Tensor, gradient: Tensor, t: int) -> Tensor:
        """One step from z along the gradient, both [B, Z, n, W]; t = MAX_STEPS is the warm step."""
        scale = self.by_row(self.mean_square(gradient).sqrt())
        size = self.by_row(self.log_size[t].exp())
        pull = self.by_row(torch.sigmoid(self.pull_logit[t]))
        return self.prior + (1 - pull) * (z - self.prior) - size * gradient / (scale + 1e-12)

    def noisy(self, z: Tensor, share: float) -> Tensor:
        """A sample of q(z|x): fresh noise of `share` of the prior's deviation."""
        return z + torch.randn_like(z) * share * self.by_row(self.deviation)

    @torch.no_grad()
    def observe(self, z: Tensor) -> None:
        self.deviation.lerp_(self.mean_square(z - self.prior).mean(0).sqrt(), 0.02)

    def to_json(self, noise: float = 0.1) -> dict:
        sizes, pulls = self.log_size.exp().tolist(), torch.sigmoid(self.pull_logit).tolist()
        deviation = self.deviation.tolist()
        return {
            "maxTrainedSteps": MAX_STEPS,
            "stepSize": sizes[:MAX_STEPS],
            "warmStepSize": sizes[MAX_STEPS],
            "priorPull": pulls[:MAX_STEPS],
            "warmPriorPull": pulls[MAX_STEPS],
            "priorDeviation": deviation,
            "posteriorDeviation": [noise * d for d in deviation],
        }
