// Damaged and hostile files: an InputError in good time, or a mesh that is sound; never anything else.
#include <sys/stat.h>

#include <cardiotwin/exchange.hpp>
#include <cardiotwin/io.hpp>

#include "exchange_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::test;

namespace {

/// True if refused; what is accepted must be sound. Any other exception fails the test.
bool refused(const std::filesystem::path& path) {
  try {
    load_mesh(path).validate();
    return false;
  } catch (const InputError& error) {
    EXPECT_GT(std::string(error.what()).size(), 20u);
    return true;
  }
}

/// Anew, not over the old one: file systems flush a file that is cut short, and there are thousands.
void replace(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  write_bytes(path, bytes);
}

ForeignMesh tiny_mesh() {
  ForeignMesh mesh;
  mesh.points = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 1}};
  mesh.tets = {{0, 1, 2, 3}, {1, 2, 3, 4}}, mesh.tet_tags = {1, 2};
  mesh.fibers = {{1, 0, 0}, {0, 1, 0}}, mesh.sheets = {{0, 1, 0}, {1, 0, 0}};
  mesh.triangles = {{0, 1, 2}}, mesh.triangle_tags = {3};
  mesh.node_sets = {{"apex", {0, 3}}};
  mesh.node_fields = {{"LAT", 1, {1, 2, 3, 4, 5}}}, mesh.tet_fields = {{"aha", 1, {1, 2}}};
  mesh.tag_names = {{1, "healthy"}, {2, "core"}};
  return mesh;
}

struct Sample {
  std::string file, format;
  std::vector<std::string> parts;  // the files that are damaged
};
const std::vector<Sample> samples{{"a", "opencarp", {"a.pts", "a.elem", "a.lon", "a.apex.vtx"}},
                                  {"b.node", "tetgen", {"b.node", "b.ele", "b.face"}},
                                  {"c.msh", "gmsh", {"c.msh"}},
                                  {"d.msh", "gmsh2", {"d.msh"}},
                                  {"e.vtu", "vtu", {"e.vtu"}},
                                  {"f.vtk", "vtk", {"f.vtk"}},
                                  {"g.vtp", "vtp", {"g.vtp"}},
                                  {"h.ply", "ply", {"h.ply"}},
                                  {"i.stl", "stl", {"i.stl"}},
                                  {"j.mesh", "carto", {"j.mesh"}}};

TEST(ExchangeDamage, AFileCutAnywhereIsRefusedOrSound) {
  const Folder folder;
  for (const auto& sample : samples) {
    save_mesh(folder / sample.file, tiny_mesh(), sample.format);
    for (const auto& part : sample.parts) {
      const auto whole = bytes_of(folder / part);
      std::size_t accepted = 0;
      for (std::size_t length = 0; length < whole.size(); ++length) {
        replace(folder / part, whole.substr(0, length));
        accepted += !refused(folder / sample.file);
      }
      // What a cut cannot show: a shorter last number, closing tags and whole sections at the end.
      EXPECT_LE(accepted, 20 + whole.size() / 3) << part;
      replace(folder / part, whole);
      EXPECT_FALSE(refused(folder / sample.file)) << part;
    }
  }
}

TEST(ExchangeDamage, AnyByteMayBeWrong) {
  const Folder folder;
  for (const auto& sample : samples) {
    save_mesh(folder / sample.file, tiny_mesh(), sample.format);
    for (const auto& part : sample.parts) {
      const auto whole = bytes_of(folder / part);
      const auto step = std::max<std::size_t>(1, whole.size() / 400);
      for (std::size_t at = 0; at < whole.size(); at += step) {
        for (const char wrong : {'\0', '-', '9', '\xff'}) {
          auto bytes = whole;
          bytes[at] = wrong;
          replace(folder / part, bytes);
          refused(folder / sample.file);
        }
      }
      replace(folder / part, whole);
    }
  }
}

// Every number of a text file in turn becomes huge, negative, or none.
TEST(ExchangeDamage, NoNumberIsBelieved) {
  const Folder folder;
  for (const auto& sample : samples) {
    save_mesh(folder / sample.file, tiny_mesh(), sample.format);
    for (const auto& part : sample.parts) {
      const auto whole = bytes_of(folder / part);
      if (part.ends_with("stl") || part.ends_with("ply")) continue;  // binary
      const auto end = part.ends_with("vtu") || part.ends_with("vtp") ? whole.find("<AppendedData") : whole.size();
      for (std::size_t at = 0; at < end; ++at) {
        if (!std::isdigit(whole[at]) || (at > 0 && !std::isspace(whole[at - 1]) && whole[at - 1] != '"')) continue;
        auto after = at;
        while (after < end && (std::isdigit(whole[after]) || whole[after] == '.')) ++after;
        for (const char* number : {"999999999999", "4000000000", "18446744073709551615", "-1", "nan", "1e300"}) {
          replace(folder / part, whole.substr(0, at) + number + whole.substr(after));
          refused(folder / sample.file);
        }
      }
      replace(folder / part, whole);
    }
  }
}

struct Bad {
  const char *file, *text, *sentence;
};

TEST(ExchangeDamage, TheSentenceNamesFileLineAndRule) {
  const Folder folder;
  write_bytes(folder / "a.pts", "2\n0 0 0\n1 1 1\n");
  const Bad cases[] = {
      {"a.elem", "99999999\nTt 0 1 0 1\n", ".elem line 1: 99999999 elements are announced, but only 12 bytes are left"},
      {"a.elem", "1\nTt 0 1 0 7\n", "tet 0 names node 7, but there are only 2 points"},
      {"a.elem", "1\nXx 0 1 0 1\n", ".elem line 2: \"Xx\" is no type of element"},
      {"a.elem", "1\nTt 0 1 0 x\n", ".elem line 2: a node should be a whole number, not \"x\""},
      {"a.elem", "2\nTt 0 1 0 1\n", ".elem line 3: the file ends after 1 of 2 elements"},
      {"b.msh", "$MeshFormat\n4.0 0 8\n$EndMeshFormat\n", "line 2: version 4 is not read; save the mesh as 4.1 or 2.2"},
      {"c.vtu", "<VTKFile type=\"ImageData\">", "no VTK file of type UnstructuredGrid or PolyData"},
      {"d.vtk", "# vtk DataFile Version 3.0\nx\nASCII\nDATASET STRUCTURED_POINTS\n",
       "data sets of type \"STRUCTURED_POINTS\""},
      {"e.ply", "ply\nformat ascii 1.0\nelement vertex 900000000\nproperty float x\nend_header\n1\n",
       "line 3: 900000000 elements"},
      {"f.stl", "sol", "neither a binary STL nor begins with \"solid\""},
      {"g.mesh", "#TriangulatedMeshVersion2.0\n[GeneralAttributes]\nNumVertex = 3\n",
       "3 vertices are announced, but there are 0"},
  };
  for (const auto& bad : cases) {
    write_bytes(folder / bad.file, bad.text);
    try {
      load_mesh(folder / bad.file);
      ADD_FAILURE() << bad.text;
    } catch (const FileError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with((folder / bad.file).string() + ": ")) << error.what();
      EXPECT_NE(std::string(error.what()).find(bad.sentence), std::string::npos) << error.what();
    }
  }
}

TEST(ExchangeDamage, PointsAndFibresMustBeFinite) {
  const Folder folder;
  write_bytes(folder / "a.pts", "4\n0 0 0\n1 0 nan\n0 1 0\n0 0 1\n");
  write_bytes(folder / "a.elem", "1\nTt 0 1 2 3\n");
  EXPECT_TRUE(refused(folder / "a"));
  write_bytes(folder / "a.pts", "4\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n");
  EXPECT_FALSE(refused(folder / "a"));
  write_bytes(folder / "a.lon", "1\ninf 0 0\n");
  EXPECT_TRUE(refused(folder / "a"));
  write_bytes(folder / "a.lon", "1\n1e999 0 0\n");
  EXPECT_TRUE(refused(folder / "a"));
}

TEST(ExchangeDamage, SmallFilesDoNotGrowWithoutEnd) {
  const Folder folder;
  // Arrays that share their bytes, and a block that announces more than zlib can pack.
  std::string arrays;
  for (int k = 0; k < 2000; ++k) arrays += "<DataArray type=\"UInt8\" Name=\"a\" format=\"appended\" offset=\"0\"/>";
  const std::string head = "<VTKFile type=\"UnstructuredGrid\" byte_order=\"LittleEndian\"";
  const std::string body = "><UnstructuredGrid><Piece NumberOfPoints=\"9\"><PointData>" + arrays +
                           "</PointData></Piece></UnstructuredGrid><AppendedData encoding=\"raw\">_";
  const std::string length("\x00\x00\x01\x00", 4);  // 65536
  write_bytes(folder / "a.vtu", head + body + length + std::string(70000, 'x'));
  EXPECT_TRUE(refused(folder / "a.vtu"));
  const std::string blocks = std::string("\x01\0\0\0\xff\xff\xff\x7f\0\0\0\0\x04\0\0\0", 16) + "abcd";
  write_bytes(folder / "b.vtu", head + " compressor=\"vtkZLibDataCompressor\"" + body + blocks);
  EXPECT_TRUE(refused(folder / "b.vtu"));
}

TEST(ExchangeDamage, APipeOrAFolderIsNoFile) {
  const Folder folder;
  ASSERT_EQ(::mkfifo((folder / "a.vtu").c_str(), 0600), 0);
  EXPECT_TRUE(refused(folder / "a.vtu"));  // and does not wait for someone to write
  std::filesystem::create_directory(folder / "b.vtu");
  EXPECT_TRUE(refused(folder / "b.vtu"));
}

}  // namespace
