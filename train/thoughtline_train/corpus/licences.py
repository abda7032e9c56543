"""Licences and owners, as packages of npm and PyPI state them."""

import re

PERMISSIVE = {
    "MIT",
    "MIT-0",
    "ISC",
    "BSD",
    "BSD-2-CLAUSE",
    "BSD-3-CLAUSE",
    "APACHE-2.0",
    "APACHE 2.0",
    "0BSD",
    "UNLICENSE",
    "CC0-1.0",
    "BLUEOAK-1.0.0",
    "ZLIB",
    "PYTHON-2.0",
    "X11",
}
HOSTS = r"(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)"

# What PyPI's classifiers call a licence, and how older packages write it in their License field.
CLASSIFIED = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Python Software Foundation License": "Python-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "zlib/libpng License": "Zlib",
}
FREE_TEXT = [
    (r"(the )?(expat )?mit( licen[sc]e)?", "MIT"),
    (r"apache( software)?( licen[sc]e)?,?( |-)?(v|version )?2(\.0)?( licen[sc]e)?", "Apache-2.0"),
    (
        r"(the )?(new |modified |revised )?(3|three)[- ]clause bsd( licen[sc]e)?"
        r"|bsd[- ](3|three)[- ]clause( licen[sc]e)?",
        "BSD-3-Clause",
    ),
    (r"bsd[- ](2|two)[- ]clause( licen[sc]e)?|(2|two)[- ]clause bsd( licen[sc]e)?", "BSD-2-Clause"),
    (r"(new |modified |simplified )?bsd([- ]licen[sc]e|-like)?|bsd style", "BSD"),
    (r"isc( licen[sc]e)?", "ISC"),
    (r"psf(-2\.0)?|python software foundation licen[sc]e", "Python-2.0"),
]  # fmt: skip


def permissive(licence: str) -> bool:
    """True if some alternative of an SPDX expression consists of permissive licences only."""
    alternatives = re.split(r"\s+OR\s+", licence.strip().strip("()"), flags=re.IGNORECASE)
    return any(
        all(part.strip(" ()").upper() in PERMISSIVE for part in re.split(r"\s+AND\s+", a, flags=re.IGNORECASE))
        for a in alternatives
    )


def owner_in(url: str) -> str | None:
    """Owner of the repository that a URL names, lower case."""
    found = re.search(HOSTS + r"[/:]([\w.-]+)/", url)
    return found.group(1).lower() if found else None


# ---------------------------------------------------------------- npm


def licence_of(meta: dict) -> str:
    value = meta.get("license") or meta.get("licenses") or ""
    if isinstance(value, list):
        value = " OR ".join(v.get("type", "") if isinstance(v, dict) else str(v) for v in value)
    return str(value.get("type", "")) if isinstance(value, dict) else str(value)


def owner_of(meta: dict) -> str:
    """Owner of the source repository, lower case; the npm scope or the name where none is stated."""
    repository = meta.get("repository") or meta.get("homepage") or ""
    url = repository.get("url", "") if isinstance(repository, dict) else str(repository)
    short = re.match(r"^(?:github:)?([\w.-]+)/[\w.-]+$", url)
    if owner := owner_in(url) or (short and short.group(1).lower()):
        return owner
    name = meta.get("name", "unknown")
    return "npm:" + (name.split("/")[0] if name.startswith("@") else name).lower()


# ---------------------------------------------------------------- PyPI


def python_licence(headers: dict[str, list[str]]) -> str:
    """Licence of a source distribution, from the headers of its PKG-INFO: expression, else classifiers, else free
    text."""
    stated = (headers.get("License-Expression") or [""])[0].strip()
    if stated:
        return stated
    classifiers = [c.split(" :: ")[-1].strip() for c in headers.get("Classifier", []) if c.startswith("License :: ")]
    known = [CLASSIFIED.get(c, c) for c in classifiers if c != "OSI Approved"]
    if known:
        # Several classifiers say "one of them" in some packages and "all of them" in others: all must be permissive.
        return " AND ".join(dict.fromkeys(known))
    return free_text((headers.get("License") or [""])[0])


def free_text(licence: str) -> str:
    """The licence that a License field names in its own words; the field itself where it cannot be told."""
    line = licence.strip().split("\n")[0].strip()
    for pattern, name in FREE_TEXT:
        if re.fullmatch(pattern, line, flags=re.IGNORECASE):
            return name
    return line


def python_owner(name: str, headers: dict[str, list[str]]) -> str:
    """Owner of the source repository a PKG-INFO links to, the repository's own link first; else the project's name."""
    links = [link.partition(",")[::2] for link in headers.get("Project-URL", [])]
    links.sort(key=lambda link: not re.search(r"source|repo|code|github", link[0], re.IGNORECASE))
    urls = [url for _, url in links] + headers.get("Home-page", []) + headers.get("Download-URL", [])
    for url in urls:
        if (owner := owner_in(url.strip() + "/")) and owner != "sponsors":
            return owner
    return "pypi:" + name.lower()
