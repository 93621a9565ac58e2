"""Docstrings from the comments of the public headers, so that C++ and Python are documented by one text.

    docs_from_headers.py OUTPUT HEADER...

Writes a table of {"Simulation.run", "..."} for src/docs.cpp: the `///` lines before a declaration and the `///<` after it.
"""

import pathlib
import re
import sys

TYPE = re.compile(r"^\s*(?:template <[^>]*>\s*)?(?:struct|class|enum class|enum)\s+(\w+)[^;]*$")
FUNCTION = re.compile(r"([A-Za-z_]\w*)\s*\(")
VALUE = re.compile(r"([A-Za-z_]\w*)\s*(?=[=;{,]|$)")


def names_of(declaration):
    """What a declaration declares: a function, or one or several members."""
    code = re.sub(r"<[^<>]*>", "", re.sub(r"<[^<>]*<[^<>]*>[^<>]*>", "", declaration)).strip()
    if alias := re.match(r"using (\w+) =", code):
        return [alias.group(1)]
    if not code or code.startswith(("#", "namespace", "using", "public", "private", "friend", "}", "template")):
        return []
    if "(" in code.split("=")[0]:
        found = FUNCTION.search(code)
        return [found.group(1)] if found else []
    first, *rest = re.sub(r"\{[^}]*\}", "", code.rstrip(";")).split(",")
    names = [VALUE.findall(part.split("=")[0].strip() + ";") for part in [first, *rest]]
    return [found[-1] for found in names if found]


def docs_of(text):
    docs, scope, pending, depth, last = {}, [], [], 0, []

    def add(name, words):
        if words:
            docs[name] = (docs[name] + " " if name in docs else "") + words

    for line in text.splitlines():
        trailing = re.search(r"///<\s?(.*)$", line)
        code = re.sub(r"//.*$", "", line)
        if not code.strip():
            if trailing:
                for name in last:
                    add(name, trailing.group(1))
            elif comment := re.match(r"\s*///\s?(.*)$", line):
                pending.append(comment.group(1))
            elif not line.strip():
                pending = []
            continue
        before = depth
        depth += code.count("{") - code.count("}")
        while scope and scope[-1][1] >= depth:
            scope.pop()
        prefix = "".join(name + "." for name, _ in scope)
        kind = TYPE.match(code)
        if kind:
            add(kind.group(1), " ".join(pending))
            if depth > before:
                scope.append((kind.group(1), before))
            last = [kind.group(1)]
        else:
            last = [prefix + name for name in names_of(code)]
            for name in last:
                add(name, " ".join(pending))
                if trailing:
                    add(name, trailing.group(1))
        pending = []
    return docs


def main():
    output, *headers = sys.argv[1:]
    docs = {}
    for header in sorted(headers):
        for name, text in docs_of(pathlib.Path(header).read_text(encoding="utf-8")).items():
            docs.setdefault(name, text.strip())
    rows = "".join(f'{{"{name}", R"text({text})text"}},\n' for name, text in sorted(docs.items()) if text)
    pathlib.Path(output).write_text(rows, encoding="utf-8")


if __name__ == "__main__":
    main()
