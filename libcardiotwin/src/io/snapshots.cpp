#include <fmt/format.h>

#include <array>
#include <cardiotwin/error.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/recorder.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "temporary.hpp"
#include "vtkhdf.hpp"

// Transient VTKHDF (2.0): the mesh once, voltage of all steps in one long list that grows by a chunk a step, and the
// group Steps saying where each begins. Readers as old as ParaView 5.11 show only the first step of it; the XDMF
// sidecar points into the same lists and gives all steps there.

namespace cardiotwin {
namespace {

namespace fs = std::filesystem;

constexpr const char* voltage_path = "VTKHDF/PointData/V";

std::string time_text(double time) {
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), time);
  return {buffer.data(), end};
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

}  // namespace

struct Snapshots::Impl {
  fs::path path;       ///< what is promised
  fs::path temporary;  ///< what is being written
  std::size_t nodes = 0, tets = 0;
  std::vector<double> times;
  std::vector<float> row;
  hdf5::Handle file, voltage;

  Impl(const Mesh& mesh, fs::path target) : path(std::move(target)), nodes(mesh.node_count()), tets(mesh.tet_count()) {
    temporary = temporary_name(path);
    make_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
    const hdf5::Quiet quiet;
    file = hdf5::create_file(temporary);
    try {
      reserve(24 * nodes + (32 + 8 + 2) * tets);  // points; node numbers, offsets, type and region
    } catch (const FileError&) {
      discard();
      throw;
    }
    hdf5::write_attribute(file, "notice", research_use_only);
    hdf5::write_attribute(file, "writer", "cardiotwin " + version());
    const auto grid = vtkhdf::write_grid(file, mesh, true);
    voltage = hdf5::create_growing(grid, "PointData/V", H5T_NATIVE_FLOAT, nodes);
  }

  ~Impl() { discard(); }

  // Of an unfinished run, or one that met a full disk, nothing stays; what was finished has its own name by now.
  void discard() {
    const hdf5::Quiet quiet;
    hdf5::abandon(file);
    voltage = {}, file = {};
    std::error_code ignored;
    fs::remove(temporary, ignored);
  }

  void reserve(std::size_t bytes) {
    try {
      hdf5::reserve(file, bytes);
    } catch (const FileError& error) {
      throw FileError(fmt::format("cannot write {}: {}", path.string(), error.what()));
    }
  }

  void append(double time, std::span<const double> values) {
    if (values.size() != nodes)
      throw InputError(fmt::format("Snapshots: {} voltages for {} nodes", values.size(), nodes));
    const hdf5::Quiet quiet;
    if (file < 0) reopen();
    row.assign(values.begin(), values.end());
    reserve(row.size() * sizeof(float));
    hdf5::append(voltage, times.size() * nodes, std::span<const float>(row));
    times.push_back(time);
  }

  // More is recorded after a finished run: the file leaves its name again until it is whole.
  void reopen() {
    if (::rename(path.c_str(), temporary.c_str()) != 0) {
      throw FileError(fmt::format("{} cannot be continued: {}", path.string(), std::generic_category().message(errno)));
    }
    file = hdf5::open_file(temporary, true);
    voltage = hdf5::Handle(H5Dopen2(file, voltage_path, H5P_DEFAULT), H5Dclose, "HDF5: opening a dataset");
    H5Ldelete(file, "VTKHDF/Steps", H5P_DEFAULT);
  }

  void write_steps() {
    const auto steps = static_cast<std::int64_t>(times.size());
    const auto group = hdf5::create_group(file, "VTKHDF/Steps");
    hdf5::write_attribute(group, "NSteps", std::array{steps});
    hdf5::write<double>(group, "Values", times);
    const std::vector<std::int64_t> zeros(times.size(), 0), ones(times.size(), 1);
    hdf5::write<std::int64_t>(group, "PartOffsets", zeros);
    hdf5::write<std::int64_t>(group, "NumberOfParts", ones);
    hdf5::write<std::int64_t>(group, "PointOffsets", zeros);
    hdf5::write<std::int64_t>(group, "CellOffsets", zeros, 1);
    hdf5::write<std::int64_t>(group, "ConnectivityIdOffsets", zeros, 1);
    std::vector<std::int64_t> offsets;
    for (std::int64_t i = 0; i < steps; ++i) offsets.push_back(i * static_cast<std::int64_t>(nodes));
    hdf5::create_group(group, "PointDataOffsets");
    hdf5::write<std::int64_t>(group, "PointDataOffsets/V", offsets);
    hdf5::create_group(group, "CellDataOffsets");
    hdf5::write<std::int64_t>(group, "CellDataOffsets/region", zeros);
  }

  void finish() {
    if (file < 0) return;  // nothing new since the last time
    const hdf5::Quiet quiet;
    reserve(8 * sizeof(std::int64_t) * times.size());
    write_steps();
    voltage.close();
    hdf5::flush(file);
    file.close();
    write_atomically(path, [&](const fs::path& place) {
      std::error_code error;
      fs::rename(temporary, place, error);
      if (error) throw FileError(error.message());
    });
    auto sidecar = path;
    write_text(sidecar.replace_extension(".xdmf"), xdmf());
  }

  std::string xdmf() const {
    const auto name = escaped(path.filename().string());
    std::string text = fmt::format(
        "<?xml version=\"1.0\"?>\n<!-- {} -->\n<Xdmf Version=\"2.0\">\n <Domain>\n"
        "  <Grid Name=\"V\" GridType=\"Collection\" CollectionType=\"Temporal\">\n",
        research_use_only);
    for (std::size_t i = 0; i < times.size(); ++i) {
      text += fmt::format(
          "   <Grid Name=\"heart\" GridType=\"Uniform\">\n    <Time Value=\"{}\"/>\n"
          "    <Topology TopologyType=\"Tetrahedron\" NumberOfElements=\"{}\">\n"
          "     <DataItem Format=\"HDF\" NumberType=\"Int\" Precision=\"8\" "
          "Dimensions=\"{}\">{}:/VTKHDF/Connectivity</DataItem>\n"
          "    </Topology>\n    <Geometry GeometryType=\"XYZ\">\n"
          "     <DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"8\" Dimensions=\"{} "
          "3\">{}:/VTKHDF/Points</DataItem>\n"
          "    </Geometry>\n",
          time_text(times[i]), tets, 4 * tets, name, nodes, name);
      text += fmt::format(
          "    <Attribute Name=\"region\" Center=\"Cell\">\n"
          "     <DataItem Format=\"HDF\" NumberType=\"UChar\" Dimensions=\"{}\">{}:/VTKHDF/CellData/region</DataItem>\n"
          "    </Attribute>\n    <Attribute Name=\"V\" Center=\"Node\">\n"
          "     <DataItem ItemType=\"HyperSlab\" Dimensions=\"{}\">\n"
          "      <DataItem Format=\"XML\" Dimensions=\"3 1\">{} 1 {}</DataItem>\n"
          "      <DataItem Format=\"HDF\" NumberType=\"Float\" Precision=\"4\" Dimensions=\"{}\">{}:/{}</DataItem>\n"
          "     </DataItem>\n    </Attribute>\n   </Grid>\n",
          tets, name, nodes, i * nodes, nodes, times.size() * nodes, name, voltage_path);
    }
    return text + "  </Grid>\n </Domain>\n</Xdmf>\n";
  }

  void clear() {
    const hdf5::Quiet quiet;
    if (file < 0 && !times.empty()) reopen();
    times.clear();
    if (file >= 0) hdf5::truncate(voltage);
  }
};

Snapshots::Snapshots(const Mesh& mesh, fs::path path, double interval)
    : impl_(std::make_unique<Impl>(mesh, std::move(path))), interval_(interval) {}
Snapshots::Snapshots(Snapshots&&) noexcept = default;
Snapshots::~Snapshots() = default;

void Snapshots::sample(double time, std::span<const double> voltage) { impl_->append(time, voltage); }
void Snapshots::finish(const Simulation&) { impl_->finish(); }
void Snapshots::reset() { impl_->clear(); }

}  // namespace cardiotwin
