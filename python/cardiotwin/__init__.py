"""Cardiac electrophysiology from an LGE-MRI to tested ablation targets.

The names of the C++ library, NumPy at the border. Units: mm, ms, mV, S/m, A/F. Arrays of a mesh or an anatomy are
read-only views that keep their owner alive. Long calls release the interpreter, honour Ctrl-C and take `progress`: None
shows a tqdm bar where tqdm is installed and somebody looks, False nothing, a callable gets (what, share done).
Research use only, not for diagnosis or treatment.
"""

from cardiotwin._core import *  # noqa: F403
from cardiotwin._core import __version__ as __version__
from cardiotwin._convert import (from_meshio as from_meshio, image_from_nibabel as image_from_nibabel,
                                 image_from_sitk as image_from_sitk, image_to_nibabel as image_to_nibabel,
                                 image_to_sitk as image_to_sitk,
                                 labels_from_sitk as labels_from_sitk, to_meshio as to_meshio, to_pyvista as to_pyvista)
from cardiotwin._sweep import sweep as sweep
from cardiotwin._told import TwinWarning as TwinWarning
