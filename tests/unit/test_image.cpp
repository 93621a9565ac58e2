#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <algorithm>
#include <bit>
#include <cardiotwin/meshes/image.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

using namespace cardiotwin;
using namespace cardiotwin::meshes;
namespace fs = std::filesystem;

namespace {

// A folder of its own for every test, gone afterwards.
class ImageFile : public testing::Test {
 protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             ("cardiotwin_image_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder);
    fs::create_directories(folder);
    monitor.warning = [this](std::string_view text) { warnings += std::string(text) + "\n"; };
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder;
  std::string warnings;
  Monitor monitor;
};

// The fields of a NIfTI-1 header, by their offsets in the standard.
struct RawNifti {
  std::string bytes = std::string(352, '\0');

  template <class T>
  void put(std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  // 4 x 3 x 2 int16 voxels 0, 1, 2, ... of 1.5 x 2 x 8 mm, sform with the axes of LPS shifted by (10, 20, 30) RAS.
  RawNifti() {
    put<std::int32_t>(0, 348);
    for (int i = 0; i < 8; ++i) put<std::int16_t>(40 + 2 * i, std::array<std::int16_t, 8>{3, 4, 3, 2, 1, 1, 1, 1}[i]);
    type(4, 16);
    for (int i = 0; i < 4; ++i) put<float>(76 + 4 * i, std::array<float, 4>{1, 1.5, 2, 8}[i]);
    put<float>(108, 352);
    bytes[123] = 2;
    sform({-1.5, 0, 0, 10, 0, -2, 0, 20, 0, 0, 8, 30}, 1);
    std::memcpy(bytes.data() + 344, "n+1", 4);
    for (std::int16_t i = 0; i < 24; ++i) voxel(i);
  }
  void type(std::int16_t code, std::int16_t bits) { put(70, code), put(72, bits); }
  void sform(const std::array<float, 12>& rows, std::int16_t code) {
    put(254, code);
    for (int i = 0; i < 12; ++i) put<float>(280 + 4 * i, rows[i]);
  }
  template <class T>
  void voxel(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
};

template <class Exception, class Call>
std::string message(Call&& call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return {};
  }
  ADD_FAILURE() << "nothing thrown";
  return {};
}

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

Image turned_image() {
  Image image;
  image.grid.size = {5, 4, 3};
  image.grid.spacing = {1.4, 1.5, 8};
  image.grid.origin = {-31.25, 12.5, 140.75};
  image.grid.direction = (Eigen::AngleAxisd(0.7, Vec3::UnitZ()) * Eigen::AngleAxisd(-0.4, Vec3::UnitY()) *
                          Eigen::AngleAxisd(2.9, Vec3::UnitX()))
                             .toRotationMatrix();
  for (std::size_t i = 0; i < image.grid.count(); ++i) image.values.push_back(float(2048 + 0.37 * double(i)));
  return image;
}

TEST_F(ImageFile, RoundTripKeepsValuesAndPlaces) {
  for (bool mirrored : {false, true}) {
    Image image = turned_image();
    if (mirrored) image.grid.direction.col(1) *= -1;
    write_image(folder / "a.nii.gz", image);
    const Image back = read_image(folder / "a.nii.gz", monitor);
    EXPECT_EQ(back.values, image.values);
    EXPECT_NO_THROW(require_same_grid(image.grid, back.grid));
    EXPECT_LT((back.grid.direction.transpose() * back.grid.direction - Mat3::Identity()).norm(), 1e-12);
    EXPECT_EQ(warnings, "");
  }
}

TEST_F(ImageFile, SameImageGivesSameBytesAndLeavesNothingElse) {
  write_image(folder / "a.nii.gz", turned_image());
  write_image(folder / "b.nii.gz", turned_image());
  EXPECT_EQ(read(folder / "a.nii.gz"), read(folder / "b.nii.gz"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2);
}

TEST_F(ImageFile, HeaderIsReadByTheStandard) {
  RawNifti raw;
  raw.put<float>(112, 0.5f);  // slope
  raw.put<float>(116, 100.f);
  const Image image = read_image(write("a.nii", raw.bytes), monitor);
  EXPECT_EQ(image.grid.size, (std::array{4, 3, 2}));
  EXPECT_FLOAT_EQ(image.values[23], 111.5f);
  EXPECT_TRUE(image.grid.position({0, 0, 0}).isApprox(Vec3(-10, -20, 30)));  // RAS to LPS
  EXPECT_TRUE(image.grid.position({1, 1, 1}).isApprox(Vec3(-8.5, -18, 38)));
  EXPECT_EQ(warnings, "");
}

TEST_F(ImageFile, OtherByteOrderAndMetresAreRead) {
  RawNifti raw;
  raw.bytes[123] = 1;
  for (int i = 1; i < 4; ++i) raw.put<float>(76 + 4 * i, std::array<float, 4>{1, 1.5e-3f, 2e-3f, 8e-3f}[i]);
  raw.sform({-1.5e-3f, 0, 0, 0.01f, 0, -2e-3f, 0, 0.02f, 0, 0, 8e-3f, 0.03f}, 1);
  for (std::size_t at : {40, 42, 44, 46, 48, 50, 52, 54, 70, 72, 254}) std::swap(raw.bytes[at], raw.bytes[at + 1]);
  const auto reverse4 = [&](std::size_t at) { std::reverse(raw.bytes.begin() + at, raw.bytes.begin() + at + 4); };
  reverse4(0);
  for (std::size_t at = 76; at <= 120; at += 4) reverse4(at);
  for (std::size_t at = 280; at < 328; at += 4) reverse4(at);
  std::swap(raw.bytes[120], raw.bytes[123]);  // the unit is a single byte
  for (std::size_t at = 352; at < raw.bytes.size(); at += 2) std::swap(raw.bytes[at], raw.bytes[at + 1]);
  const Image image = read_image(write("a.nii", raw.bytes), monitor);
  EXPECT_FLOAT_EQ(image.values[23], 23);
  EXPECT_LT((image.grid.position({1, 1, 1}) - Vec3(-8.5, -18, 38)).norm(), 1e-4);
}

TEST_F(ImageFile, LabelsStoredAsDoublesAreAcceptedIfWhole) {
  RawNifti raw;
  raw.type(64, 64);
  raw.bytes.resize(352);
  for (int i = 0; i < 24; ++i) raw.voxel(double(i % 5));
  const LabelValues labels = read_labels(write("a.nii", raw.bytes));
  EXPECT_EQ(int(labels.values[23]), 3);
  raw.put<double>(352 + 8 * 7, 2.5);
  const auto text = message<InputError>([&] { read_labels(write("b.nii", raw.bytes)); });
  EXPECT_SAYS(text, "whole numbers");
  EXPECT_SAYS(text, "(3, 1, 0)");
  EXPECT_SAYS(text, "2.5");
}

TEST_F(ImageFile, LabelsKeepTheirGrid) {
  Labels labels{turned_image().grid, {}};
  for (std::size_t i = 0; i < labels.grid.count(); ++i) labels.values.push_back(std::uint8_t(i % 6));
  write_labels(folder / "l.nii.gz", labels);
  EXPECT_TRUE(std::ranges::equal(read_labels(folder / "l.nii.gz").values, labels.values));
  Labels other = labels;
  other.grid.origin[2] += 0.1;
  EXPECT_SAYS(message<InputError>([&] { require_same_grid(labels.grid, other.grid); }), "voxels away");
}

TEST_F(ImageFile, MissingTruncatedAndForeignFilesAreNamed) {
  EXPECT_SAYS(message<FileError>([&] { read_image(folder / "none.nii.gz"); }), "does not exist");
  EXPECT_SAYS(message<FileError>([&] { read_image(folder); }), "holds no DICOM images");
  EXPECT_SAYS(message<FileError>([&] { read_image(write("a.nii.gz", "just text")); }), "not gzip-compressed");
  EXPECT_SAYS(message<FileError>([&] { read_image(write("a.nii", "just text")); }), "not an image in a known format");
  EXPECT_SAYS(message<FileError>([&] { read_image(write("b.nii", std::string(5000, 'x'))); }),
              "not an image in a known format");
  EXPECT_SAYS(message<FileError>([&] { read_image(write("empty.nii", "")); }), "not an image in a known format");
  const RawNifti raw;
  EXPECT_SAYS(message<FileError>([&] { read_image(write("c.nii", raw.bytes.substr(0, raw.bytes.size() - 1))); }),
              "truncated");
  write_image(folder / "d.nii.gz", turned_image());
  const std::string whole = read(folder / "d.nii.gz");
  for (std::size_t keep : {whole.size() / 4, whole.size() / 2, whole.size() - 1}) {
    const auto text = message<FileError>([&] { read_image(write("e.nii.gz", whole.substr(0, keep))); });
    EXPECT_TRUE(text.find("truncated") != text.npos || text.find("not an image") != text.npos) << text;
  }
  std::string flipped = whole;
  flipped[whole.size() - 6] ^= 1;  // in the checksum
  EXPECT_SAYS(message<FileError>([&] { read_image(write("f.nii.gz", flipped)); }), "damaged");
}

TEST_F(ImageFile, CountsOfADamagedHeaderAreNotTrusted) {
  RawNifti raw;
  for (int i = 1; i < 4; ++i) raw.put<std::int16_t>(40 + 2 * i, 600);  // 432 MB promised, 48 bytes there
  EXPECT_SAYS(message<FileError>([&] { read_image(write("a.nii", raw.bytes)); }), "truncated");
  for (int i = 1; i < 4; ++i) raw.put<std::int16_t>(40 + 2 * i, 32000);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("b.nii", raw.bytes)); }), "at most");
  raw.put<std::int16_t>(42, -4);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("c.nii", raw.bytes)); }), "at least 2 voxels");
}

TEST_F(ImageFile, FourDimensionsNeedASingleFrame) {
  RawNifti raw;
  raw.put<std::int16_t>(40, 4);
  EXPECT_NO_THROW(read_image(write("a.nii", raw.bytes)));
  raw.put<std::int16_t>(48, 2);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("b.nii", raw.bytes)); }), "4-D with 2 frames");
}

TEST_F(ImageFile, SingularShearedAndAbsurdAffinesAreRefused) {
  RawNifti raw;
  raw.sform({-1.5, 0, 0, 10, 0, 0, 0, 20, 0, 0, 8, 30}, 1);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("a.nii", raw.bytes)); }), "singular");
  raw.sform({-1.5, 0.5, 0, 10, 0, -1.9364917f, 0, 20, 0, 0, 8, 30}, 1);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("b.nii", raw.bytes)); }), "sheared");
  raw.sform({std::numeric_limits<float>::quiet_NaN(), 0, 0, 10, 0, -2, 0, 20, 0, 0, 8, 30}, 1);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("c.nii", raw.bytes)); }), "singular");
  raw.put<float>(84, 0);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("d.nii", raw.bytes)); }), "voxel size along axis 2");
}

TEST_F(ImageFile, NotFiniteVoxelsAreCountedAndPlaced) {
  Image image = turned_image();
  image.values[image.grid.offset(2, 3, 1)] = std::numeric_limits<float>::quiet_NaN();
  image.values[image.grid.offset(4, 3, 2)] = std::numeric_limits<float>::infinity();
  write_image(folder / "a.nii.gz", image);
  const auto text = message<InputError>([&] { read_image(folder / "a.nii.gz"); });
  EXPECT_SAYS(text, "2 voxels are NaN or infinite");
  EXPECT_SAYS(text, "(2, 3, 1)");
}

TEST_F(ImageFile, ComplexAndColourVoxelsAreRefused) {
  RawNifti raw;
  raw.type(32, 64);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("a.nii", raw.bytes)); }), "single real numbers");
}

TEST_F(ImageFile, DisagreementOfSformAndQformIsSaid) {
  RawNifti raw;  // the quaternion (0, 0, 0, 1) turns by 180 degrees about z, as the sform does
  raw.put<std::int16_t>(252, 1);
  raw.put<float>(264, 1);
  for (int i = 0; i < 3; ++i) raw.put<float>(268 + 4 * i, 10.f * float(i + 1));
  const Image agreed = read_image(write("a.nii", raw.bytes), monitor);
  EXPECT_EQ(warnings, "");
  raw.put<float>(272, 26);  // 6 mm off, 4 pixels of 1.5 mm
  const Image image = read_image(write("b.nii", raw.bytes), monitor);
  EXPECT_SAYS(warnings, "disagree by up to 4 voxels; the sform is used");
  EXPECT_NO_THROW(require_same_grid(agreed.grid, image.grid));
}

TEST_F(ImageFile, OneFormAloneIsUsedAndNoneIsSaid) {
  RawNifti raw;
  raw.put<std::int16_t>(254, 0);
  raw.put<std::int16_t>(252, 1);
  raw.put<float>(264, 1);
  raw.put<float>(276, 5);
  EXPECT_TRUE(read_image(write("a.nii", raw.bytes), monitor).grid.position({1, 1, 1}).isApprox(Vec3(1.5, 2, 13)));
  EXPECT_EQ(warnings, "");
  raw.put<std::int16_t>(252, 0);
  read_image(write("b.nii", raw.bytes), monitor);
  EXPECT_SAYS(warnings, "sform and qform are both absent");
}

TEST_F(ImageFile, UnitColumnsTakeTheSpacingOfPixdim) {
  RawNifti raw;  // as in the EMIDEC challenge
  raw.sform({-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0}, 2);
  raw.bytes[123] = 0;
  const Image image = read_image(write("a.nii", raw.bytes), monitor);
  EXPECT_TRUE(image.grid.spacing.isApprox(Vec3(1.5, 2, 8)));
  EXPECT_SAYS(warnings, "mm is assumed");
  EXPECT_SAYS(warnings, "pixdim is used");
  raw.sform({-1.2f, 0, 0, 0, 0, -1.2f, 0, 0, 0, 0, 8, 0}, 2);
  EXPECT_SAYS(message<InputError>([&] { read_image(write("b.nii", raw.bytes)); }), "ambiguous");
}

TEST_F(ImageFile, UnwritableFolderAndWrongNameAreErrors) {
  EXPECT_SAYS(message<FileError>([&] { write_image(folder / "none" / "a.nii.gz", turned_image()); }), "none");
  EXPECT_SAYS(message<InputError>([&] { write_image(folder / "a.mha", turned_image()); }), ".nii.gz");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(ImageReal, EmidecHasThirteenMillimetreSlices) {
  const fs::path folder = fs::path(CARDIOTWIN_SHARED) / "data" / "lge";
  if (!fs::exists(folder)) GTEST_SKIP() << "the real cases are not here: " << folder;
  const Image image = read_image(folder / "samplePositive_Images.nii.gz");
  const LabelValues labels = read_labels(folder / "samplePositive_Contours.nii.gz");
  EXPECT_EQ(image.grid.size, (std::array{248, 258, 7}));
  EXPECT_TRUE(image.grid.spacing.isApprox(Vec3(1.40625, 1.40625, 13)));
  EXPECT_NO_THROW(require_same_grid(image.grid, labels.grid));
  EXPECT_EQ(std::count(labels.values.begin(), labels.values.end(), 3), 759);
}

}  // namespace
