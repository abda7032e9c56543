"""`python -m thoughtline_train`: makes a model bundle, from corpus to export. See train/README.md."""

import argparse
import datetime
import math
from pathlib import Path

TRAIN = Path(__file__).resolve().parent.parent
CACHE = Path.home() / ".cache" / "thoughtline"


def day(text: str) -> str:
    """A date of an option, checked."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date; give one like 2025-01-31") from None


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

    for add in (add_corpus, add_tokenizer, add_pretrain, add_export, add_tiny):
        add(commands)
    options = parser.parse_args()
    options.start(options)


def add_corpus(commands) -> None:
    corpus = commands.add_parser("corpus", help="fetch, build and describe the corpus")
    corpus.set_defaults(start=run_corpus)
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
    corpus.add_argument(
        "--new-since", type=day, help="folders: only files that their owner had not published before this date"
    )
    corpus.add_argument(
        "--histories", type=Path, help="folder of clones, OWNER/NAME: what they held before that date is not new either"
    )
    corpus.add_argument("--cap-package", type=int, default=3_000_000, help="characters of one package at most")
    corpus.add_argument("--cap-owner", type=int, default=9_000_000, help="characters of one owner at most")


def add_tokenizer(commands) -> None:
    tokenizer = commands.add_parser("tokenizer", help="train the tokenizer, then pack the corpus with it")
    tokenizer.add_argument("--vocabulary", type=int, default=8192)
    tokenizer.add_argument("--sample", type=float, default=24e6, help="characters to train the merges on")
    pack = commands.add_parser("pack", help="pack the corpus with a tokenizer that is there already")
    for command in (tokenizer, pack):
        command.set_defaults(start=run_tokenizer)
        command.add_argument("--python", type=float, default=1.0, help="share of Python in each split at most")


def add_pretrain(commands) -> None:
    pretrain = commands.add_parser("pretrain", help="plain language modelling with fill-in-the-middle")
    pretrain.set_defaults(start=run_pretrain)
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
        help="state.pt of another run, or the folder of a bundle, to continue from",
    )
    for name in ("width", "layers", "heads", "kv-heads", "hidden"):
        pretrain.add_argument(f"--{name}", type=int)


def add_export(commands) -> None:
    export = commands.add_parser("export", help="make a bundle of a trained state")
    export.set_defaults(start=run_export)
    export.add_argument("--state", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True)
    export.add_argument("--name", default="nano")
    export.add_argument("--version", default="0.1.0")
    export.add_argument("--window", type=int, default=512)
    export.add_argument("--suffix", type=int, default=128)
    export.add_argument("--hop", type=int, default=64)
    export.add_argument("--chunk", type=int, default=128)
    export.add_argument("--trunk-layers", type=int, help="layers below the first one that reads a thought")
    export.add_argument(
        "--after",
        type=Path,
        help="bundle that the first of the runs went on from: its runs stand in the card, and its weights of memory, "
        "kNN cache and confidence serve until they are fitted again",
    )
    export.add_argument("--runs", type=Path, nargs="*", default=[], help="folders of the runs, for the card")
    export.add_argument("--note", help="a sentence about the weights, for the card")
    export.add_argument("--fixtures", type=Path, help="folder of the TypeScript tests' fixtures to write as well")
    export.add_argument("--hardware", default="2 CPU cores")
    export.add_argument("--bits", type=int, choices=[16, 8], default=16, help="of a stored weight; 8 in blocks")


def add_tiny(commands) -> None:
    tiny = commands.add_parser("tiny", help="make the bundle of random weights that tests use")
    tiny.set_defaults(start=run_tiny)
    tiny.add_argument("--out", type=Path, default=TRAIN.parent / "models" / "tiny")
    tiny.add_argument("--fixtures", type=Path, default=TRAIN.parent / "test" / "fixtures")
    tiny.add_argument("--bits", type=int, choices=[16, 8], default=16)


# Modules that take long to import are imported once the arguments are known to be right.


def run_tokenizer(options: argparse.Namespace) -> None:
    """`tokenizer` and `pack`."""
    from . import data
    from . import tokenizer as t
    from .corpus import sample

    if options.command == "tokenizer":
        t.train(sample(options.cache, options.sample, options.seed), options.vocabulary, options.tokenizer)
    for split in ("train", "validation", "test", "withheld"):
        data.pack(options.cache, options.tokenizer, split, options.python)


def run_pretrain(options: argparse.Namespace) -> None:
    from .model import Config
    from .pretrain import Pretraining, pretrain
    from .tokenizer import load

    given = {k: getattr(options, k) for k in Config.__dataclass_fields__ if getattr(options, k, None) is not None}
    given["vocabulary"] = load(options.tokenizer).get_vocab_size()
    same = Pretraining.__dataclass_fields__.keys() - {"folder", "config"}
    wanted = {name: getattr(options, name) for name in same}
    pretrain(Pretraining(folder=options.run, config=Config(**given), **wanted))


def run_export(options: argparse.Namespace) -> None:
    from .export import export

    export(options)


def run_tiny(options: argparse.Namespace) -> None:
    from .fixtures import tiny_bundle

    tiny_bundle(options.tokenizer, options.out, options.fixtures, options.bits)


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

        rows = read(cache, options.split)
        if options.new_since:
            from .corpus import build, newer

            if options.histories and not options.histories.is_dir():
                raise SystemExit(f"--histories {options.histories}: no such folder; give one of clones, OWNER/NAME")
            every, packages = list(rows), build.pinned(manifests, cache)
            earlier = newer.Earlier(cache, options.new_since)
            rows = list(newer.only_new(every, packages, earlier, options.histories))
            print(f"new since {options.new_since}: {folders.extent(rows)}; of {folders.extent(every)}")
        files = folders.unpack(rows, options.out)
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
