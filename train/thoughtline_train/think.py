"""Latent meta-training: the test-time protocol is the training protocol.

An episode fits z to evidence chunks by T gradient steps on their NLL (the decoder's weights held fixed), then scores
text that the inner loop never saw: a window of the same file, and a held-out chunk. That outer loss trains the decoder,
z_0, the step sizes and the pulls, to first order (CAVIA, Zintgraf et al. 2019; PERK, 2025, for the chunked evidence) or
`through` the last of the inner gradients.
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from . import features
from .data import IGNORE, Episode, Split, episode, newline_tokens
from .loop import Run, average_gradients, device_of, inherited, load_decoder, optimiser, prefetch, rank, schedule
from .model import Decoder
from .precision import autocast
from .protocol import Protocol
from .thought import MAX_STEPS, Thought
from .threads import Threads
from .tokenizer import identifiers


class Inner:
    """Gradients of the evidence with respect to z alone: the decoder's parameters are detached.

    `importance` [V]: what a token of the evidence counts; all alike by default."""

    def __init__(self, decoder, compiled: bool = True, importance: Tensor | None = None):
        self.decoder, self.importance = decoder, importance
        self.trunk = torch.compile(decoder.trunk) if compiled else decoder.trunk
        self.loss = torch.compile(self.row_losses) if compiled else self.row_losses

    def row_losses(self, z: Tensor, states: Tensor, targets: Tensor) -> Tensor:
        fixed = {k: v.detach() for k, v in self.decoder.named_parameters()}
        return self.weighed(functional_call(Top(self.decoder), prefixed(fixed), (states, targets, z)), targets)

    def weighed(self, nll: Tensor, targets: Tensor) -> Tensor:
        return (nll if self.importance is None else nll * self.importance[targets.clamp(min=0)]).sum(1)

    def states(self, inputs: Tensor) -> Tensor:
        with torch.no_grad():
            return self.trunk(inputs.flatten(0, 1)).clone()

    def gradients(self, z: Tensor, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Per chunk: NLL [B, K] and gradient [B, K, L, n, W] of its sum at z [B, L, n, W]."""
        rows, chunks = targets.shape[:2]
        own = z.detach().unsqueeze(1).expand(-1, chunks, -1, -1, -1).flatten(0, 1).clone().requires_grad_()
        nll = self.loss(own, states, targets.flatten(0, 1))
        (gradient,) = torch.autograd.grad(nll.sum(), own)
        return nll.detach().view(rows, chunks), gradient.view(rows, chunks, *gradient.shape[1:])

    def open_gradients(self, z: Tensor, states: Tensor, targets: Tensor) -> Tensor:
        """The same gradients with their graph to z and to the decoder's weights: they can be differentiated again."""
        own = z.unsqueeze(1).expand(-1, targets.shape[1], -1, -1, -1)
        # Neither what is compiled nor the fast attention has second derivatives.
        with sdpa_kernel(SDPBackend.MATH):
            nll = self.weighed(
                Top(self.decoder)(states, targets.flatten(0, 1), own.flatten(0, 1)), targets.flatten(0, 1)
            )
            return torch.autograd.grad(nll.sum(), own, create_graph=True)[0]


class Top(torch.nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, states: Tensor, targets: Tensor, z: Tensor) -> Tensor:
        return self.decoder.token_nll(self.decoder.top(states, z), targets, z)


def prefixed(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"decoder.{k}": v for k, v in parameters.items()}


def importance(tokenizer: Path, weight: float, device) -> Tensor | None:
    """What each token counts in the evidence [V]: `weight` where it spells an identifier, else 1. None if all are
    alike."""
    return None if weight == 1 else torch.from_numpy(np.where(identifiers(tokenizer), weight, 1.0)).float().to(device)


def mean_gradient(gradients: Tensor, targets: Tensor) -> Tensor:
    """Gradient of the NLL per evidence token [B, L, n, W] from per-chunk sums [B, K, L, n, W]."""
    count = (targets >= 0).sum((1, 2)).clamp(min=1)
    return gradients.sum(1) / count[:, None, None, None]


def refine(
    inner: Inner,
    thought: Thought,
    states: Tensor,
    targets: Tensor,
    steps: int,
    keep: bool = False,
    through: bool = False,
):
    """T steps from z_0. Returns z_T with its graph to `thought`, and to the decoder if the last step is to be seen
    `through`, the last gradients, and every z_t if `keep`."""
    z = thought.start(targets.shape[0])
    gradients, path = None, [z]
    for t in range(steps):
        last = through and t == steps - 1
        gradients = inner.open_gradients(z, states, targets) if last else inner.gradients(z, states, targets)[1]
        z = thought.step(z, mean_gradient(gradients, targets), min(t, MAX_STEPS - 1))
        if keep:
            path.append(z)
    return (z, gradients, path) if keep else (z, gradients)


def collate(episodes: list[Episode], device) -> dict[str, Tensor]:
    def stack(arrays) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(device, non_blocking=True)

    return {
        f"{name}_{part}": stack([getattr(e, name)[i] for e in episodes])
        for name in ("evidence", "held_out", "window", "others")
        for i, part in enumerate(("x", "y"))
    }


def draw(split: Split, size: int, shape: dict, rng: np.random.Generator) -> list[Episode]:
    episodes: list[Episode] = []
    while len(episodes) < size:
        if found := episode(split, **shape, rng=rng):
            episodes.append(found)
    return episodes


def per_token(nll: Tensor, targets: Tensor) -> Tensor:
    return nll.sum() / (targets >= 0).sum().clamp(min=1)


def anew(decoder: Decoder, shape: dict) -> Decoder:
    """The decoder with nothing learned about thoughts, which are to be of another shape: the rest of its weights stays.
    They say nothing
    of tokens unless the shape says so."""
    kept = {k: v for k, v in decoder.state_dict().items() if "thought_" not in k and "feature" not in k}
    return reshaped(decoder, {"token_groups": 0, "token_features": 0} | shape, kept)


# Parts of a shape that a thought can be given later: they change nothing at first.
ADDED = ("token_groups", "token_features")


def widened(decoder: Decoder, shape: dict) -> Decoder:
    """The decoder with rows of z for tokens: what it has learned about thoughts stays."""
    return reshaped(decoder, shape, decoder.state_dict())


def reshaped(decoder: Decoder, shape: dict, kept: dict) -> Decoder:
    fresh = Decoder(replace(decoder.config, **shape))
    fresh.load_state_dict(fresh.state_dict() | kept)
    return fresh


@torch.no_grad()
def final_states(decoder: Decoder, thought: Thought, split: Split, shape: dict, device, windows: int = 32) -> Tensor:
    """Normalised final states [N, W] of windows under z_0."""
    found = []
    for drawn in draw(split, windows, shape, np.random.default_rng(3)):
        data = collate([drawn], device)
        hidden = decoder.top(decoder.trunk(data["window_x"]), thought.start(1))
        found.append(hidden[data["window_y"] >= 0].float())
    return torch.cat(found)


def think(
    cache: Path, tokenizer: Path, folder: Path, start_from: Path, protocol: Protocol, minutes: float, seed: int,
    device_name: str, wall: float = math.inf, threads: int = 0, shape: dict | None = None, eager: bool = False,
) -> None:  # fmt: skip
    """Trains for `minutes` of computing time in all from the decoder of `start_from`, and from its thought where it has
    one, resuming where it stopped. With a `shape` (fields of `Config` that say how z is read) the decoder learns to
    read
    a thought of that shape from the beginning; what is only ADDED changes nothing of what it reads already.
    `eager`: nothing is compiled, for a run of a few minutes on a GPU, where the four shapes of an episode would take as
    long to compile as the run has.

    After `wall` minutes of this process it saves and ends, to be resumed."""
    torch.manual_seed(seed)
    device = device_of(device_name)
    newlines = newline_tokens(tokenizer)
    train, valid = Split(cache, "train", newlines), Split(cache, "validation", newlines)
    decoder, before = load_decoder(start_from, len(newlines))
    goes_on = not shape or all(added in ADDED and getattr(decoder.config, added) == 0 for added in shape)
    if shape:
        decoder = widened(decoder, shape) if goes_on else anew(decoder, shape)
    thought = Thought(decoder.config)
    if "thought" in before and goes_on:
        thought.take_over(before["thought"])
    decoder.to(device)
    thought.to(device)
    if protocol.steps_only:
        decoder.requires_grad_(False)
        thought.prior.requires_grad_(False)
    extra = [(thought.prior, 0.004), (thought.log_size, protocol.sizes), (thought.pull_logit, 2 * protocol.sizes)]
    opt = optimiser(decoder, protocol.muon, protocol.adam, extra)
    run = Run(folder, minutes * 60, wall * 60, device=device)
    if state := run.resume():
        decoder.load_state_dict(state["decoder"])
        thought.load_state_dict(state["thought"])
        opt.load(state["optimiser"])
    elif "token_features" in (shape or {}):
        features.measure(decoder, final_states(decoder, thought, train, protocol.window, device))
    rng = np.random.default_rng((seed, 7, rank(), run.step))
    batch, windows, step_share = protocol.batch, protocol.windows, protocol.step_share
    inner = Inner(decoder, not eager, importance(tokenizer, protocol.identifiers, device))
    outer = outer_windows = outer_chunk = decoder
    if not eager:
        outer = torch.compile(lambda x, y, z: decoder(x, y, z))
        # One compiled function for each shape: none of them is compiled anew for another.
        outer_windows = torch.compile(lambda x, y, z: decoder(x, y, z))
        outer_chunk = torch.compile(lambda x, y, z: decoder(x, y, z))
    fixed = np.random.default_rng(2)
    checks = [collate(draw(valid, batch, protocol.window, fixed), device) for _ in range(4)]
    amp = autocast(device)

    def validate() -> dict[str, float]:
        sums = {"z0": 0.0, "T4": 0.0, "shuffled": 0.0}
        with amp:
            for data in checks:
                z, _ = refine(inner, thought, inner.states(data["evidence_x"]), data["evidence_y"], 4)
                with torch.no_grad():
                    for name, at in (("z0", thought.start(batch)), ("T4", z), ("shuffled", z.roll(1, 0))):
                        sums[name] += per_token(outer(data["window_x"], data["window_y"], at), data["window_y"]).item()
        return {k: v / len(checks) for k, v in sums.items()}

    def save() -> None:
        parts = {"decoder": decoder.state_dict(), "thought": thought.state_dict(), "optimiser": opt.state()}
        run.save(**parts, **inherited(before), config=decoder.config.to_json())

    # A generator of its own: the thread that draws ahead and this one must not share one.
    choices = np.random.default_rng((seed, 8, run.step))
    following = prefetch(lambda: draw(train, batch, {**protocol.window, "windows": windows}, rng))
    adaptive = Threads(device, threads)
    while run.going:
        run.begin()
        data = collate(following(), device)
        steps = int(choices.choice(list(step_share), p=list(step_share.values())))
        edited = choices.random() < protocol.warm
        with amp:
            states, targets = inner.states(data["evidence_x"]), data["evidence_y"]
            if edited:
                z = refine_with_edit(inner, thought, states, targets, steps, choices)
            else:
                z, _ = refine(inner, thought, states, targets, steps, through=bool(protocol.through))
                thought.observe(z)
            sample = thought.noisy(z, protocol.noise)
            # The inner steps cost the same however many windows the thought serves.
            x, y = (torch.cat((data[f"window_{p}"], data[f"others_{p}"].flatten(0, 1))) for p in "xy")
            y[:, : protocol.deep] = IGNORE
            loss = per_token(outer_windows(x, y, torch.cat((sample, sample.repeat_interleave(windows - 1, 0)))), y)
            total = loss
            if protocol.held:
                total = loss + protocol.held * per_token(
                    outer_chunk(data["held_out_x"], data["held_out_y"], sample), data["held_out_y"]
                )
            total.backward()
            if run.step % 4 == 0 and not protocol.steps_only:
                y = y[:batch]
                at_prior = outer(x[:batch], y, thought.start(batch))
                (0.5 * per_token(at_prior, y)).backward()
        average_gradients([*decoder.parameters(), *thought.parameters()])
        torch.nn.utils.clip_grad_norm_([*decoder.parameters(), *thought.parameters()], 1.0)
        opt.step(schedule(run.done, warmup=0.03, decay=protocol.decay))
        seen = batch * (windows * protocol.length + (1 + protocol.chunks) * protocol.chunk)
        run.advance(seen, loss=loss.item(), T=float(steps))
        adaptive.settle()
        if run.step % 100 == 0:
            run.log(**validate(), size=thought.log_size.exp().mean().item())
        if run.due():
            save()
    save()
    figures = validate()
    run.log(**figures)
    if run.done < 1:
        run.bar.write(f"stopped at {run.done:.0%} of the budget; the same command goes on from there")
    run.bar.write(f"{run.step} steps, {run.tokens / 1e6:.1f} M tokens, validation {figures}")


def refine_with_edit(inner: Inner, thought: Thought, states: Tensor, targets: Tensor, steps: int, rng) -> Tensor:
    """T steps on all chunks but one, which stands for the text before an edit; then the edited chunk is evaluated at
    the current z, the other chunks' gradients are kept (stochastic average gradient, Le Roux et al. 2012), and one or
    two warm steps follow."""
    chunks = targets.shape[1]
    hidden = targets.clone()
    hidden[:, 0] = -100
    z, gradients = refine(inner, thought, states, hidden, steps)
    first = states.view(targets.shape[0], chunks, *states.shape[1:])[:, 0]
    for _ in range(int(rng.integers(1, 3))):
        _, new = inner.gradients(z, first, targets[:, :1])
        gradients = torch.cat((new, gradients[:, 1:]), 1)
        z = thought.step(z, mean_gradient(gradients, targets), MAX_STEPS)
    return z
