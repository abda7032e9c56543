"""`export`: a bundle, and its card, written from what the runs recorded."""

import json
from argparse import Namespace
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from . import features, quantise
from .bundle import FITTED, write_bundle
from .card import card_text
from .corpus import read, summary
from .data import Split, language_batch, newline_tokens, packed_share
from .fixtures import parity_case, tokenizer_cases
from .loop import inherited, load_decoder
from .model import Decoder
from .parity import LIMITS, differences

# Windows of plain text, and their tokens, that the maps of the thought are measured on.
WINDOWS, LENGTH = 64, 512


def run_summary(folder: Path) -> dict:
    """Steps, tokens, hours of computing and last figures of a run, from its log."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    validation = [r for r in rows if "validation" in r]
    figures = {k: round(v, 4) for k, v in (validation[-1] if validation else {}).items() if isinstance(v, float)}
    figures.pop("seconds", None)
    last = rows[-1]
    return {
        "run": folder.name, "steps": last["step"], "tokens": last["tokens"], "hours": round(last["seconds"] / 3600, 2),
        "validation": figures,
    }  # fmt: skip


def export(options: Namespace) -> None:
    """Writes a bundle and checks that ONNX Runtime computes what PyTorch does (`parity.LIMITS`)."""
    decoder, state = load_decoder(options.state)
    if options.trunk_layers is not None:
        decoder = split_at(decoder, options.trunk_layers)
    # What the model had been trained by when its weights were taken from another bundle, and what was fitted to it.
    before = json.loads((options.after / "manifest.json").read_text()) if options.after else {"training": {"runs": []}}
    runs = [*before["training"]["runs"], *(run_summary(folder) for folder in options.runs)]
    training = {"hardware": options.hardware, "hours": sum(r["hours"] for r in runs), "runs": runs}
    if options.after and not options.runs:  # nothing was read since
        training |= {key: before["training"][key] for key in ("hardware", "corpus")}
    else:
        training["corpus"] = corpus_of(options.cache)
    if options.note:
        training["note"] = options.note
    if not options.after:  # else the runs listed above say what the weights began as
        training |= inherited(state)
    c = decoder.config
    shape = {"layers": c.layers, "width": c.width, "vocabulary": c.vocabulary, "features": c.features}
    shape |= {"top": c.top_layers, "stored": "float16" if options.bits == 16 else f"blocks of {options.bits} bits"}
    card = card_text(options.name, options.version, shape, training)
    window = {"tokens": options.window, "suffixTokens": options.suffix, "hop": options.hop, "chunk": options.chunk}
    # Of the weights as they are stored, so that a bundle exported again has the same maps.
    quantise.round_weights(decoder.float().cpu().eval().requires_grad_(False), options.bits)
    features.measure(decoder, plain_text(options.cache, options.tokenizer))
    kept = {key: before[key] for key in FITTED if key in before}
    write_bundle(
        decoder, options.tokenizer, options.out, options.name, options.version, window, training, card, options.bits,
        kept,
    )  # fmt: skip
    found, bounds = differences(decoder, options.out), LIMITS
    print("PyTorch against ONNX Runtime: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()))
    if any(found[name] > bound for name, bound in bounds.items()):
        raise SystemExit(
            f"{options.out}: ONNX Runtime differs from PyTorch by more than {bounds}; the bundle is not usable"
        )
    if options.fixtures:
        options.fixtures.mkdir(parents=True, exist_ok=True)
        tokenizer_cases(options.tokenizer, options.fixtures / "tokenizer-cases.json")
        parity_case(decoder, options.fixtures / f"{options.name}-parity.json")


def split_at(decoder: Decoder, trunk_layers: int) -> Decoder:
    """The same decoder with another number of layers below the first one that reads a thought."""
    if not 1 <= trunk_layers < decoder.config.layers:
        raise SystemExit(f"--trunk-layers {trunk_layers}: give 1 to {decoder.config.layers - 1}")
    result = Decoder(replace(decoder.config, trunk_layers=trunk_layers))
    result.load_state_dict(decoder.state_dict())
    return result


def plain_text(cache: Path, tokenizer: Path) -> torch.Tensor:
    """Windows of the validation split, as files have them."""
    split = Split(cache, "validation", newline_tokens(tokenizer))
    inputs, _ = language_batch(split, WINDOWS, LENGTH, 0, np.random.default_rng(3), 0)
    return torch.from_numpy(inputs)


def corpus_of(cache: Path) -> dict:
    """What a bundle says of the corpus in `cache`."""
    composition = summary(cache, "train")
    folder = Path(__file__).parent.parent / "corpus"
    manifest = [
        p for name in ("manifest", "pypi") for p in json.loads((folder / f"{name}.json").read_text())["packages"]
    ]
    # The manifest may have changed since this corpus was built: what counts is what was trained on.
    known, used = {p["name"]: p["licence"] for p in manifest}, {row["package"] for row in read(cache, "train")}
    sizes = {k: v / 1e6 for k, v in composition["languages"].items()}
    return {
        "packages": len(used),
        "megabytes": round(sum(sizes.values()), 1),
        "python": packed_share(cache),
        "composition": ", ".join(f"{k} {v:.1f} MB" for k, v in sorted(sizes.items(), key=lambda s: -s[1]) if v >= 0.05),
        "licences": dict(Counter(known.get(name, "in an earlier manifest") for name in used).most_common()),
    }
