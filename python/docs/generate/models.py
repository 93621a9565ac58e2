"""The ionic models: DOI, states, variants and parameters, from what the models say about themselves."""

import json
import re
import subprocess

from generate.text import table


def write(root, build, out, source):
    import cardiotwin as ct
    program = str(build / "bin/cardiotwin")
    models = [ct.ionic_model(name) for name in ct.ionic_model_names()]
    text = "# Ionic models\n\nEach is one functor, in the header named below, that every backend compiles. "
    text += "`cardiotwin cell MODEL --parameters` prints the same table, {py:func}`~cardiotwin.ionic_model` returns it."
    listed = (root / "kernels/src/ionic/models.inc").read_text()
    headers = re.findall(r"^CT_MODEL\((\w+), (\w+)\)", listed, re.M)
    rows = []
    for model, (header, functor) in zip(models, headers, strict=True):
        rows.append([f"[{model['name']}](#{model['name']})", f"[{model['doi']}](https://doi.org/{model['doi']})",
                     len(model["states"]) + 1, ", ".join(model["variants"]) or "none",
                     f"{{src}}`kernels/src/ionic/{header}.hpp:{functor}`"])
    text += "\n\n" + table(["model", "DOI", "variables, with V", "variants", "equations"], rows) + "\n"
    for model in models:
        asked = [program, "cell", model["name"], "--parameters", "--json"]
        told = json.loads(subprocess.run(asked, check=True, text=True, capture_output=True).stdout)
        text += f"## {model['name']}\n\n"
        states = ", ".join(f"{name} [{unit}]" if unit else name for name, unit in model["states"].items())
        text += f"States beside V: {states.replace('_', chr(92) + '_')}.\n\n"
        rows = [[f"`{p['name']}`", f"{p['value']:g}", p["unit"], f"{p['low']:g} to {p['high']:g}", p["doc"]]
                for p in told["parameters"]]
        text += table(["parameter", "default", "unit", "accepted", "meaning"], rows) + "\n"
    (source / "equations/ionic-models.md").write_text(text)
