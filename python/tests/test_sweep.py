"""Sweeps: one ensemble, resumed, or on a Dask cluster; the same numbers each time."""

import os
import pathlib
import tempfile
import unittest

import numpy as np
from hearts import pacing, twin

import cardiotwin as ct

try:
    import xarray
except ImportError:
    xarray = None
try:
    import distributed
except ImportError:
    distributed = None

AXES = {"border_zone.conductivity": [1.0, 0.5], "healthy.tau_in": [0.25, 0.3, 0.35], "healthy.across": [0.1, 0.2]}


def biphasic(heart):
    return ct.Protocol([ct.Stimulus(s.nodes, s.start, s.duration, s.amplitude, "biphasic")
                        for s in pacing(heart).stimuli])


@unittest.skipIf(xarray is None, "xarray is not installed (python3-xarray)")
class Sweep(unittest.TestCase):
    def run_it(self, heart, axes=AXES, **kwargs):
        return ct.sweep(heart, axes, pacing(heart), 60, dt=0.1, progress=False, **kwargs)

    def test_every_point_equals_its_own_run(self):
        heart = twin()
        found = self.run_it(heart)
        self.assertEqual(found.LAT.shape, (2, 3, 2, heart.anatomy.mesh.node_count))
        self.assertEqual(found["healthy.across"].attrs["units"], "S/m")
        self.assertIn("Research use only", found.attrs["notice"])
        for point in ({"border_zone.conductivity": 0.5, "healthy.tau_in": 0.35, "healthy.across": 0.1},
                      {"border_zone.conductivity": 1.0, "healthy.tau_in": 0.25, "healthy.across": 0.2}):
            tissue = heart.tissue.copy()
            tissue["healthy"].conductivity.across = point["healthy.across"]
            alone = ct.Simulation(ct.Twin(heart.anatomy, tissue), dt=0.1)
            alone.vary(ct.Variation(conductivity={"border_zone": point["border_zone.conductivity"]},
                                    parameters={"healthy": {"tau_in": point["healthy.tau_in"]}}))
            alone.add(pacing(heart))
            alone.run(60, progress=False)
            np.testing.assert_array_equal(found.LAT.sel(point), alone.activations()[:, 0])
        self.assertGreater(float(found.LAT.isel({"healthy.tau_in": 2}).max()),
                           float(found.LAT.isel({"healthy.tau_in": 0}).max()))

    def test_an_interrupted_one_resumes(self):
        heart, whole = twin(), None
        with tempfile.TemporaryDirectory() as folder:
            def stop(what, done):
                if done > 0.4:
                    raise KeyboardInterrupt

            with self.assertRaises(KeyboardInterrupt):
                ct.sweep(heart, AXES, pacing(heart), 60, dt=0.1, folder=folder, progress=stop)
            kept = sorted(pathlib.Path(folder).glob("point*.npz"))
            self.assertTrue(0 < len(kept) < 12, len(kept))
            stamps = {path: path.stat().st_mtime_ns for path in kept}
            resumed = self.run_it(heart, folder=folder)
            self.assertEqual({path: path.stat().st_mtime_ns for path in kept}, stamps)
            whole = self.run_it(heart)
            xarray.testing.assert_identical(resumed, whole)
            with self.assertRaisesRegex(ct.InputError, r"holds another sweep \(axes differ\)"):
                self.run_it(heart, {"healthy.tau_in": [0.3]}, folder=folder)
            with self.assertRaisesRegex(ct.InputError, r"holds another sweep \(protocol differ\)"):
                ct.sweep(heart, AXES, biphasic(heart), 60, dt=0.1, folder=folder, progress=False)
            kept[0].write_bytes(kept[0].read_bytes()[:1000])
            xarray.testing.assert_identical(self.run_it(heart, folder=folder), whole)
            (pathlib.Path(folder) / "sweep.json").write_text("{")
            with self.assertRaisesRegex(ct.InputError, "sweep.json is damaged; name another folder"):
                self.run_it(heart, folder=folder)

    def test_it_is_saved_as_netcdf(self):
        heart = twin()
        found = self.run_it(heart, {"healthy.tau_in": [0.3]}, stiffness=ct.Stiffness.p1)
        xarray.testing.assert_identical(found, self.run_it(heart, {"healthy.tau_in": [0.3]}, stiffness="p1"))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "sweep.nc"
            found.to_netcdf(path, engine="scipy")
            with xarray.open_dataset(path, engine="scipy") as again:
                xarray.testing.assert_identical(again.load(), found)

    def test_the_step_suits_the_largest_conductivity(self):
        heart = twin()
        found = ct.sweep(heart, {"healthy.conductivity": [0.5, 4]}, pacing(heart), 20, progress=False)
        self.assertLess(float(found.attrs["dt"]), ct.natural_dt(heart))

    def test_unknown_parameters_are_refused(self):
        heart = twin()
        for axes, sentence in (({"border_zone": [1]}, "must read REGION.PARAMETER"),
                               ({"borderzone.across": [1]}, "border_zone"),
                               ({"healthy.sigma": [1]}, "neither along"),
                               ({"healthy.tau_in": []}, "at least one value"),
                               ({"healthy.tau_in": [-1]}, "tau_in"),
                               ({}, "at least one parameter")):
            with self.assertRaisesRegex(ct.InputError, sentence):
                self.run_it(heart, axes)

    @unittest.skipIf(distributed is None, "dask.distributed is not installed (python3-distributed)")
    def test_a_cluster_gives_the_same_and_survives_a_worker(self):
        heart = twin()
        whole = self.run_it(heart)
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as there:
            with distributed.Client(there) as client:
                xarray.testing.assert_identical(self.run_it(heart, scheduler=client, threads=1), whole)
                axes = {"healthy.tau_in": [0.3]}
                xarray.testing.assert_identical(
                    ct.sweep(heart, axes, biphasic(heart), 20, dt=0.1, progress=False, scheduler=client),
                    ct.sweep(heart, axes, biphasic(heart), 20, dt=0.1, progress=False))
                victim = next(iter(there.workers.values())).pid
                died = []

                def kill(what, done):
                    if not died:
                        died.append(victim)
                        os.kill(victim, 9)

                xarray.testing.assert_identical(
                    ct.sweep(heart, AXES, pacing(heart), 60, dt=0.1, scheduler=client, parts=6, threads=1, progress=kill),
                    whole)
                self.assertTrue(died)


if __name__ == "__main__":
    unittest.main()
