"""Sphinx configuration of the manual; build.py prepares the pages."""

import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ["CARDIOTWIN_ROOT"])
sys.path.insert(0, str(HERE / "extensions"))

project = "cardiotwin"
version = release = re.search(r"project\(cardiotwin VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
extensions = ["myst_parser", "nbsphinx", "sphinx.ext.autodoc", "mathml", "pybind_docs", "checked_source"]
exclude_patterns = ["programs"]
templates_path = ["templates"]

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "code"
smartquotes = False
highlight_language = "none"
nbsphinx_execute = "never"
nbsphinx_requirejs_path = ""

autoclass_content = "both"
autodoc_default_options = {"members": True, "undoc-members": True, "exclude-members": "__init__"}
add_module_names = False
add_function_parentheses = False
toc_object_entries = False
# Types of other libraries, and short names of our own in signatures, are no links.
nitpick_ignore_regex = [("py:.*", ".*"), ("cpp:.*", ".*")]

html_theme = "sphinx_rtd_theme"
html_theme_options = {"navigation_depth": 3, "collapse_navigation": True, "prev_next_buttons_location": None}
html_title = f"cardiotwin {version}"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
