"""Does the bundle compute what PyTorch computes? Used by `export` itself and by the tests."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from .graphs import evidence_nll, fused
from .model import Decoder

# Largest differences that may be, by the bits of a stored weight. MatMulNBits rounds the states to 8 bits on its way;
# the gradient does not.
EXACT = {"logits": 1e-3, "cached": 1e-3, "nll_per_token": 1e-3, "gradient": 1e-3}
LIMITS = {16: EXACT, 8: {**EXACT, "logits": 0.2, "cached": 0.2}, 4: {**EXACT, "logits": 0.2, "cached": 0.2}}


def sessions(folder: Path) -> dict[str, ort.InferenceSession]:
    return {
        n: ort.InferenceSession(str(folder / f"{n}.onnx"), providers=["CPUExecutionProvider"])
        for n in ("trunk", "top", "evidence")
    }


def differences(decoder: Decoder, folder: Path, length: int = 24, seed: int = 3) -> dict[str, float]:
    """Largest differences between PyTorch and ONNX Runtime: logits, cached logits, NLL; 1 − cosine of the gradient."""
    c = decoder.config
    run = sessions(folder)
    rng = np.random.default_rng(seed)
    tokens = rng.integers(5, c.vocabulary, (2, length))
    z = rng.standard_normal((2, c.top_layers, c.thought_vectors, c.width)).astype(np.float32) * 0.5

    def empty(layers: int, batch: int = 2) -> np.ndarray:
        return np.zeros((0, batch, layers, c.kv_heads, c.head_width), np.float32)

    def decode(cut: int) -> np.ndarray:
        """Logits of the last token, the first `cut` tokens in a run of their own."""
        caches = [empty(c.trunk_layers)] * 2, [empty(c.top_layers)] * 2
        for piece in (tokens[:, :cut], tokens[:, cut:]) if cut else (tokens,):
            states, *new = run["trunk"].run(None, {"tokens": piece, "past_k": caches[0][0], "past_v": caches[0][1]})
            feed = {"states": states, "past_k": caches[1][0], "past_v": caches[1][1], "z": z}
            logits, *top = run["top"].run(None, {**feed, "logit_count": np.array([1])})
            caches = [np.concatenate(p) for p in zip(caches[0], new)], [np.concatenate(p) for p in zip(caches[1], top)]
        return logits[:, -1]

    with torch.no_grad():
        hidden = decoder.top(decoder.trunk(torch.from_numpy(tokens)), torch.from_numpy(z))
        reference = (hidden[:, -1] @ decoder.head.T).numpy()
        states = decoder.trunk(torch.from_numpy(tokens[:1]))
    targets, weights = torch.from_numpy(tokens[:1]), torch.ones(1, length)
    leaf = torch.from_numpy(z[0]).requires_grad_()
    expected = evidence_nll(fused(decoder), leaf, states, targets, weights)
    gradient = torch.autograd.grad(expected, leaf)[0].numpy().ravel()
    feed = {"states": states.numpy(), "targets": tokens[:1], "weights": weights.numpy(), "z": z[0]}
    nll, grad = run["evidence"].run(None, feed)
    grad = grad.ravel()
    whole = decode(0)
    return {
        "logits": float(np.abs(whole - reference).max()),
        "cached": float(np.abs(decode(length // 2) - whole).max()),
        "nll_per_token": float(abs(nll[0] - expected.item()) / length),
        # A decoder that has not learned to read z yet has no gradient.
        "gradient": float(1 - grad @ gradient / np.linalg.norm(grad) / np.linalg.norm(gradient)) if gradient.any() else float(grad.any()),
    }
