#pragma once

#include "http/api/route.hpp"

/// One function for each group of routes.
namespace assay::api {

class watch_hub;

void add_test_commands(http::router& to, services const& s);    ///< start, stop, complete, archive
void add_test_get(http::router& to, services const& s);         ///< get
void add_test_search(http::router& to, services const& s);      ///< search
void add_test_benchmark(http::router& to, services const& s);   ///< benchmark
void add_invocation_reads(http::router& to, services const& s); ///< invocations, invocation_get
void add_invocation_commands(http::router& to,
                             services const& s); ///< create, run, complete, terminate
void add_invocation_trace(http::router& to, services const& s);      ///< trace
void add_client_driven(http::router& to, services const& s);         ///< v5: next, run, end
void add_grading(http::router& to, services const& s);               ///< grade, feedback
void add_decrypt(http::router& to, services const& s);               ///< decrypt
void add_downloads(http::router& to, services const& s);             ///< files, texts, calls
void add_export(http::router& to, services const& s);                ///< export, all its paths
void add_watch(http::router& to, services const& s, watch_hub& hub); ///< watch, both forms
void add_refresh(http::router& to, services const& s);               ///< refresh
void add_test_drafts(http::router& to, services const& s);           ///< draft, drafts
void add_test_groups(http::router& to, services const& s);           ///< group, title, generations
void add_test_problem(http::router& to, services const& s);          ///< problem
/// context, docs. They describe what the table holds by then: call it last.
void add_test_context(http::router& to, services const& s);
void add_catalog(http::router& to, services const& s); ///< nine kinds, five operations each
void add_admin(http::router& to, services const& s);   ///< workspaces and API keys

/// healthz and readyz, open to everybody, and metrics.
///
/// @param open_metrics  for a listener of its own: without a key
void add_health(http::router& to, services const& s, bool open_metrics);

} // namespace assay::api
