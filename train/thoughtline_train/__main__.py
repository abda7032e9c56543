"""`python -m thoughtline_train`: makes a model bundle, from corpus to export. See train/README.md."""

import argparse
import json
import math
from pathlib import Path

from .protocol import SHAPE, Protocol

TRAIN = Path(__file__).resolve().parent.parent
CACHE = Path.home() / ".cache" / "thoughtline"


def main() -> None:
    parser = argparse.ArgumentParser(prog="thoughtline_train", description=__doc__)
    parser.add_argument("--cache", type=Path, default=CACHE / "corpus", help="folder of packages and packed tokens")
    parser.add_argument("--tokenizer", type=Path, default=CACHE / "tokenizer" / "tokenizer.json")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--threads", type=int, default=0, help="of a training on CPU, kept; 0: as many as the machine has to spare"
    )
    parser.add_argument("--seed", type=int, default=1)
    commands = parser.add_subparsers(dest="command", required=True)

    corpus = commands.add_parser("corpus", help="fetch, build and describe the corpus")
    corpus.add_argument(
        "action", choices=["resolve", "fetch", "build", "withheld", "prune", "report", "folders", "contamination"]
    )
    corpus.add_argument("benchmarks", type=Path, nargs="?", help="contamination: folder of benchmark files")
    corpus.add_argument("--roots", type=Path, default=TRAIN / "corpus" / "roots.txt")
    corpus.add_argument("--manifest", type=Path, default=TRAIN / "corpus" / "manifest.json")
    corpus.add_argument("--pypi-roots", type=Path, default=TRAIN / "corpus" / "pypi-roots.txt")
    corpus.add_argument(
        "--pypi", type=Path, default=TRAIN / "corpus" / "pypi.json", help="manifest of the Python packages"
    )
    corpus.add_argument("--depth", type=int, default=1, help="levels of dependencies that resolve follows")
    corpus.add_argument("--limit", type=int, default=6000, help="npm packages that resolve tries at most")
    corpus.add_argument("--out", type=Path, default=CACHE / "folders", help="folder of a split's files")
    corpus.add_argument(
        "--split", default="test", choices=["train", "validation", "test", "withheld"], help="folders: of what"
    )
    corpus.add_argument("--cap-package", type=int, default=3_000_000, help="characters of one package at most")
    corpus.add_argument("--cap-owner", type=int, default=9_000_000, help="characters of one owner at most")

    tokenizer = commands.add_parser("tokenizer", help="train the tokenizer, then pack the corpus with it")
    tokenizer.add_argument("--vocabulary", type=int, default=8192)
    tokenizer.add_argument("--sample", type=float, default=24e6, help="characters to train the merges on")
    pack = commands.add_parser("pack", help="pack the corpus with a tokenizer that is there already")
    for command in (tokenizer, pack):
        command.add_argument("--python", type=float, default=1.0, help="share of Python in each split at most")

    pretrain = commands.add_parser("pretrain", help="plain language modelling with fill-in-the-middle")
    pretrain.add_argument("--run", type=Path, required=True, help="folder of the run's state and log")
    pretrain.add_argument("--minutes", type=float, default=45, help="computing time in all, over all resumptions")
    pretrain.add_argument(
        "--wall", type=float, default=math.inf, help="minutes of this process at most; then saved, to be resumed"
    )
    pretrain.add_argument("--batch", type=int, default=16)
    pretrain.add_argument("--length", type=int, default=512)
    pretrain.add_argument("--suffix", type=int, default=128)
    pretrain.add_argument("--muon", type=float, default=0.006)
    pretrain.add_argument("--adam", type=float, default=0.003)
    pretrain.add_argument("--fim", type=float, default=0.6)
    pretrain.add_argument("--decay", type=float, default=0.4, help="share of the run over which the rate falls")
    pretrain.add_argument(
        "--start-from",
        type=Path,
        help="state.pt of another run, or the folder of a bundle, to continue from, under its z_0 if it has one",
    )
    pretrain.add_argument("--plain", action="store_true", help="without z even so: the arm to compare with")
    for name in ("width", "layers", "trunk-layers", "heads", "kv-heads", "hidden", "thought-vectors"):
        pretrain.add_argument(f"--{name}", type=int)

    average = commands.add_parser("average", help="the mean of runs that went on from one start")
    average.add_argument(
        "states", type=Path, nargs="+", help="their state.pt, first the one whose steps of thought are kept"
    )
    average.add_argument("--run", type=Path, required=True, help="folder that state.pt is written to")
    average.add_argument("--steps", action="store_true", help="all are runs of think: the steps are means, too")

    think = commands.add_parser("think", help="latent meta-training, from a pre-trained decoder")
    think.add_argument("--run", type=Path, required=True)
    think.add_argument(
        "--start-from",
        type=Path,
        required=True,
        help="state.pt of the pre-training, or of thinking to go on with; or the folder of a bundle",
    )
    think.add_argument("--minutes", type=float, default=45)
    think.add_argument("--eager", action="store_true", help="compile nothing: for a run of a few minutes on a GPU")
    think.add_argument(
        "--wall", type=float, default=math.inf, help="minutes of this process at most; then saved, to be resumed"
    )
    anew = (
        "learn to read a thought from the beginning, of this shape "
        "(--token-groups, --token-features: go on, with numbers for each token)"
    )
    for name in SHAPE:
        think.add_argument(f"--{name.replace('_', '-')}", type=int, help=anew)
    Protocol.add_options(think)

    ablate = commands.add_parser(
        "ablate", help="a group of arms that differ in one thing, from one start, at equal cost"
    )
    ablate.add_argument(
        "--arms", type=Path, default=TRAIN / "ablations.json", help="what is asked, what is predicted, what differs"
    )
    ablate.add_argument("--group", required=True, help="which group of them")
    ablate.add_argument("--start-from", type=Path, help="state.pt that all arms of a group of `think` begin with")
    ablate.add_argument(
        "--run", type=Path, required=True, help="folder of the arms' runs; what is there already is not run again"
    )
    ablate.add_argument("--only", nargs="*", help="names of the arms to run")
    ablate.add_argument("--minutes", type=float, default=3, help="computing time of an arm")
    ablate.add_argument("--files", type=int, default=96, help="files of validation owners that an arm is measured on")

    export = commands.add_parser("export", help="make a bundle of a trained state")
    export.add_argument("--state", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True)
    export.add_argument("--name", default="nano")
    export.add_argument("--version", default="0.1.0")
    export.add_argument("--window", type=int, default=512)
    export.add_argument("--suffix", type=int, default=128)
    export.add_argument("--hop", type=int, default=64)
    export.add_argument("--chunk", type=int, default=128)
    export.add_argument("--report", type=Path, help="JSON that `report` wrote, for the card")
    export.add_argument("--after", type=Path, help="bundle that the first of the runs went on from, for the card")
    export.add_argument(
        "--steps-only",
        action="store_true",
        help="the runs taught steps alone: corpus, and weights of memory, states and energy, are those of --after",
    )
    export.add_argument("--runs", type=Path, nargs="*", default=[], help="folders of the runs, for the card")
    export.add_argument(
        "--beside", type=Path, nargs="*", default=[], help="folders of runs to compare with, for the card"
    )
    export.add_argument("--fixtures", type=Path, help="folder of the TypeScript tests' fixtures to write as well")
    export.add_argument("--hardware", default="2 CPU cores")
    export.add_argument("--bits", type=int, choices=[16, 8], default=16, help="of a stored weight; 8 in blocks")

    tiny = commands.add_parser("tiny", help="make the bundle of random weights that tests use")
    tiny.add_argument("--out", type=Path, default=TRAIN.parent / "models" / "tiny")
    tiny.add_argument("--fixtures", type=Path, default=TRAIN.parent / "test" / "fixtures")
    tiny.add_argument("--bits", type=int, choices=[16, 8], default=16)

    report = commands.add_parser("report", help="NLL of text outside the evidence, on test owners")
    report.add_argument("--state", type=Path, required=True)
    report.add_argument("--plain", type=Path, help="state.pt of the plain arm")
    report.add_argument("--split", default="test")
    report.add_argument("--files", type=int, default=400)
    report.add_argument("--batch", type=int, default=16)
    report.add_argument("--chunks", type=int, default=8)
    report.add_argument("--chunk", type=int, default=128)
    report.add_argument("--length", type=int, default=512)
    report.add_argument("--suffix", type=int, default=128)
    report.add_argument("--out", type=Path, help="write the rows as JSON")

    options = parser.parse_args()
    if options.command == "corpus":
        run_corpus(options)
    elif options.command in ("tokenizer", "pack"):
        from . import data
        from . import tokenizer as t
        from .corpus import sample

        if options.command == "tokenizer":
            t.train(sample(options.cache, options.sample, options.seed), options.vocabulary, options.tokenizer)
        for split in ("train", "validation", "test", "withheld"):
            data.pack(options.cache, options.tokenizer, split, options.python)
    elif options.command == "pretrain":
        from .loop import device_of  # noqa: F401  (imports torch once the arguments are known to be right)
        from .model import Config
        from .pretrain import pretrain as run
        from .tokenizer import load

        given = {k: getattr(options, k) for k in Config.__dataclass_fields__ if getattr(options, k, None) is not None}
        given["vocabulary"] = load(options.tokenizer).get_vocab_size()
        run(
            options.cache, options.tokenizer, options.run, Config(**given), options.minutes, options.batch,
            options.length, options.suffix, options.muon, options.adam, options.fim, options.seed, options.device,
            options.start_from, options.wall, options.plain, options.threads, options.decay,
        )  # fmt: skip
    elif options.command == "think":
        from .think import think as run

        run(
            options.cache, options.tokenizer, options.run, options.start_from, Protocol.of(options), options.minutes,
            options.seed, options.device, options.wall, options.threads,
            {name: getattr(options, name) for name in SHAPE if getattr(options, name) is not None}, options.eager,
        )  # fmt: skip
    elif options.command == "average":
        from .average import average

        average(options.states, options.run, options.steps)
    elif options.command == "ablate":
        from . import ablate as a

        a.ablate(options, a.read_group(options.arms, options.group))
    elif options.command == "report":
        from . import report as r

        shape = {"chunks": options.chunks, "chunk": options.chunk, "length": options.length}
        scores = r.evaluate(
            options.cache, options.tokenizer, options.split, options.state, options.plain, options.files,
            options.batch, {**shape, "suffix_limit": options.suffix}, options.device,
        )  # fmt: skip
        rows = r.table(scores)
        print(r.markdown(rows))
        if options.out:
            options.out.write_text(json.dumps(rows, indent=1) + "\n")
    elif options.command == "tiny":
        from .fixtures import tiny_bundle

        tiny_bundle(options.tokenizer, options.out, options.fixtures, options.bits)
    elif options.command == "export":
        from .card import export

        export(options)


def run_corpus(options: argparse.Namespace) -> None:
    """The actions of `corpus`."""
    cache, manifests = options.cache, [options.manifest, options.pypi]
    if options.action in ("resolve", "fetch"):
        from .corpus import npm, pypi

        cache.mkdir(parents=True, exist_ok=True)
        if options.action == "resolve":
            npm.resolve(options.roots, options.manifest, cache, options.depth, options.limit)
            pypi.resolve(options.pypi_roots, options.pypi, cache)
        else:
            npm.fetch_pinned(options.manifest, cache)
            pypi.fetch_pinned(options.pypi, cache)
    elif options.action == "contamination":
        from .corpus import contamination as check
        from .corpus import read

        if options.benchmarks is None or not options.benchmarks.is_dir():
            raise SystemExit("corpus contamination DIR: give a folder of benchmark files")
        problems = list(check.problems(options.benchmarks))
        rows = (row for split in ("train", "validation", "withheld") for row in read(cache, split))
        if not check.report(check.contamination(rows, problems), len(problems)):
            raise SystemExit(1)
    elif options.action == "folders":
        from .corpus import folders, read

        files = folders.unpack(read(cache, options.split), options.out)
        print(f"{options.out}: {sum(files.values())} files of {len(files)} owners")
    else:
        from .corpus import build as b

        if options.action == "build":
            b.build(manifests, cache, options.cap_package, options.cap_owner)
        elif options.action == "withheld":
            b.withhold(manifests, cache, options.cap_package, options.cap_owner)
        elif options.action == "prune":
            b.prune(manifests, cache)
        else:
            b.report(cache)


if __name__ == "__main__":
    main()
