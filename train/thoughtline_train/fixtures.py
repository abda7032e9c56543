"""What the TypeScript tests compare with: PyTorch's numbers for a bundle, and Hugging Face's token ids."""

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from . import features
from .bundle import write_bundle
from .graphs import evidence_nll, fused
from .model import Config, Decoder

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


def thought_of_case(config: Config) -> torch.Tensor:
    """The thought that tests read: 0.1 · sin(i) for the i-th number."""
    numbers = 0.1 * torch.arange(int(np.prod(config.thought_shape)), dtype=torch.float64).sin()
    return numbers.float().view(config.thought_shape)


@torch.no_grad()
def parity_case(decoder: Decoder, path: Path) -> None:
    """Logits after 48 random tokens, and NLL and gradient of 32 of them as a chunk, under `thought_of_case` (decoder
    rounded before, as it is in the bundle), and by how much the bundle may differ."""
    c = decoder.config
    tokens = np.random.default_rng(5).integers(8, c.vocabulary, 48)
    batch = torch.from_numpy(tokens)[None]
    z = thought_of_case(c)
    logits = decoder.logits(decoder.top(decoder.trunk(batch), z[None]))[0, -1]
    states = decoder.trunk(batch[:, :32])
    weights = torch.ones(1, 32)
    weights[:, :4] = 0
    with torch.enable_grad():
        leaf = z.clone().requires_grad_()
        nll, _ = evidence_nll(fused(decoder), leaf, states, batch[:, 1:33], weights)
        (gradient,) = torch.autograd.grad(nll, leaf)
    case = {
        "within": {"logits": 1e-3, "nll": 1e-3, "gradient": 1e-2},
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


TINY = Config(width=32, heads=4, kv_heads=2, head_size=16, hidden=64, layers=3, trunk_layers=1)

TINY_WINDOW = {"tokens": 128, "suffixTokens": 32, "hop": 16, "chunk": 32}


def tiny_bundle(tokenizer: Path, out: Path, fixtures: Path, bits: int = 16) -> None:
    """A bundle with random weights, small enough for tests of everything but the quality of what it says."""
    decoder = random_weights(TINY)
    # Norms that are alike would be stored once, under the name of one of them.
    for name, weight in decoder.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    measure_of_noise(decoder)
    card = "# tiny\n\nRandom weights, for tests only.\n"
    write_bundle(decoder, tokenizer, out, "tiny", "0.0.1", TINY_WINDOW, {"run": "random weights"}, card, bits)
    parity_case(decoder, fixtures / "tiny-parity.json")


def random_weights(config: Config) -> Decoder:
    torch.manual_seed(0)
    return Decoder(config)


def measure_of_noise(decoder: Decoder) -> None:
    """Sets the maps of the thought by random tokens, where there is no text."""
    tokens = torch.randint(5, decoder.config.vocabulary, (16, 64), generator=torch.Generator().manual_seed(1))
    features.measure(decoder, tokens)
