"""Plain language modelling with fill-in-the-middle: all the training that a decoder has."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .data import Split, language_batch, newline_tokens
from .loop import Run, average_gradients, bits, device_of, inherited, load_decoder, optimiser, prefetch, rank, schedule
from .model import Config, Decoder
from .precision import autocast
from .threads import Threads


@dataclass(frozen=True)
class Pretraining:
    """What is trained, on what, and how long."""

    cache: Path
    tokenizer: Path
    # Of the run: its state and log.
    folder: Path
    config: Config
    # Of computing time in all, over all resumptions.
    minutes: float
    batch: int
    length: int
    suffix: int
    # Rates of the two optimisers.
    muon: float
    adam: float
    # Share of windows that fill in the middle.
    fim: float
    seed: int
    device: str
    # Another run's decoder, or a bundle's, to continue from.
    start_from: Path | None = None
    # Minutes after which this process saves and ends, to be resumed.
    wall: float = math.inf
    threads: int = 0
    # Share of the run over which the rate falls.
    decay: float = 0.4


def pretrain(wanted: Pretraining) -> None:
    """Trains, resuming from `folder`/state.pt where there is one."""
    torch.manual_seed(wanted.seed)
    device = device_of(wanted.device)
    newlines = newline_tokens(wanted.tokenizer)
    train, valid = Split(wanted.cache, "train", newlines), Split(wanted.cache, "validation", newlines)
    if wanted.start_from:
        decoder, before = load_decoder(wanted.start_from, len(newlines))
    else:
        decoder, before = Decoder(wanted.config), {}
    decoder.to(device)
    opt = optimiser(decoder, wanted.muon, wanted.adam)
    run = Run(wanted.folder, wanted.minutes * 60, wanted.wall * 60, device=device)
    if state := run.resume():
        decoder.load_state_dict(state["decoder"])
        opt.load(state["optimiser"])
    rng = np.random.default_rng((wanted.seed, rank(), run.step))
    if device.type == "cpu":
        loss_of = torch.compile(lambda x, y: decoder(x, y))
    else:
        decoder.compile_parts()
        loss_of = decoder
    fixed = np.random.default_rng(1)
    shape = wanted.length, wanted.suffix
    checks = [language_batch(valid, 8, *shape, fixed, wanted.fim) for _ in range(8)]

    def place(pair) -> tuple[Tensor, Tensor]:
        x, y = (torch.from_numpy(a).to(device, non_blocking=True) for a in pair)
        return x, y

    def validate() -> float:
        total = count = 0.0
        with torch.no_grad(), autocast(device), torch.compiler.set_stance("force_eager"):
            for pair in checks:
                x, y = place(pair)
                total += decoder(x, y).sum().item()
                count += (y >= 0).sum().item()
        return total / count

    def save() -> None:
        run.save(
            **inherited(before), decoder=decoder.state_dict(), optimiser=opt.state(), config=decoder.config.to_json()
        )

    draw = prefetch(lambda: language_batch(train, wanted.batch, *shape, rng, wanted.fim))
    adaptive = Threads(device, wanted.threads)
    while run.going:
        run.begin()
        x, y = place(draw())
        with autocast(device):
            loss = loss_of(x, y).sum() / (y >= 0).sum()
        loss.backward()
        average_gradients(decoder.parameters())
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        opt.step(schedule(run.done, decay=wanted.decay))
        run.advance(wanted.batch * wanted.length, loss=loss.item())
        adaptive.settle()
        if run.step % 200 == 0:
            nll = validate()
            run.log(validation=nll, validation_bits_per_token=bits(nll))
        if run.due():
            save()
    save()
    nll = validate()
    run.log(validation=nll)
    if run.done < 1:
        run.bar.write(f"stopped at {run.done:.0%} of the budget; the same command goes on from there")
    run.bar.write(f"{run.step} steps, {run.tokens / 1e6:.1f} M tokens, validation {nll:.4f} nats per token")
