"""Formulas as MathML, made by pandoc once for all pages: no script, no network, nothing to install for the reader."""

import json
import subprocess
from xml.etree import ElementTree

from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)
made = {}
SPACE = "{http://www.w3.org/1998/Math/MathML}"
TALL = {SPACE + tag for tag in ("mfrac", "munder", "munderover", "mtable", "msqrt")}
ElementTree.register_namespace("", SPACE[1:-1])


def low_fences(text):
    """Only fences around something tall stretch: without a mathematical font they would grow around every index."""
    math = ElementTree.fromstring(text)
    for row in math.iter(SPACE + "mrow"):
        if not TALL & {inner.tag for inner in row.iter()}:
            for sign in row.findall(SPACE + "mo"):
                sign.set("stretchy", "false")
    return ElementTree.tostring(math, encoding="unicode")


def pandoc(formulas):
    version = json.loads(subprocess.run(["pandoc", "-f", "markdown", "-t", "json"], input="", text=True, check=True,
                                        capture_output=True).stdout)["pandoc-api-version"]
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [{"t": kind}, text]}]} for text, kind in formulas]
    document = json.dumps({"pandoc-api-version": version, "meta": {}, "blocks": blocks})
    run = subprocess.run(["pandoc", "-f", "json", "-t", "html", "--mathml", "--wrap=none"], input=document, text=True,
                         check=True, capture_output=True)
    if run.stderr:
        logger.warning("mathml: %s", run.stderr)
    return [low_fences(part.removeprefix("<p>").removesuffix("</p>")) for part in run.stdout.strip().split("</p>\n<p>")]


def convert_all(app, env):
    formulas = set()
    for page in env.found_docs:
        doctree = env.get_doctree(page)
        formulas |= {(node.astext(), "InlineMath") for node in doctree.findall(nodes.math)}
        formulas |= {(node.astext(), "DisplayMath") for node in doctree.findall(nodes.math_block)}
    formulas = sorted(formulas)
    if formulas:
        made.update(zip(formulas, pandoc(formulas), strict=True))


def inline(self, node):
    self.body.append(made[node.astext(), "InlineMath"])
    raise nodes.SkipNode


def block(self, node):
    self.body.append(f'<div class="formula">{made[node.astext(), "DisplayMath"]}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("env-check-consistency", convert_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
