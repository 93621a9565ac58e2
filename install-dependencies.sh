#!/bin/sh
# Installs what cardiotwin is built with, where it is missing. Debian 12 or newer and Ubuntu 24.04 or newer;
# elsewhere it says what is needed. Does nothing, quickly, when all is there. With "tests" or "docs" also what only
# these use.
set -eu

packages="g++ cmake ninja-build ccache
  libeigen3-dev libfmt-dev nlohmann-json3-dev libcli11-dev libtomlplusplus-dev libssl-dev zlib1g-dev libhdf5-dev
  libvtk9-dev libgdcm-dev libpng-dev libgtest-dev
  python3-dev python3-numpy pybind11-dev"
[ "${1:-}" != tests ] || packages="$packages python3-venv python3-pip python3-xarray python3-tqdm python3-distributed
  python3-scipy python3-meshio python3-nibabel python3-matplotlib python3-nbclient python3-ipykernel mypy"
[ "${1:-}" != docs ] || packages="$packages doxygen pandoc python3-sphinx python3-myst-parser python3-nbsphinx
  python3-sphinx-rtd-theme"

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  for tool in cmake ninja; do
    command -v "$tool" >/dev/null 2>&1 || missing_tool=yes
  done
  if [ -n "${missing_tool:-}" ]; then
    cat >&2 <<'TEXT'
cardiotwin: packages are installed automatically on Debian and Ubuntu only. Here, please install:
  a C++20 compiler with OpenMP, CMake 3.25 or newer, Ninja,
  Eigen 3.4, fmt, nlohmann-json, CLI11 2, toml++ 3, OpenSSL 3, HDF5 1.10 or newer, VTK 9.1 or newer,
  GDCM 3, libpng 1.6,
  for the tests GoogleTest, for the Python module pybind11 and NumPy, for its sweeps xarray and Dask.
TEXT
    exit 1
  fi
  exit 0
fi

missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
  run=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
      echo "cardiotwin: as root, please run: apt-get install --no-install-recommends$missing" >&2
      exit 1
    }
    run="sudo"
  fi
  echo "cardiotwin: installing$missing"
  $run env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086  # a list of words on purpose
  $run env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
fi

# What Debian does not carry: PyVista for the notebooks, SimpleITK, makers of stubs and wheels. Without PyPI the tests
# that need these skip and say so.
wanted=python/tests/requirements.txt
if [ "${1:-}" = tests ] && ! cmp -s $wanted build/venv/installed.txt; then
  echo "cardiotwin: installing $wanted into build/venv"
  if /usr/bin/python3 -m venv --system-site-packages build/venv &&
    build/venv/bin/pip install --quiet --disable-pip-version-check -r $wanted; then
    cp $wanted build/venv/installed.txt
  else
    echo "cardiotwin: PyPI cannot be reached; tests that need PyVista, SimpleITK or pybind11-stubgen will skip" >&2
  fi
fi

version=$(cmake --version | sed -n 's/^cmake version //p')
if [ "$(printf '%s\n3.25\n' "$version" | sort -V | head -n 1)" != "3.25" ]; then
  echo "cardiotwin: CMake 3.25 or newer is needed, found $version; Debian 12 and Ubuntu 24.04 carry it" >&2
  exit 1
fi
