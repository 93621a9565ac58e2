"""Plain words as reStructuredText."""

import re

DOI = re.compile(r"\b(?:doi:? )(10\.\d{4,}/(?:\([^\s()]*\)|[^\s,;()`])*[^\s,;.()`])")


def link(doi):
    return f"`doi {doi} <https://doi.org/{doi}>`__"


def rst(text):
    """Escapes what would be markup but for `code`, and links DOIs."""
    parts = re.split(r"(`[^`\n]+`)", text)
    for at in range(0, len(parts), 2):
        pieces = DOI.split(parts[at])
        for k in range(0, len(pieces), 2):
            pieces[k] = re.sub(r"([*|\\])|_(?!\w)", lambda m: "\\" + m.group(0), pieces[k])
        for k in range(1, len(pieces), 2):
            pieces[k] = link(pieces[k])
        parts[at] = "".join(pieces)
    for at in range(1, len(parts), 2):
        parts[at] = f"`{parts[at]}`"
    return "".join(parts)


def title(text, line="="):
    return f"{text}\n{line * len(text)}\n\n"


def indented(text, by=3):
    return "\n".join(" " * by + line if line.strip() else "" for line in text.splitlines())


def table(header, rows):
    """A pipe table for Markdown pages."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)
