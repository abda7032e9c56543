"""A checkpoint's byte-level BPE made one of ours: our special tokens first, and none that a text could spell."""

import json
from pathlib import Path

from tokenizers import pre_tokenizers

from .tokenizer import END, SPECIAL, load

# What stands for our special tokens in checkpoints that were trained to fill in the middle; else a token is new.
COUNTERPARTS = {
    "<|pad|>": ("<|pad|>", "<|fim_pad|>", "<fim_pad>", "<pad>"),
    "<|file|>": ("<|file|>", "<|file_sep|>", "<file_sep>", "<filename>"),
    "<|suffix|>": ("<|suffix|>", "<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>"),
    "<|prefix|>": ("<|prefix|>", "<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>"),
    "<|end|>": ("<|end|>", "<|endoftext|>", "<|end_of_text|>"),
}

# Lines, newline included, so that each can be encoded by itself; cut where they are too long, so that a line of 100 kB
# costs linear time.
LINES = r"[^\n]{0,240}\n|[^\n]{1,240}"

# How GPT-2 cuts a text, and a byte-level step that is not told otherwise.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def adopt(source: Path, target: Path) -> tuple[list[int | None], dict[str, str | None]]:
    """Writes the tokenizer.json at `source` to `target` as one of ours.

    Left out are added tokens (a text could spell them), normalisation and a beginning-of-text token.
    Returns the checkpoint's id of each token, and what stands for each of our special tokens; None for a new one.
    """
    data = json.loads(source.read_text())
    model, splits = data.get("model") or {}, flat(data.get("pre_tokenizer"))
    kinds = {split.get("type") for split in splits}

    def refuse(field: str, value: object) -> None:
        raise SystemExit(f"{source}: {field}: {json.dumps(value)} is not supported; take a checkpoint with a byte-level BPE tokenizer")

    if model.get("type", "BPE") != "BPE" or "merges" not in model:
        refuse("model.type", model.get("type"))
    if "ByteLevel" not in kinds or model.get("byte_fallback"):
        refuse("pre_tokenizer", sorted(map(str, kinds)))
    if others := sorted(map(str, kinds - {"ByteLevel", "Split", "Digits"})):
        refuse("pre_tokenizer", others[0])

    ids: dict[str, int] = model["vocab"]
    added = {token["content"]: token["id"] for token in data.get("added_tokens", [])}
    merges = [merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"]]
    # What a text can give: single bytes, and what merges make of them.
    text = {*pre_tokenizers.ByteLevel.alphabet(), *("".join(merge) for merge in merges)} & ids.keys() - set(SPECIAL)
    names = sorted(text, key=ids.__getitem__)
    found = {ours: next((t for t in theirs if t in added or t in ids), None) for ours, theirs in COUNTERPARTS.items()}
    last = splits[-1]
    if last["type"] != "ByteLevel":
        refuse("pre_tokenizer", last["type"])
    # Written out: what a byte-level step does by itself, TypeScript and Rust do not understand alike.
    gpt2 = [split_at(GPT2)] if last.get("use_regex", True) else []
    steps = [split_at(LINES), *splits[:-1], *gpt2, {**last, "add_prefix_space": False, "use_regex": False}]
    plain = {"dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
    adopted = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", **plain, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {name: index for index, name in enumerate([*SPECIAL[: END + 1], *names])}, "merges": merges,
        },
    }  # fmt: skip
    target.write_text(json.dumps(adopted, ensure_ascii=False))
    load(target)
    theirs = [*found.values(), *names]
    return [None if token is None else added.get(token, ids.get(token)) for token in theirs], found


def split_at(pattern: str) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def flat(pre_tokenizer: dict | None) -> list[dict]:
    """The steps of a pre-tokenizer, sequences resolved."""
    if not pre_tokenizer:
        return []
    if pre_tokenizer["type"] == "Sequence":
        return [step for part in pre_tokenizer["pretokenizers"] for step in flat(part)]
    return [dict(pre_tokenizer)]
