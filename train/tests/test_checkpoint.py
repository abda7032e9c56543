"""From a checkpoint in Hugging Face layout to a bundle: random ones that `transformers` writes, small but with every
feature that is supported."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import Tiny
from tokenizers import pre_tokenizers

from thoughtline_train import data, export, quantise
from thoughtline_train.bundle import read_bundle
from thoughtline_train.checkpoint import read_config
from thoughtline_train.foreign import adopt
from thoughtline_train.loop import load_decoder
from thoughtline_train.tokenizer import END, PAD, PREFIX, SPECIAL, SUFFIX, load

# How Qwen2 cuts a text.
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
ADDED = ["<|endoftext|>", "<|im_start|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>"]


def foreign_tokenizer(merges: list[tuple[str, str]]) -> dict:
    """A tokenizer.json as such checkpoints have it: special tokens after the others, and outside of the vocabulary. What is
    common in programs has the largest ids."""
    pairs = sorted(("".join(merge) for merge in merges), key=lambda token: (token.isascii() and token.islower(), token))
    names = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *pairs]
    steps = [
        {"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
    ]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": len(names) + i, "content": text, **flags} for i, text in enumerate(ADDED)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": False, "byte_fallback": False, "vocab": {name: i for i, name in enumerate(names)},
            "merges": [" ".join(merge) for merge in merges],
        },
    }  # fmt: skip


def save(folder, model, tokenizer: dict):
    model.save_pretrained(folder, max_shard_size="100KB")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    return folder


def randomised(model):
    """Norms and biases that are not what they begin as, and a vocabulary with rows that no token has."""
    torch.manual_seed(2)
    for name, weight in model.named_parameters():
        if weight.ndim == 1:
            torch.nn.init.normal_(weight, 1 if "norm" in name else 0, 0.3)
    return model.eval()


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=280, hidden_size=32, num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=1, intermediate_size=48,
        rope_theta=50_000.0, rms_norm_eps=1e-3, tie_word_embeddings=True, initializer_range=0.2,
    )  # fmt: skip
    model = randomised(LlamaForCausalLM(config))
    return save(tmp_path_factory.mktemp("llama"), model, foreign_tokenizer([("c", "o"), ("co", "n"), (")", ";"), (");", "Ċ")])), model


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """Biases, heads wider than the model, another matrix for the logits, more tokens than two bytes can number."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [(a, b) for a in alphabet for b in alphabet]
    config = Qwen2Config(
        vocab_size=66_000, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16,
        intermediate_size=64, rope_theta=1_000_000.0, tie_word_embeddings=False, initializer_range=0.2,
    )  # fmt: skip
    model = randomised(Qwen2ForCausalLM(config))
    return save(tmp_path_factory.mktemp("qwen"), model, foreign_tokenizer(merges)), model


TEXT = "export const user = 'Jürgen';\n\n  if (conn) { return conn; }\n<|endoftext|>don't\n"


def check_logits(tiny, checkpoint, run) -> None:
    """Ours are theirs, for the ids that the checkpoint knows a text by and for its special tokens."""
    folder, model = checkpoint
    tiny.run("init-from", folder, "--run", run, "--trunk-layers", 1, "--thought-vectors", 2)
    decoder, state = load_decoder(run / "state.pt")
    ours, theirs = load(run / "tokenizer.json"), load(folder / "tokenizer.json")
    assert decoder.config.vocabulary == ours.get_vocab_size() and "thought" not in state
    ids = ours.encode(TEXT).ids
    assert ours.decode(ids) == TEXT and min(ids) > END
    ids = [SUFFIX, *ids[:5], PREFIX, *ids, END]
    names = {SUFFIX: "<|fim_suffix|>", PREFIX: "<|fim_prefix|>", END: "<|endoftext|>", PAD: "<|fim_pad|>"}
    rows = [theirs.token_to_id(names.get(i) or ours.id_to_token(i)) for i in range(ours.get_vocab_size()) if i != 1]
    with torch.no_grad():
        got = decoder.top(decoder.trunk(torch.tensor([ids])), None) @ decoder.head.T
        z = torch.randn(1, decoder.config.top_layers, 2, decoder.config.width)
        with_thought = decoder.top(decoder.trunk(torch.tensor([ids])), z) @ decoder.head.T
        expected = model(torch.tensor([[theirs.token_to_id(names.get(i) or ours.id_to_token(i)) for i in ids]])).logits
    got_known = got[..., [0, *range(2, ours.get_vocab_size())]]
    assert expected.abs().max() > 1
    assert (got_known - expected[..., rows]).abs().max() < 1e-4
    # What the checkpoint has no token for begins as the mean; a new thought changes nothing yet.
    assert torch.allclose(decoder.embedding[1], model.get_input_embeddings().weight.mean(0), atol=1e-6)
    assert torch.allclose(got, with_thought, atol=1e-5)


def test_a_llama_checkpoint(tiny, llama, tmp_path, capsys):
    check_logits(tiny, llama, tmp_path)
    assert "<|file|> is new" in capsys.readouterr().out
    # A newline ends a token, but no token goes on behind it: each line can be encoded by itself.
    ours = load(tmp_path / "tokenizer.json")
    whole = ours.encode("f(co);\n\n  g\n").tokens
    assert whole == [token for line in ("f(co);\n", "\n", "  g\n") for token in ours.encode(line).tokens] and ");Ċ" in whole
    mask = data.newline_tokens(tmp_path / "tokenizer.json")
    assert {ours.id_to_token(int(i)) for i in np.flatnonzero(mask)} == {"Ċ", ");Ċ"}
    assert read_config(llama[0], None, 8).trunk_layers == 1


@pytest.fixture(scope="module")
def meta_trained(tiny, qwen, tmp_path_factory):
    """A few steps of thinking from the Qwen2 checkpoint, on the corpus encoded with its tokenizer, and the bundle."""
    root = tmp_path_factory.mktemp("adopted")
    check_logits(tiny, qwen, root / "start")
    cache = root / "corpus"
    cache.mkdir()
    for path in [*tiny.cache.glob("*.jsonl.zst"), tiny.cache / "composition.json"]:
        (cache / path.name).write_bytes(path.read_bytes())
    adopted = Tiny(root, cache, root / "start" / "tokenizer.json")
    adopted.run("pack")
    shape = ["--batch", 2, "--chunks", 2, "--chunk", 32, "--length", 48, "--suffix", 12, "--warm", 0]
    adopted.run("think", "--run", root / "think", "--start-from", root / "start" / "state.pt", "--minutes", 0.03, *shape)
    made, graphs = [], export.graphs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "graphs", lambda decoder: made.append(graphs(decoder)) or copy.deepcopy(made[0]))
        adopted.run(
            "export", "--state", root / "think" / "state.pt", "--out", root / "bundle", "--name", "adopted", "--window", 48,
            "--suffix", 12, "--hop", 16, "--chunk", 32, "--runs", root / "think",
        )  # fmt: skip
    return adopted, made[0]


def test_a_qwen2_checkpoint_is_meta_trained_and_exported(meta_trained, qwen):
    adopted, _ = meta_trained
    tokens = np.load(adopted.cache / "train.tokens.npy")
    assert tokens.dtype == np.uint32 and tokens.max() > 2**16
    before, after = (load_decoder(adopted.root / run / "state.pt") for run in ("start", "think"))
    assert after[1]["clock"]["step"] > 0 and "thought" in after[1]
    for name in ("unembedding", "stack.0.query_bias", "stack.1.thought_output"):
        assert not torch.equal(before[0].get_parameter(name), after[0].get_parameter(name)), name
    # `export` has compared ONNX Runtime with PyTorch already.
    read, thought = read_bundle(adopted.root / "bundle")
    assert read.config == after[0].config and read.config.head_width == 16
    quantise.round_weights(after[0].requires_grad_(False), 16)
    for name, weight in after[0].named_parameters():
        assert torch.equal(read.get_parameter(name), weight), name
    assert torch.equal(thought.prior, after[1]["thought"]["prior"])
    card = " ".join((adopted.root / "bundle" / "README.md").read_text().split())
    assert f"began as those of the checkpoint {qwen[0].name}:" in card


@pytest.mark.parametrize("bits", [8, 4])
def test_such_a_bundle_in_fewer_bits(meta_trained, tmp_path, bits):
    adopted, graphs = meta_trained
    decoder, _ = load_decoder(adopted.root / "think" / "state.pt")
    quantise.round_weights(decoder.requires_grad_(False), 16)
    export.share_weights(copy.deepcopy(graphs), tmp_path, bits)
    for name in ("manifest.json", "prior.bin"):
        (tmp_path / name).write_bytes((adopted.root / "bundle" / name).read_bytes())
    read, _ = read_bundle(tmp_path)
    quantise.round_weights(decoder, bits)
    for name, weight in decoder.named_parameters():
        assert torch.equal(read.get_parameter(name), weight), name


@pytest.mark.parametrize(
    "field, value, said",
    [
        ("model_type", "mistral", 'config.json: model_type: "mistral" is not supported; take a checkpoint of model_type llama or qwen2'),
        ("rope_parameters", {"rope_type": "yarn", "factor": 4}, 'rope_parameters.rope_type: "yarn"'),
        ("rope_parameters", {"rope_type": "default", "partial_rotary_factor": 0.5}, "partial_rotary_factor: 0.5"),
        ("rope_scaling", {"type": "linear", "factor": 4}, 'rope_scaling.type: "linear"'),
        ("use_sliding_window", True, "use_sliding_window: true"),
        ("layer_types", ["full_attention", "sliding_attention"], 'layer_types: "sliding_attention"'),
        ("num_experts", 8, "num_experts: 8"),
        ("attention_bias", True, "attention_bias: true"),
        ("mlp_bias", True, "mlp_bias: true"),
        ("hidden_act", "gelu", 'hidden_act: "gelu"'),
        ("quantization_config", {"bits": 4}, "before its quantisation"),
        ("num_key_value_heads", 3, "must divide num_attention_heads"),
        ("head_dim", 7, "head_dim: 7"),
        ("hidden_size", None, "hidden_size: null"),
    ],
)
def test_what_cannot_be_held_is_refused(llama, tmp_path, field, value, said):
    given = json.loads((llama[0] / "config.json").read_text())
    if field == "rope_scaling":
        del given["rope_parameters"]
    (tmp_path / "config.json").write_text(json.dumps({**given, field: value}))
    with pytest.raises(SystemExit) as refusal:
        read_config(tmp_path, None, 8)
    message = str(refusal.value)
    assert said in message and message.startswith(f"{tmp_path}/config.json: ") and "; " in message and "\n" not in message


def test_older_layouts_of_config_json(llama, tmp_path):
    given = json.loads((llama[0] / "config.json").read_text())
    expected = read_config(llama[0], None, 8)
    older = {k: v for k, v in given.items() if k not in ("rope_parameters", "head_dim", "tie_word_embeddings")}
    (tmp_path / "config.json").write_text(json.dumps({**older, "rope_theta": 50_000.0, "rope_scaling": None}))
    assert read_config(tmp_path, None, 8) == replace(expected, tied=False)


def test_files_that_do_not_belong_together(tiny, llama, qwen, tmp_path):
    def refused(change, said: str) -> None:
        folder = tmp_path / said.replace(" ", "-")
        folder.mkdir()
        for path in llama[0].iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        change(folder)
        with pytest.raises(SystemExit, match=said):
            tiny.run("init-from", folder, "--run", folder / "run")

    def configure(**fields):
        def change(folder) -> None:
            given = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**given, **fields}))

        return change

    refused(configure(num_hidden_layers=2), "is none that a 2-layer")
    refused(configure(num_hidden_layers=4), "is missing")
    refused(configure(intermediate_size=64), "config.json does not say")
    refused(lambda folder: (folder / "model-00001-of-00002.safetensors").unlink(), "no such file")
    refused(lambda folder: (folder / "tokenizer.json").unlink(), "write one with transformers")
    piece = {"model": {"type": "BPE", "vocab": {}, "merges": [], "byte_fallback": True}, "pre_tokenizer": None}
    refused(lambda folder: (folder / "tokenizer.json").write_text(json.dumps(piece)), "byte-level BPE")
    # The tokens of one, the weights of the other.
    run = tmp_path / "run"
    tiny.run("init-from", llama[0], "--run", run)
    with pytest.raises(SystemExit, match="give the one of that run"):
        tiny.run("think", "--run", tmp_path / "think", "--start-from", run / "state.pt")


def test_a_tokenizer_that_cuts_as_gpt2_does(llama, tmp_path):
    data = json.loads((llama[0] / "tokenizer.json").read_text())
    data["pre_tokenizer"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    (tmp_path / "theirs.json").write_text(json.dumps(data))
    rows, _ = adopt(tmp_path / "theirs.json", tmp_path / "ours.json")
    ours, theirs = load(tmp_path / "ours.json"), load(tmp_path / "theirs.json")
    # A line that begins with a space, so that theirs puts none there.
    for line in (" con co);\n", "   it's 'n 12.5 con();  \n", " ÄÖ\u0085\ufeff\u00a0 con\n"):
        assert [rows[i] for i in ours.encode(line).ids] == theirs.encode(line).ids


def test_a_text_cannot_spell_a_special_token(tiny, llama, tmp_path):
    tiny.run("init-from", llama[0], "--run", tmp_path)
    ours = load(tmp_path / "tokenizer.json")
    assert [ours.id_to_token(i) for i in range(END + 1)] == SPECIAL[: END + 1]
    for text in (*SPECIAL, *ADDED):
        assert min(ours.encode(text).ids) > END and ours.decode(ours.encode(text).ids) == text
