"""A small heart for the tests."""

import numpy as np

import cardiotwin as ct


def block(size=(12.0, 6.0, 4.0), edge=1.0):
    """A slab of healthy muscle with a border zone in its far end, fibres along x, a site in its corner."""
    box = ct.box_mesh(size, edge)
    centre = box.points[box.tets].mean(axis=1)
    labels = np.where(centre[:, 0] > 0.7 * size[0], 2, 1)
    anatomy = ct.Anatomy(ct.Mesh(box.points, box.tets, labels))
    anatomy.add_site("corner", (0, 0, 0), 2.0)
    return anatomy


def twin(**kwargs):
    return ct.Twin(block(**kwargs), ct.Tissue.library("post-infarct"))


def pacing(heart, **kwargs):
    return ct.Protocol.s1s2(heart.anatomy.site("corner"), **{"s1": 400, "beats": 1, **kwargs})
