"""To and from the types of other libraries, each imported where it is used."""

import numpy as np

from cardiotwin import _core


def _parts(heart):
    """Mesh, fields of nodes, fields of tets."""
    if isinstance(heart, _core.Twin):
        heart = heart.anatomy
    if isinstance(heart, _core.Mesh):
        return heart, {}, {"region": heart.labels}
    nodes = {name: getattr(heart, name) for name in ("depth", "height", "right") if len(getattr(heart, name))}
    tets = {"region": heart.mesh.labels, "fiber": heart.fibers.f, "sheet": heart.fibers.s}
    if len(heart.aha):
        tets["aha"] = heart.aha
    for each in heart.maps:
        (nodes if each.at == _core.Location.node else tets)[each.name] = each.values
    return heart.mesh, nodes, tets


def _add(maps, nodes, tets, mesh):
    for each in maps:
        (nodes if each.at == _core.Location.node else tets)[each.name] = each.values
    for fields, count, what in ((nodes, mesh.node_count, "nodes"), (tets, mesh.tet_count, "tets")):
        for name, values in fields.items():
            if len(values) != count:
                raise _core.InputError(f"map \"{name}\" has {len(values)} values, but there are {count} {what}")


def to_pyvista(heart, maps=()):
    """A pyvista.UnstructuredGrid of a Mesh, Anatomy or Twin with its fields, and `maps` beside them."""
    import pyvista
    mesh, nodes, tets = _parts(heart)
    _add(maps, nodes, tets, mesh)
    grid = pyvista.UnstructuredGrid({pyvista.CellType.TETRA: mesh.tets}, mesh.points)
    grid.point_data.update({name: np.array(values) for name, values in nodes.items()})
    grid.cell_data.update({name: np.array(values) for name, values in tets.items()})
    return grid


def to_meshio(heart, maps=()):
    """A meshio.Mesh of a Mesh, Anatomy or Twin with its fields, and `maps` beside them."""
    import meshio
    mesh, nodes, tets = _parts(heart)
    _add(maps, nodes, tets, mesh)
    return meshio.Mesh(np.array(mesh.points), [("tetra", np.array(mesh.tets))],
                       point_data={name: np.array(values) for name, values in nodes.items()},
                       cell_data={name: [np.array(values)] for name, values in tets.items()})


def from_meshio(file, regions=None):
    """An Anatomy of a meshio.Mesh: its tets [mm], labels from the field "region" (else 1), fibres from "fiber"."""
    blocks = [k for k, block in enumerate(file.cells) if block.type == "tetra"]
    if not blocks:
        raise _core.InputError("the mesh holds no tets, and only a volume can be simulated")
    tets = np.concatenate([file.cells[k].data for k in blocks])

    def field(name):
        return np.concatenate([file.cell_data[name][k] for k in blocks]) if name in file.cell_data else None

    labels, fibers = field("region"), field("fiber")
    if labels is not None:
        labels = np.asarray(labels).astype(np.int64)
    mesh = _core.Mesh(file.points, tets, labels)
    return _core.Anatomy(mesh, None if fibers is None else _core.Fibers(fibers), regions)


def _sitk_grid(image):
    return dict(spacing=image.GetSpacing(), origin=image.GetOrigin(),
                direction=np.reshape(image.GetDirection(), (3, 3)))


def image_from_sitk(image):
    """An Image of a three-dimensional SimpleITK image."""
    import SimpleITK
    return _core.Image(SimpleITK.GetArrayFromImage(image), **_sitk_grid(image))


def labels_from_sitk(image):
    """LabelValues of a three-dimensional SimpleITK image of whole numbers."""
    import SimpleITK
    return _core.LabelValues(SimpleITK.GetArrayFromImage(image), **_sitk_grid(image))


def image_to_sitk(image):
    """A SimpleITK image of an Image, Labels or LabelValues."""
    import SimpleITK
    made = SimpleITK.GetImageFromArray(np.array(image.values))
    made.SetSpacing([float(x) for x in image.spacing])
    made.SetOrigin([float(x) for x in image.origin])
    made.SetDirection([float(x) for x in np.ravel(image.direction)])
    return made


def image_from_nibabel(file):
    """An Image of a three-dimensional nibabel image; its axes are turned from RAS to LPS."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ file.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return _core.Image(np.asarray(file.dataobj, dtype=np.float32).transpose(2, 1, 0), spacing=spacing,
                       origin=affine[:3, 3], direction=affine[:3, :3] / spacing)


def image_to_nibabel(image):
    """A nibabel image of an Image, Labels or LabelValues; its axes are turned from LPS to RAS."""
    import nibabel
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = np.asarray(image.direction) * np.asarray(image.spacing), image.origin
    return nibabel.Nifti1Image(np.array(image.values).transpose(2, 1, 0), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
