"""The card of a bundle: its README.md."""

from .bundle import LICENCE


def card_text(name: str, version: str, config: dict, training: dict) -> str:
    runs = "\n".join(
        f"| {r['run']} | {r['steps']:,} | {r['tokens'] / 1e6:.1f} M | {r['hours']:.2f} | "
        + ", ".join(f"{k} {v}" for k, v in r["validation"].items())
        + " |"
        for r in training["runs"]
    )
    corpus = training["corpus"]
    python = corpus["python"]
    share = "" if python == 1 else f" Of what was read in training, Python was at most {python:.0%}."
    licences = ", ".join(f"{k} ({v})" for k, v in corpus["licences"].items())
    note = f"{training['note']} " if "note" in training else ""
    began = (
        f"The weights began as those of {training['origin']}: its licence and what it was trained on count as well.\n\n"
        if "origin" in training
        else ""
    )
    return f"""---
license: {LICENCE.lower()}
library_name: onnx
pipeline_tag: text-generation
language: [code]
tags: [code, code-completion, fill-in-the-middle, latent-thought, onnx]
---

# {name} {version}

A decoder for code that can be given a latent thought: {config["layers"]} layers of {config["width"]}, vocabulary
{config["vocabulary"]:,}. A thought holds {config["features"]} vectors for each of the upper {config["top"]} layers,
which act beside the MLP and are zero before any thinking; the decoder is not trained for it. Weights are stored in
{config["stored"]}.

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

Hardware: {training["hardware"]}. {note}Made with `train/` of this repository (`train/README.md` has the commands).

## Corpus

{corpus["megabytes"]:.0f} MB of distinct source text for training ({corpus["composition"]}), from {corpus["packages"]}
packages, pinned with licence and owner in `train/corpus/` (`manifest.json`: npm, `pypi.json`), now or in an earlier
commit. Split by owner of the source repository: no file of a test owner was trained on. No end-user applications,
no benchmark problems.{share}

Licences of the packages: {licences}.

## Limits

A small model trained for hours, not weeks: it knows common idioms of TypeScript and JavaScript and little else.
"""
