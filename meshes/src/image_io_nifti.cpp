#include "image_io_nifti.hpp"

#include <fmt/format.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <Eigen/SVD>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace cardiotwin::meshes::nifti {
namespace {

// Field offsets of the NIfTI-1 header.
enum : std::size_t {
  at_dim = 40,
  at_datatype = 70,
  at_bitpix = 72,
  at_pixdim = 76,
  at_vox_offset = 108,
  at_slope = 112,
  at_intercept = 116,
  at_units = 123,
  at_descrip = 148,
  at_qform_code = 252,
  at_sform_code = 254,
  at_quatern = 256,
  at_qoffset = 268,
  at_srow = 280,
  at_magic = 344
};

template <class T>
T get(const std::vector<unsigned char>& bytes, std::size_t at, bool swapped) {
  std::array<unsigned char, sizeof(T)> raw;
  for (std::size_t i = 0; i < sizeof(T); ++i) raw[i] = bytes[at + (swapped ? sizeof(T) - 1 - i : i)];
  return std::bit_cast<T>(raw);
}

template <class T>
void put(std::vector<unsigned char>& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}

// Whatever is of no other format either.
const char* unknown = "is not an image in a known format; export it as NIfTI-1, NRRD, MetaImage or DICOM";

// Codes of the standard; no number for a type that is not one real number.
constexpr std::array<std::pair<int, Number>, 10> types{{{2, Number::uint8},
                                                        {4, Number::int16},
                                                        {8, Number::int32},
                                                        {16, Number::float32},
                                                        {64, Number::float64},
                                                        {256, Number::int8},
                                                        {512, Number::uint16},
                                                        {768, Number::uint32},
                                                        {1024, Number::int64},
                                                        {1280, Number::uint64}}};

// The quaternion's scalar part is not stored; qfac mirrors the third axis.
Form quaternion_form(const std::vector<unsigned char>& bytes, bool swapped, const Vec3& pixdim, double qfac) {
  const auto number = [&](std::size_t at) { return double(get<float>(bytes, at, swapped)); };
  const double b = number(at_quatern), c = number(at_quatern + 4), d = number(at_quatern + 8);
  const double rest = 1 - (b * b + c * c + d * d);
  Eigen::Quaterniond q(std::sqrt(std::max(rest, 0.0)), b, c, d);
  Form form;
  form.code = get<std::int16_t>(bytes, at_qform_code, swapped);
  form.matrix = q.normalized().toRotationMatrix() * Vec3(pixdim[0], pixdim[1], qfac * pixdim[2]).asDiagonal();
  for (int i = 0; i < 3; ++i) form.shift[i] = number(at_qoffset + 4 * i);
  return form;
}

Form row_form(const std::vector<unsigned char>& bytes, bool swapped) {
  Form form;
  form.code = get<std::int16_t>(bytes, at_sform_code, swapped);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) form.matrix(i, j) = get<float>(bytes, at_srow + 16 * i + 4 * j, swapped);
    form.shift[i] = get<float>(bytes, at_srow + 16 * i + 12, swapped);
  }
  return form;
}

void parse_size(Header& header, const std::vector<unsigned char>& bytes, const std::string& name, int components) {
  const auto dim = [&](int i) { return int(get<std::int16_t>(bytes, at_dim + 2 * i, header.swapped)); };
  const int dimensions = dim(0);
  std::int64_t frames = 1;  // of at most four axes of 32767
  for (int i = 4; i <= std::min(dimensions, 7); ++i) {
    if (dim(i) > 1 && components == 1) {
      throw InputError(fmt::format("{} must be one 3-D image, but it is {}-D with {} frames; extract one frame first",
                                   name, dimensions, dim(i)));
    }
    frames *= std::max(dim(i), 1);
  }
  if (frames != components)
    throw InputError(fmt::format("{} must have {} values a voxel, but it has {}", name, components, frames));
  for (int i = 0; i < 3; ++i) header.size[i] = i < dimensions ? dim(i + 1) : 1;
  require_size({double(header.size[0]), double(header.size[1]), double(header.size[2])}, name);
}

void parse_scale(Header& header, const std::vector<unsigned char>& bytes, const std::string& name) {
  const auto number = [&](std::size_t at) { return double(get<float>(bytes, at, header.swapped)); };
  for (int i = 0; i < 3; ++i) header.pixdim[i] = std::abs(number(at_pixdim + 4 + 4 * i));
  const int units = bytes[at_units] & 7;
  header.unit = units == 1 ? 1e3 : units == 3 ? 1e-3 : 1;
  header.unit_known = units >= 1 && units <= 3;
  require_spacing(header.pixdim * header.unit, name);
  // The standard: slope 0 means "no scaling"; files in the wild also carry NaN there.
  const double slope = number(at_slope), intercept = number(at_intercept);
  if (std::isfinite(slope) && slope != 0) {
    header.slope = slope;
    header.intercept = std::isfinite(intercept) ? intercept : 0;
  }
}

void require_regular(const Form& form, const char* which, const std::string& name) {
  const Vec3 norms = form.matrix.colwise().norm();
  const double share = std::abs(form.matrix.determinant()) / std::max(norms.prod(), 1e-300);
  if (!form.matrix.allFinite() || !form.shift.allFinite() || !(norms.minCoeff() > 0) || !(share > 1e-6)) {
    throw InputError(fmt::format(
        "{}: the {} must be an invertible affine, but it is singular (determinant {:.3g}); correct the header", name,
        which, form.matrix.determinant()));
  }
}

// Largest difference between two forms over the corners of the image, in units of the smallest voxel side.
double disagreement(const Form& a, const Form& b, const Header& header) {
  double worst = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3 index((corner & 1) * (header.size[0] - 1), (corner >> 1 & 1) * (header.size[1] - 1),
                     (corner >> 2) * (header.size[2] - 1));
    worst = std::max(worst, ((a.matrix - b.matrix) * index + a.shift - b.shift).norm());
  }
  return worst / header.pixdim.minCoeff();
}

std::string text(const Vec3& v) { return fmt::format("{:.4g} x {:.4g} x {:.4g}", v[0], v[1], v[2]); }

}  // namespace

Header parse(const std::vector<unsigned char>& bytes, const std::string& name, int components) {
  if (bytes.size() < header_bytes)
    throw FileError(fmt::format("{} {} (it holds only {} bytes)", name, unknown, bytes.size()));
  Header header;
  const auto first = get<std::int32_t>(bytes, 0, false), first_swapped = get<std::int32_t>(bytes, 0, true);
  header.swapped = first_swapped == 348;
  if (first == 540 || first_swapped == 540) throw FileError(name + " is NIfTI-2; convert it to NIfTI-1");
  if ((first != 348 && !header.swapped) || std::memcmp(bytes.data() + at_magic, "n", 1) != 0) {
    throw FileError(fmt::format("{} {}", name, unknown));
  }
  if (std::memcmp(bytes.data() + at_magic, "n+1", 4) != 0) {
    throw FileError(name + " is one half of a .hdr/.img pair; convert it to a single .nii or .nii.gz");
  }
  if (const int n = get<std::int16_t>(bytes, at_dim, header.swapped); n < 1 || n > 7) {
    throw FileError(fmt::format("{}: the header is damaged, it claims {} dimensions", name, n));
  }
  parse_size(header, bytes, name, components);
  const int code = get<std::int16_t>(bytes, at_datatype, header.swapped);
  const auto known = std::ranges::find(types, code, &std::pair<int, Number>::first);
  if (known == types.end()) {
    throw InputError(fmt::format(
        "{}: voxels must be single real numbers, but the stored type has code {}; convert to float32", name, code));
  }
  header.type = known->second;
  const double offset = get<float>(bytes, at_vox_offset, header.swapped);
  if (!(offset == 0 || (offset >= 352 && offset <= 1 << 26))) {
    throw FileError(fmt::format("{}: the header is damaged, it puts the voxels at byte {:g}", name, offset));
  }
  header.data_offset = offset == 0 ? 352 : std::size_t(offset);
  parse_scale(header, bytes, name);
  const bool mirrored = get<float>(bytes, at_pixdim, header.swapped) < 0;
  header.qform = quaternion_form(bytes, header.swapped, header.pixdim, mirrored ? -1 : 1);
  header.sform = row_form(bytes, header.swapped);
  return header;
}

Grid grid_of(const Header& header, const std::string& name, const std::string& short_name, const Monitor& monitor) {
  if (!header.unit_known) monitor.warn(short_name + ": the header does not state the unit of length; mm is assumed");
  const Form &sform = header.sform, &qform = header.qform;
  Form used;
  used.matrix = header.pixdim.asDiagonal();
  if (qform.code > 0) require_regular(qform, "qform", name), used = qform;
  if (sform.code > 0) {
    require_regular(sform, "sform", name);
    const Vec3 norms = sform.matrix.colwise().norm();
    const Mat3 axes = sform.matrix * norms.cwiseInverse().asDiagonal();
    const bool sheared = !(axes.transpose() * axes).isApprox(Mat3::Identity(), 1e-3);
    const bool scaled = ((norms - header.pixdim).cwiseQuotient(header.pixdim)).cwiseAbs().maxCoeff() < 1e-3;
    const bool unit_columns = (norms - Vec3::Ones()).cwiseAbs().maxCoeff() < 1e-3;
    if (!sheared && scaled) {
      used = sform;
      if (const double voxels = disagreement(sform, qform, header); qform.code > 0 && voxels > 0.01) {
        monitor.warn(
            fmt::format("{}: sform and qform disagree by up to {:.3g} voxels; the sform is used", short_name, voxels));
      }
    } else if (qform.code > 0) {
      monitor.warn(
          fmt::format("{}: sform and qform disagree, the sform {}; the qform is used", short_name,
                      sheared ? "is sheared" : "has voxels of " + text(norms) + ", pixdim of " + text(header.pixdim)));
    } else if (!sheared && unit_columns) {
      used = {sform.code, axes * header.pixdim.asDiagonal(), sform.shift};
      monitor.warn(fmt::format(
          "{}: the sform has voxels of {} but pixdim of {}; pixdim is used with the directions of the sform",
          short_name, text(norms), text(header.pixdim)));
    } else if (sheared) {
      throw InputError(fmt::format(
          "{}: the axes of the sform must be at right angles, but they are sheared; resample the image", name));
    } else {
      throw InputError(
          fmt::format("{}: the voxel size is ambiguous, {} by the sform and {} by pixdim; correct the header", name,
                      text(norms), text(header.pixdim)));
    }
  } else if (qform.code <= 0) {
    monitor.warn(short_name +
                 ": sform and qform are both absent; axes are taken as right, anterior, superior from voxel 0, so "
                 "positions are not those of the scanner");
  }
  Grid grid;
  grid.size = header.size;
  const Mat3 to_lps = Vec3(-1, -1, 1).asDiagonal();
  const Mat3 matrix = to_lps * used.matrix * header.unit;
  // Headers are 32-bit: six digits are all they have, and with those a turned image has the voxels of the first.
  for (int i = 0; i < 3; ++i) grid.spacing[i] = std::stod(fmt::format("{:.6g}", matrix.col(i).norm()));
  grid.origin = to_lps * used.shift * header.unit;
  // The nearest orthonormal matrix removes the rounding of 32-bit headers.
  const Eigen::JacobiSVD<Mat3> svd(matrix * grid.spacing.cwiseInverse().asDiagonal(),
                                   Eigen::ComputeFullU | Eigen::ComputeFullV);
  grid.direction = svd.matrixU() * svd.matrixV().transpose();
  return grid;
}

std::vector<unsigned char> compose(const Grid& grid, Number type) {
  std::vector<unsigned char> bytes(header_bytes + 4, 0);
  put<std::int32_t>(bytes, 0, 348);
  const std::array<int, 8> dim{3, grid.size[0], grid.size[1], grid.size[2], 1, 1, 1, 1};
  for (int i = 0; i < 8; ++i) put<std::int16_t>(bytes, at_dim + 2 * i, std::int16_t(dim[i]));
  put<std::int16_t>(bytes, at_datatype,
                    std::int16_t(std::ranges::find(types, type, &std::pair<int, Number>::second)->first));
  put<std::int16_t>(bytes, at_bitpix, std::int16_t(8 * bytes_of(type)));
  const Mat3 to_ras = Vec3(-1, -1, 1).asDiagonal();
  Mat3 rotation = to_ras * grid.direction;
  const bool mirrored = rotation.determinant() < 0;
  const Mat3 matrix = rotation * grid.spacing.asDiagonal();
  const Vec3 shift = to_ras * grid.origin;
  if (mirrored) rotation.col(2) *= -1;
  Eigen::Quaterniond q(rotation);
  if (q.w() < 0) q.coeffs() *= -1;
  const std::array<double, 3> xyz{q.x(), q.y(), q.z()};
  put<float>(bytes, at_pixdim, mirrored ? -1.f : 1.f);
  put<float>(bytes, at_vox_offset, 352.f);
  put<float>(bytes, at_slope, 1.f);
  bytes[at_units] = 2;  // mm
  std::strncpy(reinterpret_cast<char*>(bytes.data() + at_descrip), "cardiotwin; research use only", 79);
  put<std::int16_t>(bytes, at_qform_code, 1);
  put<std::int16_t>(bytes, at_sform_code, 1);
  for (int i = 0; i < 3; ++i) {
    put<float>(bytes, at_pixdim + 4 + 4 * i, float(grid.spacing[i]));
    put<float>(bytes, at_quatern + 4 * i, float(xyz[i]));
    put<float>(bytes, at_qoffset + 4 * i, float(shift[i]));
    for (int j = 0; j < 3; ++j) put<float>(bytes, at_srow + 16 * i + 4 * j, float(matrix(i, j)));
    put<float>(bytes, at_srow + 16 * i + 12, float(shift[i]));
  }
  std::memcpy(bytes.data() + at_magic, "n+1", 4);
  return bytes;
}

}  // namespace cardiotwin::meshes::nifti

namespace cardiotwin::meshes {

void read_nifti(Stream& stream, const std::filesystem::path& path, const Sink& sink, ImageSource& source,
                const Monitor& monitor) {
  source.format = stream.gzip() ? "NIfTI-1, gzip" : "NIfTI-1";
  std::vector<unsigned char> bytes;
  stream.read(bytes, nifti::header_bytes);
  const nifti::Header header = nifti::parse(bytes, stream.name());
  const Grid grid = nifti::grid_of(header, stream.name(), path.filename().string(), monitor);
  stream.read(bytes, header.data_offset - bytes.size());
  read_voxels(stream, grid, {header.type, header.swapped, header.slope, header.intercept}, sink, monitor);
}

}  // namespace cardiotwin::meshes
