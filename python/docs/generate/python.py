"""The Python reference: public names by what they are for. A public name on no page stops the build."""

import inspect
import sys

from generate.text import rst, title

GROUPS = {
    "anatomy": ("Anatomy", "Meshes, regions, sites, and where in the heart something is.", """
        Anatomy Mesh MeshQuality Map Location Surface Site Ring make_site standard_sites complete_anatomy quality
        edge_statistics box_mesh lattice_block valve_rings ValveRing save save_surface save_maps load_maps Place
        Ventricle Atlas Found map_point map_field place_words"""),
    "fibers": ("Fibres and Purkinje trees", "Laid by rule, taken from elsewhere; a beat as in sinus rhythm.", """
        Fibers uniform_fibers FiberAngles FiberRule lay_fibers FiberSource VectorAxes read_fibers take_fibers
        grow_purkinje PurkinjeOptions PurkinjeTree purkinje_times purkinje_beats"""),
    "tissue": ("Tissue and twin", "What the regions of a heart are made of, and the twin that carries all of it.", """
        Twin Finding Tissue RegionTissue Conductivity Velocity add_fast_endocardium mark_fast_endocardium Lesion"""),
    "simulation": ("Simulation", "Running a heart: pacing, what watches it, states.", """
        Simulation TissueModel Protocol Stimulus ElectrodeCurrent Waveform Variation Stiffness Precision ActivationMap Which RepolarizationMap Probe
        SimulationState natural_dt natural_stiffness"""),
    "ecg": ("Torso and ECG", "What surrounds the heart, potentials there, electrocardiograms.", """
        Torso build_torso TorsoOptions BodyFrame BuiltTorso build_bath load_torso Ground Electrode VolumeConductor
        LeadFields unbounded_lead_fields dipole_fields with_lesions EcgRecorder PotentialProbe Ecg twelve_leads vectorcardiogram
        measure_beat EcgMeasures compare EcgMatch"""),
    "ensemble": ("Ensemble and sweep", "Many simulations of one heart at once.", "Ensemble sweep"),
    "cell": ("Cell", "Ionic models alone.", """
        ionic_model_names ionic_model pace_cell restitution pace_population capture_threshold spontaneous_beats"""),
    "calibration": ("Calibration and check", "Velocities: measured, fitted, judged.", """
        measure_velocity VelocityMeasurement Axis calibrate Calibration CalibratedAxis check"""),
    "fit": ("Fits to measurements", "Activation maps on a heart, velocities fitted to them, how sure that is.", """
        LatMap load_lat_map check_lat_map check_ecg Placement place_by_landmarks LandmarkPlacement place_on_surface
        SurfaceOptions SurfacePlacement sites_on MeasuredSites Eikonal ActivationSource EikonalGradient EikonalTangents
        wanted_velocities MappedBeat fit_activation ActivationFitOptions ActivationFit LatErrors activation_parameters
        calibrate_to_maps MapCalibration"""),
    "inference": ("Inference", "Parameters of any model: methods that ask for points and are told what came out.", """
        Parameter Prior PriorKind ParameterSpace Evaluation weighted_residuals Noise Inference infer Optimum
        LevenbergMarquardt LevenbergMarquardtOptions CmaEs CmaEsOptions EnsembleKalman EnsembleKalmanOptions
        EnsembleSampler EnsembleSamplerOptions ImportanceSampler ImportanceOptions Posterior laplace_posterior
        Identifiability identifiability predictive_p_value simulation_based_calibration Coverage"""),
    "study": ("Study", "The pacing study: induce, find circuits, ablate, pace again, report.", """
        run_study load_plan save_plan write_report PlanOptions Plan SiteResult Target Circuit find_circuit
        CircuitOptions same_circuit"""),
    "images": ("Images", "From an image, or a surface, to a twin.", """
        Image Labels LabelValues read_image read_labels write_image write_labels labels_on canonical_labels inspect
        assess write_montage build_twin build_twin_from_surface BuildOptions Chambers"""),
    "scar": ("Scar", "Which muscle is scar, how much, how deep, and what the thresholds decide.", """
        segment_scar ScarOptions ScarMethod ScarStatistics remote_region RemoteOptions RemoteFrom fibrosis_density
        analyse_scar ScarAnalysis SweepPoint transmurality Transmurality"""),
    "phantoms": ("Synthetic patients", "Hearts whose truth is known.", """
        make_phantom Phantom PhantomOptions PhantomTruth make_atrium_phantom AtriumPhantom AtriumPhantomOptions
        AtriumPhantomTruth PhantomOpening write_phantom"""),
    "conversions": ("Conversions", "Files and types of other programs.", """
        load_anatomy save_anatomy mesh_formats to_pyvista to_meshio from_meshio image_from_sitk labels_from_sitk
        image_to_sitk image_from_nibabel image_to_nibabel"""),
    "errors": ("Errors and notices", "What is raised, what is warned of, and what every file says.", """
        Error InputError FileError NumericalError Interrupted TwinWarning research_use_only __version__"""),
}


ERRORS = {
    "Error": "The base of all that the library raises.",
    "InputError": "What was given cannot be used.",
    "FileError": "A file or folder cannot be read or written.",
    "NumericalError": "A computation failed: not finite, no convergence.",
    "Interrupted": "Asked to stop by something else than Ctrl-C, which raises KeyboardInterrupt.",
}


def entry(module, name):
    thing = getattr(module, name)
    if inspect.isclass(thing) and hasattr(thing, "__members__"):
        values = ", ".join(f"``{value}``" for value in thing.__members__)
        first = next(iter(thing.__members__))
        return (f".. py:class:: {name}\n\n   One of {values}: ``{name}.{first}``, or where one is wanted its name as "
                "text.\n\n")
    if inspect.isclass(thing) and issubclass(thing, BaseException):
        base = thing.__mro__[1].__name__
        words = (thing.__doc__ or "").strip() or ERRORS.get(name, "")
        return f".. py:exception:: {name}\n\n   {rst(words)} Derives from `{base}`.\n\n"
    if inspect.isclass(thing):
        return f".. autoclass:: {name}\n\n"
    if callable(thing):
        return f".. autofunction:: {name}\n\n"
    return f".. py:data:: {name}\n   :value: {thing!r}\n\n"


def write(root, build, out, source):
    import cardiotwin as module
    folder = source / "reference/python"
    folder.mkdir(parents=True)
    told = [name for _, _, names in GROUPS.values() for name in names.split()]
    public = {name for name in vars(module) if not name.startswith("_")} | {"__version__"}
    public -= {name for name in public if inspect.ismodule(getattr(module, name))}
    missing, unknown = sorted(public - set(told)), sorted(set(told) - public)
    if missing or unknown or len(told) != len(set(told)):
        sys.exit(f"docs: python/docs/generate/python.py must name every public name once; missing: {missing}, "
                 f"unknown: {unknown}")
    for group, (heading, words, names) in GROUPS.items():
        text = title(heading) + words + "\n\n.. py:currentmodule:: cardiotwin\n\n"
        (folder / f"{group}.rst").write_text(text + "".join(entry(module, name) for name in names.split()))
    rows = "".join(f"   * - :doc:`{heading} <{group}>`\n     - {words}\n"
                   for group, (heading, words, _) in GROUPS.items())
    toc = "".join(f"   {group}\n" for group in GROUPS)
    (folder / "index.rst").write_text(
        f"{title('Python')}{rst(module.__doc__.strip())}\n\n.. list-table::\n   :widths: 30 70\n\n{rows}\n"
        f".. toctree::\n   :hidden:\n\n{toc}")
