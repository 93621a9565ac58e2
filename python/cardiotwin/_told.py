"""Where progress, notes and warnings of long calls go."""

import logging
import sys
import warnings

logger = logging.getLogger("cardiotwin")


class TwinWarning(UserWarning):
    """Something was assumed or looks doubtful; the work went on."""


def _in_notebook():
    shell = sys.modules.get("IPython")
    shell = shell.get_ipython() if shell else None
    return shell is not None and hasattr(shell, "kernel")


def _bar():
    """A tqdm bar where tqdm is installed and somebody looks, else None."""
    if not (_in_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm(total=100, delay=1, leave=False, bar_format="{desc} {percentage:3.0f} % {bar} {remaining} left")


class Told:
    """One long call's listener; made and called by the core."""

    def __init__(self, progress):
        if not (progress is None or progress is False or progress is True or callable(progress)):
            raise TypeError(f"progress must be None, True, False or callable, not {progress!r}")
        self._call = progress if callable(progress) else None
        self._wanted = progress is None or progress is True
        self._bar = None
        self._opened = False

    def progress(self, what, done):
        if self._call is not None:
            self._call(what, done)
            return
        if not self._wanted:
            return
        if not self._opened:
            self._bar, self._opened = _bar(), True
        if self._bar is not None:
            self._bar.set_description_str(what, refresh=False)
            self._bar.n = 100 * done
            self._bar.refresh()

    def note(self, text):
        logger.info(text)

    def warning(self, text):
        warnings.warn(text, TwinWarning, stacklevel=2)

    def close(self):
        if self._bar is not None:
            self._bar.close()
