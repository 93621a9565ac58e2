#pragma once
/// The whole public API.

#include <cardiotwin/anatomy.hpp>
#include <cardiotwin/backend.hpp>
#include <cardiotwin/calibration.hpp>
#include <cardiotwin/cell.hpp>
#include <cardiotwin/check.hpp>
#include <cardiotwin/ensemble.hpp>
#include <cardiotwin/error.hpp>
#include <cardiotwin/exchange.hpp>
#include <cardiotwin/fibers.hpp>
#include <cardiotwin/field.hpp>
#include <cardiotwin/io.hpp>
#include <cardiotwin/ionic.hpp>
#include <cardiotwin/log.hpp>
#include <cardiotwin/mesh.hpp>
#include <cardiotwin/plan.hpp>
#include <cardiotwin/provenance.hpp>
#include <cardiotwin/random.hpp>
#include <cardiotwin/recorder.hpp>
#include <cardiotwin/reentry.hpp>
#include <cardiotwin/report.hpp>
#include <cardiotwin/simulation.hpp>
#include <cardiotwin/stimulus.hpp>
#include <cardiotwin/tissue.hpp>
#include <cardiotwin/twin.hpp>
#include <cardiotwin/units.hpp>
