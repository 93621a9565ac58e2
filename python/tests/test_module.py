"""The module from the outside: build a small twin with the command line, run a beat, read it as NumPy."""

import importlib.util
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import numpy as np

import cardiotwin as ct

CLI = os.environ["CARDIOTWIN_CLI"]
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


class Module(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        os.chdir(cls.folder.name)
        subprocess.run([CLI, "phantom", "--out", "case", "--pixel", "2.8 mm", "--slice", "2.8 mm"], check=True)
        subprocess.run(
            [CLI, "build", "--image", "case/lge.nii.gz", "--labels", "case/labels.nii.gz", "--edge", "3.5 mm",
             "--out", "patient07.twin"], check=True)

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.folder.cleanup()

    def test_readme_program(self):
        programs = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
        names = {}
        exec(programs[0], names)
        lat, sim = names["lat"], names["sim"]
        self.assertEqual(sim.time, 1500)
        self.assertGreater(np.isfinite(lat).mean(), 0.5)
        self.assertGreater(np.nanmax(lat), np.nanmin(lat) + 50)
        self.assertEqual(len(programs), 2)
        if importlib.util.find_spec("xarray") is None:
            self.skipTest("xarray is not installed (python3-xarray)")
        exec(programs[1], names)
        self.assertEqual(names["latest"].shape, (2, 2))
        self.assertGreater(float(names["latest"][0, 1]), float(names["latest"][0, 0]))

    def test_the_command_line_gives_the_same_bits(self):
        subprocess.run([CLI, "simulate", "patient07.twin", "--site", "aha7", "--s1", "300x2", "--s2", "260 ms",
                        "--duration", "650 ms", "--dt", "0.1 ms", "--threads", "1", "--keep-state", "--out", "run"],
                       check=True, stdout=subprocess.DEVNULL)
        heart = ct.Twin.load("patient07.twin")
        sim = ct.Simulation(heart, dt=0.1)
        sim.add(ct.Protocol.s1s2(heart.anatomy.site("aha7"), s1=300, beats=2, s2=260))
        sim.run(650, progress=False)
        sim.state().save("here.bin")
        self.assertEqual(pathlib.Path("here.bin").read_bytes(), pathlib.Path("run/state.bin").read_bytes())
        self.assertGreater(np.isfinite(sim.activations()[:, 0]).mean(), 0.5)

    def test_arrays_are_views_that_outlive_their_owner(self):
        heart = ct.Anatomy.load("patient07.twin")
        points, again = heart.mesh.points, heart.mesh.points
        self.assertEqual(points.__array_interface__["data"], again.__array_interface__["data"])
        total = points.sum()
        del heart, again
        self.assertEqual(points.sum(), total)
        with self.assertRaises(ValueError):
            points[0, 0] = 1

    def test_a_cell_alone(self):
        run = ct.pace_cell("tentusscher-2006", variant="epi", bcl=1000, beats=3)
        self.assertEqual(run["apd90"].shape, (3,))
        self.assertTrue(run["captured"].all())
        self.assertAlmostEqual(run["apd90"][-1], 305, delta=5)
        self.assertEqual(run["states"].shape, (run["time"].size, len(run["state_names"])))
        self.assertAlmostEqual(run["voltage"].max(), run["peak"][-1], delta=1)
        blocked = ct.pace_cell("tentusscher-2006", variant="epi", bcl=1000, beats=3, scale={"g_Kr": 0.5})
        self.assertGreater(blocked["apd90"][-1], run["apd90"][-1] + 5)
        with self.assertRaisesRegex(ct.InputError, "g_Kr"):
            ct.pace_cell("tentusscher-2006", parameters={"g_kr": 1})

    def test_errors_are_sentences(self):
        with self.assertRaisesRegex(ct.FileError, "nowhere.twin"):
            ct.Twin.load("nowhere.twin")
        with self.assertRaisesRegex(ct.InputError, "border_zone"):
            ct.Tissue.library("post-infarct")["borderzone"]
        with self.assertRaises(ct.InputError):
            ct.Simulation(ct.Twin.load("patient07.twin"), dt=50)


if __name__ == "__main__":
    unittest.main()
