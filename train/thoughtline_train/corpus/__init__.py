"""The corpus: sources of permissively licensed packages, filtered, deduplicated and split by owner.

`licences` (who may be taken), `npm` and `pypi` (fetching what the manifests pin), `sources` (reading one package),
`shingles` and `duplicates` (what is alike), `build` (the corpus), `folders` (unpacked to be measured on), `newer` (what
of it is new since a day), `contamination` (no benchmark problems in it).
"""

from .build import read, sample, split_of, summary, with_share

__all__ = ["read", "sample", "split_of", "summary", "with_share"]
