"""Types: the stubs are made from the built core, and a checker finds with them what is wrong in a program."""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import cardiotwin as ct

ROOM = pathlib.Path(__file__).resolve().parents[1]
README = (ROOM.parent / "README.md").read_text()
WRONG = """
import cardiotwin as ct
tissue = ct.Tissue.library("post-infarct")
ct.measure_velocity(tissue, "healthy", "along", "coarse")
ct.Simulation(ct.Twin.load("a.twin")).go()
ct.measure_velocity(tissue, "healthy", ct.Axis.across, 0.5, stiffness="p1").mean
"""


@unittest.skipIf(importlib.util.find_spec("pybind11_stubgen") is None, "pybind11-stubgen is not installed (PyPI)")
@unittest.skipIf(shutil.which("mypy") is None, "mypy is not installed (python3-mypy)")
class Typing(unittest.TestCase):
    def test_programs_are_checked(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            subprocess.run([sys.executable, ROOM / "src" / "stubs.py", folder], check=True)
            package = folder / "cardiotwin"
            shutil.copy(ROOM / "cardiotwin" / "__init__.py", package)
            (folder / "readme.py").write_text("\n".join(re.findall(r"```python\n(.*?)```", README, re.S)))
            (folder / "wrong.py").write_text(WRONG)
            done = subprocess.run(["mypy", "--follow-imports=skip", "--cache-dir=/dev/null", "readme.py", "wrong.py",
                                   package / "__init__.py", package / "_core.pyi"],
                                  cwd=folder, capture_output=True, text=True)
            errors = [line for line in done.stdout.splitlines() if ": error:" in line]
            self.assertEqual(len(errors), 2, done.stdout)
            self.assertIn('wrong.py:4: error: Argument 4 to "measure_velocity" has incompatible type "str"', errors[0])
            self.assertIn('wrong.py:5: error: "Simulation" has no attribute "go"', errors[1])
            stub = (package / "_core.pyi").read_text()
            for public in filter(lambda each: not each.startswith("_"), dir(ct._core)):
                self.assertRegex(stub, rf"(?m)^(def|class) {public}\b|^{public}: ")


if __name__ == "__main__":
    unittest.main()
