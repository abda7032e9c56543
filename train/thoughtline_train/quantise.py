"""Weights in blocks of 8 bits: how they are rounded, and how the graphs of a bundle read them.

32 weights that meet in one sum share a float16 scale, the largest of them taken for one end of the range;
weight = scale · (stored − zero), zero (`ZERO`) the middle of the range. The layout is that of ONNX Runtime's
`MatMulNBits`, [outputs, blocks, bytes of a block].
"""

import numpy as np
import torch
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from .model import Decoder

BLOCK = 32

# The stored number that stands for no weight at all.
ZERO = 128


def fits(matrix: np.ndarray) -> bool:
    """[outputs, inputs]: whole blocks only."""
    return matrix.ndim == 2 and matrix.shape[1] % BLOCK == 0


def quantise(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[outputs, inputs] → bytes [outputs, blocks, BLOCK] and float16 scales [outputs, blocks]."""
    blocks = matrix.astype(np.float32).reshape(matrix.shape[0], -1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    # A signed scale: the range has one step more below zero than above, and the largest weight gets it.
    scales = (largest / -ZERO).astype(np.float16)
    steps = np.divide(blocks, scales, out=np.zeros_like(blocks), where=scales != 0, dtype=np.float32)
    stored = (np.rint(steps).clip(-ZERO, ZERO - 1) + ZERO).astype(np.uint8)
    return stored, scales[..., 0]


def dequantise(stored: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """What the graphs compute: float32 [outputs, inputs]."""
    values = (stored.astype(np.float32) - ZERO) * scales.astype(np.float32)[..., None]
    return values.reshape(len(values), -1)


@torch.no_grad()
def round_weights(decoder: Decoder, bits: int) -> None:
    """Makes the decoder's weights what a bundle of so many bits stores, so that PyTorch can be compared with it. The
    maps of the thought are what is stored already (features.py)."""
    for name, weight in decoder.named_parameters():
        turned = weight.ndim == 2 and "embedding" not in name
        matrix = (weight.T if turned else weight).numpy()
        if bits < 16 and fits(matrix):
            matrix = dequantise(*quantise(matrix))
            weight.copy_(torch.from_numpy(matrix.T if turned else matrix))
        else:
            weight.copy_(weight.half().float())


def widen(graph: GraphProto, name: str, stored: str, scales: str, turned: bool) -> list[NodeProto]:
    """Nodes that compute the float32 weight `name` from its blocks: [outputs, inputs], or turned the other way.

    Plain operators, not DequantizeLinear: those ONNX Runtime folds into a constant when a session opens."""
    constant(graph, "zero", np.float32(ZERO))
    constant(graph, "flat", np.array([0, -1]))
    constant(graph, "last", np.array([-1]))
    upright = name + ".upright" if turned else name
    nodes = [
        helper.make_node("Cast", [stored], [name + ".steps"], to=TensorProto.FLOAT),
        helper.make_node("Sub", [name + ".steps", "zero"], [name + ".signed"]),
        helper.make_node("Unsqueeze", [scales, "last"], [name + ".scale"]),
        helper.make_node("Mul", [name + ".signed", name + ".scale"], [name + ".blocks"]),
        helper.make_node("Reshape", [name + ".blocks", "flat"], [upright]),
    ]
    if turned:
        nodes.append(helper.make_node("Transpose", [upright], [name], perm=[1, 0]))
    return nodes


def constant(graph: GraphProto, name: str, value: np.ndarray) -> None:
    if all(i.name != name for i in graph.initializer):
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
