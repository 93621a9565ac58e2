"""The rest of the library from Python: scar, surfaces, fibres, Purkinje trees, drugs, populations."""

import pathlib
import tempfile
import unittest

import numpy as np
from hearts import twin

import cardiotwin as ct

PHANTOM = dict(pixel=2.8, slice=2.8)


class Hearts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.phantom = ct.make_phantom(progress=False, **PHANTOM)
        cls.twin = ct.build_twin(cls.phantom.image, cls.phantom.labels, progress=False, edge=3.5)

    def test_scar_in_the_image(self):
        image, labels, truth = self.phantom.image, self.phantom.labels, self.phantom.truth
        regions, statistics = ct.segment_scar(image, labels, progress=False)
        voxel = np.prod(image.spacing) / 1000
        self.assertAlmostEqual((regions.values > 1).sum() * voxel, truth.scar_volume, delta=0.2 * truth.scar_volume)
        self.assertLess(statistics.threshold_border_zone, statistics.threshold_core)
        analysis = ct.analyse_scar(image, labels, step=0.25, progress=False)
        self.assertEqual([round(point.factor, 2) for point in analysis.sweep], [0.5, 0.75, 1, 1.25, 1.5])
        self.assertEqual(analysis.chosen.factor, 1)
        volumes = [point.core for point in analysis.sweep]
        self.assertEqual(volumes, sorted(volumes, reverse=True))  # a higher limit leaves less core
        self.assertIn("core", str(analysis))
        density = ct.fibrosis_density(image, labels, regions, statistics).values
        self.assertEqual(density[regions.values == 3].min(), 1)
        self.assertEqual(density[regions.values == 0].max(), 0)
        remote = ct.remote_region(image, labels, ct.RemoteOptions(source="arc"), progress=False)
        self.assertFalse((remote.values[regions.values == 3] > 0).any())
        self.assertIsNone(ct.remote_region(image, labels, progress=False))
        self.assertTrue(all(finding.severity in ("info", "warning", "severe")
                            for finding in ct.assess(image, labels, progress=False)))
        with tempfile.TemporaryDirectory() as folder:
            ct.write_montage(pathlib.Path(folder) / "slices.png", image, labels, regions)
            ct.write_phantom(self.phantom, ct.PhantomOptions(**PHANTOM), folder)
            written = ct.read_labels(pathlib.Path(folder) / "labels.nii.gz", progress=False)
        np.testing.assert_array_equal(ct.labels_on(image, written, progress=False).values, labels.values)

    def test_what_is_known_of_the_wall(self):
        anatomy = self.twin.anatomy
        ring, = ct.valve_rings(anatomy)
        self.assertEqual(ring.name, "mitral_aortic")
        self.assertAlmostEqual(np.linalg.norm(ring.normal), 1, places=12)
        whole, *segments = ct.transmurality(anatomy)
        self.assertTrue(0 < whole.mean < max(segment.mean for segment in segments) <= 1)
        self.assertEqual(len(ct.standard_sites(anatomy)), len(anatomy.sites))
        self.assertTrue(all(isinstance(finding.text, str) for finding in self.twin.findings))
        # The layer keeps out of scar: less than its depth times the whole endocardium, more than half of that.
        corners = anatomy.mesh.points[anatomy.surface_nodes[anatomy.surface_tag == 1]]
        area = 0.5 * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
        thick, volume = ct.mark_fast_endocardium(self.twin, 4.0, progress=False)
        self.assertTrue(0.5 < 1000 * volume / (4 * area) < 1.2, volume)
        self.assertIn("fast_endocardium", thick.tissue.regions)
        self.assertNotIn("fast_endocardium", self.twin.tissue.regions)

    def test_fibres_of_another_mesh(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "heart.vtu"
            ct.save_anatomy(path, self.twin.anatomy, progress=False)
            other, share = ct.take_fibers(ct.Anatomy(self.twin.anatomy.mesh), ct.read_fibers(path, progress=False),
                                          progress=False)
        self.assertGreater(share, 0.99)
        cosine = np.abs((other.fibers.f * self.twin.anatomy.fibers.f).sum(axis=1))
        self.assertGreater(np.median(cosine), 0.98)  # neighbours within an edge are averaged
        again = ct.build_twin(self.phantom.image, self.phantom.labels, progress=False, edge=3.5,
                              angles=ct.FiberAngles("bayer", alpha_endo=40, alpha_epi=-40)).anatomy
        turned = np.degrees(np.arccos(np.clip(np.abs((again.fibers.f * self.twin.anatomy.fibers.f).sum(axis=1)), 0, 1)))
        self.assertTrue(5 < np.median(turned) < 20)
        again = ct.lay_fibers(again, ct.FiberAngles("bayer"), progress=False)
        cosine = np.abs((again.fibers.f * self.twin.anatomy.fibers.f).sum(axis=1))
        self.assertGreater(np.quantile(cosine, 0.05), 0.9)

    def test_a_heart_from_its_surface(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "heart.vtp"
            ct.save_anatomy(path, self.twin.anatomy, progress=False)
            septum = self.twin.anatomy.apex + 40 * np.array(self.twin.anatomy.septum)
            made = ct.build_twin_from_surface(path, {1: "endo", 2: "epi", 3: "base"}, edge=3.5, septum=septum,
                                              progress=False)
        one, other = (ct.quality(each.anatomy.mesh).volume for each in (made, self.twin))
        self.assertAlmostEqual(one, other, delta=0.05 * other)
        np.testing.assert_array_equal(made.anatomy.mesh.labels, made.anatomy.label("healthy"))

    def test_a_beat_from_the_purkinje_tree(self):
        anatomy = self.twin.anatomy
        tree = ct.grow_purkinje(anatomy, progress=False)
        self.assertEqual(tree.points.shape, (len(tree.parent), 3))
        self.assertTrue((tree.parent < np.arange(len(tree.parent))).all())
        times = ct.purkinje_times(tree)
        slow = ct.purkinje_times(tree, velocity=1.25)
        np.testing.assert_allclose(slow, 2 * times, rtol=1e-12)
        beat = ct.purkinje_beats(anatomy, tree, beats=1, junction_radius=6, progress=False)
        self.assertGreater(len(beat.stimuli), 10)
        sim = ct.Simulation(self.twin, dt=0.1)
        sim.add(beat)
        sim.run(40, progress=False)
        lat = sim.activations()[:, 0]
        self.assertGreater(np.nanmin(lat), 3)  # the junctions' delay
        # 3.5 mm is too coarse for the wave to travel far: what the junctions start themselves is most of it.
        self.assertGreater(np.isfinite(lat).mean(), 0.1)
        self.assertIsNone(ct.find_circuit(sim, anatomy, bin=4))
        with self.assertRaisesRegex(ct.InputError, "did you mean"):
            ct.grow_purkinje(anatomy, seeds=3)

    def test_an_atrium(self):
        made = ct.make_atrium_phantom(voxel=2.0, progress=False)
        self.assertEqual(made.truth.openings[0].name, "mitral")
        self.assertEqual(len(made.truth.openings), 5)
        cavity = (made.labels.values == 1).sum() * np.prod(made.image.spacing) / 1000
        self.assertAlmostEqual(cavity, made.truth.cavity_volume, delta=0.05 * cavity)


class Files(unittest.TestCase):
    def test_maps_are_kept_exactly(self):
        maps = [ct.Map("LAT", np.random.default_rng(3).random(50), "ms"), ct.Map("fiber", np.eye(3), at="tet")]
        with tempfile.TemporaryDirectory() as folder:
            ct.save_maps(pathlib.Path(folder) / "maps.h5", maps)
            again = ct.load_maps(pathlib.Path(folder) / "maps.h5")
            heart = twin().anatomy
            ct.save_surface(pathlib.Path(folder) / "surface.vtu", heart)
        self.assertEqual([each.name for each in again], ["LAT", "fiber"])
        self.assertEqual([each.unit for each in again], ["ms", ""])
        for one, other in zip(again, maps):
            np.testing.assert_array_equal(one.values, other.values)


class Cells(unittest.TestCase):
    def test_a_drug_is_a_smaller_conductance(self):
        settings = dict(variant="epi", bcl=800, beats=2, progress=False)
        drug = ct.pace_cell("tentusscher-2006", drug={"g_Kr": (0.1, 1.0)}, concentration=0.3, **settings)
        scaled = ct.pace_cell("tentusscher-2006", scale={"g_Kr": 1 / (1 + 0.3 / 0.1)}, **settings)
        np.testing.assert_allclose(drug["apd90"], scaled["apd90"], rtol=1e-9)
        with self.assertRaisesRegex(ct.InputError, "IC50"):
            ct.pace_cell("tentusscher-2006", drug={"g_Kr": (0, 1)}, concentration=1, **settings)

    def test_populations(self):
        found = ct.pace_population("mitchell-schaeffer-modified", ["tau_in", "tau_close"], cells=64, spread=0.1, bcl=600,
                                   beats=2, progress=False)
        self.assertEqual(found["factors"].shape, (64, 2))
        self.assertAlmostEqual(np.std(found["factors"]), 0.1, delta=0.03)
        self.assertAlmostEqual(np.nanmean(found["apd90"]), found["mean"], places=9)
        # Slower closing makes longer action potentials.
        self.assertGreater(np.corrcoef(found["factors"][:, 1], found["apd90"])[0, 1], 0.8)
        again = ct.pace_population("mitchell-schaeffer-modified", ["tau_in", "tau_close"], cells=64, spread=0.1, bcl=600,
                                   beats=2, progress=False)
        np.testing.assert_array_equal(again["apd90"], found["apd90"])

    def test_thresholds_and_automaticity(self):
        least = ct.capture_threshold("tentusscher-2006", variant="epi", duration=2)
        self.assertTrue(ct.pace_cell("tentusscher-2006", variant="epi", duration=2, amplitude=1.01 * least, beats=1,
                                     progress=False)["captured"][0])
        self.assertFalse(ct.pace_cell("tentusscher-2006", variant="epi", duration=2, amplitude=0.98 * least, beats=1,
                                      progress=False)["captured"][0])
        self.assertEqual(ct.spontaneous_beats("tentusscher-2006", variant="epi", duration=500), 0)


if __name__ == "__main__":
    unittest.main(warnings="ignore")
