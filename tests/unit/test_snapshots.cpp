#include <gtest/gtest.h>
#include <hdf5.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/recorder.hpp>
#include <cardiotwin/simulation.hpp>
#include <cmath>
#include <regex>

#include "small_twin.hpp"

using namespace cardiotwin;
using test::bytes_of, test::Folder, test::small_twin;

namespace {

template <class T>
std::vector<T> read(const std::filesystem::path& file, const std::string& path, hid_t type) {
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t set = H5Dopen2(id, path.c_str(), H5P_DEFAULT);
  const hid_t space = H5Dget_space(set);
  std::vector<T> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Sclose(space), H5Dclose(set), H5Fclose(id);
  return values;
}

/// What `run` does at its end.
void finish(Recorder& recorder) {
  Twin twin = small_twin();
  for (auto& [name, region] : twin.tissue.regions) region.variant.clear(), region.parameters.clear();
  recorder.finish(Simulation(twin));
}

/// Counts that opening and closing tags match; enough of XML for a file without attributes holding ">".
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  const std::regex tag("<(!--.*?--|\\?.*?\\?|/?[A-Za-z][^>]*)>");
  for (std::sregex_iterator it(xml.begin(), xml.end(), tag), end; it != end; ++it) {
    const std::string text = (*it)[1];
    if (text[0] == '!' || text[0] == '?' || text.back() == '/') continue;
    if (text[0] != '/') {
      open.push_back(text.substr(0, text.find(' ')));
    } else {
      if (open.empty() || "/" + open.back() != text) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

std::vector<double> voltages(std::size_t nodes, double base) {
  std::vector<double> values(nodes);
  for (std::size_t i = 0; i < nodes; ++i) values[i] = base + static_cast<double>(i);
  values[0] = NAN;
  return values;
}

TEST(Snapshots, AreOneFileWithAllSteps) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  const auto nodes = mesh.node_count();
  Snapshots snapshots(mesh, folder / "run.vtkhdf", 5);
  EXPECT_EQ(snapshots.interval(), 5);
  for (int step = 0; step < 3; ++step) snapshots.sample(5 * step, voltages(nodes, 100 * step));
  EXPECT_FALSE(std::filesystem::exists(folder / "run.vtkhdf"));  // not half-written
  finish(snapshots);
  EXPECT_EQ(folder.entries(), 2u);

  const auto path = folder / "run.vtkhdf";
  const auto values = read<float>(path, "/VTKHDF/PointData/V", H5T_NATIVE_FLOAT);
  ASSERT_EQ(values.size(), 3 * nodes);
  for (std::size_t step = 0; step < 3; ++step) {
    EXPECT_TRUE(std::isnan(values[step * nodes]));
    for (std::size_t i = 1; i < nodes; ++i) EXPECT_EQ(values[step * nodes + i], static_cast<float>(100 * step + i));
  }
  EXPECT_EQ(read<double>(path, "/VTKHDF/Steps/Values", H5T_NATIVE_DOUBLE), (std::vector<double>{0, 5, 10}));
  const auto n = static_cast<long>(nodes);
  EXPECT_EQ(read<long>(path, "/VTKHDF/Steps/PointDataOffsets/V", H5T_NATIVE_LONG), (std::vector<long>{0, n, 2 * n}));
  for (const char* list :
       {"PartOffsets", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets", "CellDataOffsets/region"}) {
    EXPECT_EQ(read<long>(path, std::string("/VTKHDF/Steps/") + list, H5T_NATIVE_LONG), std::vector<long>(3, 0)) << list;
  }
  EXPECT_EQ(read<long>(path, "/VTKHDF/Steps/NumberOfParts", H5T_NATIVE_LONG), std::vector<long>(3, 1));
  EXPECT_EQ(read<long>(path, "/VTKHDF/Connectivity", H5T_NATIVE_LONG).size(), 4 * mesh.tet_count());
}

TEST(Snapshots, SidecarIsWellFormedAndItsPathsExist) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  Snapshots snapshots(mesh, folder / "a&b.vtkhdf", 2.5);
  for (int step = 0; step < 4; ++step) snapshots.sample(2.5 * step, voltages(mesh.node_count(), step));
  finish(snapshots);
  const auto xml = bytes_of(folder / "a&b.xdmf");
  EXPECT_TRUE(well_formed(xml));
  EXPECT_EQ(xml.find("a&b"), std::string::npos);
  const std::regex reference(">a&amp;b\\.vtkhdf:(/[A-Za-z/]+)<");
  int references = 0;
  for (std::sregex_iterator it(xml.begin(), xml.end(), reference), end; it != end; ++it, ++references) {
    const hid_t file = H5Fopen((folder / "a&b.vtkhdf").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, (*it)[1].str().c_str(), H5P_DEFAULT);
    EXPECT_GE(set, 0) << (*it)[1];
    H5Dclose(set), H5Fclose(file);
  }
  EXPECT_EQ(references, 4 * 4);
  for (const char* time : {"\"0\"", "\"2.5\"", "\"5\"", "\"7.5\""}) {
    EXPECT_NE(xml.find(std::string("<Time Value=") + time), std::string::npos) << time;
  }
  // Each step is a slab of its own in the long list of voltages.
  for (std::size_t step = 0; step < 4; ++step) {
    const auto n = mesh.node_count();
    EXPECT_NE(xml.find(">" + std::to_string(step * n) + " 1 " + std::to_string(n) + "<"), std::string::npos);
  }
}

TEST(Snapshots, GoOnAfterAFinishedRun) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  {
    Snapshots snapshots(mesh, folder / "run.vtkhdf", 1);
    snapshots.sample(0, voltages(mesh.node_count(), 0));
    finish(snapshots);
    finish(snapshots);
    snapshots.sample(1, voltages(mesh.node_count(), 1));
    finish(snapshots);
  }
  EXPECT_EQ(folder.entries(), 2u);
  EXPECT_EQ(read<double>(folder / "run.vtkhdf", "/VTKHDF/Steps/Values", H5T_NATIVE_DOUBLE),
            (std::vector<double>{0, 1}));
  EXPECT_EQ(read<float>(folder / "run.vtkhdf", "/VTKHDF/PointData/V", H5T_NATIVE_FLOAT).size(), 2 * mesh.node_count());
}

TEST(Snapshots, ResetEmptiesThem) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  Snapshots snapshots(mesh, folder / "run.vtkhdf", 1);
  snapshots.sample(0, voltages(mesh.node_count(), 0));
  snapshots.sample(1, voltages(mesh.node_count(), 1));
  snapshots.reset();
  snapshots.sample(7, voltages(mesh.node_count(), 7));
  finish(snapshots);
  EXPECT_EQ(read<double>(folder / "run.vtkhdf", "/VTKHDF/Steps/Values", H5T_NATIVE_DOUBLE), std::vector<double>{7});
  EXPECT_EQ(read<float>(folder / "run.vtkhdf", "/VTKHDF/PointData/V", H5T_NATIVE_FLOAT)[1], 8.0f);
}

TEST(Snapshots, AnInterruptedRunLeavesNothing) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  {
    Snapshots snapshots(mesh, folder / "run.vtkhdf", 1);
    snapshots.sample(0, voltages(mesh.node_count(), 0));
    Snapshots moved = std::move(snapshots);
    moved.sample(1, voltages(mesh.node_count(), 1));
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Snapshots, SameRunGivesSameBytes) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directory(folder / name);
    Snapshots snapshots(mesh, folder / name / "run.vtkhdf", 1);
    snapshots.sample(0, voltages(mesh.node_count(), 0));
    finish(snapshots);
  }
  for (const char* file : {"run.vtkhdf", "run.xdmf"})
    EXPECT_TRUE(bytes_of(folder / "a" / file) == bytes_of(folder / "b" / file));
}

TEST(Snapshots, AFullDiskIsAFileErrorAndLeavesNothing) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  for (const rlim_t size : {2000, 9000, 30000, 60000}) {
    Snapshots snapshots(mesh, folder / "run.vtkhdf", 1);
    const test::SmallDisk disk((1 << 20) + size);  // a mebibyte of it is for HDF5's own bookkeeping
    EXPECT_THROW(
        {
          for (int step = 0; step < 1000; ++step) snapshots.sample(step, voltages(mesh.node_count(), 0));
          finish(snapshots);
        },
        FileError)
        << size;
  }
  {
    const test::SmallDisk disk(2000);
    EXPECT_THROW(Snapshots(mesh, folder / "run.vtkhdf", 1), FileError);
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Snapshots, RefuseWhatCannotBe) {
  const Folder folder;
  const auto mesh = small_twin().anatomy.mesh;
  Snapshots snapshots(mesh, folder / "run.vtkhdf", 1);
  EXPECT_THROW(snapshots.sample(0, std::vector<double>(3)), InputError);
  test::write_bytes(folder / "file", "x");
  EXPECT_THROW(Snapshots(mesh, folder / "file/run.vtkhdf", 1), FileError);
}

}  // namespace
