"""A trained decoder becomes a bundle: ONNX graphs that share one file of float16 weights, manifest, prior, tokenizer."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .graphs import TopGraph, TrunkGraph, evidence_graph
from .model import Config, Decoder
from .thought import Thought

FORMAT = 1
NEEDS = "0.1.0"  # the first version of Thoughtline that reads this format


def export_graphs(decoder: Decoder, folder: Path) -> None:
    """Writes trunk.onnx, top.onnx, evidence.onnx and weights.bin. The decoder's weights are rounded to float16."""
    decoder = decoder.float().cpu().eval()
    with torch.no_grad():
        for p in decoder.parameters():
            p.copy_(p.half().float())
            p.requires_grad_(False)
    c = decoder.config
    batch, new, past = (torch.export.Dim(n) for n in ("batch", "new", "past"))

    def cache(layers: int) -> torch.Tensor:
        return torch.randn(5, 2, layers, c.kv_heads, c.head_width)

    states, z = torch.randn(2, 7, c.width), torch.randn(2, c.top_layers, c.thought_vectors, c.width)
    caches = ({0: past, 1: batch}, {0: past, 1: batch})
    models = {
        "trunk": to_onnx(
            TrunkGraph(decoder),
            (torch.randint(0, c.vocabulary, (2, 7)), cache(c.trunk_layers), cache(c.trunk_layers)),
            ({0: batch, 1: new}, *caches),
            ["tokens", "past_k", "past_v"],
            ["states", "new_k", "new_v"],
        ),
        "top": to_onnx(
            TopGraph(decoder),
            (states, cache(c.top_layers), cache(c.top_layers), z, torch.tensor([3])),
            ({0: batch, 1: new}, *caches, {0: batch}, {}),
            ["states", "past_k", "past_v", "z", "logit_count"],
            ["logits", "new_k", "new_v"],
        ),
    }
    example = states[:1], torch.randint(0, c.vocabulary, (1, 7)), torch.rand(1, 7), z[0]
    models["evidence"] = to_onnx(
        evidence_graph(decoder, example),
        example,
        ({1: new}, {1: new}, {1: new}, {}),
        ["states", "targets", "weights", "z"],
        ["nll", "grad"],
    )
    share_weights(models, folder)


def to_onnx(module, example, dynamic, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    program = torch.onnx.export(
        module, example, dynamo=True, dynamic_shapes=dynamic, input_names=inputs, output_names=outputs,
        opset_version=18, optimize=True, verbose=False,
    )  # fmt: skip
    return program.model_proto


def share_weights(models: dict[str, onnx.ModelProto], folder: Path) -> None:
    """Moves large float32 initialisers into one float16 file that all graphs refer to; each is cast back when a
    session opens (ONNX Runtime folds the cast). Equal weights of several graphs are stored once, and so are two of
    which one is the other transposed."""
    folder.mkdir(parents=True, exist_ok=True)
    stored: dict[bytes, tuple[int, int]] = {}

    def key_of(values: np.ndarray) -> bytes:
        return hashlib.sha256(values.tobytes() + str(values.shape).encode()).digest()

    with (folder / "weights.bin").open("wb") as out:
        for name, model in models.items():
            widening = []
            for initializer in model.graph.initializer:
                wide = initializer.name
                values = numpy_helper.to_array(initializer)
                if values.dtype != np.float32 or values.size < 1024:
                    continue
                values = values.astype(np.float16)
                turned = key_of(values) not in stored and values.ndim == 2 and key_of(values.T.copy()) in stored
                if turned:
                    values = values.T.copy()
                key = key_of(values)
                if key not in stored:
                    out.write(b"\0" * (-out.tell() % 64))
                    stored[key] = (out.tell(), values.nbytes)
                    out.write(values.tobytes())
                refer(initializer, wide + ".f16", values.shape, *stored[key])
                flat = wide + ".turned" if turned else wide
                widening.append(helper.make_node("Cast", [wide + ".f16"], [flat], to=TensorProto.FLOAT))
                if turned:
                    widening.append(helper.make_node("Transpose", [flat], [wide], perm=[1, 0]))
            nodes = [*widening, *model.graph.node]
            del model.graph.node[:]
            model.graph.node.extend(nodes)
            del model.graph.value_info[:]
            for node in model.graph.node:
                del node.metadata_props[:]
                node.doc_string = ""
            (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


def refer(initializer: onnx.TensorProto, name: str, shape: tuple[int, ...], offset: int, length: int) -> None:
    """Makes an initialiser refer to float16 values in weights.bin."""
    initializer.Clear()
    initializer.name, initializer.data_type = name, TensorProto.FLOAT16
    initializer.dims.extend(shape)
    initializer.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", str(offset)), ("length", str(length))):
        initializer.external_data.add(key=key, value=value)


def write_bundle(
    decoder: Decoder, thought: Thought, tokenizer: Path, folder: Path, name: str, version: str, window: dict,
    training: dict, card: str,
) -> None:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    export_graphs(decoder, folder)
    if tokenizer.resolve() != (folder / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, folder / "tokenizer.json")
    thought.prior.detach().float().cpu().numpy().astype("<f4").tofile(folder / "prior.bin")
    (folder / "README.md").write_text(card)
    files = {
        "trunk": "trunk.onnx", "top": "top.onnx", "evidence": "evidence.onnx", "weights": "weights.bin",
        "tokenizer": "tokenizer.json", "prior": "prior.bin", "card": "README.md",
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
        "thought": thought.to_json(),
        "training": training,
        "files": {key: described(folder / path) for key, path in files.items()},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def architecture(c: Config) -> dict:
    return {
        "vocabulary": c.vocabulary, "width": c.width, "layers": c.layers, "trunkLayers": c.trunk_layers,
        "heads": c.heads, "kvHeads": c.kv_heads, "headWidth": c.head_width, "thoughtVectors": c.thought_vectors,
    }  # fmt: skip


def described(path: Path) -> dict:
    data = path.read_bytes()
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
