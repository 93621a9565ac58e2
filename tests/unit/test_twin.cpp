#include <gtest/gtest.h>
#include <unistd.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/twin.hpp>
#ifdef CARDIOTWIN_VTKHDF
#include <vtkCellData.h>
#include <vtkDataArray.h>
#include <vtkHDFReader.h>
#include <vtkNew.h>
#include <vtkPointData.h>
#include <vtkUnstructuredGrid.h>
#endif

#include <functional>

#include "small_twin.hpp"

using namespace cardiotwin;
using test::bytes_of, test::Folder, test::small_twin, test::write_bytes;

namespace {

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no FileError";
}

template <class Range>
auto list(const Range& range) {
  return std::vector(range.begin(), range.end());
}

TEST(Twin, ComesBackExactly) {
  const Folder folder;
  const auto twin = small_twin();
  twin.save(folder / "heart.twin");
  const auto back = Twin::load(folder / "heart.twin");
  const auto &a = twin.anatomy, &b = back.anatomy;
  EXPECT_EQ(list(a.mesh.points()), list(b.mesh.points()));
  EXPECT_EQ(list(a.mesh.tets()), list(b.mesh.tets()));
  EXPECT_EQ(list(a.mesh.labels()), list(b.mesh.labels()));
  EXPECT_EQ(a.fibers.f, b.fibers.f);
  EXPECT_EQ(a.fibers.s, b.fibers.s);
  EXPECT_EQ(a.fibers.n, b.fibers.n);
  EXPECT_EQ(a.regions, b.regions);
  ASSERT_EQ(a.surface.size(), b.surface.size());
  for (std::size_t i = 0; i < a.surface.size(); ++i) {
    EXPECT_EQ(a.surface[i].nodes, b.surface[i].nodes);
    EXPECT_EQ(a.surface[i].tet, b.surface[i].tet);
    EXPECT_EQ(a.surface[i].tag, b.surface[i].tag);
  }
  EXPECT_EQ(a.depth, b.depth);
  EXPECT_EQ(a.height, b.height);
  EXPECT_EQ(a.aha, b.aha);
  ASSERT_EQ(b.sites.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(a.sites[i].name, b.sites[i].name);
    EXPECT_EQ(a.sites[i].position, b.sites[i].position);
    EXPECT_EQ(a.sites[i].nodes, b.sites[i].nodes);
  }
  EXPECT_EQ(a.apex, b.apex);
  EXPECT_EQ(a.base_centre, b.base_centre);
  EXPECT_EQ(a.septum, b.septum);
  EXPECT_EQ(back.measurements, twin.measurements);
  EXPECT_EQ(back.posterior, twin.posterior);
  EXPECT_EQ(to_json(back.provenance), to_json(twin.provenance));
}

TEST(Twin, TissueComesBackExactly) {
  const Folder folder;
  const auto twin = small_twin();
  twin.save(folder / "heart.twin");
  const auto tissue = Twin::load(folder / "heart.twin").tissue;
  EXPECT_EQ(tissue.model, twin.tissue.model);
  EXPECT_EQ(tissue.beta, twin.tissue.beta);
  EXPECT_EQ(tissue.capacitance, twin.tissue.capacitance);
  EXPECT_EQ(tissue.calibrated_edge, 1.05);
  EXPECT_EQ(tissue.calibrated_load, 2.0 / 3.0);
  ASSERT_EQ(tissue.regions.size(), 3u);
  for (const auto& [name, region] : twin.tissue.regions) {
    const auto& back = tissue.regions.at(name);
    EXPECT_EQ(back.conducts, region.conducts);
    EXPECT_EQ(back.conductivity.along, region.conductivity.along);
    EXPECT_EQ(back.conductivity.across, region.conductivity.across);
    EXPECT_EQ(back.wanted.along, region.wanted.along);
    EXPECT_EQ(back.wanted.across, region.wanted.across);
    EXPECT_EQ(back.variant, region.variant);
    EXPECT_EQ(back.parameters, region.parameters);
  }
}

TEST(Twin, AnatomyLoadsAlone) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  const auto anatomy = Anatomy::load(folder / "heart.twin");
  EXPECT_EQ(anatomy.mesh.tet_count(), small_twin().anatomy.mesh.tet_count());
  EXPECT_EQ(anatomy.site("aha7").nodes, small_twin().anatomy.site("aha7").nodes);
}

TEST(Twin, WallAndSegmentsMayBeAbsent) {
  const Folder folder;
  auto twin = small_twin();
  twin.anatomy.depth.clear(), twin.anatomy.height.clear(), twin.anatomy.aha.clear();
  twin.anatomy.sites.clear(), twin.anatomy.surface.clear();
  twin.save(folder / "block.twin");
  const auto back = Twin::load(folder / "block.twin").anatomy;
  EXPECT_TRUE(back.depth.empty() && back.height.empty() && back.aha.empty() && back.sites.empty() &&
              back.surface.empty());
}

TEST(Twin, FieldsAndFindingsComeBackAndMustFit) {
  const Folder folder;
  auto twin = small_twin();
  auto& a = twin.anatomy;
  a.maps.push_back({"fibrosis_density", "1", Location::tet, 1, std::vector<double>(a.mesh.tet_count(), 0.25)});
  a.maps.push_back({"drift", "mm", Location::node, 3, std::vector<double>(3 * a.mesh.node_count(), -1.5)});
  twin.findings = {{Severity::warning, "slices are 8 mm apart"}, {Severity::severe, "blood is dark"}};
  twin.save(folder / "heart.twin");
  const auto back = Twin::load(folder / "heart.twin");
  EXPECT_EQ(back.findings, twin.findings);
  ASSERT_EQ(back.anatomy.maps.size(), 2u);
  for (std::size_t m = 0; m < 2; ++m) {
    EXPECT_EQ(back.anatomy.maps[m].name, a.maps[m].name);
    EXPECT_EQ(back.anatomy.maps[m].unit, a.maps[m].unit);
    EXPECT_EQ(back.anatomy.maps[m].at, a.maps[m].at);
    EXPECT_EQ(back.anatomy.maps[m].components, a.maps[m].components);
    EXPECT_EQ(back.anatomy.maps[m].values, a.maps[m].values);
  }
  a.maps[1].name = "fibrosis_density";
  EXPECT_THROW(a.validate(), InputError);
  a.maps[1].name = "drift", a.maps[1].values.pop_back();
  EXPECT_THROW(a.validate(), InputError);
}

TEST(Twin, SameTwinGivesSameBytes) {
  const Folder folder;
  small_twin().save(folder / "a.twin");
  ::sleep(1);  // a time stamp in the file would show
  small_twin().save(folder / "b.twin");
  Twin::load(folder / "a.twin").save(folder / "c.twin");
  EXPECT_TRUE(bytes_of(folder / "a.twin") == bytes_of(folder / "b.twin"));
  EXPECT_TRUE(bytes_of(folder / "a.twin") == bytes_of(folder / "c.twin"));
  auto other = small_twin();
  other.anatomy.depth[0] += 1e-9;
  other.save(folder / "d.twin");
  EXPECT_FALSE(bytes_of(folder / "a.twin") == bytes_of(folder / "d.twin"));
}

TEST(Twin, HeaderIsReadableText) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  const auto bytes = bytes_of(folder / "heart.twin");
  const auto header = bytes.substr(0, 512);
  EXPECT_TRUE(
      header.starts_with("cardiotwin twin\nformat 1\nbytes " + std::to_string(bytes.size() - 512) + "\nsha256 "));
  EXPECT_NE(header.find("Research use only"), std::string::npos);
  EXPECT_NE(header.find(sha256(std::as_bytes(std::span(bytes).subspan(512)))), std::string::npos);
  EXPECT_EQ(bytes.substr(512, 8), "\x89HDF\r\n\x1a\n");
}

TEST(Twin, OpensInVtk) {
#ifdef CARDIOTWIN_VTKHDF
  const Folder folder;
  const auto twin = small_twin();
  twin.save(folder / "heart.twin");
  vtkNew<vtkHDFReader> reader;
  reader->SetFileName((folder / "heart.twin").c_str());
  reader->Update();
  auto* grid = vtkUnstructuredGrid::SafeDownCast(reader->GetOutputAsDataSet());
  ASSERT_NE(grid, nullptr);
  const auto& mesh = twin.anatomy.mesh;
  ASSERT_EQ(grid->GetNumberOfPoints(), static_cast<vtkIdType>(mesh.node_count()));
  ASSERT_EQ(grid->GetNumberOfCells(), static_cast<vtkIdType>(mesh.tet_count()));
  for (std::size_t t = 0; t < mesh.tet_count(); ++t) {
    const auto i = static_cast<vtkIdType>(t);
    ASSERT_EQ(grid->GetCellType(i), VTK_TETRA);
    for (int k = 0; k < 4; ++k) EXPECT_EQ(grid->GetCell(i)->GetPointId(k), mesh.tets()[t][static_cast<std::size_t>(k)]);
    EXPECT_EQ(grid->GetCellData()->GetArray("region")->GetTuple1(i), mesh.labels()[t]);
    EXPECT_EQ(grid->GetCellData()->GetArray("fiber")->GetTuple3(i)[1], twin.anatomy.fibers.f[t].y());
  }
  EXPECT_EQ(grid->GetPointData()->GetArray("depth")->GetTuple1(3), twin.anatomy.depth[3]);
#else
  GTEST_SKIP() << "this VTK has no HDF reader (component IOHDF)";
#endif
}

TEST(Twin, AnyFlippedByteIsRefused) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  const auto sound = bytes_of(folder / "heart.twin");
  // Every byte of the header, and some 400 positions spread over the rest with a stride that is odd.
  const std::size_t stride = (sound.size() / 400) | 1;
  std::fstream file(folder / "heart.twin", std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t at, char value) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(value).flush();
  };
  for (std::size_t at = 0; at < sound.size(); at += at < 512 ? 1 : stride) {
    put(at, static_cast<char>(sound[at] ^ (1 << (at % 8))));
    EXPECT_THROW(Twin::load(folder / "heart.twin"), FileError) << "byte " << at;
    put(at, sound[at]);
  }
  EXPECT_NO_THROW(Twin::load(folder / "heart.twin"));
}

TEST(Twin, AnyTruncationOrTailIsRefused) {
  const Folder folder;
  small_twin().save(folder / "heart.twin");
  const auto sound = bytes_of(folder / "heart.twin");
  for (std::size_t size = 0; size < sound.size(); size += size < 600 ? 7 : 1009) {
    write_bytes(folder / "bad.twin", sound.substr(0, size));
    EXPECT_THROW(Twin::load(folder / "bad.twin"), FileError) << size << " bytes";
  }
  write_bytes(folder / "bad.twin", sound + "x");
  EXPECT_THROW(Twin::load(folder / "bad.twin"), FileError);
}

TEST(Twin, ErrorsSayWhatIsWrong) {
  const Folder folder;
  const auto path = folder / "heart.twin";
  const auto load = [&] { Twin::load(path); };
  EXPECT_EQ(error_of(load), path.string() + " does not exist");
  write_bytes(path, "some text");
  EXPECT_EQ(error_of(load), path.string() + " is not a cardiotwin twin file");
  EXPECT_EQ(error_of([&] { Twin::load(folder.path()); }), folder.path().string() + " cannot be read");

  small_twin().save(path);
  auto bytes = bytes_of(path);
  bytes[bytes.find("format 1") + 7] = '3';
  write_bytes(path, bytes);
  EXPECT_EQ(error_of(load),
            path.string() + " was written by a newer cardiotwin (format 3, this one reads 1): update cardiotwin");

  small_twin().save(path);
  bytes = bytes_of(path);
  bytes[bytes.size() / 2] ^= 1;
  write_bytes(path, bytes);
  EXPECT_NE(error_of(load).find("is damaged or truncated"), std::string::npos);
}

TEST(Twin, UnsoundContentBehindARightDigestIsRefused) {
  const Folder folder;
  auto twin = small_twin();
  twin.anatomy.aha.pop_back();  // saved as it is; loading validates
  twin.save(folder / "bad.twin");
  EXPECT_NE(error_of([&] { Twin::load(folder / "bad.twin"); }).find("aha"), std::string::npos);
  twin = small_twin();
  twin.anatomy.sites[0].nodes[0] = 1 << 20;
  twin.save(folder / "bad.twin");
  EXPECT_THROW(Twin::load(folder / "bad.twin"), FileError);
}

TEST(Twin, SavingWhereItCannotLeavesNothing) {
  const Folder folder;
  EXPECT_NE(error_of([&] { small_twin().save(folder / "none/heart.twin"); }).find("does not exist"), std::string::npos);
  EXPECT_EQ(folder.entries(), 0u);
}

}  // namespace
