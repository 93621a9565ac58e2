#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app{"cardiotwin: from a late-gadolinium MRI to tested ablation targets. Research use only."};
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
}
