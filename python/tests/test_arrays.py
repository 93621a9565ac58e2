"""What comes in and goes out: views, copies, and clear refusals."""

import gc
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
import weakref

import numpy as np
from hearts import block, pacing, twin

import cardiotwin as ct


def address(array):
    return array.__array_interface__["data"][0]


class Arrays(unittest.TestCase):
    def test_views_share_memory_and_keep_their_owner(self):
        heart = block()
        views = [heart.mesh.points, heart.mesh.tets, heart.mesh.labels, heart.fibers.f, heart.site("corner").nodes]
        self.assertEqual(address(heart.mesh.points), address(views[0]))
        self.assertEqual(address(heart.fibers.f), address(views[3]))
        before = [view.copy() for view in views]
        del heart
        gc.collect()
        ballast = [np.full(100000, 7.0) for _ in range(50)]
        for view, kept in zip(views, before):
            np.testing.assert_array_equal(view, kept)
            self.assertFalse(view.flags.writeable)
        del ballast

    def test_faces_are_strided_views(self):
        made = ct.make_phantom(progress=False, pixel=3, slice=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            heart = ct.build_twin(made.image, made.labels, progress=False, edge=4).anatomy
        nodes, tag, tet = heart.surface_nodes, heart.surface_tag, heart.surface_tet
        self.assertEqual(address(nodes), address(heart.surface_nodes))
        self.assertEqual(nodes.shape, (len(tag), 3))
        self.assertEqual(set(np.unique(tag)), {1, 2, 3})
        self.assertTrue(all(set(n) <= set(heart.mesh.tets[t]) for n, t in zip(nodes[::50], tet[::50])))
        self.assertEqual(len(heart.depth), heart.mesh.node_count)
        self.assertEqual(len(heart.aha), heart.mesh.tet_count)

    def test_mesh_from_any_layout(self):
        box = ct.box_mesh((3, 2, 2), 1)
        points = np.asfortranarray(box.points)[:, ::1]
        wide = np.zeros((box.node_count, 6))
        wide[:, ::2] = box.points
        for given in (points, wide[:, ::2], box.points.astype("f4"), box.points.tolist(), box.points.astype(">f8")):
            again = ct.Mesh(given, box.tets.astype("i8")[::-1][::-1], None)
            np.testing.assert_array_equal(again.points, box.points)
        self.assertTrue((again.labels == 1).all())

    def test_wrong_arrays_are_refused_in_a_sentence(self):
        box = ct.box_mesh((3, 2, 2), 1)
        points, tets = box.points, box.tets
        for wrong, sentence in (
            (lambda: ct.Mesh(points[:, :2], tets), r"points: a shape of \(n, 3\) is wanted, but it is \(\d+, 2\)"),
            (lambda: ct.Mesh(points.ravel(), tets), r"shape of \(n, 3\)"),
            (lambda: ct.Mesh(points, tets + 0.5), "tets: whole numbers are wanted, not float64"),
            (lambda: ct.Mesh(points * 1j, tets), "real numbers are wanted, not complex128"),
            (lambda: ct.Mesh("points", tets), "points"),
            (lambda: ct.Mesh(points, tets, np.full(len(tets), 300)), r"labels: 300 is outside \[0, 255\]"),
            (lambda: ct.Mesh(points, tets.astype("i8") + 2**40), "outside"),
            (lambda: ct.Mesh(points * np.nan, tets), "finite"),
            (lambda: ct.Mesh(points, tets + len(points)), "tet"),
            (lambda: ct.Fibers(np.zeros((5, 3))), "without length"),
            (lambda: ct.Stimulus([0, -3]), "-3 is outside"),
            (lambda: ct.Image(np.zeros((4, 4))), "three dimensions"),
            (lambda: ct.Labels(np.full((3, 3, 3), 999)), "outside"),
            (lambda: ct.Image(np.zeros((3, 3, 3)), spacing=(1, 0, 1)), "spacing must be positive"),
            (lambda: ct.Image(np.zeros((3, 3, 3)), direction=np.ones((3, 3))), "orthonormal"),
        ):
            with self.assertRaisesRegex(ct.InputError, sentence):
                wrong()

    def test_options_by_keyword(self):
        with self.assertRaisesRegex(ct.InputError, 'no option "pixle"; did you mean "pixel"'):
            ct.make_phantom(pixle=3)
        with self.assertRaisesRegex(TypeError, "make_phantom: pixel cannot be 'three'"):
            ct.make_phantom(pixel="three")
        with self.assertRaises(TypeError):
            ct.ScarOptions(method="by eye")
        self.assertEqual(ct.ScarOptions(method="n-sd").method, ct.ScarMethod.n_sd)

    def test_a_hundred_hearts_leak_nothing(self):
        code = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from hearts import pacing, twin
import cardiotwin as ct
def once():
    heart = twin(size=(30.0, 20.0, 10.0))
    sim = ct.Simulation(heart, dt=0.1)
    sim.add(pacing(heart)); lat = sim.add(ct.ActivationMap())
    sim.every(1.0, lambda time, voltage: None)
    sim.run(2, progress=False)
    return lat.map().values.sum(), heart.anatomy.mesh.points
for _ in range(10): once()
first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(100): once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first)
"""
        done = subprocess.run([sys.executable, "-c", code, str(pathlib.Path(__file__).parent)], check=True,
                              capture_output=True, text=True)
        self.assertLess(int(done.stdout), 8000)  # kB; one heart of 7161 nodes takes several thousand


class Simulations(unittest.TestCase):
    def test_recorders_and_callables(self):
        heart = twin()
        sim = ct.Simulation(heart, dt=0.1)
        sim.add(pacing(heart))
        lat, last = sim.add(ct.ActivationMap()), sim.add(ct.RepolarizationMap())
        probe = sim.add(ct.Probe([0, 5], 1.0))
        seen = []
        sim.every(5.0, lambda time, voltage: seen.append((time, voltage)))
        sim.run(400, progress=False)
        self.assertEqual(len(seen), 81)
        np.testing.assert_allclose([time for time, _ in seen], np.arange(0, 401, 5), atol=1e-9)
        self.assertFalse(np.array_equal(seen[0][1], seen[3][1]))
        np.testing.assert_array_equal(probe.values[::5][:, 0], [voltage[0] for _, voltage in seen])
        np.testing.assert_array_equal(lat.map().values, sim.activations()[:, 0])
        self.assertTrue((last.map().values > lat.map().values).all())
        self.assertEqual(lat.map().unit, "ms")

    def test_what_a_callable_raises_is_raised(self):
        heart = twin()
        sim = ct.Simulation(heart, dt=0.1)

        def stop(time, voltage):
            if time > 20:
                raise ZeroDivisionError("enough")

        sim.every(1.0, stop)
        with self.assertRaisesRegex(ZeroDivisionError, "enough"):
            sim.run(100, progress=False)
        self.assertLess(sim.time, 30)
        again = ct.Simulation(heart, dt=0.1)

        def refuse(what, done):
            raise KeyError(what)

        with self.assertRaises(KeyError):
            again.run(5000, progress=refuse)
        told = []
        ct.Simulation(heart, dt=0.1).run(20, progress=lambda what, done: told.append(done))
        self.assertTrue(told and all(0 <= done <= 1 for done in told))
        with self.assertRaises(TypeError):
            again.run(1, progress=3)

    def test_nothing_dangles(self):
        heart = twin()
        site, region = heart.anatomy.sites[0], heart.tissue["healthy"]
        conductivity, nodes = region.conductivity, site.nodes.copy()
        variation = ct.Variation(lesions=[ct.Lesion((0, 0, 0), 3.0)] * 5)
        lesions = variation.lesions
        for k in range(50):
            heart.anatomy.add_site(f"site{k}", (1, 1, 1), 2.0)
        heart.tissue = ct.Tissue()
        variation.lesions = []
        self.assertEqual(heart.tissue.regions, [])
        # Other things now lie where the former ones were.
        junk = [ct.Tissue.library("post-infarct") for _ in range(50)] + [twin() for _ in range(5)]
        np.testing.assert_array_equal(site.nodes, nodes)
        self.assertEqual(conductivity.along, junk[0]["healthy"].conductivity.along)
        self.assertEqual([lesion.radius for lesion in lesions], [3.0] * 5)

    def test_what_would_be_lost_is_refused(self):
        heart = twin()
        with self.assertRaises(TypeError):
            heart.tissue["healthy"].parameters["tau_in"] = 0.3
        with self.assertRaises(AttributeError):
            heart.anatomy.sites.append(heart.anatomy.sites[0])
        with self.assertRaises(AttributeError):
            pacing(heart).stimuli[0].amplitude = 3
        heart.tissue["healthy"].parameters = {"tau_in": 0.3}
        self.assertEqual(heart.tissue["healthy"].parameters["tau_in"], 0.3)

    def test_a_running_simulation_is_left_alone(self):
        sim = ct.Simulation(twin(), dt=0.1)
        told = []

        def meddle(time, voltage):
            for call in (lambda: sim.run(1), sim.reset, sim.clear_protocols, lambda: sim.every(1, meddle),
                         lambda: sim.vary(ct.Variation()), lambda: sim.add(ct.ActivationMap())):
                with self.assertRaisesRegex(ct.Error, "Simulation: it is at work"):
                    call()
                told.append(time)

        sim.every(5.0, meddle)
        sim.run(10, progress=False)
        self.assertEqual(len(told), 18)
        sim.reset()
        ensemble = ct.Ensemble(twin(), 2, dt=0.1)
        with self.assertRaisesRegex(ct.Error, "Ensemble: it is at work"):
            ensemble.for_each(2, lambda number, member: ensemble.for_each(1, lambda number, member: None))

    def test_a_warning_made_an_error_is_raised(self):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            path = pathlib.Path(folder) / "block.vtu"
            ct.save_anatomy(path, block(), progress=False)
            warnings.simplefilter("error")
            with self.assertRaises(ct.TwinWarning):
                ct.load_anatomy(path, progress=False)

    def test_control_c_stops_at_once(self):
        # Both run for minutes if nothing stops them.
        for work in ("ct.Simulation(heart, dt=0.01).run(200_000, progress=told)",
                     "ct.sweep(heart, {'healthy.tau_in': [0.3, 0.31]}, pacing(heart), 200_000, dt=0.01, progress=False)",
                     "ct.Ensemble(heart, 2, dt=0.01).for_each(9, lambda k, sim: sim.run(200_000, progress=False))"):
            code = f"""
import sys
sys.path.insert(0, sys.argv[1])
from hearts import pacing, twin
import cardiotwin as ct
heart = twin()
told = lambda what, done: None
print("begun", flush=True)
try:
    {work}
except KeyboardInterrupt:
    print("stopped")
"""
            with subprocess.Popen([sys.executable, "-c", code, str(pathlib.Path(__file__).parent)],
                                  stdout=subprocess.PIPE, text=True) as process:
                self.assertEqual(process.stdout.readline(), "begun\n")
                time.sleep(1)
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.stdout.read(), "stopped\n", work)

    def test_a_callable_that_holds_its_simulation_is_collected(self):
        class Watch:
            def __init__(self, heart):
                self.sim = ct.Simulation(heart, dt=0.1)
                self.sim.every(1.0, self.look)
                self.seen = 0

            def look(self, time, voltage):
                self.seen += 1

        watch = Watch(twin())
        watch.sim.run(3, progress=False)
        gc.collect()
        watch.sim.run(3, progress=False)
        self.assertEqual(watch.seen, 7)
        gone = weakref.ref(watch)
        del watch
        gc.collect()
        self.assertIsNone(gone())

    def test_states_branch_bit_for_bit(self):
        heart = twin()
        sim = ct.Simulation(heart, dt=0.1)
        sim.add(pacing(heart))
        sim.run(30, progress=False)
        state = sim.state()
        sim.run(40, progress=False)
        other = ct.Simulation(heart, dt=0.1)
        other.restore(state)
        other.run(40, progress=False)
        np.testing.assert_array_equal(sim.voltage(), other.voltage())

    def test_ensemble_members_equal_single_runs(self):
        heart = twin()
        ensemble = ct.Ensemble(heart, 3, dt=0.1)
        factors, found = [1.0, 0.6, 0.3, 0.8], {}

        def job(number, sim):
            sim.reset()
            sim.clear_protocols()
            sim.vary(ct.Variation(conductivity={"border_zone": factors[number]}))
            sim.add(pacing(heart))
            sim.run(60, progress=False)
            found[number] = sim.voltage()

        ensemble.for_each(4, job)
        for number, factor in enumerate(factors):
            alone = ct.Simulation(heart, dt=0.1)
            alone.vary(ct.Variation(conductivity={"border_zone": factor}))
            alone.add(pacing(heart))
            alone.run(60, progress=False)
            np.testing.assert_array_equal(found[number], alone.voltage())

        kept = []
        ensemble.for_each(1, lambda number, sim: kept.append(sim))
        del ensemble
        kept[0].run(1, progress=False)  # a member keeps its ensemble alive
        ensemble = ct.Ensemble(heart, 3, dt=0.1)

        def fail(number, sim):
            raise RuntimeError(f"job {number}")

        with self.assertRaisesRegex(RuntimeError, "job"):
            ensemble.for_each(2, fail)

    def test_velocity_and_calibration(self):
        tissue = ct.Tissue.library("post-infarct")
        coarse = ct.measure_velocity(tissue, "healthy", "along", 1.0, dt=0.05)
        fine = ct.measure_velocity(tissue, "healthy", "along", 0.4, dt=0.05)
        self.assertGreater(fine.mean, coarse.mean)
        heart = twin()
        fitted = ct.calibrate(heart, {"healthy": ct.Velocity(0.5, 0.3)}, progress=False)
        self.assertEqual({axis.region for axis in fitted.axes}, {"healthy", "border_zone"})  # the mesh has no others
        self.assertTrue(all(axis.within_limit for axis in fitted.axes))
        heart.tissue = fitted.tissue
        sim = ct.Simulation(heart)
        sim.run(1, progress=False)
        self.assertEqual(ct.natural_dt(heart), fitted.tissue.calibrated_dt)
        for axis in fitted.axes:
            if axis.region == "healthy":
                self.assertAlmostEqual(axis.reached.mean, 0.5 if axis.axis == ct.Axis.along else 0.3, delta=0.002)
        with self.assertRaisesRegex(ct.InputError, "border_zone"):
            ct.calibrate(twin(), {"borderzone": ct.Velocity(0.5, 0.3)})

    def test_restitution_of_a_cell(self):
        found = ct.restitution("mitchell-schaeffer-modified", s1=600, beats=5, start=500, stop=300, step=50,
                               progress=False)
        self.assertTrue((np.diff(found["apd"][found["captured"]]) < 0).all())
        self.assertIn("tau_in", ct.ionic_model("mitchell-schaeffer-modified")["parameters"])


class Files(unittest.TestCase):
    def test_an_anatomy_leaves_and_comes_back(self):
        heart = block()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "block.vtu"
            ct.save_anatomy(path, heart, progress=False)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                again = ct.load_anatomy(path, progress=False)
            np.testing.assert_array_equal(again.mesh.tets, heart.mesh.tets)
            np.testing.assert_array_equal(again.mesh.labels, heart.mesh.labels)
            with self.assertWarns(ct.TwinWarning):
                ct.load_anatomy(path, progress=False)

    def test_images_keep_their_place(self):
        values = np.arange(24, dtype="f4").reshape(2, 3, 4)
        image = ct.Image(values, spacing=(1, 2, 3), origin=(4, 5, 6))
        np.testing.assert_array_equal(image.values, values)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "image.nii.gz"
            ct.write_image(path, image)
            again = ct.read_image(path, progress=False)
        np.testing.assert_array_equal(again.values, values)
        np.testing.assert_allclose(again.origin, (4, 5, 6))
        np.testing.assert_allclose(again.spacing, (1, 2, 3))


if __name__ == "__main__":
    unittest.main()
