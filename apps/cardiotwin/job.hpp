#pragma once
/// How a verb is put together: a job declares its rows, then runs.

#include <memory>
#include <string>

#include "verbs.hpp"

namespace cardiotwin::app {

/// `Job` has `Options options`, `declare()` and `run()`.
template <class Job>
void add_verb(CLI::App& app, const std::string& name, const std::string& doc) {
  auto job = std::make_shared<Job>();
  auto* command = app.add_subcommand(name, doc + "\nResearch use only, not for diagnosis or treatment.");
  job->declare();
  job->options.bind(*command);
  command->callback([job] {
    if (job->options.resolve()) return say(job->options.toml());
    job->run();
  });
}

}  // namespace cardiotwin::app
