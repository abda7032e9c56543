"""`init-from`: a state to go on from, made of weights that somebody trained before."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import torch

THOUGHT_VECTORS = 8


def init_from(source: Path, folder: Path, trunk_layers: int | None = None, thought_vectors: int | None = None) -> None:
    """Writes `folder`/state.pt, which `pretrain` and `think` read with --start-from, and the tokenizer beside it.

    `source` is one of our bundles, or a LLaMA or Qwen2 checkpoint in Hugging Face layout, which gets
    `thought_vectors` in each layer from `trunk_layers` on.
    """
    if (folder / "state.pt").exists():
        raise SystemExit(f"{folder}/state.pt: there is a state already; give another --run")
    if (source / "manifest.json").exists():
        if trunk_layers is not None or thought_vectors is not None:
            raise SystemExit(f"{source}: a bundle has its thought already; leave out --trunk-layers and --thought-vectors")
        state = from_bundle(source, folder)
    elif (source / "config.json").exists():
        state = from_checkpoint(source, folder, trunk_layers, thought_vectors or THOUGHT_VECTORS)
    else:
        raise SystemExit(f"{source}: neither manifest.json nor config.json; give the folder of a bundle or of a checkpoint")
    torch.save({**state, "clock": {"step": 0, "seconds": 0.0, "tokens": 0}}, folder / "state.pt")
    print(f"{folder}/state.pt: {sum(p.numel() for p in state['decoder'].values()) / 1e6:.1f} M parameters; go on with")
    print(f"  --tokenizer {folder}/tokenizer.json think --start-from {folder}/state.pt --run …")


def from_bundle(source: Path, folder: Path) -> dict:
    from .bundle import read_bundle

    decoder, thought = read_bundle(source)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    manifest = json.loads((source / "manifest.json").read_text())
    origin = f"the bundle {manifest['name']} {manifest['version']}"
    if before := manifest["training"].get("origin"):
        origin += f" (before that, {before})"
    parts = {"decoder": decoder.state_dict(), "thought": thought.state_dict()}
    return {**parts, "config": decoder.config.to_json(), "origin": origin}


def from_checkpoint(source: Path, folder: Path, trunk_layers: int | None, thought_vectors: int) -> dict:
    """Without a thought: `think` begins it."""
    from .checkpoint import read_config, read_decoder
    from .foreign import adopt

    config = read_config(source, trunk_layers, thought_vectors)
    if not (source / "tokenizer.json").exists():
        raise SystemExit(f"{source}/tokenizer.json: no such file; write one with transformers (AutoTokenizer, save_pretrained)")
    folder.mkdir(parents=True, exist_ok=True)
    rows, found = adopt(source / "tokenizer.json", folder / "tokenizer.json")
    print("special tokens: " + ", ".join(f"{ours} from {theirs}" if theirs else f"{ours} is new" for ours, theirs in found.items()))
    decoder = read_decoder(source, replace(config, vocabulary=len(rows)), rows)
    origin = f"the checkpoint {source.resolve().name}"
    return {"decoder": decoder.state_dict(), "config": decoder.config.to_json(), "origin": origin}
