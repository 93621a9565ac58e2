#pragma once
/// One table of options per verb: key, kind, unit, default, range, meaning. From it come the flags and their help, the
/// case file (TOML) and its checks, the documented template, and the record of what was effective.

#include <CLI/CLI.hpp>
#include <cardiotwin/field.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cardiotwin::app {

class Options {
 public:
  explicit Options(std::string verb) : verb_(std::move(verb)) {}

  // Rows. The variable's present value is the default. `flag_only` keeps a key out of case files and records (--json).
  void text(const std::string& key, std::string& value, const std::string& doc, std::vector<std::string> choices = {});
  void path(const std::string& key, std::filesystem::path& value, const std::string& doc);
  void integer(const std::string& key, int& value, int low, int high, const std::string& doc);
  void seed(const std::string& key, std::uint64_t& value, const std::string& doc);
  void number(const std::string& key, double& value, double low, double high, const std::string& doc);
  /// Without a value until one is given.
  void optional_number(const std::string& key, std::optional<double>& value, double low, double high,
                       const std::string& doc);
  /// `low` and `high` in `unit`; on the command line a bare number is taken in `unit`, a case file must name its unit.
  void quantity(const std::string& key, double& value, const std::string& unit, double low, double high,
                const std::string& doc);
  /// A time step [ms], or "auto", kept as 0.
  void time_step(const std::string& key, double& value, const std::string& doc);
  /// Three quantities "x, y, z".
  void vector(const std::string& key, Vec3& value, const std::string& unit, const std::string& doc);
  void optional_vector(const std::string& key, std::optional<Vec3>& value, const std::string& unit,
                       const std::string& doc);
  void flag(const std::string& key, bool& value, const std::string& doc, bool flag_only = false);
  void list(const std::string& key, std::vector<std::string>& value, const std::string& doc);
  /// A row with its own reading: `set` throws InputError.
  void custom(const std::string& key, const std::string& kind, std::function<void(const std::string&)> set,
              std::function<std::string()> get, const std::string& doc);

  /// Makes the last row the verb's positional argument.
  void positional();
  /// The last row must be given.
  void required();

  /// Adds the flags, `--case` and `--template` to the subcommand.
  void bind(CLI::App& command);
  /// Case file first, then flags over it; throws InputError. True if `--template` was asked for (nothing else is to be
  /// done).
  bool resolve();

  std::map<std::string, std::string> effective() const;
  /// A case file with the present values, each with its meaning above it.
  std::string toml() const;

 private:
  struct Row {
    std::string key, kind, doc, range;
    std::function<void(const std::string& text, bool bare_numbers)> set;
    std::function<std::string()> get;
    bool is_flag = false, is_list = false, is_bare = false, flag_only = false, positional = false, required = false;
    std::vector<std::string> given = {};  ///< on the command line
    bool raised = false;                  ///< a flag given on the command line
    bool set_by_user = false;
  };
  Row& add(const std::string& key, const std::string& kind, const std::string& doc, const std::string& range = {});
  void load(const std::filesystem::path& file);
  void set(Row&, const std::string& text, bool bare_numbers);

  std::string verb_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::string case_file_;
  bool template_ = false;
};

/// "a, b , c" -> {"a", "b", "c"}; empty items dropped.
std::vector<std::string> split(const std::string& text, char separator = ',');

/// "10, 20, 30 mm" in house units; without any unit only where `bare_numbers` may be in `unit`. Throws InputError.
Vec3 parse_vector(const std::string& text, const std::string& unit, bool bare_numbers);

}  // namespace cardiotwin::app
