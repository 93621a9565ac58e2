// One stack in every format: the same grid and the same values. What is wrong is said in one sentence, without the
// patient.
#include <gtest/gtest.h>
#include <zlib.h>

#include <Eigen/Geometry>
#include <fstream>
#include <random>

#include "dicom_fixture.hpp"
#include "small_twin.hpp"

using namespace cardiotwin;
using namespace cardiotwin::meshes;
using namespace cardiotwin::test;
namespace fs = std::filesystem;

namespace {

// Oblique, pixels of unequal sides, 9:1; whole numbers, so that all formats hold them exactly.
Image stack() {
  Image image;
  image.grid.size = {9, 7, 5};
  image.grid.spacing = {1.1, 1.25, 10};
  image.grid.origin = {-31.25, 12.5, 140.75};
  image.grid.direction = (Eigen::AngleAxisd(0.7, Vec3::UnitZ()) * Eigen::AngleAxisd(-0.4, Vec3::UnitY()) *
                          Eigen::AngleAxisd(2.9, Vec3::UnitX()))
                             .toRotationMatrix();
  for (std::size_t i = 0; i < image.grid.count(); ++i) image.values.push_back(float(int(i * 37 % 2000) - 500));
  return image;
}

std::string shorts(const Image& image) {
  std::string bytes;
  for (const float value : image.values) {
    const auto number = std::int16_t(value);
    bytes.append(reinterpret_cast<const char*>(&number), 2);
  }
  return bytes;
}

// gzip (window 15 + 16) or zlib (15).
std::string deflated(const std::string& bytes, int window) {
  z_stream z{};
  deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
  std::string out(bytes.size() + 1024, '\0');
  z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data())), z.avail_in = uInt(bytes.size());
  z.next_out = reinterpret_cast<unsigned char*>(out.data()), z.avail_out = uInt(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string nrrd_header(const Image& image, const std::string& encoding, const std::string& rest = "") {
  const auto& g = image.grid;
  const auto vector = [](const Vec3& v) { return fmt::format("({:.17g},{:.17g},{:.17g})", v[0], v[1], v[2]); };
  return fmt::format(
      "NRRD0004\n# a comment\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: {} {} {}\n"
      "space directions: {} {} {}\nkinds: domain domain domain\nendian: little\nencoding: {}\nspace origin: {}\n{}",
      g.size[0], g.size[1], g.size[2], vector(g.direction.col(0) * g.spacing[0]),
      vector(g.direction.col(1) * g.spacing[1]), vector(g.direction.col(2) * g.spacing[2]), encoding, vector(g.origin),
      rest);
}

std::string meta_header(const Image& image, bool compressed, const std::string& data) {
  const auto& g = image.grid;
  std::string matrix;
  for (int axis = 0; axis < 3; ++axis) {
    for (int i = 0; i < 3; ++i) matrix += fmt::format(" {:.17g}", g.direction(i, axis));
  }
  return fmt::format(
      "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = {}\n"
      "TransformMatrix ={}\nOffset = {:.17g} {:.17g} {:.17g}\nCenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\n"
      "ElementSpacing = {} {} {}\nDimSize = {} {} {}\nElementType = MET_SHORT\nElementDataFile = {}\n",
      compressed ? "True" : "False", matrix, g.origin[0], g.origin[1], g.origin[2], g.spacing[0], g.spacing[1],
      g.spacing[2], g.size[0], g.size[1], g.size[2], data);
}

class Formats : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& bytes) const {
    write_bytes(folder / name, bytes);
    return folder / name;
  }
  // The sentence with which an image is refused: one line of ours.
  std::string refusal(const fs::path& path, const ReadOptions& options = {}) {
    try {
      read_image(path, monitor, options);
    } catch (const InputError& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      said += text + "\n";
      return text;
    } catch (const std::exception& error) {
      ADD_FAILURE() << "another exception: " << error.what();
      return {};
    }
    return "accepted";
  }
  void expect_same(const fs::path& path, const ReadOptions& options = {}) {
    SCOPED_TRACE(path);
    const Image image = read_image(path, monitor, options), wanted = stack();
    ASSERT_EQ(image.grid.size, wanted.grid.size);
    EXPECT_LT((image.grid.spacing - wanted.grid.spacing).norm(), 1e-5);  // NIfTI holds 32 bits
    EXPECT_LT((image.grid.origin - wanted.grid.origin).norm(), 1e-4);
    EXPECT_LT((image.grid.direction - wanted.grid.direction).norm(), 1e-6);
    EXPECT_EQ(image.values, wanted.values);
  }
  fs::path series(const std::string& name, std::function<void(DataSet&, int)> change) const {
    write_dicom(folder / name, stack(), {.change = std::move(change)});
    return folder / name;
  }

  Folder folder;
  std::string said;
  Monitor monitor{.note = [this](std::string_view text) { said += std::string(text) + "\n"; },
                  .warning = [this](std::string_view text) { said += std::string(text) + "\n"; }};
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Formats, NiftiNrrdAndMetaImageGiveTheSameStack) {
  const Image image = stack();
  const std::string raw = shorts(image);
  write_image(folder / "a.nii.gz", image);
  expect_same(folder / "a.nii.gz");
  expect_same(write("raw.nrrd", nrrd_header(image, "raw") + "\n" + raw));
  expect_same(write("gzip.nrrd", nrrd_header(image, "gzip") + "\n" + deflated(raw, 31)));
  write("voxels.raw", raw), write("voxels.raw.gz", deflated(raw, 31)), write("voxels.zraw", deflated(raw, 15));
  expect_same(write("a.nhdr", nrrd_header(image, "raw", "data file: voxels.raw\n")));
  expect_same(write("z.nhdr", nrrd_header(image, "gzip", "data file: voxels.raw.gz\n")));
  expect_same(write("a.mha", meta_header(image, false, "LOCAL") + raw));
  expect_same(write("z.mha", meta_header(image, true, "LOCAL") + deflated(raw, 15)));
  expect_same(write("a.mhd", meta_header(image, false, "voxels.raw")));
  expect_same(write("z.mhd", meta_header(image, true, "voxels.zraw")));
  expect_same(write("named_wrongly.nii", meta_header(image, false, "LOCAL") + raw));
  EXPECT_EQ(said, "");
}

TEST_F(Formats, NrrdInTheOtherSpaceAndByteOrderIsTheSameStack) {
  Image image = stack();
  std::string raw = shorts(image);
  for (std::size_t i = 0; i < raw.size(); i += 2) std::swap(raw[i], raw[i + 1]);
  const Mat3 to_ras = Vec3(-1, -1, 1).asDiagonal();
  image.grid.direction = to_ras * image.grid.direction, image.grid.origin = to_ras * image.grid.origin;
  std::string header = nrrd_header(image, "raw");
  header.replace(header.find("left-posterior-superior"), 23, "RAS");
  header.replace(header.find("little"), 6, "big");
  expect_same(write("a.nrrd", header + "\n" + raw));
}

TEST_F(Formats, DicomGivesTheSameStackWhateverTheNamesAndTheSyntax) {
  write_dicom(folder / "dcm", stack());
  expect_same(folder / "dcm");
  expect_same(fs::directory_iterator(folder / "dcm")->path());
  write_dicom(folder / "implicit", stack(), {.syntax = gdcm::TransferSyntax::ImplicitVRLittleEndian});
  expect_same(folder / "implicit");
  write_dicom(folder / "scaled", stack(), {.slope = 0.5, .intercept = 100});
  expect_same(folder / "scaled");
  write_enhanced(folder / "enhanced.dcm", stack(), {.slope = 0.5, .intercept = 100});
  expect_same(folder / "enhanced.dcm");
  write("dcm/notes.txt", "no image");
  ImageSource source;
  read_image(folder / "dcm", monitor, {}, &source);
  EXPECT_SAYS(said, "1 files that are no DICOM images");
  EXPECT_EQ(source.files.size(), 5u);
  EXPECT_EQ(source.slice_thickness, 8);
  EXPECT_EQ(source.format, "DICOM, series 3");
}

TEST_F(Formats, CompressedDicomIsTheSameStackAndDamagedOneIsRefused) {
  write_dicom(folder / "dcm", stack());
  for (const auto syntax : {gdcm::TransferSyntax::RLELossless, gdcm::TransferSyntax::JPEGLosslessProcess14_1,
                            gdcm::TransferSyntax::JPEG2000Lossless, gdcm::TransferSyntax::JPEGLSLossless}) {
    const auto packed = folder / fmt::format("packed{}", int(syntax));
    compress_dicom(folder / "dcm", packed, syntax);
    expect_same(packed);
    const auto file = fs::directory_iterator(packed)->path();
    const std::string whole = bytes_of(file);
    std::mt19937 random(3);
    for (int n = 0; n < 20; ++n) {  // in the pixels, which come last
      std::string bytes = whole;
      for (int flips = 0; flips < 4; ++flips) bytes[bytes.size() - 1 - random() % 100] = char(random());
      write_bytes(file, bytes), refusal(packed);
    }
  }
}

TEST_F(Formats, TheHashOfASeriesFollowsThePositionsNotTheNames) {
  write_dicom(folder / "a", stack());
  ImageSource a, b;
  read_image(folder / "a", monitor, {}, &a);
  fs::create_directories(folder / "b");
  int name = 9;
  for (const auto& file : a.files) fs::copy_file(file, folder / "b" / fmt::format("{}", name--));
  read_image(folder / "b", monitor, {}, &b);
  EXPECT_EQ(sha256_of(a), sha256_of(b));
  std::swap(b.files[0], b.files[1]);
  EXPECT_NE(sha256_of(a), sha256_of(b));
}

TEST_F(Formats, SeriesInOneFolderAreToldApart) {
  write_dicom(folder / "two", stack());
  Image other = stack();
  for (auto& value : other.values) value += 1;
  write_dicom(folder / "two", other, {.number = 4, .description = "Magnitude of " + marker, .uid = "1.2.826.4"});
  const auto text = refusal(folder / "two");
  EXPECT_SAYS(text, "holds 2: 3 \"LGE PSIR\" 9 x 7 x 5, pixels 1.1 x 1.25 mm, 8 mm thick; 4 \"(withheld");
  EXPECT_SAYS(text, "--series 3");
  expect_same(folder / "two", {.series = 3});
  EXPECT_EQ(read_image(folder / "two", monitor, {.series = 4}).values, other.values);
  EXPECT_SAYS(refusal(folder / "two", {.series = 5}), "no series of number 5");
}

TEST_F(Formats, GapsBeyondNoiseAreRefusedAndNamed) {
  fs::remove(series("missing", {}) / (marker + "_3_10.dcm"));  // the third of five
  EXPECT_SAYS(refusal(folder / "missing"), "1 missing between slices 2 and 3 (20.00 mm apart)");
  const auto moved = [&](double by) {
    return [by](DataSet& set, int k) {
      set.decimals({0x0020, 0x0032}, list(stack().grid.position(Vec3(0, 0, k + (k == 2 ? by : 0)))));
    };
  };
  EXPECT_EQ(refusal(series("noise", moved(0.004))), "accepted");
  EXPECT_SAYS(refusal(series("uneven", moved(0.2))), "unequal between slices");
  EXPECT_SAYS(refusal(series("twice", moved(1))), "one slice at each place");
  EXPECT_SAYS(refusal(series("tilted",
                             [](DataSet& set, int k) {
                               set.decimals({0x0020, 0x0032}, list(stack().grid.position(Vec3(0, k, k))));
                             })),
              "shifted sideways by up to 5.00 mm");
}

TEST_F(Formats, WhatIsNoStackOfOneNumberAVoxelIsRefused) {
  EXPECT_SAYS(refusal(series("turned",
                             [](DataSet& set, int k) {
                               if (k == 1) set.decimals({0x0020, 0x0037}, {1, 0, 0, 0, 1, 0});
                             })),
              "turned against each other");
  EXPECT_SAYS(refusal(series("colour",
                             [](DataSet& set, int) {
                               set.number({0x0028, 0x0002}, 3), set.text({0x0028, 0x0004}, gdcm::VR::CS, "RGB");
                             })),
              "in colour");
  EXPECT_SAYS(refusal(series("lost", [](DataSet& set, int) { set.data.Remove({0x0020, 0x0032}); })), "not stated");
  fs::create_directories(folder / "empty");
  EXPECT_SAYS(refusal(folder / "empty"), "holds no DICOM images");
  const std::string raw = shorts(stack()), header = nrrd_header(stack(), "raw"),
                    meta = meta_header(stack(), false, "LOCAL");
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  EXPECT_SAYS(refusal(write("a.nrrd", with(header, "domain domain domain", "list domain domain") + "\n" + raw)),
              "several values");
  EXPECT_SAYS(refusal(write("b.nrrd", with(header, "encoding: raw", "encoding: hex") + "\n" + raw)), "raw or gzip");
  EXPECT_SAYS(refusal(write("c.nrrd", with(header, "sizes: 9 7 5", "sizes: 9 7 1e9") + "\n" + raw)), "at most");
  EXPECT_SAYS(refusal(write("d.nrrd", with(header, "sizes: 9 7 5", "sizes: 900 700 5") + "\n" + raw)), "truncated");
  EXPECT_SAYS(
      refusal(write("e.nhdr", with(header, "encoding: raw", "data file: ../" + marker + ".raw\nencoding: raw"))),
      "its own folder");
  EXPECT_SAYS(refusal(write("a.mha", with(meta, "NDims = 3", "NDims = 4") + raw)), "4 axes");
  EXPECT_SAYS(refusal(write("b.mha", with(meta, "Offset", "ElementNumberOfChannels = 3\nOffset") + raw)),
              "several values");
  EXPECT_SAYS(refusal(write("c.mhd", meta_header(stack(), false, marker + ".raw"))), "does not lie beside it");
  EXPECT_SAYS(refusal(write("d.mha", with(meta, "DimSize = 9", "DimSize = x9") + raw)), "must hold numbers");
  EXPECT_EQ(said.find(marker), std::string::npos) << said;
}

TEST_F(Formats, CutAnywhereTheyAreRefused) {
  const Image image = stack();
  const std::string raw = shorts(image);
  write_image(folder / "n.nii.gz", image);
  write_enhanced(folder / "enhanced.dcm", image);
  const std::vector<std::pair<std::string, std::string>> files{
      {"cut.nii.gz", bytes_of(folder / "n.nii.gz")},
      {"cut.nrrd", nrrd_header(image, "raw") + "\n" + raw},
      {"cutz.nrrd", nrrd_header(image, "gzip") + "\n" + deflated(raw, 31)},
      {"cut.mha", meta_header(image, false, "LOCAL") + raw},
      {"cutz.mha", meta_header(image, true, "LOCAL") + deflated(raw, 15)},
      {"cut.dcm", bytes_of(folder / "enhanced.dcm")}};
  for (const auto& [name, whole] : files) {
    EXPECT_EQ(refusal(write(name, whole)), "accepted") << name;
    for (std::size_t keep = 0; keep < whole.size(); keep += std::max<std::size_t>(1, whole.size() / 150)) {
      EXPECT_NE(refusal(write(name, whole.substr(0, keep))), "accepted") << name << " cut to " << keep;
    }
    EXPECT_NE(refusal(write(name, whole.substr(0, whole.size() - 1))), "accepted") << name;
  }
}

// Damage need not be noticed, but ends in an image or in our own sentence; lengths are not believed.
TEST_F(Formats, DamagedHeadersNeverEscape) {
  const Image image = stack();
  write_image(folder / "n.nii.gz", image);
  write_dicom(folder / "dcm", image);
  write_enhanced(folder / "enhanced.dcm", image);
  const std::vector<std::pair<std::string, std::string>> files{
      {"x.nii.gz", bytes_of(folder / "n.nii.gz")},
      {"x.nrrd", nrrd_header(image, "raw") + "\n" + shorts(image)},
      {"x.mha", meta_header(image, false, "LOCAL") + shorts(image)},
      {"x.dcm", bytes_of(folder / "enhanced.dcm")},
      {"dcm/y.dcm", bytes_of(fs::directory_iterator(folder / "dcm")->path())}};
  std::mt19937 random(5);
  for (const auto& [name, whole] : files) {
    for (int n = 0; n < 300; ++n) {
      std::string bytes = whole;
      for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] = char(n % 3 == 0 ? 0xff : random());
      refusal(write(name, bytes));
    }
  }
}

TEST_F(Formats, NothingOfThePatientIsEverSaid) {
  write_dicom(folder / "two", stack(), {.description = marker + " heart"});
  write_dicom(folder / "two", stack(), {.number = 4, .uid = "1.2.826.4"});
  refusal(folder / "two");
  refusal(folder / "two", {.series = 9});
  ImageSource source;
  read_image(folder / "two", monitor, {.series = 4}, &source);
  said += source.format;
  for (const auto& file : source.files) write_bytes(file, bytes_of(file).substr(0, 700));
  refusal(folder / "two");
  EXPECT_GT(said.size(), 200u);
  for (const std::string& part : {marker, std::string("Anna"), std::string("19510203"), std::string("1.2.826")})
    EXPECT_EQ(said.find(part), std::string::npos) << said;
}

TEST_F(Formats, LabelsAboveAByteAndAsDoublesAreRead) {
  Image image = stack();
  for (auto& value : image.values) value = float(int(value) % 2 ? 2221 : 500);
  const auto labels = read_labels(write("l.mha", meta_header(image, false, "LOCAL") + shorts(image)));
  EXPECT_EQ(*std::ranges::max_element(labels.values), 2221);
}

}  // namespace
