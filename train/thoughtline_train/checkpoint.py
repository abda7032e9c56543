"""A checkpoint in Hugging Face layout (config.json, safetensors, tokenizer.json), read into our decoder.

LLaMA and Qwen2 are what the decoder is without a thought. Whatever it cannot hold is refused in one line.
"""

import json
from pathlib import Path
from typing import Iterator

import torch
from safetensors import safe_open
from torch import Tensor

from .model import Config, Decoder

# Our name, theirs, and whether it is a matrix, which they store [out, in].
LAYER = (
    ("attention_norm", "input_layernorm.weight", False),
    ("query", "self_attn.q_proj.weight", True),
    ("key", "self_attn.k_proj.weight", True),
    ("value", "self_attn.v_proj.weight", True),
    ("query_bias", "self_attn.q_proj.bias", False),
    ("key_bias", "self_attn.k_proj.bias", False),
    ("value_bias", "self_attn.v_proj.bias", False),
    ("output", "self_attn.o_proj.weight", True),
    ("mlp_norm", "post_attention_layernorm.weight", False),
    ("gate", "mlp.gate_proj.weight", True),
    ("up", "mlp.up_proj.weight", True),
    ("down", "mlp.down_proj.weight", True),
)

REMEDY = "take a LLaMA or Qwen2 checkpoint without it"


def read_config(folder: Path, trunk_layers: int | None, thought_vectors: int) -> Config:
    """What config.json describes, as far as it can be held; by default the lowest third of the layers is the trunk."""
    path = folder / "config.json"
    given = json.loads(path.read_text())

    def refuse(field: str, value: object, remedy: str = REMEDY) -> None:
        raise SystemExit(f"{path}: {field}: {json.dumps(value)} is not supported; {remedy}")

    model = given.get("model_type")
    if model not in ("llama", "qwen2"):
        refuse("model_type", model, "take a checkpoint of model_type llama or qwen2")
    rope = {**(given.get("rope_scaling") or {}), **(given.get("rope_parameters") or {})}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        refuse("rope_parameters.rope_type" if given.get("rope_parameters") else "rope_scaling.type", kind)
    # What must be absent, or have one of these values.
    plain = {
        "use_sliding_window": (False,), "attention_bias": (False,), "mlp_bias": (False,), "hidden_act": ("silu",),
        "num_experts": (0,), "num_local_experts": (0,), "quantization_config": (), "partial_rotary_factor": (1.0,),
    }  # fmt: skip
    for field, values in plain.items():
        value = given.get(field, rope.get(field))
        if value is not None and value not in values:
            refuse(field, value, "take the checkpoint before its quantisation" if field == "quantization_config" else REMEDY)
    if others := set(given.get("layer_types") or []) - {"full_attention"}:
        refuse("layer_types", sorted(others)[0])

    def number(field: str, default: int | None = None) -> int:
        value = given.get(field)
        value = default if value is None else value
        if not isinstance(value, int) or value < 1:
            refuse(field, value, "give the whole checkpoint: config.json must say it")
        return value

    width, layers, heads = number("hidden_size"), number("num_hidden_layers"), number("num_attention_heads")
    kv_heads, head = number("num_key_value_heads", heads), number("head_dim", width // heads)
    if heads % kv_heads:
        refuse("num_key_value_heads", kv_heads, f"it must divide num_attention_heads ({heads})")
    if head % 2:
        refuse("head_dim", head, "it must be even")
    trunk = layers // 3 if trunk_layers is None else trunk_layers
    if not 0 <= trunk < layers:
        raise SystemExit(f"--trunk-layers {trunk}: must be from 0 to {layers - 1}, so that a layer is left to read the thought")
    return Config(
        vocabulary=number("vocab_size"), width=width, layers=layers, trunk_layers=trunk, heads=heads, kv_heads=kv_heads,
        hidden=number("intermediate_size"), thought_vectors=thought_vectors,
        rope_base=float(rope.get("rope_theta", given.get("rope_theta", 10000.0))),
        norm_epsilon=float(given.get("rms_norm_eps", 1e-6)), head_size=0 if head * heads == width else head,
        attention_bias=model == "qwen2", tied=bool(given.get("tie_word_embeddings", False)),
    )  # fmt: skip


def read_decoder(folder: Path, config: Config, rows: list[int | None]) -> Decoder:
    """The checkpoint's decoder in float32, its vocabulary renumbered: token i is the checkpoint's rows[i], or a new one
    that begins as the mean of all. What reads the thought is new, and changes nothing yet (model.py)."""
    theirs = {
        "model.embed_tokens.weight": ("embedding", False),
        "model.norm.weight": ("final_norm", False),
        **({} if config.tied else {"lm_head.weight": ("unembedding", False)}),
        **{
            f"model.layers.{i}.{name}": (f"stack.{i}.{ours}", matrix)
            for i in range(config.layers)
            for ours, name, matrix in LAYER
            if config.attention_bias or not ours.endswith("_bias")
        },
    }
    decoder = Decoder(config).eval()
    wanted, found = decoder.state_dict(), set()
    for path, name, tensor in tensors(folder):
        if name.endswith("rotary_emb.inv_freq") or (config.tied and name == "lm_head.weight"):
            continue
        if name not in theirs:
            raise SystemExit(f"{path}: tensor {name} is none that a {config.layers}-layer LLaMA or Qwen2 decoder has; {REMEDY}")
        ours, matrix = theirs[name]
        values = tensor.float().T if matrix else tensor.float()
        if ours.endswith("embedding"):
            known = torch.tensor([i is not None and i < len(values) for i in rows])
            mean, order = values.mean(0), torch.tensor([i if k else 0 for i, k in zip(rows, known.tolist())])
            values = torch.where(known[:, None], values[order], mean)
        if wanted[ours].shape != values.shape:
            raise SystemExit(f"{path}: tensor {name} is {list(tensor.shape)}, which config.json does not say; give the whole checkpoint")
        wanted[ours].copy_(values)
        found.add(name)
    if missing := sorted(set(theirs) - found):
        raise SystemExit(f"{folder}: tensor {missing[0]} is missing; give the whole checkpoint")
    return decoder


def tensors(folder: Path) -> Iterator[tuple[Path, str, Tensor]]:
    """Every tensor of model.safetensors, or of the files that its index names, one at a time."""
    index = folder / "model.safetensors.index.json"
    if index.exists():
        files = sorted({Path(name).name for name in json.loads(index.read_text())["weight_map"].values()})
    else:
        files = ["model.safetensors"]
    for name in files:
        path = folder / name
        if not path.exists():
            raise SystemExit(f"{path}: no such file; give a folder with all safetensors of the checkpoint (model.save_pretrained writes them)")
        with safe_open(path, framework="pt") as opened:
            for tensor in opened.keys():
                yield path, tensor, opened.get_tensor(tensor)
