"""A decoder as ONNX graphs that share one file of weights."""

import hashlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from . import quantise
from .graphs import HIDDEN_KEYS, POSITIONS, TopGraph, TrunkGraph, cache_names, evidence_graph, frequencies, fused
from .model import Config, Decoder


def export_graphs(decoder: Decoder, folder: Path, bits: int = 16, properties: dict[str, str] | None = None) -> None:
    """Writes trunk.onnx, top.onnx, evidence.onnx and weights.bin. The decoder's weights are rounded to what is stored:
    float16, or blocks of 8 bits. `properties`: what each graph says of itself (`metadata_props`)."""
    decoder = decoder.float().cpu().eval().requires_grad_(False)
    quantise.round_weights(decoder, bits)
    share_weights(graphs(decoder), folder, bits, properties or {})


def graphs(decoder: Decoder) -> dict[str, onnx.ModelProto]:
    """The three graphs, weights within."""
    decoder = fused(decoder)
    c = decoder.config
    # Names of dimensions in the graphs of bundles.
    batch, new, capacity = (torch.export.Dim(n) for n in ("batch", "new", "room"))

    def cache(layers: int) -> tuple[torch.Tensor, ...]:
        return tuple(torch.randn(2, c.kv_heads, 16, c.head_width) for _ in range(2 * layers))

    def dynamic(layers: int) -> tuple[dict, ...]:
        return tuple({0: batch, 2: capacity} for _ in range(2 * layers))

    trunk, top, past = c.trunk_layers, c.top_layers, torch.tensor([5])
    states, z = torch.randn(2, 7, c.width), torch.randn(2, *c.thought_shape)
    models = {
        "trunk": to_onnx(
            TrunkGraph(decoder),
            (torch.randint(0, c.vocabulary, (2, 7)), past, *cache(trunk)),
            ({0: batch, 1: new}, {}, dynamic(trunk)),
            ["tokens", "past_length", *cache_names("past", trunk)],
            ["states", *cache_names("present", trunk)],
        ),
        "top": to_onnx(
            TopGraph(decoder),
            (states, z, torch.tensor([3]), past, *cache(top)),
            ({0: batch, 1: new}, {0: batch}, {}, {}, dynamic(top)),
            ["states", "z", "logit_count", "past_length", *cache_names("past", top)],
            ["logits", *cache_names("present", top), HIDDEN_KEYS],
        ),
    }
    for model in models.values():
        rotation_of(model.graph, c)
    example = states[:1], torch.randint(0, c.vocabulary, (1, 7)), torch.rand(1, 7), z[0]
    models["evidence"] = to_onnx(
        evidence_graph(decoder, example),
        example,
        ({1: new}, {1: new}, {1: new}, {}),
        ["states", "targets", "weights", "z"],
        ["nll", "grad", HIDDEN_KEYS],
    )
    for name in ("top", "evidence"):
        name_maps(models[name].graph, decoder)
    return models


def name_maps(graph: onnx.GraphProto, decoder: Decoder) -> None:
    """Calls the maps of the thought `layers.0.thought_features`, and so on, whatever the exporter calls constants. What
    is one of them turned is made of it when a session opens."""
    for i, layer in enumerate(decoder.stack[decoder.config.trunk_layers :]):
        for part in ("thought_features", "thought_means"):
            values, name = getattr(layer, part).numpy(), f"layers.{i}.{part}"
            constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
            found = [known for known, its in constants.items() if np.array_equal(its, values)]
            if not values.any() or len(found) != 1:
                raise SystemExit(f"{name}: zero, or not the only constant of its kind; measure the maps first")
            turned = [known for known, its in constants.items() if its.ndim == 2 and np.array_equal(its.T, values)]
            for node in graph.node:
                node.input[:] = [name if used == found[0] else used for used in node.input]
            for initializer in [t for t in graph.initializer if t.name in (*found, *turned)]:
                graph.initializer.remove(initializer)
            graph.initializer.append(numpy_helper.from_array(values, name))
            for known in turned:
                graph.node.insert(0, helper.make_node("Transpose", [name], [known], perm=[1, 0]))


def rotation_of(graph: onnx.GraphProto, config: Config) -> None:
    """Lets the graph make its tables of the rotation (`Cached`) itself, when a session opens: a bundle need not hold
    them,
    and float16 would not do."""
    for initializer in [i for i in graph.initializer if i.name in ("cosines", "sines")]:
        graph.initializer.remove(initializer)
    frequency = frequencies(config).numpy()
    for name, value in (("rotation.end", POSITIONS), ("rotation.zero", 0), ("rotation.one", 1)):
        graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    graph.initializer.append(numpy_helper.from_array(np.array([-1]), "rotation.last"))
    graph.initializer.append(numpy_helper.from_array(frequency, "rotation.frequency"))
    nodes = [
        helper.make_node("Range", ["rotation.zero", "rotation.end", "rotation.one"], ["rotation.places"]),
        helper.make_node("Unsqueeze", ["rotation.places", "rotation.last"], ["rotation.rows"]),
        helper.make_node("Mul", ["rotation.rows", "rotation.frequency"], ["rotation.angles"]),
        helper.make_node("Cos", ["rotation.angles"], ["cosines"]),
        helper.make_node("Sin", ["rotation.angles"], ["sines"]),
        *graph.node,
    ]
    del graph.node[:]
    graph.node.extend(nodes)


def to_onnx(module, example, dynamic, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    program = torch.onnx.export(
        module, example, dynamo=True, dynamic_shapes=dynamic, input_names=inputs, output_names=outputs,
        opset_version=18, optimize=True, verbose=False,
    )  # fmt: skip
    return program.model_proto


def share_weights(
    models: dict[str, onnx.ModelProto], folder: Path, bits: int = 16, properties: dict[str, str] | None = None
) -> None:
    """Moves large float32 initialisers into one file that all graphs refer to: as float16, or, with 8 `bits`,
    matrices in blocks (quantise.py). They are widened when a session opens (ONNX Runtime folds that). Equal weights of
    several graphs are stored once, and so are two of which one is the other
    transposed.

    Blocks of 8 bits are widened in all graphs: `MatMulNBits` would round the states to 8 bits as well, and runs of one
    token and
    of several differently. Where it pays, in runs of a few tokens, the extension multiplies by them itself
    (src/model/kernel)."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "weights.bin").open("wb") as out:
        weights = Weights(out, bits)
        for name, model in models.items():
            move_weights(model.graph, weights)
            if all(o.domain != "com.microsoft" for o in model.opset_import):
                model.opset_import.add(domain="com.microsoft", version=1)
            del model.graph.value_info[:]
            model.producer_name, model.producer_version = "thoughtline_train", ""
            helper.set_model_props(model, {"graph": name, **(properties or {})})
            for node in model.graph.node:
                del node.metadata_props[:]
                node.doc_string = ""
            (folder / f"{name}.onnx").write_bytes(model.SerializeToString())


class Weights:
    """The weights file while it is written: what lies where."""

    def __init__(self, out: BinaryIO, bits: int):
        self.out, self.bits = out, bits
        self.places: dict[bytes, tuple[int, int]] = {}
        self.matrices: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def put(self, values: np.ndarray) -> tuple[int, int]:
        """Offset and length of the values, which are written unless they are there already."""
        key = key_of(values)
        if key not in self.places:
            self.out.write(b"\0" * (-self.out.tell() % 64))
            self.places[key] = self.out.tell(), values.nbytes
            self.out.write(values.tobytes())
        return self.places[key]

    def blocks(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The quantised [outputs, inputs]."""
        key = key_of(matrix)
        if key not in self.matrices:
            self.matrices[key] = quantise.quantise(matrix)
        return self.matrices[key]


def key_of(values: np.ndarray) -> bytes:
    return hashlib.sha256(values.tobytes() + str((values.shape, values.dtype)).encode()).digest()


def move_weights(graph: onnx.GraphProto, weights: Weights) -> None:
    widening: list[onnx.NodeProto] = []
    for initializer in list(graph.initializer):
        name, values = initializer.name, numpy_helper.to_array(initializer)
        if name.endswith(".thought_features"):
            widening.append(narrow(initializer, weights, values))
            continue
        if values.dtype != np.float32 or values.size < 1024:
            continue
        readers = [node for node in graph.node if name in node.input]
        factor = all(node.op_type == "MatMul" and node.input[1] == name for node in readers)
        # Blocks are made of what was not rounded before.
        upright, turned = values if weights.bits < 16 else values.astype(np.float16), False
        if values.ndim == 2:
            there = weights.matrices if weights.bits < 16 else weights.places
            across = upright.T.copy()
            # As it came first: [inputs, outputs] where it is multiplied by, so that its blocks lie along a sum.
            turned = key_of(across) in there or (weights.bits < 16 and factor and key_of(upright) not in there)
            upright = across if turned else upright
        if weights.bits == 16 or not quantise.fits(upright):
            flat = name + ".turned" if turned else name
            widening.append(narrow(initializer, weights, upright, flat))
            if turned:
                widening.append(helper.make_node("Transpose", [flat], [name], perm=[1, 0]))
            continue
        blocks, scales = weights.blocks(upright)
        stored, scale = f"{name}.q{weights.bits}", name + ".scales"
        refer(initializer, stored, blocks, weights.put(blocks))
        refer(graph.initializer.add(), scale + ".f16", scales, weights.put(scales))
        widening.append(helper.make_node("Cast", [scale + ".f16"], [scale], to=TensorProto.FLOAT))
        widening += quantise.widen(graph, name, stored, scale, turned)
    nodes = [*widening, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def narrow(
    initializer: onnx.TensorProto, weights: Weights, values: np.ndarray, widened: str | None = None
) -> onnx.NodeProto:
    """Stores values in 16 bits. Returns the node that widens them, to their own name or another."""
    name, halves = initializer.name, values.astype(np.float16)
    refer(initializer, name + ".f16", halves, weights.put(halves))
    return helper.make_node("Cast", [name + ".f16"], [widened or name], to=TensorProto.FLOAT)


def refer(initializer: onnx.TensorProto, name: str, values: np.ndarray, place: tuple[int, int]) -> None:
    """Makes an initialiser refer to values in weights.bin."""
    initializer.Clear()
    initializer.name, initializer.data_type = name, helper.np_dtype_to_tensor_dtype(values.dtype)
    initializer.dims.extend(values.shape)
    initializer.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", str(place[0])), ("length", str(place[1]))):
        initializer.external_data.add(key=key, value=value)
