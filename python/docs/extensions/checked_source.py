"""{src}`path:name` names a thing in the sources, and fails the build where that file does not hold that name."""

import os
import pathlib
import re

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

logger = logging.getLogger(__name__)
ROOT = pathlib.Path(os.environ["CARDIOTWIN_ROOT"])


class Source(SphinxRole):
    def run(self):
        path, _, name = self.text.partition(":")
        file = ROOT / path
        if not file.is_file():
            logger.warning("there is no source %s", path, location=self.get_location())
        elif name and not re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", file.read_text(encoding="utf-8")):
            logger.warning("%s does not hold %s", path, name, location=self.get_location())
        if not name:
            return [nodes.literal(path, path)], []
        where = nodes.inline(path, path, classes=["where"])
        return [nodes.literal(name, name), nodes.Text(" "), where], []


def setup(app):
    app.add_role("src", Source())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
