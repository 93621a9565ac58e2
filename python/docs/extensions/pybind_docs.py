"""Makes what pybind11 writes into docstrings readable: signatures of overloads, types, comments of C++ headers."""

import re

import sphinx.ext.autodoc as autodoc
from generate.text import rst

PLAIN = [(r"cardiotwin(\._core\.|::(meshes::)?)", ""), (r"numpy\.ndarray\[[^\]]*\[[^\]]*\]\]", "numpy.ndarray"),
         (r"numpy\.ndarray\[[^\]]*\]", "numpy.ndarray"), (r"<(\w+\.\w+): -?\d+>", r"\1"), (r"\bList\[", "list["),
         (r"\bDict\[", "dict["), (r"\bTuple\[", "tuple["), (r"os\.PathLike", "path"),
         (r"Optional\[([\w.]+)\]", r"\1 | None"),
         (r"Optional\[(\w+\[[^\]]*\])\]", r"\1 | None"), (r"array\((\[.*?\])\)", r"\1"), (r"\(self: [\w.]+(, )?", "(")]
_getdoc = autodoc.getdoc


def plain(text):
    for pattern, words in PLAIN:
        text = re.sub(pattern, words, text)
    return re.sub(r"^(__init__\(.*\)) -> None", r"\1", text)


def getdoc(obj, *args, **kwargs):
    """Overloads in autodoc's own form: all signatures first, each but the last with a backslash."""
    text = _getdoc(obj, *args, **kwargs)
    if not text or not isinstance(text, str):
        return text
    if "Overloaded function." not in text:  # a default that is an array takes several lines
        text = re.sub(r"\A\w+\(.*?\) -> .*?$", lambda found: re.sub(r"\s+", " ", found.group(0)), text, 1, re.M | re.S)
    head, _, rest = text.partition("\n")
    if "Overloaded function." not in rest:
        return "\n".join([plain(head), rest]) if re.match(r"\w+\(.*\)", head) else text
    pieces = re.split(r"^\d+\. (\w+\(.*)$", rest, flags=re.M)
    signatures = [plain(piece).replace("arg0", "name") for piece in pieces[1::2]]
    words = dict.fromkeys(piece.strip() for piece in pieces[2::2] if piece.strip())
    return "\\\n".join(signatures) + "\n\n" + "\n\n".join(words)


class Class(autodoc.ClassDocumenter):
    """Members in the order in which they were bound."""
    priority = autodoc.ClassDocumenter.priority + 1

    def sort_members(self, documenters, order):
        names = list(vars(self.object))
        return sorted(documenters, key=lambda entry: names.index(entry[0].name.rpartition(".")[2]))


class Property(autodoc.PropertyDocumenter):
    """With the type that the getter's docstring has."""
    priority = autodoc.PropertyDocumenter.priority + 1

    def add_directive_header(self, sig):
        super().add_directive_header(sig)
        found = re.search(r"-> (.*)", getattr(getattr(self.object, "fget", None), "__doc__", None) or "")
        if found:
            self.add_line(f"   :type: {plain(found.group(1))}", self.get_sourcename())

    def get_doc(self):
        docs = super().get_doc()
        return [[line for line in lines if not re.match(r"\(self: .*\) -> ", line)] for lines in docs or []]


def readable(app, what, name, obj, options, lines):
    lines[:] = rst("\n".join(lines)).splitlines()


def setup(app):
    autodoc.getdoc = getdoc
    app.add_autodocumenter(Class, override=True)
    app.add_autodocumenter(Property, override=True)
    app.connect("autodoc-process-docstring", readable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
