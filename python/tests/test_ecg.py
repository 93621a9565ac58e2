"""Torso, lead fields, bidomain and ECG from Python."""

import unittest
import xml.etree.ElementTree as xml

import cardiotwin as ct
import numpy as np


def block():
    mesh = ct.box_mesh((6, 6, 6), 1.0)
    anatomy = ct.Anatomy(mesh, ct.uniform_fibers(mesh, (1, 0, 0)), {1: "healthy"})
    tissue = ct.Tissue.library("post-infarct")
    return ct.Twin(anatomy, tissue)


class Ecg(unittest.TestCase):
    def setUp(self):
        self.twin = block()
        self.points = self.twin.anatomy.mesh.points
        self.torso = ct.build_bath(self.twin.anatomy, 10, 1.5).with_conductivity({"bath": 0.2})
        self.electrodes = [ct.Electrode("left", (15, 3, 3)), ct.Electrode("right", (-9, 3, 3))]

    def pulse(self):
        nodes = np.flatnonzero(self.points[:, 0] < 1.5)
        return ct.Protocol([ct.Stimulus(nodes)])

    def test_lead_fields_are_the_potential(self):
        conductor = ct.VolumeConductor(self.twin, self.torso)
        leads = conductor.lead_fields(self.electrodes, progress=False)
        self.assertEqual(leads.weights.shape, (2, len(self.points)))
        voltage = -85 + 10 * self.points[:, 0]
        phi = conductor.potential(voltage)
        self.assertEqual(phi.shape, (len(self.torso.mesh.points),))
        left, right = leads.potentials(voltage)
        nearest = [np.argmin(np.linalg.norm(self.torso.mesh.points - e.position, axis=1)) for e in self.electrodes]
        self.assertAlmostEqual(phi[nearest[0]] - phi[nearest[1]], left - right, delta=0.15 * abs(left - right))
        dipole = ct.dipole_fields(self.twin).potentials(voltage)
        np.testing.assert_allclose(dipole, [-0.17 * 10 * 216, 0, 0], atol=1e-6)
        far = ct.unbounded_lead_fields(self.twin, [ct.Electrode("far", (103, 3, 3))], 0.2).potentials(voltage)[0]
        self.assertAlmostEqual(far, dipole[0] / (4 * np.pi * 0.2 * 100**2), delta=0.01 * abs(far))

    def test_bidomain_and_monodomain_record_alike(self):
        leads = ct.VolumeConductor(self.twin, self.torso).lead_fields(self.electrodes, progress=False)
        mono = ct.Simulation(self.twin)
        by_leads = mono.add(ct.EcgRecorder(leads, 1))
        bidomain = ct.Simulation(self.twin, model="bidomain", torso=self.torso)
        probe = bidomain.add(ct.PotentialProbe(self.torso.mesh, self.electrodes, 1))
        for sim in (mono, bidomain):
            sim.add(self.pulse())
            sim.run(20, progress=False)
        a, b = by_leads.electrodes, probe.electrodes
        np.testing.assert_array_equal(a.times, np.arange(21))
        self.assertEqual(a.values.shape, (21, 2))
        difference = [e.channel("left") - e.channel("right") for e in (a, b)]
        self.assertGreater(np.corrcoef(difference)[0, 1], 0.95)
        solves, iterations = bidomain.elliptic_work
        self.assertGreater(iterations, solves)
        self.assertEqual(bidomain.potential().shape, (len(self.torso.mesh.points),))
        with self.assertRaisesRegex(ct.InputError, "no extracellular potential"):
            mono.potential()
        with self.assertRaisesRegex(ct.InputError, "add up to 100 uA"):
            bidomain.add(ct.Protocol(currents=[ct.ElectrodeCurrent((-3, 3, 3), 100)]))

    def test_leads_measures_and_paper(self):
        times = np.arange(0, 600.0)
        bump = np.exp(-((times - 100) / 12) ** 2) + 0.3 * np.exp(-((times - 350) / 40) ** 2)
        names = ["RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6"]
        share = np.array([-0.4, 0.2, 0.6, -0.3, 0.1, 0.5, 1.0, 0.8, 0.5])
        potentials = ct.Ecg(times, names, bump[:, None] * share)
        leads = ct.twelve_leads(potentials)
        one, two, three = (leads.channel(name) for name in ("I", "II", "III"))
        np.testing.assert_allclose(one + three, two, atol=1e-12)
        beat = ct.measure_beat(leads, 0, 599)
        self.assertTrue(20 < beat.qrs_duration < 80 and 250 < beat.qt < 450, (beat.qrs_duration, beat.qt))
        again = ct.Ecg.from_csv(leads.to_csv())
        np.testing.assert_allclose(again.values, leads.values, atol=1e-6)
        self.assertAlmostEqual(ct.compare(leads, 50, again, 50, 400).correlation, 1, places=6)
        self.assertEqual(ct.vectorcardiogram(leads).names, ("X", "Y", "Z"))
        paper = xml.fromstring(leads.paper(title="a < b", measures=beat))
        self.assertTrue(paper.tag.endswith("svg"))
        with self.assertRaisesRegex(ct.InputError, "V7"):
            leads.channel("V7")


if __name__ == "__main__":
    unittest.main()
