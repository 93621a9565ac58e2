"""Sweeps of parameters over one heart."""

import hashlib
import itertools
import json
import os
import pathlib
import tempfile
import zipfile

import numpy as np

from cardiotwin import _core
from cardiotwin._told import Told

_UNITS = {"along": "S/m", "across": "S/m", "conductivity": "1"}


def _split(key, tissue):
    """"border_zone.across" as region and parameter; raises InputError for one that is unknown."""
    region, dot, name = key.partition(".")
    if not dot:
        raise _core.InputError(f'sweep: "{key}" must read REGION.PARAMETER such as "border_zone.across"')
    tissue[region]
    if name not in _UNITS:
        known = _core.ionic_model(tissue.model)["parameters"]
        if name not in known:
            raise _core.InputError(f'sweep: "{name}" is neither along, across, conductivity nor a parameter of '
                                   f'{tissue.model}: {", ".join(known)}')
    return region, name


def _unit(name, tissue):
    return _UNITS.get(name) or _core.ionic_model(tissue.model)["parameters"][name]["unit"]


def _step(twin, axes, stiffness):
    """The twin's own step [ms], or the coarsest that the sweep's largest conductivities allow."""
    tissue = twin.tissue.copy()
    largest = {tuple(key.split(".", 1)): max(values) for key, values in axes.items()}
    for (region, name), value in largest.items():
        if name in ("along", "across"):
            setattr(tissue[region].conductivity, name, value)
    for (region, name), factor in largest.items():
        if name == "conductivity":
            conductivity = tissue[region].conductivity
            conductivity.along, conductivity.across = factor * conductivity.along, factor * conductivity.across
    return min(_core.natural_dt(twin), _core._coarsest_dt(_core.Twin(twin.anatomy, tissue), stiffness))


def _points(axes):
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def _run(twin_file, points, protocol, duration, options, save):
    """Runs points on one heart; those that share their conductivities [S/m] go as one ensemble. `save(index, result)`
    is called for each when it is done. No result depends on which points are run together."""
    twin = _core.Twin.load(twin_file)
    groups = {}
    for index, point in points:
        matrix = tuple(sorted((k, v) for k, v in point.items() if k.endswith((".along", ".across"))))
        groups.setdefault(matrix, []).append((index, point))
    for matrix, members in groups.items():
        for key, value in matrix:
            region, name = key.split(".", 1)
            setattr(twin.tissue[region].conductivity, name, value)
        ensemble = _core.Ensemble(twin, min(len(members), _core.Ensemble.limit()), **options)

        def job(number, simulation):
            index, point = members[number]
            conductivity, parameters = {}, {}
            for key, value in point.items():
                region, name = key.split(".", 1)
                if name == "conductivity":
                    conductivity[region] = value
                elif name not in ("along", "across"):
                    parameters.setdefault(region, {})[name] = value
            simulation.reset()
            simulation.clear_protocols()
            simulation.vary(_core.Variation(conductivity=conductivity, parameters=parameters))
            simulation.add(_core.Protocol(protocol))
            simulation.run(duration, progress=False)
            save(index, {"LAT": simulation.activations()[:, 0], "repolarization": simulation.repolarizations(),
                         "voltage": simulation.voltage()})

        ensemble.for_each(len(members), job)


def _run_part(twin_bytes, points, pulses, duration, options):
    """One part on a Dask worker."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "heart.twin"
        path.write_bytes(twin_bytes)
        results = {}
        _run(path, points, [_core.Stimulus(**pulse) for pulse in pulses], duration, options, results.__setitem__)
        return results


def _pulses(protocol):
    return [dict(nodes=[int(node) for node in s.nodes], start=s.start, duration=s.duration, amplitude=s.amplitude,
                 waveform=s.waveform.name) for s in protocol.stimuli]


class _Folder:
    """Finished points on disk, whole or not at all."""

    def __init__(self, folder, identity):
        self.path = pathlib.Path(folder)
        self.path.mkdir(parents=True, exist_ok=True)
        note = self.path / "sweep.json"
        if note.exists():
            try:
                kept = dict(json.loads(note.read_text()))
            except (ValueError, TypeError):
                raise _core.InputError(f"{note} is damaged; name another folder") from None
            other = [name for name in identity if kept.get(name) != identity[name]]
            if other:
                raise _core.InputError(f"{self.path} holds another sweep ({', '.join(other)} differ); name another folder")
        self._write(note, lambda file: file.write(json.dumps(identity, indent=1).encode()))

    def _write(self, path, write):
        aside = path.with_suffix(path.suffix + ".part")
        with open(aside, "wb") as file:
            write(file)
        os.replace(aside, path)

    def load(self, index):
        path = self.path / f"point{index:06d}.npz"
        if not path.exists():
            return None
        try:
            with open(path, "rb") as file, np.load(file) as arrays:
                return dict(arrays)
        except (ValueError, OSError, zipfile.BadZipFile):
            return None  # damaged: it is run again

    def save(self, index, result):
        self._write(self.path / f"point{index:06d}.npz", lambda file: np.savez(file, **result))


def sweep(twin, axes, protocol, duration, *, folder=None, scheduler=None, parts=None, progress=None, dt=0.0,
          precision="fp32", threads=0, backend="cpu", ionic_load=None, stiffness=None):
    """All combinations of parameters on one heart, as an xarray.Dataset.

    axes: {"border_zone.across": [0.01, 0.02], "healthy.tau_in": [...]}: REGION.along and REGION.across [S/m],
    REGION.conductivity (a factor of both), or REGION.PARAMETER of the ionic model in its unit. Points that share
    conductivities in S/m run as one ensemble, so a factor is cheaper to sweep.
    protocol, duration [ms]: what every point is paced with, and how long it is run. dt [ms], 0: the twin's own, or the
    coarsest that the largest conductivities allow.
    folder: where finished points are kept; the same call resumes there. scheduler: a Dask client, which runs `parts`
    parts (None: four a worker). The result does not depend on how the points were split.
    Returns LAT and repolarization [ms] (the last of each node, NaN where there is none) and the final voltage [mV],
    over the axes and "node"; `to_netcdf` saves it.
    Raises InputError for an unknown key, a value out of range, or a folder of another sweep.
    """
    import xarray

    axes = {key: [float(value) for value in np.atleast_1d(values)] for key, values in axes.items()}
    if not axes or not all(axes.values()):
        raise _core.InputError("sweep: axes must name at least one parameter, each with at least one value")
    split = {key: _split(key, twin.tissue) for key in axes}
    options = dict(dt=dt or _step(twin, axes, stiffness or _core.natural_stiffness(twin)), precision=precision,
                   backend=backend)
    if ionic_load is not None:
        options["ionic_load"] = ionic_load
    if stiffness is not None:
        options["stiffness"] = getattr(stiffness, "name", stiffness)
    pulses, points = _pulses(protocol), _points(axes)
    with tempfile.TemporaryDirectory() as aside:
        path = pathlib.Path(aside) / "heart.twin"
        twin.save(path)
        heart = path.read_bytes()
        digest = hashlib.sha256(heart).hexdigest()
        identity = dict(notice=_core.research_use_only, version=_core.__version__, twin_sha256=digest, axes=axes,
                        protocol=pulses, duration_ms=float(duration), options=options)
        kept = _Folder(folder, identity) if folder is not None else None
        results = {}
        for index in range(len(points)):
            if kept and (found := kept.load(index)) is not None:
                results[index] = found
        told = Told(progress)

        def save(index, result):
            results[index] = result
            if kept:
                kept.save(index, result)
            told.progress("sweep", len(results) / len(points))

        todo = [(index, point) for index, point in enumerate(points) if index not in results]
        try:
            if scheduler is None:
                if todo:
                    _run(path, todo, protocol.stimuli, duration, dict(options, threads=threads), save)
            else:
                from dask.distributed import as_completed
                count = parts or 4 * max(1, len(scheduler.scheduler_info()["workers"]))
                # A task is run again where its worker dies; scattered data would be lost.
                heart_there = scheduler.submit(bytes, heart, pure=False)
                futures = [scheduler.submit(_run_part, heart_there, todo[k::count], pulses, duration,
                                            dict(options, threads=threads), pure=False)
                           for k in range(count) if todo[k::count]]
                for future in as_completed(futures):
                    for index, result in future.result().items():
                        save(index, result)
        finally:
            told.close()

    shape = [len(values) for values in axes.values()]
    nodes = twin.anatomy.mesh.node_count
    units = {"LAT": "ms", "repolarization": "ms", "voltage": "mV"}
    variables = {name: ([*axes, "node"], np.stack([results[i][name] for i in range(len(points))]).reshape(*shape, nodes),
                        {"units": unit}) for name, unit in units.items()}
    coordinates = {key: (key, values, {"units": _unit(split[key][1], twin.tissue)}) for key, values in axes.items()}
    return xarray.Dataset(variables, coordinates, attrs=dict(
        notice=_core.research_use_only, version=_core.__version__, twin_sha256=digest, duration_ms=float(duration),
        **{name: str(value) for name, value in options.items()}))
