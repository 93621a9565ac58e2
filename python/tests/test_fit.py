"""Measurements, eikonal times, fits and the inference toolbox from Python."""

import math
import pathlib
import tempfile
import unittest
import warnings

import cardiotwin as ct
import numpy as np

TRUTH = ct.Velocity(0.8, 0.35)
SIDES = {1: "base", 2: "base", 3: "base", 4: "base", 5: "endo", 6: "epi"}


def block():
    """A slab of healthy muscle, fibres along x, that a catheter can touch from all sides."""
    mesh = ct.box_mesh((24, 16, 6), 1.0)
    anatomy = ct.Anatomy(mesh, ct.uniform_fibers(mesh, (1, 0, 0)), {1: "healthy"})
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "block.vtk"
        ct.save_anatomy(file, anatomy, progress=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ct.TwinWarning)  # no segments: no study is wanted
            anatomy = ct.load_anatomy(file, block=True, surfaces=SIDES, progress=False)
    anatomy.add_site("corner", (0, 0, 0), 1.5)
    return anatomy


def turned(angle, shift):
    c, s = math.cos(angle), math.sin(angle)
    return ct.Placement([[c, -s, 0], [s, c, 0], [0, 0, 1]], shift)


class Measurements(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(1)
        self.points, self.lat = 40 * random.random((30, 3)), 90 * random.random(30)

    def test_maps_read_back(self):
        voltage = np.where(self.lat > 45, self.lat / 20, np.nan)
        one = ct.LatMap(self.points, self.lat, voltage, noise=4, title="beat")
        np.testing.assert_array_equal(one.points, self.points)
        self.assertEqual((len(one), one.noise, one.title, one.unipolar.size), (30, 4, "beat", 0))
        again = ct.LatMap.from_csv(one.to_csv())
        for name in ("points", "lat", "bipolar", "unipolar"):
            np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "map.csv"
            file.write_text(one.to_csv())
            np.testing.assert_array_equal(ct.load_lat_map(file).lat, self.lat)
            with self.assertRaises(ct.FileError):
                ct.load_lat_map(file.with_name("none.csv"))
        listed = "VERSION_4_0\n" + "".join(
            f"P 1 {k} 0 {x} {y} {z} 0 0 0 4.5 1.5 {t} 0\n"
            for k, ((x, y, z), t) in enumerate(zip(self.points.round(3), self.lat.round())))
        self.assertEqual(len(ct.LatMap.from_carto(listed)), 30)
        points = one.points
        del one
        np.testing.assert_array_equal(points, self.points)
        with self.assertRaises(ValueError):
            points[0, 0] = 1

    def test_what_no_chamber_does_is_refused(self):
        with self.assertRaises(ct.InputError):
            ct.LatMap(self.points, self.lat / 1000)
        with self.assertRaises(ct.InputError):
            ct.LatMap(self.points, self.lat[1:])
        with self.assertRaisesRegex(ct.InputError, "shape of"):
            ct.LatMap(self.points[:, :2], self.lat)
        one = ct.LatMap(self.points, self.lat)
        with self.assertRaisesRegex(ct.InputError, "noise"):
            one.noise = 0
        with self.assertRaises(ct.InputError):
            ct.LatMap.from_csv("x,y\n1,2\n")

    def test_doubts_are_told(self):
        near = np.vstack([self.points, self.points[:1] + 0.5])
        self.assertTrue(ct.check_lat_map(ct.LatMap(near, np.append(self.lat, self.lat[0] + 60))))
        times = np.arange(0, 600.0)
        beat = np.exp(-(((times - 100) / 12) ** 2))
        names = ["I", "II", "III", "aVR", "aVL", "aVF"]
        good = [0.4, 1.0, 0.6, -0.7, -0.1, 0.8]
        fine, turned_over = (ct.check_ecg(ct.Ecg(times, names, beat[:, None] * leads))
                             for leads in (good, [0.4, -1.0, 0.6, -0.7, -0.1, 0.8]))
        self.assertGreater(len(turned_over), len(fine))
        self.assertRegex(" ".join(each.text for each in turned_over), r"\bII\b")
        with self.assertRaises(ct.InputError):
            ct.check_ecg(ct.Ecg(times, names, beat[:, None] * good), 0, 900)


class Fit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        anatomy = block()
        cls.twin = ct.Twin(anatomy, ct.Tissue.library("post-infarct"))
        cls.source = ct.ActivationSource(anatomy.site("corner").nodes)
        cls.eikonal = ct.Eikonal(anatomy, threads=1)

    def test_derivatives_are_those_of_the_times(self):
        source = ct.ActivationSource(position=(3.3, 4.4, 2.2), time=5)
        lat = self.eikonal.activation({"healthy": TRUTH}, [source])
        self.assertEqual(lat.shape, (len(self.twin.anatomy.mesh.points),))
        weights = np.linspace(0, 1, lat.size) / lat.size
        gradient, tangents = self.eikonal.gradient(weights), self.eikonal.tangents()
        self.assertEqual((tangents.regions, tangents.per_node.shape), (("healthy",), (lat.size, 6)))
        by_tangents = weights @ tangents.per_node
        velocity = gradient.velocity["healthy"]
        by_gradient = [velocity.along, velocity.across, *gradient.time, *gradient.position[0]]
        np.testing.assert_allclose(by_gradient, by_tangents, rtol=1e-9)  # two ways to the same sum: rounding
        step = 1e-5  # central differences: their error is of its square
        more, less = (weights @ self.eikonal.activation({"healthy": ct.Velocity(0.8 + s, 0.35)}, [source])
                      for s in (step, -step))
        self.assertAlmostEqual((more - less) / (2 * step) / velocity.along, 1, delta=1e-4)
        self.assertEqual(set(ct.wanted_velocities(self.twin.tissue)) & {"healthy", "core"}, {"healthy"})

    def test_bad_input_is_refused(self):
        for velocities, sources, words in (({"nowhere": TRUTH}, [self.source], "nowhere"),
                                           ({"healthy": ct.Velocity(80, 0.3)}, [self.source], "80"),
                                           ({"healthy": TRUTH}, [], ""),
                                           ({"healthy": TRUTH}, [ct.ActivationSource()], "")):
            with self.assertRaisesRegex(ct.InputError, words):
                self.eikonal.activation(velocities, sources)
        self.eikonal.activation({"healthy": TRUTH}, [self.source])
        with self.assertRaises(ct.InputError):
            self.eikonal.gradient(np.ones(3))
        with self.assertRaises(ct.InputError):
            ct.fit_activation(self.twin, [], progress=False)
        with self.assertRaisesRegex(ct.InputError, "held_out"):
            ct.fit_activation(self.twin, [], progress=False, held_aut=0)

    def test_placements(self):
        there = turned(0.4, (5, -3, 2))
        points = np.array([[0, 0, 0], [20, 1, 0], [3, 15, 4], [7, 7, 6.0]])
        found = ct.place_by_landmarks(points, there.apply(points))
        self.assertLess(found.rms, 1e-9)
        np.testing.assert_allclose(found.placement.rotation, there.rotation, atol=1e-9)
        np.testing.assert_allclose(there.inverse().apply(there.apply(points[1])), points[1], atol=1e-12)
        with self.assertRaises(ct.InputError):
            ct.place_by_landmarks(points[:2], points[:2])
        with self.assertRaises(ct.InputError):
            ct.Placement(2 * np.eye(3))

    def test_velocities_come_back(self):
        anatomy = self.twin.anatomy
        lat = self.eikonal.activation({"healthy": TRUTH}, [self.source])
        random = np.random.default_rng(2)
        nodes = random.choice(np.unique(anatomy.surface_nodes), 200, replace=False)
        moved = turned(0.05, (0.6, -0.4, 0.3))
        given = ct.LatMap(moved.apply(anatomy.mesh.points[nodes]), lat[nodes] - 20 + 0.5 * random.standard_normal(200),
                          noise=0.5)
        placed = ct.place_on_surface(given.points, anatomy, start=ct.Placement())
        self.assertLess(placed.rms, 0.05)
        sites = ct.sites_on(given.points, anatomy, placed)
        self.assertEqual((len(sites), sites.weights.shape), (len(placed.kept), (len(sites), 3)))
        # A foot 0.05 mm off is reached within 0.05 mm / 0.35 mm/ms, some more where times bend.
        self.assertLess(np.abs(sites.values(lat) - lat[nodes][sites.points]).max(), 0.5)
        with self.assertRaises(ct.InputError):
            sites.values(lat[:10])
        with self.assertRaisesRegex(ct.InputError, "endo_rv"):
            ct.place_on_surface(given.points, anatomy, ["endo_rv"])
        beat = ct.MappedBeat(given, sites, "corner")
        told = []
        fit = ct.fit_activation(self.twin, [beat], progress=lambda *words: told.append(words), samples=128, threads=1)
        velocity = fit.velocities["healthy"]
        # On the mesh of the truth, 0.5 ms of noise over 200 points leaves below 1 % of 40 ms, displaced feet as much.
        self.assertAlmostEqual(velocity.along / TRUTH.along, 1, delta=0.03)
        self.assertAlmostEqual(velocity.across / TRUTH.across, 1, delta=0.03)
        self.assertTrue(told)
        self.assertEqual(fit.space.names, ct.activation_parameters(self.twin, [beat]).names)
        self.assertEqual(fit.posterior.samples.shape, (128, 3))
        self.assertEqual(fit.identifiability.undetermined, ())
        self.assertLess(fit.held_out.rms, 1.0)
        self.assertEqual((fit.lat[0].values.shape, fit.unreached), (lat.shape, 0))
        self.assertGreater(fit.forward_runs, 3)
        with self.assertRaisesRegex(ct.InputError, "elsewhere"):
            ct.fit_activation(self.twin, [ct.MappedBeat(given, sites, "elsewhere")], progress=False, threads=1)

    def test_sites_of_ones_own(self):
        sites = ct.MeasuredSites([0, 1], [[0, 1, 2], [3, 4, 5]], [[1, 0, 0], [0.5, 0.5, 0]])
        np.testing.assert_allclose(sites.values(np.arange(6.0)), [0, 3.5])
        with self.assertRaises(ct.InputError):
            ct.MeasuredSites([0], [[0, 1, 2]], [[1, 1, 0]])


class Line:
    """y = a + b x with known noise: the posterior is known, too, where the prior is normal."""

    def __init__(self):
        self.space = ct.ParameterSpace([ct.Parameter("a", unit="mV", prior=ct.Prior(kind="normal", center=1, spread=2)),
                                        ct.Parameter("b", prior=ct.Prior(kind="normal", center=0, spread=3))])
        self.x, self.sd = np.linspace(0, 1, 12), 0.3
        self.y = 0.4 + 1.7 * self.x + self.sd * np.random.default_rng(3).standard_normal(12)
        design = np.column_stack([np.ones(12), self.x])
        self.jacobian = design / self.sd
        precision = self.jacobian.T @ self.jacobian + np.diag([1 / 4, 1 / 9])
        self.covariance = np.linalg.inv(precision)
        self.mean = self.covariance @ (self.jacobian.T @ self.y / self.sd + [1 / 4, 0])
        self.sds = np.sqrt(np.diag(self.covariance))

    def residuals(self, values):
        return (values[0] + values[1] * self.x - self.y) / self.sd

    def batch(self, values):
        return [self.residuals(each) for each in values]


class Inference(unittest.TestCase):
    def setUp(self):
        self.line = Line()

    def test_spaces(self):
        space = ct.ParameterSpace([
            ct.Parameter("v", unit="m/s", low=0.1, high=3, prior=ct.Prior(kind="lognormal", center=0.6, spread=0.3)),
            ct.Parameter("t", unit="ms", low=-5, high=5)])
        self.assertEqual((space.names, space.units, len(space), space["t"].high), (("v", "t"), ("m/s", "ms"), 2, 5))
        np.testing.assert_allclose(space.from_standard(space.to_standard([0.7, 2])), [0.7, 2], rtol=1e-12)
        draws = space.sample(100, seed=4)
        self.assertTrue((draws >= [0.1, -5]).all() and (draws <= [3, 5]).all())
        np.testing.assert_array_equal(draws, space.sample(100, seed=4))
        self.assertEqual(ct.ParameterSpace.from_json(space.to_json()).to_json(), space.to_json())
        self.assertEqual([each.name for each in space], ["v", "t"])
        self.assertEqual(space.log_prior([5, 0]), -math.inf)
        for bad in ([], [ct.Parameter("a")], [ct.Parameter("a", low=1, high=0)]):
            with self.assertRaises(ct.InputError):
                ct.ParameterSpace(bad)
        with self.assertRaisesRegex(ct.InputError, "spread"):
            ct.Prior(spred=1)
        with self.assertRaises(ct.InputError):
            space["w"]

    def test_ask_and_tell(self):
        fit = ct.LevenbergMarquardt(self.line.space, starts=3, from_=[[0, 0], [1, 1], [2, 2]])
        while not fit.done:
            asked = fit.ask()
            fit.tell([ct.Evaluation(self.line.residuals(each), self.line.jacobian) for each in asked])
        self.assertEqual((fit.progress, fit.ask().shape[0]), (1, 0))
        np.testing.assert_allclose(fit.best.point, self.line.mean, atol=1e-5)
        best = fit.optima()[0]
        self.assertTrue(best.converged)
        self.assertEqual(best.starts, 3)
        spreads = np.sqrt(np.diag(np.linalg.inv(np.eye(2) + best.information))) * [2, 3]
        np.testing.assert_allclose(spreads, self.line.sds, rtol=1e-6)
        posterior = ct.laplace_posterior(fit.space, fit.optima(), 4000, seed=5)
        np.testing.assert_allclose(posterior.mean(), self.line.mean, atol=5 * self.line.sds.max() / math.sqrt(4000))
        again = ct.Posterior.from_json(posterior.to_json())
        np.testing.assert_array_equal(again.samples, posterior.samples)
        np.testing.assert_array_equal(again.weights, posterior.weights)
        self.assertEqual(again.resampled(50).samples.shape, (50, 2))
        low, high = posterior.interval(0.9)[0]
        np.testing.assert_allclose([low, high], [posterior.quantile(p)[0] for p in (0.05, 0.95)])
        self.assertEqual(posterior.correlation().shape, (2, 2))
        for known in (best, posterior):
            self.assertGreater(ct.identifiability(fit.space, known).shrinkage.min(), 0.9)
        with self.assertRaises(ct.InputError):
            ct.laplace_posterior(fit.space, [ct.Optimum(point=[0, 0], standard=[0, 0])], 10)

    def test_every_method_finds_the_posterior(self):
        optima = ct.LevenbergMarquardt(self.line.space)
        ct.infer(optima, self.line.batch, progress=False)
        np.testing.assert_allclose(optima.best.point, self.line.mean, atol=1e-4)
        cma = ct.CmaEs(self.line.space, seed=2, restarts=0)
        ct.infer(cma, self.line.batch, progress=False)
        np.testing.assert_allclose(cma.optima()[0].point, self.line.mean, atol=1e-2)
        for fit in (ct.EnsembleKalman(self.line.space, members=400),
                    ct.EnsembleSampler(self.line.space, walkers=32, steps=400, burn_in=100),
                    ct.ImportanceSampler(self.line.space, optima.optima(), draws=2000)):
            ct.infer(fit, self.line.batch, progress=False)
            posterior = fit.posterior()
            # Means within five of their own standard errors, as many draws as the method says it is worth.
            off = (posterior.mean() - self.line.mean) / self.line.sds
            self.assertLess(np.abs(off).max(), 5 / math.sqrt(min(posterior.effective_size, 400)), fit.method)
            np.testing.assert_allclose(posterior.sd(), self.line.sds, rtol=0.25, err_msg=fit.method)

    def test_saved_fits_go_on_with_the_same_bits(self):
        one, other = (ct.CmaEs(self.line.space, seed=7, max_evaluations=400) for _ in range(2))
        for _ in range(3):
            one.tell(np.array(self.line.batch(one.ask())))
        other.restore(one.save())
        self.assertEqual(one.evaluations, other.evaluations)
        np.testing.assert_array_equal(one.ask(), other.ask())
        with self.assertRaises(ct.InputError):
            ct.CmaEs(self.line.space, seed=8).restore(one.save())

    def test_models_that_fail_or_misbehave(self):
        fit = ct.CmaEs(self.line.space)
        asked = fit.ask()
        fit.tell([None, *self.line.batch(asked[1:])])
        self.assertTrue(np.isfinite(fit.best.objective))
        with self.assertRaises(ct.InputError):
            fit.tell([self.line.residuals((0, 0))])
        with self.assertRaises(ct.InputError):
            fit.tell(3)
        with self.assertRaises(ct.InputError):
            fit.tell([["a"]] * len(fit.ask()))

        def broken(values):
            raise KeyError("broken")

        with self.assertRaisesRegex(KeyError, "broken"):
            ct.infer(fit, broken, progress=False)
        with self.assertRaisesRegex(ct.Error, "at work"):
            ct.infer(fit, lambda values: fit.tell([]), progress=False)
        done, seen = ct.CmaEs(self.line.space, restarts=0), []
        ct.infer(done, self.line.batch, progress=lambda what, share: seen.append(done.evaluations))
        self.assertTrue(seen and done.done)
        failed = ct.CmaEs(self.line.space)
        with self.assertRaises(ct.NumericalError):
            failed.best
        with self.assertRaises(ct.InputError):
            ct.EnsembleKalman(self.line.space).posterior()

    def test_residuals(self):
        observed = np.array([1.0, np.nan, 3.0])
        plain = ct.weighted_residuals([2, 2, 2], observed, 0.5)
        np.testing.assert_allclose(plain.residuals, [2, -2])
        self.assertEqual((plain.misfit, plain.failed), (4, False))
        robust = ct.weighted_residuals([2, 2, 40], observed, [0.5, 0.5, 0.5], noise="student")
        self.assertLess(robust.residuals[1], 10)
        self.assertTrue(ct.Evaluation().failed)
        residuals = ct.Evaluation([1, 2]).residuals
        np.testing.assert_array_equal(residuals, [1, 2])
        with self.assertRaises(ValueError):
            residuals[0] = 0
        options = ct.LevenbergMarquardtOptions(from_=[[1, 2]])
        former, options.from_ = options.from_, np.zeros((40, 2))
        np.testing.assert_array_equal(former, [[1, 2]])
        for sd in (0, [1, 1]):
            with self.assertRaises(ct.InputError):
                ct.weighted_residuals([2, 2, 2], observed, sd)

    def test_calibrated(self):
        """Posteriors made elsewhere are judged, too."""
        random = np.random.default_rng(6)
        truths = random.standard_normal((60, 1))
        data = truths + 0.5 * random.standard_normal((60, 1))
        posteriors = [ct.Posterior(["a"], 0.8 * y + math.sqrt(0.2) * random.standard_normal((200, 1))) for y in data]
        coverage, = ct.simulation_based_calibration(truths, posteriors)
        self.assertTrue(coverage.calibrated, coverage.sentence)
        self.assertEqual((coverage.name, coverage.ranks.sum()), ("a", 60))
        shifted = [ct.Posterior(["a"], p.samples + 2) for p in posteriors]
        self.assertFalse(ct.simulation_based_calibration(truths, shifted)[0].calibrated)
        self.assertEqual(ct.predictive_p_value([1, 1], [2, 0]), 0.5)
        with self.assertRaises(ct.InputError):
            ct.Posterior(["a"], [[1.0], [2.0]], weights=[1, 1])
        with self.assertRaises(ct.InputError):
            ct.predictive_p_value([], [])


if __name__ == "__main__":
    unittest.main()
