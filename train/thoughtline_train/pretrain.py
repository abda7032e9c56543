"""Plain language modelling with fill-in-the-middle: all the training that a decoder has."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .data import Split, language_batch, newline_tokens
from .loop import Run, average_gradients, bits, device_of, inherited, load_decoder, optimiser, prefetch, rank, schedule
from .model import Config, Decoder
from .precision import autocast
from .threads import Threads


def pretrain(
    cache: Path, tokenizer: Path, folder: Path, config: Config, minutes: float, batch: int, length: int, suffix: int,
    muon: float, adam: float, fim: float, seed: int, device_name: str, start_from: Path | None,
    wall: float = math.inf, threads: int = 0, decay: float = 0.4,
) -> None:  # fmt: skip
    """Trains for `minutes` of computing time in all, resuming from `folder`/state.pt where there is one.

    After `wall` minutes of this process it saves and ends, to be resumed. `decay`: share of the run over which the rate
    falls. `start_from` continues from another run's decoder, or a bundle's.
    """
    torch.manual_seed(seed)
    device = device_of(device_name)
    newlines = newline_tokens(tokenizer)
    train, valid = Split(cache, "train", newlines), Split(cache, "validation", newlines)
    decoder, before = load_decoder(start_from, len(newlines)) if start_from else (Decoder(config), {})
    decoder.to(device)
    opt = optimiser(decoder, muon, adam)
    run = Run(folder, minutes * 60, wall * 60, device=device)
    if state := run.resume():
        decoder.load_state_dict(state["decoder"])
        opt.load(state["optimiser"])
    rng = np.random.default_rng((seed, rank(), run.step))
    if device.type == "cpu":
        loss_of = torch.compile(lambda x, y: decoder(x, y))
    else:
        decoder.compile_parts()
        loss_of = decoder
    fixed = np.random.default_rng(1)
    checks = [language_batch(valid, 8, length, suffix, fixed, fim) for _ in range(8)]

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

    draw = prefetch(lambda: language_batch(train, batch, length, suffix, rng, fim))
    adaptive = Threads(device, threads)
    while run.going:
        run.begin()
        x, y = place(draw())
        with autocast(device):
            loss = loss_of(x, y).sum() / (y >= 0).sum()
        loss.backward()
        average_gradients(decoder.parameters())
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        opt.step(schedule(run.done, decay=decay))
        run.advance(batch * length, loss=loss.item())
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
