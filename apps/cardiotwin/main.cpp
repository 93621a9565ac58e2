// cardiotwin: one verb a stage, files in, files out. Exit code 0 is success, 2 input that cannot be used, 130 an interruption by
// the user, 1 anything else.

#include <cstdio>
#include <new>

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>

#include "verbs.hpp"

namespace {

int run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;  // --help, --version
    app.exit(error);
    return asked ? 0 : 2;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cardiotwin;
  CLI::App app{fmt::format("cardiotwin {}: from a late-gadolinium MRI to tested ablation targets.\n{}", version(), research_use_only),
               "cardiotwin"};
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  app.get_formatter()->column_width(36);
  app::add_phantom(app);
  app::add_build(app);
  app::add_check(app);
  app::add_calibrate(app);
  app::add_simulate(app);
  app::add_plan(app);
  app::add_report(app);
  app::add_demo(app);

  const std::string verb = argc > 1 && argv[1][0] != '-' ? fmt::format("cardiotwin {}", argv[1]) : "cardiotwin";
  const auto fail = [&](const char* sentence, int code) {
    fmt::print(stderr, "{}: {}\n", verb, sentence);
    return code;
  };
  try {
    return run(app, argc, argv);
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
