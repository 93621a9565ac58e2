#pragma once
/// What was measured in a patient: activation maps, velocities, APD, ERP, electrocardiograms, each with its noise.

#include <cardiotwin/ecg.hpp>
#include <cardiotwin/field.hpp>
#include <cardiotwin/finding.hpp>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace cardiotwin {

enum class Axis;  // calibration.hpp, which may want to see this header

/// Local activation times at points of a catheter's tip. Their zero is the map's reference, not the stimulus.
struct LatMap {
  std::string title = {};         ///< the user's; readers leave it empty, names in exports may tell who
  std::string frame = {};         ///< whose coordinates: "CARTO", "LPS", ...; empty: not known
  std::vector<Vec3> points = {};  ///< [mm]
  std::vector<double> lat = {};   ///< [ms], per point
  std::vector<double> bipolar = {}, unipolar = {};  ///< [mV], per point or empty; NaN where there is none
  double noise = 3;                                 ///< standard deviation of a LAT [ms]
  std::size_t left_out = 0;                         ///< points of the file without a LAT or a place
  std::size_t merged = 0;                           ///< points of the file that repeat place and LAT of an earlier one

  std::size_t size() const { return points.size(); }
  /// Throws InputError unless the lists fit together, all is finite and this can be a map of a chamber: LATs that span
  /// 5 ... 1000 ms, points that span 15 ... 400 mm (largest distance along an axis of their box). Says so where another
  /// unit would fit.
  void validate() const;
};

/// Comma-separated, "research use only" first, then a header line with units; numbers read back to the same double.
/// Throws InputError as validate does.
std::string to_csv(const LatMap&);

/// A table with the columns x, y, z, LAT and, where known, bipolar and unipolar, in any order, each with its unit, as
/// "x [mm],y [mm],z [mm],LAT [ms],bipolar [mV]"; lines that begin with # are skipped. An empty or NaN cell is "none":
/// points without a LAT or a place are left out and counted. Of points at the same place with the same LAT one is kept;
/// those at the same place with different LATs are measurements in their own right. Throws InputError, naming the line,
/// and as validate does.
LatMap lat_map_from_csv(std::string_view text);

/// CARTO 3's `.mesh` with vertex colours LAT, Bipolar, Unipolar (interpolated by CARTO to the vertices, so neighbours
/// are not independent; exports of version 7 on have none), or better its list of points `*_car.txt`: a line with the
/// version, then per point "P", three numbers, x y z [mm], three angles, unipolar, bipolar [mV], LAT [ms] and more that
/// is not read. -10000 is "none", a vertex of group -1000000 no tissue. No public specification of the list exists: the
/// columns are those on which published readers of it agree, two of three as to which voltage is first. Throws
/// InputError, naming the line, where there is no LAT, and as validate does.
LatMap lat_map_from_carto(std::string_view text);

/// Either of them, told apart by how the file begins. Throws FileError.
LatMap load_lat_map(const std::filesystem::path&);

/// What a reader did and what looks doubtful: points left out or merged, LATs that differ by more than six times the
/// noise at one place or between points closer than 2 mm.
std::vector<Finding> check_lat_map(const LatMap&);

/// Conduction velocity of one region along or across its fibres.
struct VelocityMeasure {
  std::string region;  ///< "healthy", ...
  Axis axis;
  double value;         ///< [m/s]
  double noise = 0.05;  ///< standard deviation [m/s]
};

/// Action potential duration at 90 % repolarisation in steady state.
struct ApdMeasure {
  std::string region;
  double cycle_length;  ///< [ms]
  double apd;           ///< [ms]
  double noise = 10;    ///< standard deviation [ms]
};

/// Effective refractory period: the longest coupling of a premature stimulus that does not capture.
struct ErpMeasure {
  std::string site = {};  ///< of the anatomy; empty: `position` counts
  Vec3 position = Vec3::Constant(std::numeric_limits<double>::quiet_NaN());  ///< [mm, LPS]
  double s1 = NAN;                                                           ///< [ms]
  double erp = NAN;                                                          ///< [ms]
  double noise = 10;  ///< standard deviation [ms]; pacing in steps of 10 ms alone makes 3
};

/// Leads of a beat.
struct EcgMeasure {
  Ecg leads;
  double begin = 0, end = 0;  ///< [ms] the one beat looked at
  double noise = 0.05;        ///< standard deviation of a sample [mV]
};

/// All that is known of one patient; any list may be empty.
struct Measurements {
  std::vector<LatMap> lat_maps = {};
  std::vector<VelocityMeasure> velocities = {};
  std::vector<ApdMeasure> apds = {};
  std::vector<ErpMeasure> erps = {};
  std::vector<EcgMeasure> ecgs = {};

  bool empty() const { return lat_maps.empty() && velocities.empty() && apds.empty() && erps.empty() && ecgs.empty(); }
  /// Throws InputError for anything no heart does: velocity outside [0.02, 3] m/s, APD or ERP outside [50, 1000] ms or
  /// not below its cycle length, noise that is not positive, an ERP of no place, a beat that is not in its record; and
  /// as LatMap::validate and Ecg::validate do.
  void validate() const;
};

/// What is wrong or doubtful with recorded leads before a model is fitted to them: leads missing, flat (below 0.02 mV
/// from peak to peak), or such that the limb leads contradict Einthoven and Goldberger (doi
/// 10.1161/CIRCULATIONAHA.106.180200) by more than 5 % of their size or 0.02 mV; where one lead turned over, two
/// exchanged, or one left out would reconcile them, it is named. Exchanged arm electrodes keep every identity: aVR
/// mainly positive with I mainly negative is a warning, no more. Throws InputError as Ecg::validate does.
std::vector<Finding> check_ecg(const Ecg& leads);

/// The same of the beat alone, and: QRS is found, begins inside the window, stands out of the noise; a negative P in I.
/// Throws InputError also for a window that is not in the record.
std::vector<Finding> check_ecg(const EcgMeasure&);

}  // namespace cardiotwin
