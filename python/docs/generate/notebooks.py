"""The notebooks: executed ones where they were made, else as written.

They are looked for in the folder that CARDIOTWIN_NOTEBOOKS names, else in BUILD/python/notebooks.
"""

import json
import os
import pathlib
import shutil

ORDER = ("first_beat", "velocity_and_spacing", "restitution_and_spiral", "lge_to_targets", "sweep",
         "fitting_velocities", "beat_and_ecg",
         "virtual_electrodes")


def heading(file):
    for cell in json.loads(file.read_text())["cells"]:
        for line in "".join(cell["source"]).splitlines() if cell["cell_type"] == "markdown" else []:
            if line.startswith("# "):
                return line[2:].strip()
    return file.stem


def write(root, build, out, source):
    executed = pathlib.Path(os.environ.get("CARDIOTWIN_NOTEBOOKS") or build / "python/notebooks")
    written = root / "python/notebooks"
    folder = source / "notebooks"
    folder.mkdir(exist_ok=True)
    found = {file.stem: file for place in (written, executed) if place.is_dir() for file in place.glob("*.ipynb")}
    known = [name for name in ORDER if name in found] + sorted(set(found) - set(ORDER))
    text = "# Notebooks\n\n"
    if not known:
        text += "There are none in this tree.\n"
    else:
        text += "Programs with their results beside them; the sources are in `python/notebooks`.\n\n"
        plain = [name for name in known if found[name].parent == written]
        if plain:
            text += f"Not executed in this build: {', '.join(plain)}.\n\n"
    for name in known:
        shutil.copy(found[name], folder / f"{name}.ipynb")
        text += f"- [{heading(found[name])}]({name}.ipynb)\n"
    if known:
        text += "\n```{toctree}\n:hidden:\n\n" + "\n".join(known) + "\n```\n"
    (folder / "index.md").write_text(text)
