"""A bundle: written (graphs, manifest, card, tokenizer), and read back as the decoder that it was exported from."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from .model import Config, Decoder
from .onnx_graphs import export_graphs
from .parity import differences
from .safetensors import tensors_of, write_safetensors

FORMAT = 3
NEEDS = "0.3.0"  # the first version of Thoughtline that reads this format
LICENCE = "MIT"

# Parts of a manifest that are fitted to the decoder; the names are part of the bundle format.
FITTED = ("memory", "states", "energy")

# What a manifest says of the thought's steps until the lab fits them to the decoder: lengths of the steps from the
# prior, and of one after an edit; what share of its way from the prior a thought loses at each; the deviations of prior
# and posterior.
# The prior is as wide as a thought after its first step; the posterior too, since one file says little of a number.
STEPS, WARM_STEP, PULL, DEVIATION = (0.04, 0.02, 0.0133, 0.01), 0.01, 0.05, 0.04


def write_bundle(
    decoder: Decoder, tokenizer: Path, folder: Path, name: str, version: str, window: dict, training: dict, card: str,
    bits: int = 16, fitted: dict | None = None,
) -> None:  # fmt: skip
    """`fitted`: the `FITTED` parts of the manifest, where they are known already."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    properties = {"name": name, "version": version, "licence": LICENCE, "tokenizer_sha256": tokens}
    export_graphs(decoder, folder, bits, properties)
    # For other libraries; no file of the bundle, which Thoughtline reads.
    write_safetensors(folder / "model.safetensors", tensors_of(decoder, bits), {"format": "pt", **properties})
    if tokenizer.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, folder / "tokenizer.json")
    (folder / "README.md").write_text(card)
    files = {
        "trunk": "trunk.onnx", "top": "top.onnx", "evidence": "evidence.onnx", "weights": "weights.bin",
        "tokenizer": "tokenizer.json", "card": "README.md",
    }  # fmt: skip
    manifest = {
        "format": FORMAT,
        "needs": NEEDS,
        "name": name,
        "version": version,
        "architecture": architecture(decoder.config),
        "window": {k: window[k] for k in ("tokens", "suffixTokens", "hop")},
        "chunk": {"tokens": window["chunk"]},
        "specialTokens": {"pad": 0, "file": 1, "suffix": 2, "prefix": 3, "end": 4},
        "thought": thought_of(decoder.config),
        **(fitted or {}),
        "training": training,
        "files": {key: described(folder / path) for key, path in files.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def architecture(c: Config) -> dict:
    return {
        "vocabulary": c.vocabulary, "width": c.width, "layers": c.layers, "trunkLayers": c.trunk_layers,
        "heads": c.heads, "kvHeads": c.kv_heads, "headWidth": c.head_width,
        # What the graphs hold already, for those who read a bundle back (bundle.py).
        "ropeBase": c.rope_base, "normEpsilon": c.norm_epsilon, "attentionBias": False, "tied": True,
    }  # fmt: skip


def thought_of(c: Config) -> dict:
    """Steps and deviations, for each top layer, before any are fitted."""

    def each(value: float) -> list[float]:
        return [value] * c.top_layers

    return {
        "features": c.features,
        "defaultSteps": 1,
        "maxSteps": len(STEPS),
        "stepSize": [each(size) for size in STEPS],
        "warmStepSize": each(WARM_STEP),
        "priorPull": [each(PULL) for _ in STEPS],
        "warmPriorPull": each(PULL),
        "priorDeviation": each(DEVIATION),
        "posteriorDeviation": each(DEVIATION),
    }


def described(path: Path) -> dict:
    data = path.read_bytes()
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def read_bundle(folder: Path) -> Decoder:
    """Decoder of a bundle, widened to float32. Ends with one line if it cannot be what the bundle computes."""
    if not (folder / "manifest.json").exists():
        raise SystemExit(f"{folder}/manifest.json: no such file; give the folder of a bundle, or a state.pt")
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["format"] != FORMAT:
        raise SystemExit(
            f"{folder}/manifest.json: format must be {FORMAT}, not {manifest['format']}; "
            "take a bundle that this version exported"
        )
    decoder = read_decoder(folder, manifest)
    found = differences(decoder, folder)
    exact = {k: v for k, v in found.items() if k in ("nll_per_token", "gradient")}
    if not max(exact.values()) <= 1e-3:
        raise SystemExit(
            f"{folder}: the weights read back do not compute what its graphs do ({exact}); export the bundle again"
        )
    return decoder


def state_of(folder: Path) -> dict:
    """A bundle as the state.pt of a run: to go on from."""
    decoder = read_bundle(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    origin = f"the bundle {manifest['name']} {manifest['version']}"
    if before := manifest["training"].get("origin"):
        origin += f" (before that, {before})"
    return {
        "decoder": decoder.state_dict(),
        "config": decoder.config.to_json(),
        "origin": origin,
        "clock": {"step": 0, "seconds": 0.0, "tokens": 0},
    }


def read_decoder(folder: Path, manifest: dict) -> Decoder:
    a = manifest["architecture"]
    heads, shared = a["heads"] * a["headWidth"], a["kvHeads"] * a["headWidth"]
    # A bundle that does not say them has the usual ones.
    told = (("rope_base", "ropeBase"), ("norm_epsilon", "normEpsilon"))
    config = Config(
        vocabulary=a["vocabulary"],
        width=a["width"],
        layers=a["layers"],
        trunk_layers=a["trunkLayers"],
        heads=a["heads"],
        kv_heads=a["kvHeads"],
        features=manifest["thought"]["features"],
        head_size=0 if heads == a["width"] else a["headWidth"],
        **{name: a[key] for name, key in told if key in a},
    )
    weights = (w for name in ("trunk", "top") for w in weights_as_used(folder / f"{name}.onnx", a["width"]))

    def columns(*widths: int) -> list[np.ndarray]:
        """Matrices that multiply the same states: side by side in one (graphs.FusedLayer), or each for itself."""
        first = next(weights)
        if first.shape[1] == sum(widths):
            return np.split(first, np.cumsum(widths)[:-1], 1)
        return [first, *(next(weights) for _ in widths[1:])]

    state = {"embedding": next(weights)}
    for i in range(a["layers"]):
        layer = {"attention_norm": next(weights)}
        layer |= zip(("query", "key", "value"), columns(heads, shared, shared))
        layer["output"] = next(weights)
        layer["mlp_norm"] = next(weights)
        gate_up, following = next(weights), next(weights)
        if following.shape == (gate_up.shape[1] // 2, a["width"]):
            layer["gate"], layer["up"] = np.split(gate_up, 2, 1)
            layer["down"] = following
        else:
            layer["gate"], layer["up"], layer["down"] = gate_up, following, next(weights)
        state |= {f"stack.{i}.{name}": value for name, value in layer.items()}
    state["final_norm"] = next(weights)
    config = replace(config, hidden=len(state["stack.0.down"]))
    decoder = Decoder(config).eval().requires_grad_(False)
    decoder.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()})
    read_maps(folder / "top.onnx", decoder)
    return decoder


def read_maps(path: Path, decoder: Decoder) -> None:
    """Sets the maps of the thought, which a top graph has by their names."""
    known = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
    for i, layer in enumerate(decoder.stack[decoder.config.trunk_layers :]):
        layer.thought_features.copy_(torch.from_numpy(known[f"layers.{i}.thought_features.f16"].astype(np.float32)))
        layer.thought_means.copy_(torch.from_numpy(known[f"layers.{i}.thought_means"].copy()))


def weights_as_used(path: Path, norm: int) -> Iterator[np.ndarray]:
    """The weights of a graph in the order in which it uses them, which is the order in which graphs.py is written;
    without the maps of the thought. `norm`: length of those that states are multiplied by, element by element.

    Names would not do: equal weights (norms that are still 1) are one initialiser, under the name of the first.
    """
    graph = onnx.load(path).graph
    known = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.input and all(name in known for name in node.input):
            # What widens a stored weight, and a few shapes.
            outputs = ReferenceEvaluator(node).run(None, {name: known[name] for name in node.input})
            known |= zip(node.output, outputs)
        elif node.op_type == "MatMul" and node.input[1] in known and not node.input[1].endswith(".thought_features"):
            yield known[node.input[1]]
        elif node.op_type in ("Gather", "GatherND") and node.input[0] in known:
            yield known[node.input[0]]
        elif node.op_type == "Mul":
            yield from (known[name] for name in node.input if name in known and known[name].shape == (norm,))
