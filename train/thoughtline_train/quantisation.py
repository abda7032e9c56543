"""What fewer bits of weight cost and bring: one table, measured side by side in one process."""

import copy
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from .data import Split, language_batch, newline_tokens
from .export import graphs, share_weights
from .loop import load_decoder
from .model import Config
from .parity import empty_cache, feeds
from .thought import Thought

BITS = (16, 8, 4)
PAST = 448
THREADS = 2
Bundle = dict[str, ort.InferenceSession]


def quantisation(
    cache: Path, tokenizer: Path, state: Path, windows: int, length: int, suffix: int, chunk: int, repetitions: int, seed: int
) -> str:  # fmt: skip
    decoder, saved = load_decoder(state)
    thought = Thought(decoder.config)
    if "thought" in saved:
        thought.load_state_dict(saved["thought"])
    z = thought.prior.detach().float().numpy()
    split = Split(cache, "validation", newline_tokens(tokenizer))
    x, y = language_batch(split, windows, length, suffix, np.random.default_rng(seed), 0.6)
    bundles, sizes = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        models = graphs(decoder.float().eval().requires_grad_(False))
        for bits in BITS:
            out = Path(folder, str(bits))
            share_weights(copy.deepcopy(models), out, bits)
            sizes[bits] = sum(f.stat().st_size for f in out.iterdir()) / 1e6
            bundles[bits] = {name: session(out / f"{name}.onnx") for name in models}
        nll = {bits: nats_per_token(bundle, decoder.config, x, y, z) for bits, bundle in bundles.items()}
        gradients = {b: [gradient(bundle, decoder.config, *rows, z) for rows in chunks(x, y, chunk)] for b, bundle in bundles.items()}
        speed = speeds(bundles, decoder.config, length, chunk, repetitions)
    lines = [
        "| bits | MB | NLL, nats per token | against 16 bits | cosine of gradients: mean, lowest | " + " | ".join(speed) + " |",
        "|---" * (5 + len(speed)) + "|",
    ]
    for bits in BITS:
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(gradients[bits], gradients[16])]
        ratios = " | ".join(f"{ratio[bits]:.2f}" for ratio in speed.values())
        lines.append(
            f"| {bits} | {sizes[bits]:.1f} | {nll[bits]:.4f} | {nll[bits] / nll[16] - 1:+.2%} | "
            f"{np.mean(cosines):.4f}, {min(cosines):.4f} | {ratios} |"
        )
    return "\n".join(lines)


def session(path: Path) -> ort.InferenceSession:
    """As the extension opens a graph (src/model/sessions.ts)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def chunks(x: np.ndarray, y: np.ndarray, length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(x[i : i + 1, :length], y[i : i + 1, :length]) for i in range(min(len(x), 24))]


def states_of(bundle: Bundle, c: Config, x: np.ndarray) -> np.ndarray:
    return bundle["trunk"].run(["states"], {"tokens": x, **feeds(empty_cache(c, c.trunk_layers, 1, x.shape[1]), 0)})[0]


def nats_per_token(bundle: Bundle, c: Config, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> float:
    total = 0.0
    for row, targets in zip(x[:, None], y):
        past = feeds(empty_cache(c, c.top_layers, 1, row.shape[1]), 0)
        feed = {"states": states_of(bundle, c, row), "z": z[None], "logit_count": np.array([row.shape[1]])}
        (logits,) = bundle["top"].run(["logits"], {**feed, **past})
        shifted = logits[0] - logits[0].max(-1, keepdims=True)
        chosen = np.take_along_axis(shifted, targets.clip(0)[:, None], -1)[:, 0]
        total += float(((np.log(np.exp(shifted).sum(-1)) - chosen) * (targets >= 0)).sum())
    return total / int((y >= 0).sum())


def gradient(bundle: Bundle, c: Config, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Of the evidence, over states of the same bundle's trunk."""
    feed = {"states": states_of(bundle, c, x), "targets": y.clip(0), "weights": (y >= 0).astype(np.float32), "z": z}
    return bundle["evidence"].run(["grad"], feed)[0].ravel()


def speeds(bundles: dict[int, Bundle], c: Config, length: int, chunk: int, repetitions: int) -> dict[str, dict[int, float]]:
    """How many times as fast as 16 bits: medians over runs of all bundles in turn, so that a busy machine slows each."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    def decoding(new: int, past: int) -> list[tuple[str, dict]]:
        trunk, top = (
            feeds([normal(1, c.kv_heads, past + new, c.head_width) for _ in range(2 * layers)], past)
            for layers in (c.trunk_layers, c.top_layers)
        )
        z = normal(1, c.thought_rows, c.thought_vectors, c.width)
        count = np.array([new if past else 1])
        return [
            ("trunk", {"tokens": rng.integers(5, c.vocabulary, (1, new)), **trunk}),
            ("top", {"states": normal(1, new, c.width), "z": z, "logit_count": count, **top}),
        ]

    evidence = {"states": normal(1, chunk, c.width), "targets": rng.integers(5, c.vocabulary, (1, chunk))}
    evidence |= {"weights": np.ones((1, chunk), np.float32), "z": normal(c.thought_rows, c.thought_vectors, c.width)}
    cases = {
        "1 token": decoding(1, PAST), "8 tokens": decoding(8, PAST), f"{length} tokens": decoding(length, 0),
        "gradient": [("evidence", evidence)],
    }  # fmt: skip
    found = {}
    for case, runs in cases.items():
        times = {bits: [] for bits in bundles}
        for turn in range(repetitions):
            for bits in list(bundles)[:: 1 if turn % 2 else -1]:
                begun = time.perf_counter()
                for name, feed in runs:
                    bundles[bits][name].run(None, feed)
                times[bits].append(time.perf_counter() - begun)
        found[case] = {bits: float(np.median(times[16]) / np.median(times[bits])) for bits in bundles}
    return found
