#pragma once
/// The verbs of the command line. Each adds its subcommand to `app`; when parsed, CLI11 runs it.

#include <CLI/CLI.hpp>
#include <cardiotwin/log.hpp>
#include <functional>
#include <string>

#include "options.hpp"

namespace cardiotwin::app {

void add_phantom(CLI::App&);
void add_build(CLI::App&);
void add_inspect(CLI::App&);
void add_scar(CLI::App&);
void add_check(CLI::App&);
void add_calibrate(CLI::App&);
void add_simulate(CLI::App&);
void add_plan(CLI::App&);
void add_report(CLI::App&);
void add_demo(CLI::App&);
void add_cell(CLI::App&);
void add_convert(CLI::App&);
void add_locate(CLI::App&);

/// Progress on stderr: a line that rewrites itself, with time left, on a terminal; else only finished facts and
/// warnings. `cancelled` is true after Ctrl-C.
Monitor console();
/// Ends the progress line and prints `text` on stdout.
void say(const std::string& text);
/// Ends the progress line.
void close_line();

}  // namespace cardiotwin::app
