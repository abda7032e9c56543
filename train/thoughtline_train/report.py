"""The table of a bundle's card: NLL of text outside the evidence, on files of owners that training never saw.

One window a file, at the deployed window length; its evidence lies outside it (the rest of the file, then siblings).
Paired per file: every row scores the same tokens. Differences come with the standard error of their mean over files.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from .data import Episode, Split, collect_episodes, newline_tokens
from .loop import device_of, load_decoder
from .precision import autocast
from .think import Inner, collate, importance, refine
from .thought import Thought

STEPS = (0, 1, 2, 4, 8)
BANDS = {"all": (0, 1 << 30), "deep": (384, 1 << 30)}


@dataclass
class Scores:
    """Per file: nats and tokens of the scored positions, by arm and band."""

    nats: dict[tuple[str, str], list[float]]
    tokens: dict[str, list[float]]
    bytes: dict[str, list[float]]


def token_bytes(tokenizer: Path) -> torch.Tensor:
    """UTF-8 length of each token's text (byte-level BPE: one character of the vocabulary is one byte)."""
    vocabulary = json.loads(tokenizer.read_text())["model"]["vocab"]
    lengths = torch.zeros(max(vocabulary.values()) + 1)
    for text, index in vocabulary.items():
        lengths[index] = 0 if text.startswith("<|") and index < 8 else len(text)
    return lengths


def strangers(split: Split, group: list[Episode]) -> list[int]:
    """For each episode of a batch, another one whose file belongs to another owner (its neighbour if there is none)."""
    owners = [int(split.documents[e.file, 4]) for e in group]
    turn = [[(i + k) % len(group) for k in range(1, len(group) + 1)] for i in range(len(group))]
    return [next((j for j in turn[i] if owners[j] != owners[i]), turn[i][0]) for i in range(len(group))]


def opponent(state: Path, device: torch.device) -> Callable[[Tensor, Tensor], Tensor]:
    """NLL [B, S] of the decoder that the thinking one is compared with: under its z_0 if it has one, else without any
    z."""
    decoder, saved = load_decoder(state)
    decoder.to(device).eval()
    if "thought" not in saved:
        return decoder
    thought = Thought(decoder.config)
    thought.load_state_dict(saved["thought"])
    thought.to(device).eval()
    return lambda x, y: decoder(x, y, thought.start(len(x)))


def evaluate(
    cache: Path, tokenizer: Path, split_name: str, state: Path, plain: Path | None, files: int, batch: int,
    shape: dict, device_name: str, steps: tuple[int, ...] = STEPS, identifiers: float = 1.0, tail: int = 0,
    compiled: bool = False,
) -> Scores:  # fmt: skip
    """`steps`: the numbers of steps that are scored, 0 and 4 among them. `identifiers`: what their tokens count in the
    evidence. `tail`: windows end at the same places whatever their length, and a band "tail" holds their last so many
    tokens. `compiled`: worth its while for many files only."""
    device = device_of(device_name)
    split = Split(cache, split_name, newline_tokens(tokenizer))
    decoder, saved = load_decoder(state)
    thought = Thought(decoder.config)
    thought.load_state_dict(saved["thought"])
    decoder.to(device).eval()
    thought.to(device).eval()
    baseline = opponent(plain, device) if plain else None
    inner = Inner(decoder, compiled, importance(tokenizer, identifiers, device))
    lengths = token_bytes(tokenizer).to(device)
    episodes = collect_episodes(split, files, shape, np.random.default_rng(11), tail > 0)
    nats: dict[tuple[str, str], list[float]] = {}
    tokens: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for at in tqdm(range(0, len(episodes), batch), unit="batch", desc=split_name):
        group = episodes[at : at + batch]
        data = collate(group, device)
        x, y = data["window_x"], data["window_y"]
        middle = torch.zeros_like(y, dtype=torch.bool)
        for row, item in enumerate(group):
            middle[row, max(0, item.middle - 1) :] = True
        positions = torch.arange(y.shape[1], device=device)
        masks = {
            band: ((positions >= low) & (positions < high))[None] & (y >= 0) for band, (low, high) in BANDS.items()
        }
        masks["middle"] = middle & (y >= 0)
        if tail:
            masks["tail"] = (y >= 0) & ((y >= 0).flip(1).cumsum(1).flip(1) <= tail)
        with autocast(device):
            states = inner.states(data["evidence_x"])
            *_, path = refine(inner, thought, states, data["evidence_y"], max(steps), keep=True)
            arms = {f"T={t}": path[t] for t in steps}
            arms["shuffled T=4"] = path[4][strangers(split, group)]
            with torch.no_grad():
                trunk = decoder.trunk(x)
                found = {arm: decoder.token_nll(decoder.top(trunk, z), y, z) for arm, z in arms.items()}
                if baseline is not None:
                    found["plain decoder"] = baseline(x, y)
        for band, mask in masks.items():
            tokens.setdefault(band, []).extend(mask.sum(1).tolist())
            sizes.setdefault(band, []).extend((lengths[y.clamp(min=0)] * mask).sum(1).tolist())
            for arm, nll in found.items():
                nats.setdefault((arm, band), []).extend((nll.float() * mask).sum(1).tolist())
    return Scores(nats, tokens, sizes)


def table(scores: Scores) -> list[dict]:
    """One row per arm and band: nats per token, bits per byte, and the paired difference to z_0 with its error."""
    rows = []
    for band, counts in scores.tokens.items():
        used = np.array(counts) > 0
        if used.sum() < 2:
            continue
        n = np.array(counts)[used]
        reference = np.array(scores.nats[("T=0", band)])[used] / n
        for (arm, its_band), values in scores.nats.items():
            if its_band != band:
                continue
            total = np.array(values)[used]
            difference = total / n - reference
            rows.append(
                {
                    "band": band,
                    "arm": "z_0" if arm == "T=0" else arm,
                    "files": int(used.sum()),
                    "nats_per_token": float(total.sum() / n.sum()),
                    "bits_per_byte": float(total.sum() / math.log(2) / np.array(scores.bytes[band])[used].sum()),
                    "minus_z0": float(difference.mean()),
                    "error": float(difference.std(ddof=1) / math.sqrt(len(difference))),
                }
            )
        four, other = (np.array(scores.nats[(a, band)])[used] / n for a in ("T=4", "shuffled T=4"))
        gap = four - other
        rows.append(
            {"band": band, "arm": "T=4 minus shuffled", "files": int(used.sum()),
             "minus_z0": float(gap.mean()), "error": float(gap.std(ddof=1) / math.sqrt(len(gap)))}
        )  # fmt: skip
    return rows


TITLES = {
    "all": "all tokens of the window",
    "deep": "tokens behind at least 384 tokens of window",
    "middle": "the middle to be completed",
}


def markdown(rows: list[dict]) -> str:
    out = []
    for band in dict.fromkeys(r["band"] for r in rows):
        chosen = [r for r in rows if r["band"] == band]
        out += [f"\n**{TITLES[band]}** ({chosen[0]['files']} files)\n"]
        out += ["| | nats per token | bits per byte | difference to z_0, nats per token ± standard error |"]
        out += ["|---|---|---|---|"]
        for r in chosen:
            figures = f"{r['nats_per_token']:.4f} | {r['bits_per_byte']:.4f}" if "nats_per_token" in r else " | "
            out.append(f"| {r['arm']} | {figures} | {r['minus_z0']:+.4f} ± {r['error']:.4f} |")
    return "\n".join(out) + "\n"
