# Libraries the project stands on, found once for all rooms (imported targets are visible below this folder).
find_package(Eigen3 3.4 REQUIRED)                     # dense linear algebra; header-only, MPL-2.0
find_package(fmt REQUIRED)                            # text; MIT
find_package(nlohmann_json REQUIRED)                  # JSON; MIT
find_package(OpenSSL REQUIRED COMPONENTS Crypto)      # SHA-256; Apache-2.0
find_package(HDF5 REQUIRED COMPONENTS C)              # results; BSD
find_package(VTK REQUIRED COMPONENTS CommonCore CommonDataModel CommonMisc IOXML)  # VTU files; BSD
find_package(ZLIB REQUIRED)                           # compressed images and VTU; zlib licence
# Decoders of compressed DICOM; BSD. GDCM and not ITK, which would bring the same ones; containers we read ourselves, since
# GDCM's parser aborts on damaged files (assertions), and NRRD and MetaImage are a page of text before plain or zlib data.
set(CMAKE_MESSAGE_LOG_LEVEL WARNING)                  # Debian's package lists programs it does not ship
find_package(GDCM REQUIRED)
unset(CMAKE_MESSAGE_LOG_LEVEL)
find_package(PNG REQUIRED)                            # montages; libpng licence
find_package(CLI11 REQUIRED)                          # command line; BSD
find_package(tomlplusplus REQUIRED)                   # case files; MIT
