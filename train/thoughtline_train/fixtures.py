"""What the TypeScript tests compare with: PyTorch's numbers for a bundle, and Hugging Face's token ids."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from .export import write_bundle
from .foreign import adopt
from .graphs import evidence_nll, fused
from .model import Config, Decoder
from .thought import Thought

TEXTS = [
    "",
    "\n",
    "const x = 1;\n",
    "export async function readFile(path: string): Promise<string> {\n  return await fs.readFile(path, 'utf8');\n}\n",
    "\tif (a) {\n\t\treturn b;\n\t}\n",
    "        deep(    spaced,\t\ttabs )\n",
    "first\r\nsecond\r\n",
    "naïve café — “quotes” … ß Ω ж 漢字 かな 한국어\n",
    "emoji 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 e\u0301 \u200b\u200d\ufeff \u00a0\u2028\u0085 end\n",
    "<|file|> <|end|> <|pad|> are only text\n",
    "no newline at the end",
    "   ",
    "x" * 300 + "\n",
    "a b " * 120 + "\n",
    " " * 200 + "}\n",
    "😀" * 100 + "\n",
    "import { type Foo, bar } from '../foo/bar.js'; // trailing comment   \n",
    "/**\n * Doc comment.\n *\n * @param {string} a\n */\n",
    "0x1F 1e-9 1_000_000n `template ${a + b} literal`\n",
    "\x00\x01\x7f control\n",
]


def tokenizer_cases(tokenizer: Path, path: Path) -> None:
    encoder = Tokenizer.from_file(str(tokenizer))
    cases = [{"text": text, "ids": encoder.encode(text).ids} for text in TEXTS]
    path.write_text(json.dumps(cases, ensure_ascii=True, indent=0) + "\n")


# How Qwen2 cuts a text.
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def adopted_tokenizer(path: Path) -> int:
    """Writes what `init-from` makes of a tokenizer that cuts texts as Qwen2 does; returns its size."""
    theirs = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Split(Regex(QWEN2), behavior="isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    theirs.pre_tokenizer = pre_tokenizers.Sequence(steps)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    theirs.train_from_iterator(TEXTS * 2, trainers.BpeTrainer(vocab_size=600, min_frequency=2, initial_alphabet=alphabet, show_progress=False))
    theirs.add_special_tokens(["<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>"])
    with TemporaryDirectory() as temporary:
        theirs.save(f"{temporary}/tokenizer.json")
        rows, _ = adopt(Path(temporary) / "tokenizer.json", path)
    return len(rows)


@torch.no_grad()
def parity_case(decoder: Decoder, thought: Thought, path: Path, bits: int = 16) -> None:
    """Logits after 48 random tokens under z_0, and NLL and gradient of 32 of them as a chunk (decoder rounded before,
    as it is in the bundle), and by how much the bundle may differ: with blocks the states are rounded on their way."""
    c = decoder.config
    tokens = np.random.default_rng(5).integers(8, c.vocabulary, 48)
    batch = torch.from_numpy(tokens)[None]
    z = thought.prior.detach().float()
    logits = decoder.logits(decoder.top(decoder.trunk(batch), z[None]), z[None])[0, -1]
    states = decoder.trunk(batch[:, :32])
    weights = torch.ones(1, 32)
    weights[:, :4] = 0
    with torch.enable_grad():
        leaf = z.clone().requires_grad_()
        nll, _ = evidence_nll(fused(decoder), leaf, states, batch[:, 1:33], weights)
        (gradient,) = torch.autograd.grad(nll, leaf)
    case = {
        # Four standard deviations of the noise that `parity.ROUNDED` allows.
        "within": dict(zip(("logits", "nll", "gradient"), (1e-3, 1e-3, 1e-2) if bits > 4 else (0.2 * logits.std().item(), 0.05, 0.1))),
        "tokens": tokens.tolist(),
        "logits_last": [round(v, 6) for v in logits[:64].tolist()],
        "chunk": {
            "inputs": tokens[:32].tolist(),
            "targets": tokens[1:33].tolist(),
            "weights": weights[0].tolist(),
            "nll": nll.item(),
            "gradient": [float(f"{v:.6g}") for v in gradient.flatten()[:64].tolist()],
        },
    }
    path.write_text(json.dumps(case) + "\n")


TINY = Config(width=32, heads=4, kv_heads=2, head_size=16, hidden=64, layers=3, trunk_layers=1, thought_vectors=2)

TINY_WINDOW = {"tokens": 128, "suffixTokens": 32, "hop": 16, "chunk": 32}


def tiny_bundle(tokenizer: Path, out: Path, fixtures: Path, bits: int = 16) -> None:
    """A bundle with random weights, small enough for tests of everything but the quality of what it says."""
    decoder, thought = random_weights(TINY)
    # Norms that are alike would be stored once, under the name of one of them.
    for name, weight in decoder.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    card = "# tiny\n\nRandom weights, for tests only.\n"
    write_bundle(decoder, thought, tokenizer, out, "tiny", "0.0.1", TINY_WINDOW, {"run": "random weights"}, card, bits)
    parity_case(decoder, thought, fixtures / "tiny-parity.json", bits)


def adopted_bundle(fixtures: Path) -> None:
    """Another, with what checkpoints have that `init-from` reads: their tokenizer, biases, an output matrix of its own; and with
    thoughts that say something of tokens."""
    folder = fixtures / "adopted"
    folder.mkdir(parents=True, exist_ok=True)
    size = adopted_tokenizer(folder / "tokenizer.json")
    tokenizer_cases(folder / "tokenizer.json", fixtures / "adopted-tokenizer-cases.json")
    shape = {"layers": 2, "rope_base": 1e6, "norm_epsilon": 1e-6, "attention_bias": True, "tied": False}
    config = replace(TINY, vocabulary=size, **shape)
    decoder, thought = random_weights(replace(config, token_groups=config.groups_of_vocabulary, token_features=3))
    with torch.no_grad():
        # Of a trained bundle they are zero: then no comparison would see whether anybody reads them.
        thought.prior[thought.layers :].normal_(std=0.3)
        thought.prior[thought.layers + decoder.config.token_groups :] *= 0.3
    for layer in decoder.stack:
        for bias in (layer.query_bias, layer.key_bias, layer.value_bias):
            torch.nn.init.normal_(bias)
    card = "# adopted\n\nRandom weights, for tests only.\n"
    # A small vocabulary needs more tokens for a path, which a chunk begins with.
    window = {k: 2 * v for k, v in TINY_WINDOW.items()}
    tokenizer = folder / "tokenizer.json"
    write_bundle(decoder, thought, tokenizer, folder, "adopted", "0.0.1", window, {"run": "random weights"}, card)
    parity_case(decoder, thought, fixtures / "adopted-parity.json")


def random_weights(config: Config) -> tuple[Decoder, Thought]:
    torch.manual_seed(0)
    decoder = Decoder(config)
    for layer in decoder.stack[config.trunk_layers :]:
        torch.nn.init.normal_(layer.thought_output, std=0.2)
    return decoder, Thought(config)
