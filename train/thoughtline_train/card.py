"""`export`: the bundle's card, written from what the runs and the report recorded."""

import json
from argparse import Namespace
from collections import Counter
from pathlib import Path

from .corpus import read, summary
from .data import packed_share
from .export import LICENCE, write_bundle
from .fixtures import parity_case, tokenizer_cases
from .loop import inherited, load_decoder
from .parity import LIMITS, differences
from .report import markdown
from .thought import Thought


def run_summary(folder: Path) -> dict:
    """Steps, tokens, hours of computing and last figures of a run, from its log."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    validation = [r for r in rows if "validation" in r or "T4" in r]
    figures = {k: round(v, 4) for k, v in (validation[-1] if validation else {}).items() if isinstance(v, float)}
    figures.pop("seconds", None)
    last = rows[-1]
    return {
        "run": folder.name, "steps": last["step"], "tokens": last["tokens"], "hours": round(last["seconds"] / 3600, 2),
        "validation": figures,
    }  # fmt: skip


def card_text(
    name: str, version: str, config: dict, training: dict, rows: list[dict] | None, beside: list[dict] = ()
) -> str:
    """`beside`: runs that the report compares with, no part of this bundle's training."""
    runs = "\n".join(
        f"| {r['run']}{'' if r in training['runs'] else ' (for comparison)'} | {r['steps']:,} "
        f"| {r['tokens'] / 1e6:.1f} M | {r['hours']:.2f} | "
        + ", ".join(f"{k} {v}" for k, v in r["validation"].items())
        + " |"
        for r in [*training["runs"], *beside]
    )
    corpus = training["corpus"]
    most = corpus["python"]
    share = "" if most == 1 else f" Of what was read in training, Python was at most {most:.0%}."
    licences = ", ".join(f"{k} ({v})" for k, v in corpus["licences"].items())
    table = markdown(rows) if rows else "\nNot measured for this bundle.\n"
    plain = (
        '"plain decoder" the same decoder trained for the same further time without `z`.'
        if any(r["arm"] == "plain decoder" for r in rows or [])
        else "the plain decoder of equal training cost has not been trained yet and is missing here."
    )
    began = (
        f"The weights began as those of {training['origin']}: its licence and what it was trained on count as well.\n\n"
        if "origin" in training
        else ""
    )
    behind = (
        f", and one more for each of {config['tokenFeatures']} features of the last state"
        if config.get("tokenFeatures")
        else ""
    )
    tokens = f" and one number for each token, which is added to its logit{behind}" if config.get("tokenGroups") else ""
    return f"""---
license: {LICENCE.lower()}
library_name: onnx
pipeline_tag: text-generation
language: [code]
tags: [code, code-completion, fill-in-the-middle, latent-thought, onnx]
---

# {name} {version}

A latent-thought decoder for code: {config["layers"]} layers of {config["width"]}, {config["thoughtVectors"]} thought
vectors in each of the upper {config["layers"] - config["trunkLayers"]}{tokens},
vocabulary {config["vocabulary"]:,}. Weights are stored in {config["stored"]}.

## Intended use

Completing code at a cursor, as somebody types it, in Thoughtline: suggestions for a person to judge. The graphs and
`manifest.json` are Thoughtline's own; `model.safetensors`, where it is, holds the same weights by their names in
`train/thoughtline_train/model.py`.

Not intended: conversation, code that runs without being read, languages other than those of the corpus below,
decisions about people. The weights are under the MIT licence, as the code that made them.

## Training

{began}| run | steps | tokens | hours | last validation figures (nats per token) |
|---|---|---|---|---|
{runs}

Hardware: {training["hardware"]}. Made with `train/` of this repository (`train/README.md` has the commands).

## Corpus

{corpus["megabytes"]:.0f} MB of distinct source text for training ({corpus["composition"]}), from {corpus["packages"]}
packages, pinned with licence and owner in `train/corpus/` (`manifest.json`: npm, `pypi.json`), now or in an earlier
commit. Split by owner of the source repository: no file of a test owner was trained on. No end-user applications,
no benchmark problems.{share}

Licences of the packages: {licences}.

## Does thinking help?

Files of test owners, one window a file at the deployed length, evidence outside it; `z_0` is the prior, "shuffled" the
thought of another repository; {plain}
{table}
## Limits

A small model trained for hours, not weeks: it knows common idioms of TypeScript and JavaScript and little else.
"""


def export(options: Namespace) -> None:
    """Writes a bundle and checks that ONNX Runtime computes what PyTorch does (`parity.LIMITS`)."""
    decoder, state = load_decoder(options.state)
    thought = Thought(decoder.config)
    if "thought" in state:
        thought.load_state_dict(state["thought"])
    else:
        # A plain decoder: the outputs of its cross-attentions are still zero, so that z changes nothing.
        print(f"{options.state}: never trained with a thought; the bundle ignores z")
    # What the model had been trained by when its weights were taken from another bundle.
    before = json.loads((options.after / "manifest.json").read_text()) if options.after else {"training": {"runs": []}}
    runs = [*before["training"]["runs"], *(run_summary(folder) for folder in options.runs)]
    training = {"hardware": options.hardware, "hours": sum(r["hours"] for r in runs), "runs": runs}
    # The decoder's, and what was fitted to it, where the runs taught the steps alone.
    kept = {}
    if options.steps_only:
        if not options.after:
            raise SystemExit("--steps-only: which bundle's decoder it is, --after must say")
        kept = {key: before[key] for key in ("memory", "states", "energy") if key in before}
        training["hardware"] = before["training"]["hardware"]
    training["corpus"] = before["training"]["corpus"] if options.steps_only else corpus_of(options.cache)
    if not options.after:  # else the runs listed above say what the weights began as
        training |= inherited(state)
    rows = json.loads(options.report.read_text()) if options.report else None
    shape = {"layers": decoder.config.layers, "width": decoder.config.width, "vocabulary": decoder.config.vocabulary}
    shape |= {"trunkLayers": decoder.config.trunk_layers, "thoughtVectors": decoder.config.thought_vectors}
    shape |= {"tokenGroups": decoder.config.token_groups, "tokenFeatures": decoder.config.token_features}
    shape["stored"] = "float16" if options.bits == 16 else f"blocks of {options.bits} bits"
    beside = [run_summary(folder) for folder in options.beside]
    card = card_text(options.name, options.version, shape, training, rows, beside)
    window = {"tokens": options.window, "suffixTokens": options.suffix, "hop": options.hop, "chunk": options.chunk}
    write_bundle(
        decoder,
        thought,
        options.tokenizer,
        options.out,
        options.name,
        options.version,
        window,
        training,
        card,
        options.bits,
        kept,
    )
    found, bounds = differences(decoder, options.out), LIMITS
    print("PyTorch against ONNX Runtime: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()))
    if any(found[name] > bound for name, bound in bounds.items()):
        raise SystemExit(
            f"{options.out}: ONNX Runtime differs from PyTorch by more than {bounds}; the bundle is not usable"
        )
    if options.fixtures:
        options.fixtures.mkdir(parents=True, exist_ok=True)
        tokenizer_cases(options.tokenizer, options.fixtures / "tokenizer-cases.json")
        parity_case(decoder, thought, options.fixtures / f"{options.name}-parity.json")


def corpus_of(cache: Path) -> dict:
    """What a bundle says of the corpus in `cache`."""
    composition = summary(cache, "train")
    folder = Path(__file__).parent.parent / "corpus"
    manifest = [
        p for name in ("manifest", "pypi") for p in json.loads((folder / f"{name}.json").read_text())["packages"]
    ]
    # The manifest may have changed since this corpus was built: what counts is what was trained on.
    known, used = {p["name"]: p["licence"] for p in manifest}, {row["package"] for row in read(cache, "train")}
    sizes = {k: v / 1e6 for k, v in composition["languages"].items()}
    return {
        "packages": len(used),
        "megabytes": round(sum(sizes.values()), 1),
        "python": packed_share(cache),
        "composition": ", ".join(f"{k} {v:.1f} MB" for k, v in sorted(sizes.items(), key=lambda s: -s[1]) if v >= 0.05),
        "licences": dict(Counter(known.get(name, "in an earlier manifest") for name in used).most_common()),
    }
