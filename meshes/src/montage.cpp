#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/meshes/inspect.hpp>
#include <cardiotwin/provenance.hpp>
#include <cmath>

#include "voxels.hpp"

namespace cardiotwin::meshes {
namespace {

constexpr int tile = 256, margin = 2, most_tiles = 48;

struct Colour {
  std::uint8_t r, g, b;
  const char* name;
};
constexpr std::array<Colour, meaning_count> colours{{{0, 0, 0, ""},
                                                     {235, 60, 60, "red"},
                                                     {60, 220, 90, "green"},
                                                     {255, 220, 0, "yellow"},
                                                     {255, 70, 255, "magenta"},
                                                     {80, 150, 255, "blue"},
                                                     {0, 225, 225, "cyan"},
                                                     {255, 150, 40, "orange"}}};

// Digits of 3 x 5 pixels, a row in three bits from the top.
constexpr std::array<std::uint16_t, 10> digits{
    0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
    0b111100111001111, 0b111100111101111, 0b111001010010010, 0b111101111101111, 0b111101111001111};

// Which of two neighbours gives an outline its colour: the inner one. So the cavity's is red, the outside green.
constexpr std::array<int, meaning_count> rank{0, 5, 1, 6, 7, 4, 3, 2};

struct Picture {
  int width, height;
  std::vector<std::uint8_t> rgb;

  Picture(int w, int h) : width(w), height(h), rgb(std::size_t(w) * h * 3, 0) {}
  void set(int x, int y, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
    std::uint8_t* at = &rgb[(std::size_t(y) * width + x) * 3];
    at[0] = r, at[1] = g, at[2] = b;
  }
  void number(int x, int y, int value) {
    const auto text = fmt::format("{}", value);
    for (int i = 0; i < int(text.size()) * 8 + 2; ++i) {
      for (int j = -2; j < 12; ++j) set(x + i - 2, y + j, 0, 0, 0);  // legible on any ground
    }
    for (const char c : text) {
      for (int bit = 0; bit < 15; ++bit) {
        if (!(digits[std::size_t(c - '0')] >> (14 - bit) & 1)) continue;
        for (int d = 0; d < 4; ++d) set(x + 2 * (bit % 3) + d % 2, y + 2 * (bit / 3) + d / 2, 255, 255, 255);
      }
      x += 8;
    }
  }
};

// The part of each slice that is shown, in voxels, and the slices.
struct View {
  std::array<double, 2> low{}, high{};
  std::vector<int> slices;
  bool flip_i = false, flip_j = false;
  double scale = 1;  // pixels per mm
  int width = 0, height = 0;
};

// Towards the viewer's right: left or posterior; downwards: posterior or inferior.
void turn(View& view, const Grid& g) {
  const auto along = [&](int axis, const Vec3& wanted) {
    Eigen::Index strongest = 0;
    g.direction.col(axis).cwiseAbs().maxCoeff(&strongest);
    return g.direction(strongest, axis) * wanted[strongest] < 0;
  };
  view.flip_i = along(0, {1, 1, -1});
  view.flip_j = along(1, {1, 1, -1});
}

View view_of(const Grid& g, const std::optional<Labels>& labels) {
  View view;
  std::array<int, 3> low = g.size, high{-1, -1, -1};
  if (labels) {
    for_each_voxel(g, [&](int i, int j, int k, std::size_t v) {
      const std::array<int, 3> at{i, j, k};
      for (int a = 0; a < 3 && labels->values[v]; ++a)
        low[a] = std::min(low[a], at[a]), high[a] = std::max(high[a], at[a]);
    });
  }
  const bool labelled = high[0] >= 0;
  for (int a = 0; a < 2; ++a) {
    const double rim = 20 / g.spacing[a];  // so that the surroundings stay recognisable
    view.low[a] = labelled ? std::max(-0.5, low[a] - rim) : -0.5;
    view.high[a] = labelled ? std::min(g.size[a] - 0.5, high[a] + rim) : g.size[a] - 0.5;
  }
  const bool many = g.size[2] > most_tiles;
  const int first = many && labelled ? low[2] : 0, last = many && labelled ? high[2] : g.size[2] - 1;
  const int count = std::min(last - first + 1, most_tiles);
  for (int n = 0; n < count; ++n)
    view.slices.push_back(first + (count > 1 ? int(std::lround(double(n) * (last - first) / (count - 1))) : 0));
  const double wide = (view.high[0] - view.low[0]) * g.spacing[0], tall = (view.high[1] - view.low[1]) * g.spacing[1];
  view.scale = tile / std::max(wide, tall);
  view.width = std::clamp(int(std::lround(wide * view.scale)), 32, tile),
  view.height = std::clamp(int(std::lround(tall * view.scale)), 32, tile);
  turn(view, g);
  return view;
}

// First and 99th percentile of what is shown.
std::pair<float, float> window(const Image& image, const View& view) {
  std::vector<float> shown;
  for (const int k : view.slices) {
    for (int j = int(std::ceil(view.low[1])); j <= int(view.high[1]); ++j) {
      for (int i = int(std::ceil(view.low[0])); i <= int(view.high[0]); ++i)
        shown.push_back(image.values[image.grid.offset(i, j, k)]);
    }
  }
  std::ranges::sort(shown);
  const auto at = [&](double share) { return shown[std::size_t(share * double(shown.size() - 1))]; };
  return {at(0.01), at(0.99)};
}

// Bilinear within the slice.
double sample(const Image& image, double i, double j, int k) {
  const auto& n = image.grid.size;
  i = std::clamp(i, 0.0, n[0] - 1.0), j = std::clamp(j, 0.0, n[1] - 1.0);
  const int i0 = std::min(int(i), n[0] - 2), j0 = std::min(int(j), n[1] - 2);
  const double u = i - i0, v = j - j0;
  const float* at = &image.values[image.grid.offset(i0, j0, k)];
  return (1 - v) * ((1 - u) * at[0] + u * at[1]) + v * ((1 - u) * at[n[0]] + u * at[n[0] + 1]);
}

// A region's colour over the grey of the image.
Colour tinted(std::uint8_t grey, std::uint8_t region) {
  const Colour& over = colours[std::size_t(region == region::core ? Meaning::lv_blood : Meaning::scar)];
  if (region < region::border_zone) return {grey, grey, grey, ""};
  const auto mix = [&](std::uint8_t colour) { return std::uint8_t(0.55 * grey + 0.45 * colour); };
  return {mix(over.r), mix(over.g), mix(over.b), ""};
}

struct Shown {
  const Image& image;
  const std::optional<Labels>&labels, &regions;
  float dark, bright;
};

void draw(Picture& picture, int left, int top, int k, const View& view, const Shown& shown) {
  const auto& [image, labels, regions, dark, bright] = shown;
  const auto index = [](double low, double high, int n, int size, bool flip) {
    const double share = (n + 0.5) / size;
    return low + (high - low) * (flip ? 1 - share : share);
  };
  const auto value_at = [&](const Labels& of, int x, int y) {
    return label_at(of, int(std::floor(index(view.low[0], view.high[0], x, view.width, view.flip_i) + 0.5)),
                    int(std::floor(index(view.low[1], view.high[1], y, view.height, view.flip_j) + 0.5)), k);
  };
  const auto label = [&](int x, int y) { return value_at(*labels, x, y); };
  for (int y = 0; y < view.height; ++y) {
    for (int x = 0; x < view.width; ++x) {
      const double value = sample(image, index(view.low[0], view.high[0], x, view.width, view.flip_i),
                                  index(view.low[1], view.high[1], y, view.height, view.flip_j), k);
      const auto grey =
          std::uint8_t(std::clamp(255 * (value - dark) / std::max(1e-30, double(bright) - dark), 0.0, 255.0));
      const Colour ground = tinted(grey, regions ? value_at(*regions, x, y) : 0);
      picture.set(left + x, top + y, ground.r, ground.g, ground.b);
      if (!labels) continue;
      const auto own = label(x, y), right = label(std::min(x + 1, view.width - 1), y),
                 below = label(x, std::min(y + 1, view.height - 1));
      if (own == right && own == below) continue;
      const Colour& c = colours[std::max({own, right, below}, [](auto a, auto b) { return rank[a] < rank[b]; })];
      picture.set(left + x, top + y, c.r, c.g, c.b);
    }
  }
  picture.number(left + 4, top + 4, k + 1);
}

void append(png_structp png, png_bytep bytes, png_size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), count);
}

// libpng leaves by longjmp on errors; nothing here has a destructor.
bool compress(const Picture& picture, png_text* texts, int text_count, std::string& out) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png ? png_create_info_struct(png) : nullptr;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_set_write_fn(png, &out, append, nullptr);
  png_set_IHDR(png, info, png_uint_32(picture.width), png_uint_32(picture.height), 8, PNG_COLOR_TYPE_RGB,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_text(png, info, texts, text_count);
  png_write_info(png, info);
  for (int y = 0; y < picture.height; ++y) png_write_row(png, &picture.rgb[std::size_t(y) * picture.width * 3]);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return true;
}

}  // namespace

const char* colour_of(Meaning meaning) { return colours[std::size_t(meaning)].name; }

void write_montage(const std::filesystem::path& path, const Image& image, const std::optional<Labels>& labels,
                   const std::optional<Labels>& regions) {
  if (labels) require_same_grid(image.grid, labels->grid);
  if (regions) require_same_grid(image.grid, regions->grid);
  const View view = view_of(image.grid, labels);
  const int count = int(view.slices.size());
  const int columns = std::clamp(int(std::ceil(std::sqrt(1.5 * count * view.height / view.width))), 1, count);
  const int rows = (count + columns - 1) / columns;
  Picture picture(columns * (view.width + margin) + margin, rows * (view.height + margin) + margin);
  const auto [dark, bright] = window(image, view);
  for (int n = 0; n < count; ++n) {
    draw(picture, margin + n % columns * (view.width + margin), margin + n / columns * (view.height + margin),
         view.slices[std::size_t(n)], view, {image, labels, regions, dark, bright});
  }
  std::string software = "cardiotwin " + version(), notice = research_use_only, bytes;
  std::array<png_text, 2> texts{};
  char software_key[] = "Software", notice_key[] = "Disclaimer";
  texts[0] = {.compression = PNG_TEXT_COMPRESSION_NONE,
              .key = software_key,
              .text = software.data(),
              .text_length = software.size()};
  texts[1] = {
      .compression = PNG_TEXT_COMPRESSION_NONE, .key = notice_key, .text = notice.data(), .text_length = notice.size()};
  if (!compress(picture, texts.data(), int(texts.size()), bytes))
    throw NumericalError("PNG: the picture could not be compressed");
  write_text(path, bytes);
}

}  // namespace cardiotwin::meshes
