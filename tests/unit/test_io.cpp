#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vtkCellData.h>
#include <vtkDataArray.h>
#include <vtkFieldData.h>
#include <vtkInformation.h>
#include <vtkInformationStringKey.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkUnstructuredGrid.h>
#include <vtkXMLUnstructuredGridReader.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <limits>

#include "small_twin.hpp"

using namespace cardiotwin;
using test::bytes_of, test::Folder, test::small_twin;

namespace {

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no FileError";
}

vtkNew<vtkXMLUnstructuredGridReader> read_vtu(const std::filesystem::path& path) {
  vtkNew<vtkXMLUnstructuredGridReader> reader;
  reader->SetFileName(path.c_str());
  reader->Update();
  return reader;
}

TEST(Io, TextIsWrittenWholeAndReplaced) {
  const Folder folder;
  write_text(folder / "a.txt", "first");
  write_text(folder / "a.txt", std::string("sec\0nd\n", 7));
  EXPECT_EQ(read_text(folder / "a.txt"), std::string("sec\0nd\n", 7));
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(Io, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const Folder folder;
  write_text(folder / "a.txt", "old");
  EXPECT_THROW(write_atomically(folder / "a.txt",
                                [](const auto& path) {
                                  test::write_bytes(path, "half");
                                  throw NumericalError("NaN");
                                }),
               NumericalError);
  EXPECT_EQ(read_text(folder / "a.txt"), "old");
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_THROW(write_atomically(folder / "b.txt", [](const auto&) {}), FileError);  // wrote nothing
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(Io, AStateComesBackAsItWasOrNotAtAll) {
  const Folder folder;
  SimulationState state{.time = 12.5, .bytes = {}};
  for (int k = 0; k < 1000; ++k) state.bytes.push_back(std::byte(k * 7));
  save(folder / "state.bin", state);
  const auto read = load_state(folder / "state.bin");
  EXPECT_EQ(read.time, 12.5);
  EXPECT_EQ(read.bytes, state.bytes);

  const std::string whole = read_text(folder / "state.bin");
  for (const std::size_t length : {std::size_t(0), std::size_t(20), std::size_t(60), whole.size() - 1}) {
    write_text(folder / "cut.bin", whole.substr(0, length));
    EXPECT_THROW(load_state(folder / "cut.bin"), InputError) << length;
  }
  std::string flipped = whole;
  flipped[whole.size() / 2] ^= 1;
  write_text(folder / "flipped.bin", flipped);
  EXPECT_THROW(load_state(folder / "flipped.bin"), InputError);
  EXPECT_THROW(load_state(folder / "none.bin"), FileError);
}

TEST(Io, TheTemporaryNameKeepsFolderAndExtension) {
  const Folder folder;
  write_atomically(folder / "image.nii.gz", [&](const std::filesystem::path& path) {
    EXPECT_EQ(path.parent_path(), folder.path());
    EXPECT_TRUE(path.filename().string().ends_with("image.nii.gz"));
    EXPECT_TRUE(path.filename().string().starts_with("."));
    test::write_bytes(path, "x");
  });
}

TEST(Io, WritingNeedsAFolderThatCanBeWritten) {
  const Folder folder;
  EXPECT_EQ(error_of([&] { write_text(folder / "none/a.txt", "x"); }),
            "cannot write " + (folder / "none/a.txt").string() + ": the folder " + (folder / "none").string() +
                " does not exist");
  EXPECT_NE(error_of([&] { write_text(folder.path(), "x"); }).find("a folder has that name"), std::string::npos);
}

TEST(Io, AReadOnlyFolderIsNamed) {
  const Folder folder;
  ::chmod(folder.path().c_str(), 0555);
  const bool root = ::geteuid() == 0;  // to whom nothing is read-only: be nobody for a moment
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto text = error_of([&] { write_text(folder / "a.txt", "x"); });
  const auto twin = error_of([&] { small_twin().save(folder / "a.twin"); });
  const auto sub = error_of([&] { make_folder(folder / "sub"); });
  const auto here = error_of([&] { make_folder(folder.path()); });
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  ::chmod(folder.path().c_str(), 0755);
  EXPECT_NE(text.find("is not writable"), std::string::npos) << text;
  EXPECT_NE(twin.find("is not writable"), std::string::npos) << twin;
  EXPECT_NE(sub.find("cannot make the folder"), std::string::npos) << sub;
  EXPECT_NE(here.find("is not writable"), std::string::npos) << here;
}

TEST(Io, ReadingSaysWhatIsMissing) {
  const Folder folder;
  EXPECT_EQ(error_of([&] { read_text(folder / "none"); }), (folder / "none").string() + " does not exist");
  EXPECT_THROW(read_text(folder.path()), FileError);
}

TEST(Io, MakeFolderMakesParentsAndRefusesAFile) {
  const Folder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "a/b/c"));
  write_text(folder / "file", "x");
  EXPECT_THROW(make_folder(folder / "file"), FileError);
  EXPECT_THROW(make_folder(folder / "file/sub"), FileError);
}

TEST(Io, AFullDiskIsAFileErrorAndLeavesNothing) {
  const Folder folder;
  const auto twin = small_twin();
  const std::vector<Map> maps{{.name = "noise", .unit = "mV", .values = std::vector<double>(100000, 1.0)}};
  std::vector<std::string> errors;
  {
    const test::SmallDisk disk(512);
    errors.push_back(error_of([&] { write_text(folder / "a.txt", std::string(100000, 'x')); }));
    errors.push_back(error_of([&] { twin.save(folder / "a.twin"); }));
    errors.push_back(error_of([&] { save(folder / "a.vtu", twin.anatomy); }));
    errors.push_back(error_of([&] { save_surface(folder / "b.vtu", twin.anatomy); }));
    errors.push_back(error_of([&] { save_maps(folder / "a.h5", maps); }));
  }
  for (const auto& error : errors) EXPECT_TRUE(error.starts_with("cannot write ")) << error;
  EXPECT_EQ(folder.entries(), 0u);
  twin.save(folder / "a.twin");  // and the next attempt on a larger disk succeeds
  EXPECT_NO_THROW(Twin::load(folder / "a.twin"));
}

TEST(Io, VtuReadsBackInVtk) {
  const Folder folder;
  const auto twin = small_twin();
  const auto& mesh = twin.anatomy.mesh;
  Map lat{.name = "LAT", .unit = "ms", .values = std::vector<double>(mesh.node_count(), 1.0 / 3.0)};
  lat.values[4] = NAN;
  Map vectors{.name = "v", .unit = "m/s", .at = Location::tet, .components = 3, .values = {}};
  for (std::size_t i = 0; i < 3 * mesh.tet_count(); ++i) vectors.values.push_back(static_cast<double>(i));
  save(folder / "a.vtu", twin.anatomy, {lat, vectors});
  EXPECT_EQ(folder.entries(), 1u);

  const auto reader = read_vtu(folder / "a.vtu");
  auto& grid = *reader->GetOutput();
  ASSERT_EQ(grid.GetNumberOfPoints(), static_cast<vtkIdType>(mesh.node_count()));
  ASSERT_EQ(grid.GetNumberOfCells(), static_cast<vtkIdType>(mesh.tet_count()));
  for (vtkIdType i = 0; i < grid.GetNumberOfPoints(); ++i) {
    for (int k = 0; k < 3; ++k) EXPECT_EQ(grid.GetPoint(i)[k], mesh.points()[static_cast<std::size_t>(i)][k]);
  }
  for (vtkIdType i = 0; i < grid.GetNumberOfCells(); ++i) {
    const auto t = static_cast<std::size_t>(i);
    ASSERT_EQ(grid.GetCellType(i), VTK_TETRA);
    for (int k = 0; k < 4; ++k) EXPECT_EQ(grid.GetCell(i)->GetPointId(k), mesh.tets()[t][static_cast<std::size_t>(k)]);
    EXPECT_EQ(grid.GetCellData()->GetArray("region")->GetTuple1(i), mesh.labels()[t]);
    EXPECT_EQ(grid.GetCellData()->GetArray("aha")->GetTuple1(i), twin.anatomy.aha[t]);
    EXPECT_EQ(grid.GetCellData()->GetArray("fiber")->GetTuple3(i)[2], twin.anatomy.fibers.f[t].z());
    EXPECT_EQ(grid.GetCellData()->GetArray("v")->GetTuple3(i)[1], static_cast<double>(3 * i + 1));
  }
  auto* read = grid.GetPointData()->GetArray("LAT");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(read->GetTuple1(3), 1.0 / 3.0);
  EXPECT_TRUE(std::isnan(read->GetTuple1(4)));
  EXPECT_STREQ(read->GetInformation()->Get(vtkDataArray::UNITS_LABEL()), "ms");
  // As names: arrays of text would keep meshio from reading the file.
  auto& about = *grid.GetFieldData();
  EXPECT_NE(about.GetArray((std::string("notice: ") + research_use_only).c_str()), nullptr);
  EXPECT_NE(about.GetArray(("writer: cardiotwin " + version()).c_str()), nullptr);
  for (int i = 0; i < about.GetNumberOfArrays(); ++i) EXPECT_NE(about.GetArray(i), nullptr);
}

TEST(Io, VtuHasTheSameBytesEachTime) {
  const Folder folder;
  const auto twin = small_twin();
  save(folder / "a.vtu", twin.anatomy.mesh);
  save(folder / "b.vtu", twin.anatomy.mesh);
  EXPECT_TRUE(bytes_of(folder / "a.vtu") == bytes_of(folder / "b.vtu"));
}

TEST(Io, VtuRefusesAMapThatDoesNotFit) {
  const Folder folder;
  const auto twin = small_twin();
  const Map map{.name = "LAT", .unit = "ms", .values = {1, 2, 3}};
  EXPECT_THROW(save(folder / "a.vtu", twin.anatomy.mesh, map), InputError);
  EXPECT_THROW(save_surface(folder / "a.vtu", twin.anatomy, {map}), InputError);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Io, SurfaceHoldsTaggedTrianglesAndTheirNodes) {
  const Folder folder;
  const auto& anatomy = small_twin().anatomy;
  Map depth{.name = "depth", .unit = "", .values = anatomy.depth};
  save_surface(folder / "s.vtu", anatomy, {depth});
  const auto reader = read_vtu(folder / "s.vtu");
  auto& grid = *reader->GetOutput();
  ASSERT_EQ(grid.GetNumberOfCells(), static_cast<vtkIdType>(anatomy.surface.size()));
  // 5 x 4 x 3 nodes of which 3 x 2 x 1 are inside.
  EXPECT_EQ(grid.GetNumberOfPoints(), 60 - 6);
  for (vtkIdType i = 0; i < grid.GetNumberOfCells(); ++i) {
    const auto& face = anatomy.surface[static_cast<std::size_t>(i)];
    EXPECT_EQ(grid.GetCellType(i), VTK_TRIANGLE);
    EXPECT_EQ(grid.GetCellData()->GetArray("surface")->GetTuple1(i), static_cast<double>(face.tag));
    for (int k = 0; k < 3; ++k) {
      const auto point = grid.GetCell(i)->GetPointId(k);
      const auto node = static_cast<std::size_t>(face.nodes[static_cast<std::size_t>(k)]);
      EXPECT_EQ(grid.GetPoint(point)[0], anatomy.mesh.points()[node].x());
      EXPECT_EQ(grid.GetPointData()->GetArray("depth")->GetTuple1(point), anatomy.depth[node]);
    }
  }
}

TEST(Io, MapsComeBackExactly) {
  const Folder folder;
  const double tiny = std::numeric_limits<double>::denorm_min();
  const std::vector<Map> maps{
      {.name = "LAT", .unit = "ms", .values = {0.1, NAN, -0.0, tiny, INFINITY}},
      {.name = "d\u00e9j\u00e0", .unit = "", .at = Location::tet, .components = 2, .values = {1, 2, 3, 4}},
      {.name = "", .unit = "m/s", .values = {}}};
  save_maps(folder / "m.h5", maps);
  save_maps(folder / "n.h5", maps);
  const auto back = load_maps(folder / "m.h5");
  ASSERT_EQ(back.size(), maps.size());
  for (std::size_t i = 0; i < maps.size(); ++i) {
    EXPECT_EQ(back[i].name, maps[i].name);
    EXPECT_EQ(back[i].unit, maps[i].unit);
    EXPECT_EQ(back[i].at, maps[i].at);
    EXPECT_EQ(back[i].components, maps[i].components);
    ASSERT_EQ(back[i].values.size(), maps[i].values.size());
    for (std::size_t k = 0; k < maps[i].values.size(); ++k) {
      EXPECT_EQ(std::bit_cast<std::uint64_t>(back[i].values[k]), std::bit_cast<std::uint64_t>(maps[i].values[k]));
    }
  }
  EXPECT_TRUE(bytes_of(folder / "m.h5") == bytes_of(folder / "n.h5"));
  save_maps(folder / "none.h5", {});
  EXPECT_TRUE(load_maps(folder / "none.h5").empty());
}

TEST(Io, DamagedMapsAreRefused) {
  const Folder folder;
  save_maps(folder / "m.h5", {{.name = "LAT", .unit = "ms", .values = {1, 2, 3}}});
  const auto sound = bytes_of(folder / "m.h5");
  for (std::size_t at = 0; at < sound.size(); at += 37) {
    auto bytes = sound;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    test::write_bytes(folder / "bad.h5", bytes);
    EXPECT_THROW(load_maps(folder / "bad.h5"), FileError) << "byte " << at;
  }
  EXPECT_THROW(load_maps(folder / "none.h5"), FileError);
  small_twin().save(folder / "heart.twin");
  EXPECT_THROW(load_maps(folder / "heart.twin"), FileError);
}

}  // namespace
