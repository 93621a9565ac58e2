#include <fmt/format.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "dicom.hpp"
#include "image_stream.hpp"

namespace cardiotwin::meshes {
namespace dicom {
namespace {

struct Placed {
  Stack::Slice slice;
  double along;  // the normal [mm]
  const Frame* frame;
};

void require_alike(std::span<const File> files, const std::string& name) {
  const Frame& first = files.front().frames.front();
  double turned = 0;
  for (const File& file : files) {
    if (!file.refusal.empty())
      throw InputError(fmt::format("{} cannot be used: {}; choose another series", name, file.refusal));
    if (file.rows != files[0].rows || file.columns != files[0].columns) {
      throw InputError(
          fmt::format("{} must have slices of one size, but has {} x {} and {} x {} pixels; choose another series",
                      name, files[0].columns, files[0].rows, file.columns, file.rows));
    }
    for (const Frame& frame : file.frames) {
      const double cosine = std::min(frame.row.normalized().dot(first.row.normalized()),
                                     frame.column.normalized().dot(first.column.normalized()));
      turned = std::max(turned, std::acos(std::clamp(cosine, -1.0, 1.0)) * 180 / std::numbers::pi);
      if (!(std::abs(frame.between_rows - first.between_rows) < 1e-3 * first.between_rows) ||
          !(std::abs(frame.between_columns - first.between_columns) < 1e-3 * first.between_columns))
        throw InputError(name + " must have pixels of one size, but they differ between slices; choose another series");
    }
  }
  if (turned > 0.1) {
    throw InputError(
        fmt::format("{} must have parallel slices, but they are turned against each other by up to {:.1f} "
                    "degrees, as in a localizer; choose another series",
                    name, turned));
  }
}

// Mean distance of neighbours; throws for slices twice at one place, missing or unevenly spaced.
double even_step(const std::vector<Placed>& slices, std::span<const File> files, const std::string& name) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < slices.size(); ++i) {
    steps.push_back(slices[i].along - slices[i - 1].along);
    if (steps.back() >= 0.01) continue;
    const bool kinds = files[slices[i].slice.file].kind != files[slices[i - 1].slice.file].kind;
    throw InputError(fmt::format(
        "{} must have one slice at each place, but it has two at {:.1f} mm along the stack{}; export one stack alone",
        name, slices[i].along - slices[0].along,
        kinds ? ", of different types (such as magnitude and phase)" : " (such as several phases of the heart)"));
  }
  auto near = steps;
  const double least = *std::ranges::min_element(near);
  std::erase_if(near, [&](double step) { return step > 1.5 * least; });
  std::ranges::nth_element(near, near.begin() + std::ptrdiff_t(near.size() / 2));
  const double step = near[near.size() / 2];
  std::string gaps;
  bool missing = true;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (std::abs(steps[i] - step) <= 0.01 * step) continue;
    const double times = steps[i] / step;
    missing &= times > 1.5 && std::abs(times - std::round(times)) < 0.05;
    gaps += fmt::format("{}{} between slices {} and {} ({:.2f} mm apart)", gaps.empty() ? "" : ", ",
                        times > 1.5 ? fmt::format("{:.0f} missing", std::round(times) - 1) : "unequal", i + 1, i + 2,
                        steps[i]);
  }
  if (!gaps.empty()) {
    throw InputError(fmt::format("{} must have its slices evenly spaced, {:.2f} mm by most of them, but: {}; {}", name,
                                 step, gaps,
                                 missing ? "export the whole series again" : "resample it or choose another series"));
  }
  return (slices.back().along - slices.front().along) / double(steps.size());
}

}  // namespace

Stack stack_of(std::span<const File> files, const std::string& name) {
  require_alike(files, name);
  const Frame& first = files.front().frames.front();
  const Vec3 normal = first.row.cross(first.column).normalized();
  std::vector<Placed> slices;
  for (std::size_t f = 0; f < files.size(); ++f) {
    for (std::size_t i = 0; i < files[f].frames.size(); ++i) {
      const Frame& frame = files[f].frames[i];
      slices.push_back({{f, i}, normal.dot(frame.position), &frame});
    }
  }
  require_size({double(files[0].columns), double(files[0].rows), double(slices.size())}, name);
  std::ranges::stable_sort(slices, {}, &Placed::along);
  const double step = even_step(slices, files, name);
  const Frame& bottom = *slices.front().frame;
  Mat3 steps;
  steps << first.row * first.between_columns, first.column * first.between_rows, normal * step;
  Stack stack;
  stack.grid = grid_of({files[0].columns, files[0].rows, int(slices.size())}, steps, bottom.position, name);
  double aside = 0;
  for (const Placed& slice : slices) {
    const Vec3 away = slice.frame->position - bottom.position;
    aside = std::max(aside, (away - normal * normal.dot(away)).norm());
    stack.slices.push_back(slice.slice);
  }
  if (aside > 0.1 * std::min(first.between_rows, first.between_columns)) {
    throw InputError(
        fmt::format("{} must have its slices straight above each other, but they are shifted sideways by up to "
                    "{:.2f} mm (a tilted gantry, or slices planned one by one); resample it",
                    name, aside));
  }
  stack.thickness = first.thickness;
  return stack;
}

namespace {

// The files of one folder, headers read. What is no DICOM image is left out.
std::vector<File> scan(const std::filesystem::path& folder, bool deep, const std::string& name,
                       const Monitor& monitor) {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  std::error_code error;
  constexpr auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, error), end; !error && at != end; at.increment(error)) {
    if (!deep && at->is_directory(error)) at.disable_recursion_pending();
    if (at->is_regular_file(error)) paths.push_back(at->path());
    if (paths.size() > 100000) throw InputError(name + " holds more than 100000 files; give the folder of one series");
  }
  if (error) throw FileError(name + " cannot be listed; check its permissions");
  std::ranges::sort(paths);  // so that nothing depends on the order of the folder
  std::vector<File> files;
  std::size_t others = 0;
  for (const auto& path : paths) {
    monitor.poll();
    std::string head(132, '\0');
    std::ifstream in(path, std::ios::binary);
    in.read(head.data(), 132);
    head.resize(std::size_t(in.gcount()));
    auto file = begins_dicom(head) ? read_header(path, name + ": one of its files") : std::nullopt;
    if (file) {
      files.push_back(std::move(*file));
    } else {
      ++others;
    }
  }
  if (files.empty()) throw FileError(name + " holds no DICOM images; give the folder of a series");
  if (others > 0) monitor.tell(fmt::format("{}: {} files that are no DICOM images are left out", name, others));
  return files;
}

using Series = std::vector<std::vector<File>>;

Series group(std::vector<File> files) {
  std::map<std::pair<int, std::string>, std::vector<File>> by_series;
  for (auto& file : files) by_series[{file.number.value_or(-1), file.series}].push_back(std::move(file));
  Series all;
  for (auto& [key, members] : by_series) all.push_back(std::move(members));
  return all;
}

std::string in_words(const std::vector<File>& series) {
  const File& file = series.front();
  std::size_t frames = 0;
  for (const File& each : series) frames += each.frames.size();
  return fmt::format(
      "{} \"{}\" {} x {} x {}{}", file.number ? fmt::format("{}", *file.number) : "without number", file.description,
      file.columns, file.rows, frames,
      file.frames[0].between_rows > 0
          ? fmt::format(", pixels {:.3g} x {:.3g} mm{}", file.frames[0].between_columns, file.frames[0].between_rows,
                        file.frames[0].thickness ? fmt::format(", {:.3g} mm thick", *file.frames[0].thickness) : "")
          : "");
}

std::vector<File> choose(Series all, const std::optional<int>& number, const std::string& name) {
  std::string list;
  std::size_t matches = 0;
  std::vector<File> chosen;
  const int first = all.front().front().number.value_or(1);
  for (auto& series : all) {
    list += fmt::format("{}{}", list.empty() ? "" : "; ", in_words(series));
    if (number && series.front().number != number) continue;
    ++matches, chosen = std::move(series);
  }
  if (matches == 1) return chosen;
  if (!number) {
    throw InputError(fmt::format("{} must be one series, but holds {}: {}; choose one by its number (--series {})",
                                 name, all.size(), list, first));
  }
  throw InputError(fmt::format("{} holds {} of number {}, but: {}; {}", name,
                               matches ? fmt::format("{} series", matches) : "no series", *number, list,
                               matches ? "give the folder of one of them" : "choose one of these"));
}

}  // namespace
}  // namespace dicom

void read_dicom(const std::filesystem::path& path, const std::string& name, const ReadOptions& options,
                const Sink& sink, ImageSource& source, const Monitor& monitor) {
  using namespace dicom;
  std::error_code error;
  std::vector<File> files;
  if (std::filesystem::is_directory(path, error)) {
    files = choose(group(scan(path, true, name, monitor)), options.series, name);
  } else {
    const auto own = read_header(path, name);
    if (!own) throw FileError(name + " is DICOM without an image; give a file or the folder of a series");
    if (own->frames.size() > 1) {
      files = {*own};
    } else {
      const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
      files = scan(folder, false, name, {});
      std::erase_if(files, [&](const File& file) { return file.series != own->series; });
    }
  }
  const Stack stack = stack_of(files, name);
  source.format = files.front().number ? fmt::format("DICOM, series {}", *files.front().number) : "DICOM";
  source.slice_thickness = stack.thickness;
  source.files.clear();
  sink.begin(stack.grid);
  const std::size_t slice = std::size_t(stack.grid.size[0]) * stack.grid.size[1];
  std::vector<double> pixels;
  std::size_t held = files.size();  // the file whose pixels are in memory
  for (const auto& [file, frame] : stack.slices) {
    monitor.poll();
    if (held != file) pixels = read_pixels(files[file], name), held = file;
    if (std::ranges::find(source.files, files[file].path) == source.files.end())
      source.files.push_back(files[file].path);
    sink.take(std::span(pixels).subspan(frame * slice, slice));
  }
}

}  // namespace cardiotwin::meshes
