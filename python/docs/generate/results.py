"""Validation and speed: the figures that are kept, and the tables that the tests left in BUILD/validation.

A test makes a table of what it measured by recording a property "columns" and properties "row_01", "row_02", ... whose
cells are parted by " | "; other properties are listed as they are.
"""

import json
import re
from xml.etree import ElementTree

from generate.text import DOI, table


def shifted(text, by=1):
    """Headings one level deeper, but not in code."""
    parts = re.split(r"(```.*?```)", text, flags=re.S)
    return "".join(part if part.startswith("```") else re.sub(r"^#", "#" * (by + 1), part, flags=re.M)
                   for part in parts)


def tables_of(recorded):
    text = ""
    if columns := recorded.pop("columns", None):
        rows = [recorded.pop(key).split(" | ") for key in sorted(recorded) if key.startswith("row_")]
        text = table(columns.split(" | "), rows)
    if recorded:
        text += "\n" + table(["recorded", "value"], [[f"`{key}`", value.strip()] for key, value in recorded.items()])
    return text.strip()


def from_tests(folder):
    """One file a test; those that recorded something, by suite."""
    suites = {}
    for file in sorted(folder.rglob("*.xml")):
        for test in ElementTree.parse(file).iter("testcase"):
            recorded = {each.get("name"): each.get("value") for each in test.iter("property")}
            if not recorded:
                continue
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", test.get("name")).replace("_", " ").replace("/", ", ")
            failed = " **It failed.**" if test.find("failure") is not None else ""
            suite = test.get("classname").rpartition("/")[2]
            suites.setdefault(suite, []).append(
                f"{words[:1].upper() + words[1:].lower()}.{failed}\n\n{tables_of(recorded)}\n\n")
    return "".join(f"## {name}\n\n" + "".join(parts) for name, parts in suites.items())


def baseline(file):
    data = json.loads(file.read_text())
    about = data.pop("about")
    words = "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in about.items())
    bandwidth = data.pop("bandwidth_GB_per_s", {})
    columns = list(data)
    rows = [[f"`{key}`", *(f"{data[c][key]:.4g}" if key in data[c] else "" for c in columns)]
            for key in data["ns_per_node_step"]]
    memory = ", ".join(f"{key} {value:.3g} GB/s" for key, value in bandwidth.items())
    return (f"Machine: {words}. Memory: {memory}.\n\n"
            + table(["case", *(column.replace("_", " ") for column in columns)], rows))


def write(root, build, out, source):
    results = root / "benchmarks/results"
    text = "# Speed and resolution\n\nFigures kept in `benchmarks/results`, each with the command that made it.\n\n"
    for file in sorted(results.glob("*.md")):
        text += DOI.sub(r"[doi \1](https://doi.org/\1)", shifted(file.read_text())) + "\n"
    text += "## The baseline of the engine\n\n`benchmark_engine --short --json benchmarks/results/baseline.json`. "
    text += baseline(results / "baseline.json") + "\n"
    (source / "validation/benchmarks.md").write_text(text)

    made = from_tests(build / "validation")
    text = "# Tables of the tests\n\n"
    text += ("Recorded by the tests of this build, which also judge them: `make test`.\n\n" + made if made else
             "This build has none: `make test` records them, and the next `make docs` shows them.\n")
    (source / "validation/tests.md").write_text(text)
