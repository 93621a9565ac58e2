#!/usr/bin/env python3
"""Builds the manual: build.py [BUILD] [--out FOLDER].

BUILD (build/release) holds what was built: bin/cardiotwin, the Python package in python/, and where they were made
executed notebooks in python/notebooks/ and the tests' tables in validation/. Everything is written into FOLDER
(build/docs), the pages into html/ in it; the source tree stays as it is. A warning of any tool is an error.
"""

import argparse
import importlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GENERATORS = ("command_line", "cpp", "python", "models", "results", "notebooks")


def doxygen(out):
    rooms = " ".join(str(ROOT / room / "include") for room in ("kernels", "libcardiotwin", "meshes"))
    out.mkdir(parents=True, exist_ok=True)
    settings = (HERE / "Doxyfile").read_text() + f"\nOUTPUT_DIRECTORY = {out}\nINPUT = {rooms}\n"
    done = subprocess.run(["doxygen", "-"], input=settings, text=True, capture_output=True, check=True, cwd=out)
    # Overloads whose arguments are aliases of one template are taken for one another (doxygen 1.9): not our mistake.
    told = [line for line in done.stderr.splitlines() if "warning:" in line and "no matching file member" not in line]
    if told:
        sys.exit("doxygen:\n" + "\n".join(told))


def tested_programs(folder):
    """The programs shown are the ones that the tests run: those of the README, and the numbered examples."""
    folder.mkdir(parents=True)
    readme = (ROOT / "README.md").read_text()
    for language, suffix in (("cpp", "cpp"), ("python", "py")):
        for number, text in enumerate(re.findall(rf"```{language}\n(.*?)```", readme, re.S), 1):
            (folder / f"readme_{number}.{suffix}").write_text(text)
    for pattern in ("apps/examples/*.cpp", "tests/package/consumer/CMakeLists.txt",
                    "kernels/src/ionic/mitchell_schaeffer_2003.*"):
        for source in ROOT.glob(pattern):
            shutil.copy(source, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/docs")
    given = parser.parse_args()
    build, out = given.build.resolve(), given.out.resolve()
    if not (build / "bin/cardiotwin").exists() or not (build / "python/cardiotwin").is_dir():
        sys.exit(f"docs: {build} holds no bin/cardiotwin and python/cardiotwin; run `make` first")
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(HERE), str(build / "python")]
    source = out / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(HERE / "pages", source)
    shutil.copy(ROOT / "apps/report.jpg", source)
    doxygen(out / "doxygen")
    tested_programs(source / "programs")
    for name in GENERATORS:
        importlib.import_module(f"generate.{name}").write(ROOT, build, out, source)
    for stale in ("html", "doctrees"):
        shutil.rmtree(out / stale, ignore_errors=True)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path[:2]), CARDIOTWIN_ROOT=str(ROOT),
                       PYTHONDONTWRITEBYTECODE="1")
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-n", "-j", "auto", "-b", "html",
              "-c", str(HERE), "-d", str(out / "doctrees"), str(source), str(out / "html")]
    status = subprocess.run(sphinx, env=environment).returncode
    if status:
        sys.exit(status)
    print(f"docs: {out / 'html/index.html'}")


if __name__ == "__main__":
    main()
