"""Does the bundle compute what PyTorch computes? Used by `export` itself and by the tests."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch

from .graphs import cache_names, evidence_nll, fused
from .model import Config, Decoder

# Largest differences that may be.
LIMITS = dict.fromkeys(("nll_per_token", "gradient", "hidden_keys", "logits", "cached"), 1e-3)


def sessions(folder: Path) -> dict[str, ort.InferenceSession]:
    return {
        n: ort.InferenceSession(str(folder / f"{n}.onnx"), providers=["CPUExecutionProvider"])
        for n in ("trunk", "top", "evidence")
    }


def empty_cache(c: Config, layers: int, batch: int, capacity: int) -> list[np.ndarray]:
    """Keys and values of each layer in turn, with room for so many tokens."""
    return [np.zeros((batch, c.kv_heads, capacity, c.head_width), np.float32) for _ in range(2 * layers)]


def feeds(cache: list[np.ndarray], past: int) -> dict[str, np.ndarray]:
    """A cache of which `past` tokens are filled, as trunk and top take it."""
    return {"past_length": np.array([past]), **dict(zip(cache_names("past", len(cache) // 2), cache))}


def differences(decoder: Decoder, folder: Path, length: int = 24, seed: int = 3) -> dict[str, float]:
    """Largest differences between PyTorch and ONNX Runtime: logits, cached logits, NLL, hidden keys of a
    chunk; 1 − cosine of the gradient."""
    c = decoder.config
    run = sessions(folder)
    rng = np.random.default_rng(seed)
    tokens = rng.integers(5, c.vocabulary, (2, length))
    z = rng.standard_normal((2, *c.thought_shape)).astype(np.float32) * 0.5

    def decode(rows: slice, *cuts: int) -> np.ndarray:
        """Logits of the last token, the pieces between the cuts in runs of their own."""
        batch, capacity = len(tokens[rows]), length + 3
        trunk, top = (empty_cache(c, layers, batch, capacity) for layers in (c.trunk_layers, c.top_layers))
        done = 0
        for piece in filter(np.size, np.split(tokens[rows], cuts, 1)):
            states, *trunk = run["trunk"].run(None, {"tokens": piece, **feeds(trunk, done)})
            feed = {"states": states, "z": z[rows], "logit_count": np.array([1]), **feeds(top, done)}
            logits, *top = run["top"].run(["logits", *cache_names("present", c.top_layers)], feed)
            done += piece.shape[1]
        return logits[:, -1]

    with torch.no_grad():
        wide = torch.from_numpy(z)
        reference = decoder.logits(decoder.top(decoder.trunk(torch.from_numpy(tokens)), wide))[:, -1].numpy()
        states = decoder.trunk(torch.from_numpy(tokens[:1]))
    targets, weights = torch.from_numpy(tokens[:1]), torch.ones(1, length)
    leaf = torch.from_numpy(z[0]).requires_grad_()
    expected, last = evidence_nll(fused(decoder), leaf, states, targets, weights)
    gradient = torch.autograd.grad(expected, leaf)[0].numpy().ravel()
    feed = {"states": states.numpy(), "targets": tokens[:1], "weights": weights.numpy(), "z": z[0]}
    nll, grad, keys = run["evidence"].run(None, feed)
    grad = grad.ravel()
    whole = decode(slice(None))
    # Several tokens behind a past are one row's affair; in a batch they come one by one.
    cached = (
        decode(slice(None), *range(length // 2, length)),
        np.concatenate([decode(slice(i, i + 1), length // 2) for i in range(2)]),
    )
    errors = {"logits": [whole - reference], "cached": [logits - whole for logits in cached]}
    return {
        **{name: float(max(np.abs(e).max() for e in several)) for name, several in errors.items()},
        "hidden_keys": float(np.abs(keys - last.detach().numpy()).max()),
        "nll_per_token": float(abs(nll[0] - expected.item()) / length),
        "gradient": float(1 - grad @ gradient / np.linalg.norm(grad) / np.linalg.norm(gradient)),
    }
