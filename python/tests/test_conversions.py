"""To other libraries and back: nothing is lost, turned or moved."""

import importlib.util
import pathlib
import tempfile
import unittest

import numpy as np
from hearts import block, twin

import cardiotwin as ct

rng = np.random.default_rng(11)


def needs(module):
    return unittest.skipIf(importlib.util.find_spec(module) is None, f"{module} is not installed")


def turned_image():
    """An image that is neither isotropic nor along the scanner's axes, but right-handed, as files require."""
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    q *= np.sign(np.linalg.det(q))
    return ct.Image(rng.random((3, 4, 5)), spacing=(1.25, 1.5, 8), origin=(-20, 30, 12.5), direction=q)


class Conversions(unittest.TestCase):
    @needs("pyvista")
    def test_pyvista(self):
        heart = twin()
        lat = ct.Map("LAT", np.arange(heart.anatomy.mesh.node_count, dtype=float), "ms")
        grid = ct.to_pyvista(heart, [lat])
        mesh = heart.anatomy.mesh
        np.testing.assert_array_equal(grid.points, mesh.points)
        np.testing.assert_array_equal(grid.cell_connectivity.reshape(-1, 4), mesh.tets)
        np.testing.assert_array_equal(grid.point_data["LAT"], lat.values)
        np.testing.assert_array_equal(grid.cell_data["region"], mesh.labels)
        np.testing.assert_array_equal(grid.cell_data["fiber"], heart.anatomy.fibers.f)
        self.assertAlmostEqual(grid.volume, ct.quality(mesh).volume, delta=1e-6 * grid.volume)
        with self.assertRaisesRegex(ct.InputError, 'map "short" has 3 values'):
            ct.to_pyvista(heart, [ct.Map("short", [1.0, 2.0, 3.0])])

    @needs("meshio")
    def test_meshio_there_and_back(self):
        import meshio
        heart = block()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "block.vtu"
            ct.to_meshio(heart).write(path)
            again = ct.from_meshio(meshio.read(path))
        np.testing.assert_array_equal(again.mesh.points, heart.mesh.points)
        np.testing.assert_array_equal(again.mesh.tets, heart.mesh.tets)
        np.testing.assert_array_equal(again.mesh.labels, heart.mesh.labels)
        np.testing.assert_allclose(again.fibers.f, heart.fibers.f, atol=1e-12)
        with self.assertRaisesRegex(ct.InputError, "no tets"):
            ct.from_meshio(meshio.Mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [("triangle", [[0, 1, 2]])]))

    @needs("SimpleITK")
    def test_simple_itk(self):
        import SimpleITK as sitk
        image = turned_image()
        made = ct.image_to_sitk(image)
        for index in ((0, 0, 0), (4, 3, 2), (1, 2, 0)):
            expected = image.origin + image.direction @ (image.spacing * index)
            np.testing.assert_allclose(made.TransformIndexToPhysicalPoint(index), expected, atol=1e-9)
            self.assertEqual(made[index], image.values[index[::-1]])
        again = ct.image_from_sitk(made)
        np.testing.assert_array_equal(again.values, image.values)
        np.testing.assert_allclose(again.direction, image.direction, atol=1e-12)
        labels = ct.labels_from_sitk(sitk.Cast(made * 3, sitk.sitkUInt8))
        self.assertEqual(labels.values.max(), int(3 * image.values.max()))
        # A file written by one is read by the other at the same place.
        with tempfile.TemporaryDirectory() as folder:
            path = str(pathlib.Path(folder) / "image.nrrd")
            sitk.WriteImage(made, path)
            read = ct.read_image(path, progress=False)
        np.testing.assert_array_equal(read.values, image.values)
        np.testing.assert_allclose(read.origin, image.origin, atol=1e-6)
        np.testing.assert_allclose(read.direction, image.direction, atol=1e-6)

    @needs("nibabel")
    def test_nibabel(self):
        import nibabel
        image = turned_image()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "image.nii.gz"
            ct.write_image(path, image)
            again = ct.image_from_nibabel(nibabel.load(path))
            read = ct.read_image(path, progress=False)
            back = ct.image_from_nibabel(ct.image_to_nibabel(image))
        np.testing.assert_array_equal(again.values, image.values)
        np.testing.assert_array_equal(back.values, image.values)
        for one, tolerance in ((again, 1e-4), (read, 1e-4), (back, 1e-9)):  # NIfTI keeps its axes in single precision
            np.testing.assert_allclose(one.origin, image.origin, atol=tolerance)
            np.testing.assert_allclose(one.spacing, image.spacing, atol=tolerance)
            np.testing.assert_allclose(one.direction, image.direction, atol=tolerance)


if __name__ == "__main__":
    unittest.main()
