"""A bundle read back: the state that it was exported from, as far as its weights are stored."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from .model import Config, Decoder
from .parity import differences
from .thought import MAX_STEPS, Thought


def read_bundle(folder: Path) -> tuple[Decoder, Thought]:
    """Decoder and thought of a bundle, widened to float32. Ends with one line if they cannot be what it computes."""
    if not (folder / "manifest.json").exists():
        raise SystemExit(f"{folder}/manifest.json: no such file; give the folder of a bundle, or a state.pt")
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["thought"]["maxTrainedSteps"] != MAX_STEPS:
        raise SystemExit(
            f"{folder}/manifest.json: thought.maxTrainedSteps must be {MAX_STEPS}; "
            "take a bundle that this version exported"
        )
    decoder = read_decoder(folder, manifest["architecture"])
    found = differences(decoder, folder)
    exact = {k: v for k, v in found.items() if k in ("nll_per_token", "gradient")}
    if not max(exact.values()) <= 1e-3:
        raise SystemExit(
            f"{folder}: the weights read back do not compute what its graphs do ({exact}); export the bundle again"
        )
    return decoder, read_thought(folder, manifest["thought"], decoder.config)


def state_of(folder: Path) -> dict:
    """A bundle as the state.pt of a run: to go on from."""
    decoder, thought = read_bundle(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    origin = f"the bundle {manifest['name']} {manifest['version']}"
    if before := manifest["training"].get("origin"):
        origin += f" (before that, {before})"
    parts = {"decoder": decoder.state_dict(), "thought": thought.state_dict()}
    return {
        **parts,
        "config": decoder.config.to_json(),
        "origin": origin,
        "clock": {"step": 0, "seconds": 0.0, "tokens": 0},
    }


def read_thought(folder: Path, described: dict, config: Config) -> Thought:
    thought = Thought(config)
    stored = np.fromfile(folder / "prior.bin", "<f4")
    prior = np.zeros(thought.prior.shape, "<f4")
    # What is not stored is zero.
    prior.reshape(-1)[: len(stored)] = stored

    def by_step(steps: str, warm: str) -> torch.Tensor:
        return torch.tensor([*described[steps], described[warm]], dtype=torch.float64).clamp(1e-12, None)

    pull = by_step("priorPull", "warmPriorPull").clamp(None, 1 - 1e-12)
    thought.load_state_dict(
        {
            "prior": torch.from_numpy(prior),
            "log_size": by_step("stepSize", "warmStepSize").log().float(),
            "pull_logit": pull.logit().float(),
            "deviation": torch.tensor(described["priorDeviation"]),
        }
    )
    return thought


def read_decoder(folder: Path, architecture: dict) -> Decoder:
    a = architecture
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
        thought_vectors=a["thoughtVectors"],
        head_size=0 if heads == a["width"] else a["headWidth"],
        token_groups=a.get("tokenGroups", 0),
        token_features=a.get("tokenFeatures", 0),
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
        if i >= a["trunkLayers"]:
            layer["thought_norm"], layer["thought_query"] = next(weights), next(weights)
            layer |= zip(("thought_key", "thought_value"), columns(shared, shared))
            layer["thought_output"] = next(weights)
        layer["mlp_norm"] = next(weights)
        gate_up, following = next(weights), next(weights)
        if following.shape == (gate_up.shape[1] // 2, a["width"]):
            layer["gate"], layer["up"] = np.split(gate_up, 2, 1)
            layer["down"] = following
        else:
            layer["gate"], layer["up"], layer["down"] = gate_up, following, next(weights)
        state |= {f"stack.{i}.{name}": value for name, value in layer.items()}
    state["final_norm"] = next(weights)
    if config.token_features:
        state |= read_features(weights, folder, config)
    config = replace(config, hidden=len(state["stack.0.down"]))
    decoder = Decoder(config).eval().requires_grad_(False)
    decoder.load_state_dict({k: torch.from_numpy(v.astype(np.float32)) for k, v in state.items()})
    return decoder


def read_features(unread: Iterator[np.ndarray], folder: Path, config: Config) -> dict[str, np.ndarray]:
    """The features of the final states: the last weights of a top graph, behind the output matrix, and their means by
    name."""
    *_, features = unread
    means = next(
        i
        for i in onnx.load(folder / "top.onnx", load_external_data=False).graph.initializer
        if i.name.endswith("feature_means")
    )
    return {
        "features": features.reshape(config.width, config.token_features),
        "feature_means": numpy_helper.to_array(means),
    }


def weights_as_used(path: Path, norm: int) -> Iterator[np.ndarray]:
    """The weights of a graph in the order in which it uses them, which is the order in which graphs.py is written.
    `norm`: length of those that states are multiplied by, element by element.

    Names would not do: equal weights (norms that are still 1) are one initialiser, under the name of the first.
    """
    graph = onnx.load(path).graph
    known = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    for node in graph.node:
        if node.input and all(name in known for name in node.input):
            # What widens a stored weight, and a few shapes.
            outputs = ReferenceEvaluator(node).run(None, {name: known[name] for name in node.input})
            known |= zip(node.output, outputs)
        elif node.op_type == "MatMul" and node.input[1] in known:
            yield known[node.input[1]]
        elif node.op_type in ("Gather", "GatherND") and node.input[0] in known:
            yield known[node.input[0]]
        elif node.op_type == "Mul":
            yield from (known[name] for name in node.input if name in known and known[name].shape == (norm,))
