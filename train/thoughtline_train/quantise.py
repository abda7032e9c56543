"""Weights in blocks of 8 or 4 bits: how they are rounded, and how the graphs of a bundle read them.

32 weights that meet in one sum share a float16 scale, the largest of them taken for one end of the range;
weight = scale · (stored − zero), zero the middle of the range. The layout is that of ONNX Runtime's `MatMulNBits`, [outputs, blocks, bytes of a block], low half byte first.
"""

import numpy as np
import torch
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from .model import Decoder

BLOCK = 32


def fits(matrix: np.ndarray) -> bool:
    """[outputs, inputs]: whole blocks only, so that the same bytes serve graphs that do not know MatMulNBits."""
    return matrix.ndim == 2 and matrix.shape[1] % BLOCK == 0


def quantise(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """[outputs, inputs] → bytes [outputs, blocks, BLOCK · bits / 8] and float16 scales [outputs, blocks]."""
    blocks = matrix.astype(np.float32).reshape(matrix.shape[0], -1, BLOCK)
    zero = 2 ** (bits - 1)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    # A signed scale: the range has one step more below zero than above, and the largest weight gets it.
    scales = (largest / -zero).astype(np.float16)
    steps = np.divide(blocks, scales, out=np.zeros_like(blocks), where=scales != 0, dtype=np.float32)
    stored = (np.rint(steps).clip(-zero, zero - 1) + zero).astype(np.uint8)
    scales = scales[..., 0]
    return (stored if bits == 8 else stored[..., ::2] | stored[..., 1::2] << 4), scales


def dequantise(stored: np.ndarray, scales: np.ndarray, bits: int) -> np.ndarray:
    """What the graphs compute: float32 [outputs, inputs]."""
    if bits == 4:
        stored = np.stack((stored & 15, stored >> 4), -1).reshape(*stored.shape[:-1], BLOCK)
    values = (stored.astype(np.float32) - 2 ** (bits - 1)) * scales.astype(np.float32)[..., None]
    return values.reshape(len(values), -1)


@torch.no_grad()
def round_weights(decoder: Decoder, bits: int) -> None:
    """Makes the decoder's weights what a bundle of so many bits stores, so that PyTorch can be compared with it."""
    for name, weight in decoder.named_parameters():
        turned = weight.ndim == 2 and "embedding" not in name
        matrix = (weight.T if turned else weight).numpy()
        if bits < 16 and fits(matrix):
            matrix = dequantise(*quantise(matrix, bits), bits)
            weight.copy_(torch.from_numpy(matrix.T if turned else matrix))
        else:
            weight.copy_(weight.half().float())


def multiply(node: NodeProto, stored: str, scales: str, shape: tuple[int, int], bits: int) -> None:
    """Makes a MatMul by a weight multiply by the stored blocks of [outputs, inputs] instead."""
    states = node.input[0]
    del node.input[:]
    node.input.extend((states, stored, scales))
    node.op_type, node.domain = "MatMulNBits", "com.microsoft"
    # Level 4: the states are rounded to 8 bits as well, a block of a row at a time.
    sizes = {"N": shape[0], "K": shape[1], "bits": bits, "block_size": BLOCK, "accuracy_level": 4}
    node.attribute.extend(helper.make_attribute(key, value) for key, value in sizes.items())


def widen(graph: GraphProto, name: str, stored: str, scales: str, turned: bool, bits: int) -> list[NodeProto]:
    """Nodes that compute the float32 weight `name` from its blocks: [outputs, inputs], or turned the other way.

    Plain operators, not DequantizeLinear: those ONNX Runtime folds into a constant when a session opens."""
    nodes, blocks = [], stored
    constant(graph, "zero", np.float32(2 ** (bits - 1)))
    constant(graph, "flat", np.array([0, -1]))
    constant(graph, "last", np.array([-1]))
    if bits == 4:
        constant(graph, "low", np.uint8(15))
        constant(graph, "four", np.uint8(4))
        constant(graph, "block", np.array([0, 0, BLOCK]))
        nodes += [
            helper.make_node("BitwiseAnd", [stored, "low"], [name + ".even"]),
            helper.make_node("BitShift", [stored, "four"], [name + ".odd"], direction="RIGHT"),
            *(helper.make_node("Unsqueeze", [f"{name}.{half}", "last"], [f"{name}.{half}.1"]) for half in ("even", "odd")),
            helper.make_node("Concat", [name + ".even.1", name + ".odd.1"], [name + ".pairs"], axis=-1),
            helper.make_node("Reshape", [name + ".pairs", "block"], [name + ".whole"]),
        ]
        blocks = name + ".whole"
    upright = name + ".upright" if turned else name
    nodes += [
        helper.make_node("Cast", [blocks], [name + ".steps"], to=TensorProto.FLOAT),
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
