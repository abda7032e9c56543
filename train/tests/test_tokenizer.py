import json
import random
import time

import pytest
from tokenizers import Tokenizer

from thoughtline_train import tokenizer

TEXTS = [
    "",
    "\n",
    "\n\n\n",
    "   ",
    "\t\tif (a) {\r\n\t\t\treturn b;\r\n\t\t}\r\n",
    "naïve “quotes” … 漢字 かな 한국어 עברית",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 é \u200b\u200d\ufeff \u00a0\u2028\u0085",
    "\x00\x01\x7f control",
    " " * 200 + "}" + "\t" * 70 + "x",
    "a b  c   d    e",
    "no newline at the end",
    "<|file|><|suffix|> <|prefix|> <|end|> <|pad|>",
    "x" * 1000,
]


@pytest.fixture(scope="module")
def small(tiny) -> Tokenizer:
    return tokenizer.load(tiny.tokenizer)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_round_trip(small, text):
    assert small.decode(small.encode(text).ids) == text


def test_round_trip_of_random_unicode(small):
    rng = random.Random(1)
    alphabet = "ab {}()=;\n\r\t" + "".join(chr(rng.randrange(0x20, 0x2FFF)) for _ in range(200)) + "😀🇩🇪"
    for _ in range(200):
        text = "".join(rng.choices(alphabet, k=rng.randrange(80)))
        assert small.decode(small.encode(text).ids) == text


def test_no_token_crosses_a_newline(small):
    newline = small.token_to_id("Ċ")
    for token, index in small.get_vocab().items():
        assert "Ċ" not in token or index == newline
    for text in TEXTS:
        lines = text.splitlines(keepends=True) if "\u2028" not in text and "\x85" not in text else [text]
        assert [i for line in lines for i in small.encode(line).ids] == small.encode(text).ids


def test_no_text_spells_a_special_token(small):
    assert json.loads(small.to_str())["added_tokens"] == []
    for name in tokenizer.SPECIAL:
        ids = small.encode(f"{name} {name}{name}\n").ids
        assert min(ids) >= len(tokenizer.SPECIAL)
    assert [small.token_to_id(name) for name in tokenizer.SPECIAL] == list(range(8))


def test_a_long_line_takes_linear_time(small):
    def seconds(length: int, unit: str) -> float:
        text = (unit * length)[:length]
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            small.encode(text)
            best = min(best, time.process_time() - begun)
        return best

    for unit in ("x", "a b ", "const x=1;", " "):
        short, long = seconds(25_000, unit), seconds(100_000, unit)
        assert long < 2 and long < 10 * short + 0.05, (unit, short, long)


def test_a_token_stands_for_32_bytes_at_most(small):
    assert max(len(token) for token, index in small.get_vocab().items() if index >= 8) <= 32


def test_path_tail():
    assert tokenizer.path_tail("a.ts") == "a.ts"
    assert tokenizer.path_tail("packages/core/src/a.ts") == "src/a.ts"
    assert tokenizer.path_tail("C:\\work\\src\\a.ts") == "src/a.ts"
    assert tokenizer.path_tail("x/" + "y" * 100 + ".ts") == ("x/" + "y" * 100 + ".ts")[-60:]
