"""The C++ reference: a page a public header, in the order of the source, from Doxygen's XML."""

import re
import xml.etree.ElementTree as ElementTree

from generate.text import indented, rst, title

ROOMS = {
    "libcardiotwin": ("cardiotwin::cardiotwin", "What a heart is, how it is simulated, calibrated and treated."),
    "meshes": ("cardiotwin::meshes", "From an image to a labelled tetrahedral mesh; synthetic patients."),
    "kernels": ("cardiotwin::kernels", "Arrays in, arrays out: ionic models and the engine. Builds alone."),
}
HEADS = {"typedef": "type", "variable": "member", "function": "function", "enum": "enum-class"}


def flat(element):
    return "" if element is None else re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def paragraphs(element):
    """A description as reStructuredText."""
    blocks = []
    for para in [] if element is None else element.findall("para"):
        words = rst_of(para.text)
        for child in para:
            if child.tag in ("verbatim", "preformatted"):
                blocks += [words, "::\n\n" + indented(child.text.rstrip())]
                words = ""
            elif child.tag in ("itemizedlist", "orderedlist"):
                blocks += [words, "\n".join("- " + " ".join(paragraphs(item)) for item in child.findall("listitem"))]
                words = ""
            elif child.tag == "computeroutput":
                words += f"``{flat(child)}``"
            elif child.tag in ("emphasis", "bold"):  # never meant: what stands there is a product or an index
                raise ValueError(f"markup in a comment: {flat(para)}")
            else:
                words += rst_of("".join(child.itertext()))
            words += rst_of(child.tail)
        blocks.append(words)
    return [block.strip() for block in blocks if block.strip()]


def rst_of(text):
    return rst(re.sub(r"\s+", " ", text or ""))


def description(node):
    return "\n\n".join(paragraphs(node.find("briefdescription")) + paragraphs(node.find("detaileddescription")))


def template_of(node):
    params = node.find("templateparamlist")
    if params is None:
        return ""
    names = (f"{flat(p.find('type'))} {p.findtext('declname') or ''}".strip() for p in params)
    return f"template <{', '.join(names)}> "


def line_of(node):
    return int(node.find("location").get("line"))


class Header:
    def __init__(self, path, xml, compounds):
        self.path, self.xml, self.compounds = path, xml, compounds
        self.lines = path.read_text(encoding="utf-8").splitlines()

    def here(self, node):
        location = node.find("location")
        return location is not None and location.get("file") == str(self.path)

    def signature(self, member):
        kind, name = member.get("kind"), member.findtext("name")
        if kind == "enum":
            base = member.findtext("type")
            return f"{name}{f' : {base}' if base else ''}"
        of_type = flat(member.find("type"))
        if kind == "typedef":
            return f"{name} = {of_type}"
        if kind == "variable":
            start = flat(member.find("initializer"))
            short = re.fullmatch(r"= ?[-\w.:/\" ()]{1,40}", start)
            return f"{of_type} {name}{member.findtext('argsstring') or ''}{' ' + start if short else ''}"
        arguments = re.sub(r"\s*=\s*(default|0|delete)$|\s+override", "", member.findtext("argsstring"))
        return f"{template_of(member)}{of_type} {name}{arguments}".strip()

    def member(self, member):
        head = HEADS[member.get("kind")]
        if head == "enum-class" and member.get("strong") != "yes":
            head = "enum"
        body = description(member)
        for value in member.findall("enumvalue"):
            words = description(value)
            body += f"\n\n.. cpp:enumerator:: {value.findtext('name')}\n\n{indented(words)}"
        return f".. cpp:{head}:: {self.signature(member)}\n\n{indented(body)}\n\n"

    def plain(self, member):
        """What everyone has and nobody calls by name: destructors, copies, moves."""
        name = member.findtext("name")
        return (name.startswith("~") or "&&" in (member.findtext("argsstring") or "") and not description(member)
                or name == "operator=" or member.get("kind") == "friend")

    def compound(self, node):
        full = node.findtext("compoundname")
        bases = ", ".join(f"public {base.text}" for base in node.findall("basecompoundref"))
        head = f".. cpp:{node.get('kind')}:: {template_of(node)}{full.split('::')[-1]}{f' : {bases}' if bases else ''}"
        parts = [(line_of(m), self.member(m)) for m in node.findall("sectiondef/memberdef")
                 if m.get("prot") == "public" and self.here(m) and not self.plain(m)]
        for inner in node.findall("innerclass"):
            if inner.get("prot") == "public":
                child = self.compounds[inner.get("refid")]
                parts.append((line_of(child), self.compound(child)))
        body = description(node) + "\n\n" + "".join(text for _, text in sorted(parts, key=lambda part: part[0]))
        return f"{head}\n\n{indented(body)}\n\n"

    def items(self):
        """(line, namespace, text); runs of constants without a comment as they stand in the source."""
        found, constants = [], []
        for space in (node for node in self.compounds.values() if node.get("kind") == "namespace"):
            name = space.findtext("compoundname")
            for member in space.findall("sectiondef/memberdef"):
                if not self.here(member):
                    continue
                if member.get("kind") == "variable" and not description(member):
                    constants.append((line_of(member), name))
                else:
                    found.append((line_of(member), name, self.member(member)))
            for inner in space.findall("innerclass"):
                node = self.compounds[inner.get("refid")]
                if self.here(node):
                    found.append((line_of(node), name, self.compound(node)))
        for line, name in sorted(set(constants)):
            code = self.lines[line - 1].strip()
            found.append((line, name, f".. code-block:: cpp\n\n   {code}\n\n"))
        merged = []
        for item in sorted(found):
            if merged and item[1] == merged[-1][1] and {item[2][:8], merged[-1][2][:8]} == {".. code-"}:
                merged[-1] = (*item[:2], merged[-1][2].rstrip("\n") + "\n" + item[2].split("\n\n", 1)[1])
            else:
                merged.append(item)
        return merged

    def page(self, include, target):
        file = next(node for node in self.compounds.values()
                    if node.get("kind") == "file" and node.find("location").get("file") == str(self.path))
        text = title(self.path.name) + description(file) + "\n\n"
        text += f".. code-block:: cpp\n\n   #include <{include}>  // {target}\n\n"
        space = None
        for _, name, body in self.items():
            if name != space:
                text += f".. cpp:namespace:: {name}\n\n"
                if space is not None or name.count("::") > include.count("/") - 1:
                    text += f".. rubric:: namespace {name}\n\n"
                space = name
            text += body
        return text


def write(root, build, out, source):
    xml = out / "doxygen/xml"
    index = ElementTree.parse(xml / "index.xml").getroot()
    compounds = {}
    for entry in index.findall("compound"):
        node = ElementTree.parse(xml / f"{entry.get('refid')}.xml").getroot().find("compounddef")
        compounds[entry.get("refid")] = node
    for room, (target, words) in ROOMS.items():
        include = root / room / "include"
        folder = source / "reference/cpp" / room
        folder.mkdir(parents=True)
        names = []
        for path in sorted(include.rglob("*.hpp")):
            if path.name == "cardiotwin.hpp":
                continue  # includes the others
            header = Header(path, xml, compounds)
            (folder / f"{path.stem}.rst").write_text(header.page(str(path.relative_to(include)), target))
            names.append(path.stem)
        rows = "".join(f"   * - :doc:`{name}.hpp <{name}>`\n     - {rst_of(first(compounds, include, name))}\n"
                       for name in names)
        toc = "".join(f"   {name}\n" for name in names)
        (folder / "index.rst").write_text(f"{title(room)}{words} CMake target ``{target}``.\n\n.. list-table::\n"
                                          f"   :widths: 25 75\n\n{rows}\n.. toctree::\n   :hidden:\n\n{toc}")


def first(compounds, include, name):
    """First sentence of a header's own comment."""
    for node in compounds.values():
        if node.get("kind") == "file" and node.findtext("compoundname") == f"{name}.hpp" \
                and node.find("location").get("file").startswith(str(include)):
            words = flat(node.find("briefdescription")) or flat(node.find("detaileddescription"))
            return re.split(r"(?<=[.?])\s", words)[0]
    return ""
