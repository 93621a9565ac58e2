"""What the manual's how-to pages show, run as it stands there: a page at a time, in a folder of its own."""

import contextlib
import importlib.util
import io
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
import warnings

CLI = os.environ["CARDIOTWIN_CLI"]
PAGES = pathlib.Path(__file__).resolve().parents[1] / "docs/pages/how-to"
NOT_RUN = r"<!-- not run: (.+?) -->\s*"
BLOCK = re.compile(rf"^(?:{NOT_RUN})?```(python|sh)\n(.*?)^```", re.M | re.S)


def commands(text):
    """Lines that call the program; what goes into a file is not looked at."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line.split(" > ")[0]) for line in lines if line.startswith("cardiotwin ")]


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.start = os.getcwd()
        cls.made = tempfile.TemporaryDirectory()
        case = pathlib.Path(cls.made.name)
        subprocess.run([CLI, "phantom", "--out", "case", "--pixel", "2.8 mm", "--slice", "2.8 mm"], cwd=case,
                       check=True, capture_output=True)
        subprocess.run([CLI, "build", "--image", "case/lge.nii.gz", "--labels", "case/labels.nii.gz", "--edge", "2 mm",
                        "--out", "heart.twin"], cwd=case, check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.start)
        cls.made.cleanup()

    def run_page(self, page):
        folder = pathlib.Path(self.made.name) / page.stem
        folder.mkdir()
        for name in ("heart.twin", "case/lge.nii.gz", "case/labels.nii.gz"):
            shutil.copy(folder.parent / name, folder)
        os.chdir(folder)
        names = {"__name__": "__main__"}
        for skipped, language, text in BLOCK.findall(page.read_text()):
            with self.subTest(page=page.name, block=text.splitlines()[0]):
                if skipped:
                    continue
                if language == "sh":
                    for words in commands(text):
                        done = subprocess.run([CLI, *words[1:]], text=True, capture_output=True)
                        self.assertEqual(done.returncode, 0, f"{' '.join(words)}\n{done.stderr}")
                    continue
                with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    exec(compile(text, page.name, "exec"), names)


def test_of(page):
    def test(self):
        if "ct.sweep(" in page.read_text() and importlib.util.find_spec("xarray") is None:
            self.skipTest("xarray is not installed (python3-xarray)")
        self.run_page(page)
    return test


for found in sorted(PAGES.glob("*.md")):
    setattr(Manual, "test_" + found.stem.replace("-", "_"), test_of(found))

if __name__ == "__main__":
    unittest.main()
