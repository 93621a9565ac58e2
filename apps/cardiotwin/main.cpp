// cardiotwin: one verb a stage, files in, files out. Exit code 0 is success, 2 input that cannot be used, 130 an
// interruption by the user, 1 anything else.

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "verbs.hpp"

namespace {

using namespace cardiotwin;

/// The subcommand that was named, or the program itself.
const CLI::App& named(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : *chosen.front();
}

// CLI11 says which word it did not expect; we say in one line what may have been meant.
std::string unexpected(const CLI::App& app, const std::string& otherwise) {
  const auto extras = app.remaining(true);
  if (extras.empty()) return otherwise;
  const CLI::App& command = named(app);
  std::vector<std::string> known;
  const bool flag = extras.front().starts_with("-");
  for (const auto* option : command.get_options()) {
    if (flag) known.push_back("--" + (option->get_lnames().empty() ? std::string() : option->get_lnames().front()));
  }
  if (!flag) {
    for (const auto* verb : command.get_subcommands([](const CLI::App*) { return true; }))
      known.push_back(verb->get_name());
  }
  std::erase(known, "--");
  return fmt::format("\"{}\" is not expected{}", extras.front(),
                     known.empty() ? "" : suggestion(extras.front(), known));
}

// 0 where help or version was asked for; else throws InputError with one line.
int parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    throw InputError(unexpected(app, error.what()));
  } catch (const CLI::RequiredError& error) {
    if (!app.remaining(true).empty()) throw InputError(unexpected(app, error.what()));  // a verb that is none
    throw InputError(fmt::format("{}; see --help", error.what()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) throw InputError(error.what());
    app.exit(error);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{fmt::format("cardiotwin {}: from a late-gadolinium MRI to tested ablation targets.\n{}", version(),
                           research_use_only),
               "cardiotwin"};
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);
  app::add_phantom(app);
  app::add_build(app);
  app::add_inspect(app);
  app::add_scar(app);
  app::add_check(app);
  app::add_calibrate(app);
  app::add_simulate(app);
  app::add_plan(app);
  app::add_report(app);
  app::add_demo(app);
  app::add_cell(app);
  app::add_convert(app);
  app::add_locate(app);

  const auto fail = [&](const char* sentence, int code) {
    app::close_line();
    const CLI::App& verb = named(app);
    fmt::print(stderr, "cardiotwin{}: {}\n", &verb == &app ? "" : " " + verb.get_name(), sentence);
    return code;
  };
  try {
    return parse(app, argc, argv);
  } catch (const InputError& error) {
    return fail(error.what(), 2);
  } catch (const Interrupted& error) {
    return fail(error.what(), 130);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory for this; a coarser --edge needs less", 1);
  } catch (const std::exception& error) {
    return fail(error.what(), 1);
  }
}
