#pragma once

/// Everything that can be asked of the views: plain structs and functions on a `reader`. HTTP,
/// runner and command line include this; none of it knows JSON or sockets.
#include "projections/answers.hpp"
#include "projections/benchmark.hpp"
#include "projections/catalog.hpp"
#include "projections/cells.hpp"
#include "projections/files.hpp"
#include "projections/grades.hpp"
#include "projections/identity.hpp"
#include "projections/notes.hpp"
#include "projections/open_cells.hpp"
#include "projections/reader.hpp"
#include "projections/runs.hpp"
#include "projections/tests.hpp"
#include "projections/traces.hpp"
