#pragma once
/// What the numbers of a segmentation mean.

#include <cardiotwin/meshes/image.hpp>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cardiotwin::meshes {

/// What a voxel shows. The first six are the values of our own labels.
enum class Meaning : std::uint8_t { background, lv_blood, myocardium, scar, no_reflow, rv_blood, oedema, la_blood };
inline constexpr std::size_t meaning_count = 8;
const char* key_of(Meaning);   ///< "lv_blood", as users write it
const char* name_of(Meaning);  ///< "LV cavity", as people read it

struct Convention {
  std::string name;                     ///< "emidec"
  std::map<int, Meaning> meaning = {};  ///< 0 is background unless it stands here
  std::string source = {};              ///< whose labels these are, for people
};

/// Those known by name: emidec, phantom, acdc, myops, lasc.
std::span<const Convention> conventions();
/// One of those by name, or a mapping "1=lv_blood,2=myocardium,3=scar". Throws InputError.
Convention convention_of(const std::string& text);
/// The first that has all values found and, where it is a ventricle's, whose LV cavity is enclosed by muscle. Throws
/// InputError listing the values found where none fits.
Convention guess_convention(const LabelValues&);

/// The meaning of every voxel (`Meaning` as a number). Throws InputError listing the values found where the convention
/// lacks one.
Labels meanings(const LabelValues&, const Convention&);

/// Our own labels: 0 background, 1 LV cavity, 2 muscle, 3 infarct, 4 no-reflow, 5 RV cavity; oedema is muscle.
/// `convention` is "guess" (what was guessed is told), or as for convention_of. Throws InputError listing the values
/// found where none fits, where there is no muscle or no LV cavity, where the cavity is not enclosed by muscle, or
/// where the left ventricle touches the image edge in-plane. What else may be wrong with them is told by `assess`.
Labels canonical_labels(const LabelValues&, const std::string& convention, const Monitor& = {});
Labels canonical_labels(const Labels&, const std::string& convention, const Monitor& = {});

/// Labels on the grid of the image: as they are if they lie on it, else each voxel takes the label nearest in space,
/// which is told, and warned of where labels fall outside. Throws InputError where none lies within the image.
LabelValues labels_on(const Grid& image, LabelValues, const Monitor& = {});

}  // namespace cardiotwin::meshes
