// Foreign meshes go out and come back; what a format cannot carry is said; anatomies from them can be simulated.
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/io.hpp>

#include "exchange_cases.hpp"

using namespace cardiotwin;
using namespace cardiotwin::test;

namespace {

ForeignMesh through(const Folder& folder, const ForeignMesh& mesh, const std::string& name, std::string* lost = nullptr,
                    const std::string& format = "") {
  Warnings warnings;
  save_mesh(folder / name, mesh, format, warnings.monitor);
  if (lost) *lost = warnings.text;
  return load_mesh(folder / name);
}

TEST(Exchange, FormatsThatCarryAllLoseNothing) {
  const Folder folder;
  const auto mesh = full_mesh();
  std::string lost;
  for (const auto& [name, format] : {std::pair("a.vtu", ""), {"a.vtk", ""}, {"a.msh", ""}, {"b.msh", "gmsh2"}}) {
    SCOPED_TRACE(name);
    expect_equal(through(folder, mesh, name, &lost, format), mesh);
    EXPECT_EQ(lost, "");
  }
}

TEST(Exchange, OpencarpKeepsMeshTagsFibresAndNodeSets) {
  const Folder folder;
  auto mesh = full_mesh();
  std::string lost;
  for (const char* name : {"heart", "other.pts", "third.elem"}) {
    auto back = through(folder, mesh, name, &lost);
    EXPECT_EQ(lost, "openCARP keeps no node fields, tet fields, triangle fields, names of regions: left out\n");
    auto wanted = mesh;
    wanted.node_fields.clear(), wanted.tet_fields.clear(), wanted.triangle_fields.clear(), wanted.tag_names.clear();
    expect_equal(back, wanted, 1e-15);  // um in the file: one rounding of coordinates around 1
  }
  for (const char* file : {"heart.pts", "heart.elem", "heart.lon", "heart.apex.vtx", "heart.lead_1.vtx"})
    EXPECT_TRUE(std::filesystem::exists(folder / file)) << file;
  EXPECT_EQ(load_mesh(folder / "heart.apex.vtx").tets, mesh.tets);
  mesh.sheets.clear();
  EXPECT_TRUE(through(folder, mesh, "one").sheets.empty());
  EXPECT_TRUE(bytes_of(folder / "one.lon").starts_with("1\n"));
}

TEST(Exchange, OpencarpIsReadAsOthersWriteIt) {
  const Folder folder;
  write_text(folder / "a.pts", "5\n0 0 0\n1000 0 0\r\n0 1000 0\n0 0 1000\n5 5 5e3\n");
  write_text(folder / "a.elem", "3\nTt 0 1 2 3\nHx 0 1 2 3 0 1 2 3 4\nTr 0 1 2\n");
  const auto fibers = [&](const std::string& lon) {
    write_text(folder / "a.lon", lon);
    Warnings warnings;
    auto mesh = load_mesh(folder / "a.elem", {}, warnings.monitor);
    EXPECT_EQ(warnings.text, "1 elements of type Hx are passed over; only Tt, Tr and Ln are read\n");
    EXPECT_EQ(mesh.points[1], Vec3(1, 0, 0));
    EXPECT_TRUE(mesh.tet_tags.empty());
    EXPECT_EQ(mesh.tets.size(), 1u);
    EXPECT_EQ(mesh.triangles.size(), 1u);
    return mesh;
  };
  EXPECT_EQ(fibers("1\n1 0 0\n0 1 0\n0 1 0\n").fibers[0], Vec3(1, 0, 0));
  EXPECT_EQ(fibers("1 0 0\n0 1 0\n0 1 0\n").fibers[0], Vec3(1, 0, 0));
  EXPECT_EQ(fibers("2\n1 0 0 0 0 1\n0 1 0 1 0 0\n0 1 0 1 0 0\n").sheets[0], Vec3(0, 0, 1));
  EXPECT_EQ(fibers("1 0 0 0 0 1\n0 1 0 1 0 0\n0 1 0 1 0 0\n").sheets[0], Vec3(0, 0, 1));
  write_text(folder / "a.vtx", "2\nintra\n0\n3\n");
  write_text(folder / "plain.vtx", "1\n2\n");
  const auto sets = load_mesh(folder / "a", {.node_sets = {folder / "plain.vtx"}}).node_sets;
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0].nodes, (std::vector<Index>{0, 3}));
  EXPECT_EQ(sets[1].name, "plain");
  EXPECT_EQ(load_mesh(folder / "a", {.unit = "mm"}).points[1], Vec3(1000, 0, 0));
}

TEST(Exchange, TetgenKeepsMeshTagsAndValues) {
  const Folder folder;
  const auto mesh = full_mesh();
  std::string lost;
  const auto back = through(folder, mesh, "a.node", &lost);
  EXPECT_EQ(lost, "TetGen keeps no fibres, sheets, node sets, triangle fields, names of regions: left out\n");
  EXPECT_EQ(back.tets, mesh.tets);
  EXPECT_EQ(back.tet_tags, mesh.tet_tags);
  EXPECT_EQ(back.triangles, mesh.triangles);
  EXPECT_EQ(back.triangle_tags, mesh.triangle_tags);
  EXPECT_EQ(back.lines, mesh.lines);
  expect_near(back.points, mesh.points, 0, "points");
  ASSERT_EQ(back.node_fields.size(), 4u);  // of one component each, and nameless
  EXPECT_EQ(back.node_fields[1].values[5], mesh.node_fields[1].values[15]);
  EXPECT_EQ(back.tet_fields.at(0).values, mesh.tet_fields[0].values);
}

TEST(Exchange, TetgenCountsFromZeroOrOne) {
  const Folder folder;
  const Tet tet{0, 1, 2, 3};
  const std::string points = "# a remark\n\n 4 3 1 1\n1 0 0 0 7 1\n2 1 0 0 7 1 # here\n3 0 1 0 7 1\n4 0 0 1 7 2\n";
  write_text(folder / "a.node", points);
  write_text(folder / "a.ele", "1 4 1\n1  1 2 3 4  -5\n");
  write_text(folder / "a.face", "1 1\n1 1 2 3 6\n");
  const auto one = load_mesh(folder / "a.ele");
  EXPECT_EQ(one.tets.at(0), tet);
  EXPECT_EQ(one.tet_tags.at(0), -5);
  EXPECT_EQ(one.triangles.at(0), (Triangle{0, 1, 2}));
  EXPECT_EQ(one.triangle_tags.at(0), 6);
  EXPECT_EQ(one.node_fields.at(1).name, "marker");
  EXPECT_EQ(one.node_fields[1].values[3], 2);
  write_text(folder / "b.node", "4 3 0 0\n0 0 0 0\n1 1 0 0\n2 0 1 0\n3 0 0 1\n");
  write_text(folder / "b.ele", "1 4 0\n0 0 1 2 3\n");
  EXPECT_EQ(load_mesh(folder / "b").tets.at(0), tet);
  EXPECT_EQ(load_mesh(folder / "b", {.unit = "cm"}).points[1], Vec3(10, 0, 0));
}

TEST(Exchange, TetgenBinaryOfChasteIsRead) {
  const Folder folder;
  const auto raw = [](const auto& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  const std::vector<double> points{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0.1};
  const std::vector<std::uint32_t> tet{0, 1, 2, 3}, face{2, 1, 0};
  write_text(folder / "a.node", "4\t3\t0\t0\tBIN\n" + raw(points) + "#\n# Created\n");
  write_text(folder / "a.ele", "1\t4\t1\tBIN\n" + raw(tet) + raw(std::vector<double>{3}) + "#\n# Created\n");
  write_text(folder / "a.face", "1\t0\tBIN\n" + raw(face) + "#\n");
  const auto mesh = load_mesh(folder / "a.node");
  EXPECT_EQ(mesh.points.at(3), Vec3(0, 0, 0.1));
  EXPECT_EQ(mesh.tets.at(0), (Tet{0, 1, 2, 3}));
  EXPECT_EQ(mesh.tet_tags.at(0), 3);
  EXPECT_EQ(mesh.triangles.at(0), (Triangle{2, 1, 0}));
}

TEST(Exchange, GmshIsReadAsOthersWriteIt) {
  const Folder folder;
  // Sparse node numbers, an element of second order, points without a group, a section unknown to us.
  write_text(
      folder / "a.msh",
      "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$PhysicalNames\n2\n0 4 \"lead\"\n3 9 \"muscle\"\n$EndPhysicalNames\n"
      "$Nodes\n5\n10 0 0 0\n7 1 0 0\n100 0 1 0\n3 0 0 1\n8 .5 0 0\n$EndNodes\n$Odd\n1 2 3\n$EndOdd\n"
      "$Elements\n5\n1 15 2 0 1 10\n2 15 2 4 1 7\n3 4 2 9 1 10 7 100 3\n4 8 2 0 5 10 7 8\n5 5 2 1 1 10 7 100 3 10 7 "
      "100 3\n$EndElements\n");
  Warnings warnings;
  const auto mesh = load_mesh(folder / "a.msh", {}, warnings.monitor);
  EXPECT_EQ(mesh.tets.at(0), (Tet{0, 1, 2, 3}));
  EXPECT_EQ(mesh.tet_tags.at(0), 9);
  EXPECT_EQ(mesh.tag_names.at(9), "muscle");
  EXPECT_EQ(mesh.line_tags.at(0), 5);
  ASSERT_EQ(mesh.node_sets.size(), 1u);
  EXPECT_EQ(mesh.node_sets[0].name, "lead");
  EXPECT_EQ(mesh.node_sets[0].nodes, (std::vector<Index>{1}));
  EXPECT_NE(warnings.text.find("type 5 are passed over"), std::string::npos) << warnings.text;
  EXPECT_NE(warnings.text.find("read as their corners"), std::string::npos) << warnings.text;
}

TEST(Exchange, SurfacesKeepWhatTheirFormatCan) {
  const Folder folder;
  auto mesh = full_mesh();
  std::string lost;
  auto surface = through(folder, mesh, "a.vtp", &lost);
  EXPECT_EQ(lost, "VTP keeps no tets, region tags, fibres, sheets, tet fields, names of regions: left out\n");
  EXPECT_EQ(surface.points.size(), 18u);  // of 18, all on the boundary
  EXPECT_EQ(surface.triangles, mesh.triangles);
  EXPECT_EQ(surface.triangle_tags, mesh.triangle_tags);
  EXPECT_EQ(surface.lines, mesh.lines);
  EXPECT_EQ(surface.line_tags, mesh.line_tags);
  EXPECT_EQ(surface.node_sets.size(), 2u);
  expect_fields(surface.node_fields, mesh.node_fields, 0);
  expect_fields(surface.triangle_fields, mesh.triangle_fields, 0);
  expect_equal(through(folder, surface, "b.vtp"), surface);

  surface.lines.clear(), surface.line_tags.clear(), surface.node_sets.clear();
  surface.node_fields.resize(1);
  expect_equal(through(folder, surface, "b.ply", &lost), surface);
  EXPECT_EQ(lost, "");
  const auto triangles = through(folder, surface, "b.stl", &lost);
  EXPECT_EQ(lost, "STL keeps no surface tags, node fields, triangle fields: left out\n");
  ASSERT_EQ(triangles.points.size(), 18u);
  for (std::size_t t = 0; t < surface.triangles.size(); ++t)
    for (std::size_t k = 0; k < 3; ++k) {
      const auto at = [&](const ForeignMesh& m) { return m.points[static_cast<std::size_t>(m.triangles[t][k])]; };
      EXPECT_LE((at(triangles) - at(surface)).norm(), 1e-6);  // 32-bit numbers
    }
  surface.node_fields.push_back({"Scar", 1, std::vector<double>(18, 1.0)});
  surface.triangle_fields.clear(), surface.triangle_tags[4] = -1000000;
  expect_equal(through(folder, surface, "b.mesh"), surface, 1e-6);  // six decimals of a mm
  EXPECT_NE(bytes_of(folder / "b.mesh").find("-10000.000000\r\n"), std::string::npos);
}

TEST(Exchange, AVolumeGivesItsBoundaryToASurfaceFormat) {
  const Folder folder;
  auto mesh = full_mesh();
  const auto faces = mesh.triangles.size();
  mesh.triangles.clear(), mesh.triangle_tags.clear(), mesh.triangle_fields.clear();
  std::swap(mesh.tets[0][0], mesh.tets[0][1]);  // an inverted tet is no hindrance
  EXPECT_EQ(through(folder, mesh, "a.stl").triangles.size(), faces);
}

TEST(Exchange, OurOwnVtuIsReadBack) {
  const Folder folder;
  const auto anatomy = small_twin().anatomy;
  save(folder / "a.vtu", anatomy);
  const auto back = load_mesh(folder / "a.vtu");
  const auto wanted = to_foreign(anatomy);
  EXPECT_EQ(back.tets, wanted.tets);
  EXPECT_EQ(back.tet_tags, wanted.tet_tags);
  expect_near(back.fibers, wanted.fibers, 0, "fibres");
  expect_near(back.sheets, wanted.sheets, 0, "sheets");
  save_surface(folder / "s.vtu", anatomy);
  EXPECT_EQ(load_mesh(folder / "s.vtu").triangle_tags, wanted.triangle_tags);
}

TEST(Exchange, AnAnatomyComesBackFromEveryVolumeFormat) {
  const Folder folder;
  const auto anatomy = small_twin().anatomy;
  for (const char* name : {"a.vtu", "a.vtk", "a.msh"}) {
    SCOPED_TRACE(name);
    Warnings warnings;
    const auto back =
        to_anatomy(through(folder, to_foreign(anatomy), name),
                   {.surfaces = {{1, Surface::endo}, {2, Surface::epi}, {3, Surface::base}}}, warnings.monitor);
    EXPECT_EQ(warnings.text, "");
    EXPECT_TRUE(std::equal(back.mesh.labels().begin(), back.mesh.labels().end(), anatomy.mesh.labels().begin()));
    EXPECT_EQ(back.regions, anatomy.regions);
    expect_near(back.fibers.n, anatomy.fibers.n, 1e-15, "normals");
    EXPECT_EQ(back.depth, anatomy.depth);
    EXPECT_EQ(back.aha, anatomy.aha);
    EXPECT_EQ(back.site("aha7").nodes, anatomy.site("aha7").nodes);
    ASSERT_EQ(back.surface.size(), anatomy.surface.size());
    EXPECT_EQ(back.surface[5].tag, anatomy.surface[5].tag);
  }
}

TEST(Exchange, OpencarpGetsTheBoundaryAsNodeSets) {
  const Folder folder;
  const auto anatomy = small_twin().anatomy;
  std::string lost;
  const auto back = through(folder, to_foreign(anatomy), "heart", &lost);
  EXPECT_NE(lost.find("as node sets endo, epi, base"), std::string::npos) << lost;
  EXPECT_TRUE(back.triangles.empty());
  EXPECT_EQ(back.fibers.size(), anatomy.mesh.tet_count());
  EXPECT_FALSE(load_mesh(folder / "heart.epi.vtx").node_sets.empty());
  const auto again = to_anatomy(back, {.regions = {{1, "healthy"}, {2, "border_zone"}, {3, "core"}}});
  EXPECT_EQ(again.site("aha7").nodes, anatomy.site("aha7").nodes);
  for (const Index node : again.site("epi").nodes) EXPECT_GT(anatomy.mesh.points()[node].z(), 0.9);
}

TEST(Exchange, AnAnatomyIsMendedAndSaysSo) {
  ForeignMesh file;
  file.points = {{9, 9, 9}, {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  file.tets = {{1, 2, 4, 3}};  // inverted, and point 0 is unused
  file.node_sets = {{"lead", {2, 4, 2}}, {"nowhere", {0}}};
  Warnings warnings;
  const auto anatomy = to_anatomy(file, {}, warnings.monitor);
  EXPECT_EQ(anatomy.mesh.node_count(), 4u);
  EXPECT_GT(anatomy.mesh.volume(0), 0);
  EXPECT_EQ(anatomy.site("lead").nodes, (std::vector<Index>{1, 3}));
  EXPECT_EQ(anatomy.regions.at(1), "healthy");
  for (const char* part : {"taken as healthy", "1 inverted tets", "1 nodes that no tet uses", "laid along x",
                           "\"nowhere\" has no node on a tet"})
    EXPECT_NE(warnings.text.find(part), std::string::npos) << part << "\n" << warnings.text;

  file.fibers = {{0, 3, 0}}, file.sheets = {{1, 1, 0}};
  const auto turned = to_anatomy(file, {});
  EXPECT_EQ(turned.fibers.f[0], Vec3(0, 1, 0));
  EXPECT_EQ(turned.fibers.s[0], Vec3(1, 0, 0));
  file.fibers = {{0, 0, 0}};
  EXPECT_EQ(to_anatomy(file, {}).fibers.f[0], Vec3(1, 0, 0));
}

TEST(Exchange, AnAnatomyNeedsARegionForEveryTag) {
  auto file = full_mesh();
  file.tag_names.clear();
  const auto refused = [&](const AnatomyOptions& options) -> std::string {
    try {
      to_anatomy(file, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refused({}),
            "no region is named for tag 1, 2, 3, 70000 of the file; name every tag, as in --regions "
            "1=healthy,2=border_zone,3=core");
  EXPECT_NE(refused({.regions = {{1, "healthy"}}}).find("tag 2, 3, 70000"), std::string::npos);
  const std::map<Tag, std::string> regions{{1, "healthy"}, {2, "healthy"}, {3, "core"}, {70000, "patch"}};
  const auto anatomy = to_anatomy(file, {.regions = regions});
  EXPECT_EQ(anatomy.regions, (std::map<Label, std::string>{{1, "healthy"}, {3, "core"}, {6, "patch"}}));
  EXPECT_NE(refused({.regions = regions, .surfaces = {{1, Surface::endo}}}).find("boundary faces have no triangle"),
            std::string::npos);
  file.tets.clear(), file.tet_tags.clear(), file.fibers.clear(), file.sheets.clear(), file.tet_fields.clear();
  EXPECT_NE(refused({}).find("holds no tets"), std::string::npos);
  file = full_mesh();
  file.points[static_cast<std::size_t>(file.tets[0][1])] = file.points[static_cast<std::size_t>(file.tets[0][0])];
  EXPECT_NE(refused({}).find("volume"), std::string::npos);
}

TEST(Exchange, UnknownNamesAreRefused) {
  const Folder folder;
  const auto mesh = full_mesh();
  EXPECT_THROW(save_mesh(folder / "a.xyz", mesh), InputError);
  EXPECT_THROW(save_mesh(folder / "a.msh", mesh, "gmesh"), InputError);
  EXPECT_THROW(save_mesh(folder / "none/a.msh", mesh), FileError);
  EXPECT_THROW(load_mesh(folder / "a.msh"), FileError);
  EXPECT_THROW(load_mesh(folder / "a"), FileError);
  EXPECT_THROW(load_mesh(folder.path()), InputError);
  write_text(folder / "a.xyz", "x");
  EXPECT_THROW(load_mesh(folder / "a.xyz"), InputError);
  save_mesh(folder / "b.msh", mesh);
  EXPECT_THROW(load_mesh(folder / "b.msh", {.unit = "inch"}), InputError);
  auto wrong = mesh;
  wrong.tets[3][2] = 99;
  EXPECT_THROW(save_mesh(folder / "c.msh", wrong), InputError);
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(Exchange, NamesLeadNowhere) {
  const Folder folder;
  auto mesh = full_mesh();
  mesh.node_sets = {{"../../out", {0}}, {".._.._out", {1}}, {"", {2}}, {"two\nlines\"", {3}}};
  save_mesh(folder / "a", mesh);
  EXPECT_EQ(folder.entries(), 7u);
  EXPECT_EQ(load_mesh(folder / "a").node_sets.size(), 4u);
  for (const char* name : {"a.msh", "a.vtu", "a.vtk"})
    EXPECT_EQ(through(folder, mesh, name).node_sets.size(), 4u) << name;
}

TEST(Exchange, FilesThatBelongTogetherAreWrittenTogetherOrNotAtAll) {
  const Folder folder;
  auto mesh = full_mesh();
  std::filesystem::create_directory(folder / "a.lon");  // the third of five cannot be written
  EXPECT_THROW(save_mesh(folder / "a", mesh), FileError);
  EXPECT_EQ(folder.entries(), 1u);
  {
    const SmallDisk disk(2000);
    EXPECT_THROW(save_mesh(folder / "b", mesh), FileError);
    EXPECT_THROW(save_mesh(folder / "b.vtu", mesh), FileError);
  }
  EXPECT_EQ(folder.entries(), 1u);
}

}  // namespace
