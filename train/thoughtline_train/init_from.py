"""`init-from`: a state to go on from, made of weights that somebody trained before."""

import shutil
from pathlib import Path

import torch

from .bundle import read_bundle


def init_from(source: Path, folder: Path) -> None:
    """Writes `folder`/state.pt, which `pretrain` and `think` read with --start-from, and the tokenizer beside it."""
    if not (source / "manifest.json").exists():
        raise SystemExit(f"{source}: no manifest.json; give the folder of a bundle")
    if (folder / "state.pt").exists():
        raise SystemExit(f"{folder}/state.pt: there is a state already; give another --run")
    decoder, thought = read_bundle(source)
    folder.mkdir(parents=True, exist_ok=True)
    clock = {"step": 0, "seconds": 0.0, "tokens": 0}
    config = decoder.config.to_json()
    torch.save({"decoder": decoder.state_dict(), "thought": thought.state_dict(), "config": config, "clock": clock}, folder / "state.pt")
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    print(f"{folder}/state.pt: {sum(p.numel() for p in decoder.parameters()) / 1e6:.1f} M parameters; go on with")
    print(f"  --tokenizer {folder}/tokenizer.json think --start-from {folder}/state.pt --run …")
