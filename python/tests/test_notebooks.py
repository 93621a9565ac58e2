"""The notebooks run from top to bottom and pass the checks in their last cells.

One test a file: `python test_notebooks.py Notebooks.test_first_beat`. Where CARDIOTWIN_NOTEBOOKS names a folder, the
executed ones are written there, for the manual.
"""

import importlib.util
import os
import pathlib
import re
import sys
import tempfile
import unittest
from unittest import mock

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "notebooks"
NEEDED = {"nbclient": "python3-nbclient", "ipykernel": "python3-ipykernel", "matplotlib": "python3-matplotlib",
          "scipy": "python3-scipy", "xarray": "python3-xarray", "pyvista": "pip install pyvista"}
MISSING = [f"{name} ({source})" for name, source in NEEDED.items() if importlib.util.find_spec(name) is None]
# A machine without ipywidgets and without a display says nothing of it in the manual.
QUIET = ("import warnings, vtkmodules.vtkCommonCore as core; warnings.filterwarnings('ignore', 'IProgress not found'); "
         "core.vtkLogger.SetStderrVerbosity(core.vtkLogger.VERBOSITY_OFF)")

if not MISSING:
    import nbformat
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    class Kernel(AsyncKernelManager):
        """This interpreter, whatever kernels are installed."""

        @property
        def kernel_spec(self):
            return KernelSpec(argv=[sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher",
                                    f"--IPKernelApp.exec_lines={QUIET}", "-f", "{connection_file}"],
                              display_name="Python 3", language="python")


def execute(path):
    """The notebook with its outputs; raises CellExecutionError."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        own = {name: os.path.join(folder, ".jupyter") for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
        with mock.patch.dict(os.environ, own):
            NotebookClient(book, kernel_manager_class=Kernel, timeout=900, record_timing=False,
                           resources={"metadata": {"path": folder}}).execute()
        left = sorted(name for name in os.listdir(folder) if name != ".jupyter")
    assert not left, f"{path.name} left {', '.join(left)} behind"
    return book


def publish(book, name):
    folder = os.environ.get("CARDIOTWIN_NOTEBOOKS")
    if folder:
        aside = pathlib.Path(folder) / (name + ".part")
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(nbformat.writes(book), encoding="utf-8")
        os.replace(aside, aside.with_suffix(""))


@unittest.skipIf(MISSING, f"not installed: {', '.join(MISSING)}")
class Notebooks(unittest.TestCase):
    def check(self, path):
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        self.assertIn("Research use only", book.cells[0].source)
        for cell in book.cells:
            if cell.cell_type == "code":
                self.assertFalse(cell.outputs or cell.execution_count, f"cell {cell.id} was committed with its outputs")
        self.assertIn("assert ", [cell for cell in book.cells if cell.cell_type == "code"][-1].source)
        try:
            book = execute(path)
        except CellExecutionError as error:
            raise AssertionError(re.sub(r"\x1b\[[0-9;]*m", "", str(error))) from None
        publish(book, path.name)


def test_of(path):
    return lambda self: self.check(path)


for each in sorted(FOLDER.glob("*.ipynb")):
    setattr(Notebooks, f"test_{each.stem}", test_of(each))

if __name__ == "__main__":
    unittest.main()
