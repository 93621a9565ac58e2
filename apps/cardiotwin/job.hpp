#pragma once
/// How a verb is put together: a job declares its rows, then runs.

#include <fmt/format.h>

#include <cardiotwin/error.hpp>
#include <cardiotwin/provenance.hpp>
#include <memory>
#include <string>

#include "verbs.hpp"

namespace cardiotwin::app {

/// `Job` has `Options options`, `declare()`, `run()` and `left()`: what an interruption leaves on disk and how to go
/// on.
template <class Job>
void add_verb(CLI::App& app, const std::string& name, const std::string& doc, const std::string& in,
              const std::string& out) {
  auto job = std::make_shared<Job>();
  auto* command = app.add_subcommand(name, doc);
  command->footer(fmt::format("In:  {}\nOut: {}\n{}", in, out, research_use_only));
  job->declare();
  job->options.bind(*command);
  command->callback([job] {
    if (job->options.resolve()) return say(job->options.toml());
    try {
      job->run();
    } catch (const Interrupted& interruption) {
      throw Interrupted(fmt::format("{}; {}", interruption.what(), job->left()));
    }
  });
}

}  // namespace cardiotwin::app
