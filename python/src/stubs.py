"""Types of the compiled core as FOLDER/cardiotwin/_core.pyi, from its signatures.

    stubs.py FOLDER
"""

import pathlib
import re
import sys

import pybind11_stubgen

import cardiotwin


def main():
    core = cardiotwin._core
    enums = {}
    for owner in (core, *filter(lambda each: isinstance(each, type), vars(core).values())):
        place = "cardiotwin._core" if owner is core else f"cardiotwin._core.{owner.__name__}"
        enums.update({name: place for name, each in vars(owner).items() if hasattr(each, "__members__")})
    places = [f"--enum-class-locations={name}:{owner}" for name, owner in sorted(enums.items())]
    folder = pathlib.Path(sys.argv[1])
    pybind11_stubgen.main(["cardiotwin._core", f"--output-dir={folder}", "--exit-code", "--numpy-array-remove-parameters",
                           "--ignore-all-errors", *places])
    stub = folder / "cardiotwin" / "_core.pyi"
    text = stub.read_text().replace("os.PathLike", "str | os.PathLike[str]").replace("import numpy\n",
                                                                                    "import numpy\nimport numpy.typing\n")
    # What is converted on the way in does not show in signatures: sequences to vectors, names to enumerations.
    text = re.sub(r"(\(|, )(\w+): numpy\.ndarray\b", r"\1\2: numpy.typing.ArrayLike", text)
    text = re.sub(rf"(\(|, )(\w+): ({'|'.join(enums)})\b", r"\1\2: \3 | str", text)
    text = re.sub(r"\b([A-Za-z]\w*)\[\d+\]", r"\1", text)  # of an array's length
    text = text.replace("numpy.ndarray", "numpy.typing.NDArray[typing.Any]")
    stub.write_text(text)


if __name__ == "__main__":
    main()
