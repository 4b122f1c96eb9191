#pragma once

#include "http/api/json_writer.hpp"
#include "http/server/router.hpp"

#include <string>
#include <string_view>
#include <vector>

/// What the API says of itself: operations from the route table, stored rows from the views.
namespace assay::api {

/// A route as people read it.
struct described_operation {
    std::string name;
    std::string path;
    std::string method;
    http::permission permission;
    std::string summary;
    std::vector<http::route_param> params;
};

using operation_table = std::vector<described_operation>;

/// Every route that asks for a permission.
[[nodiscard]] operation_table describe(http::router const& routes);

/// An OperationInfo, with the permission it asks for and whether `who` holds it.
void write_operation(json_writer& w, described_operation const& op, http::identity const& who);

/// The operations of one artifact as an array of OperationInfo.
void write_operations(json_writer& w, operation_table const& table, std::string_view artifact,
                      http::identity const& who);

/// One OperationInfo for each permission of the artifact.
void write_permissions(json_writer& w, operation_table const& table, std::string_view artifact,
                       http::identity const& who);

/// A DocsResponse of the artifact: a test.
void write_artifact_docs(json_writer& w, operation_table const& table, http::identity const& who);

/// What stands below a test, as an array of DocsResponse.
void write_entry_docs(json_writer& w);

/// The kinds of the catalog, as an array of DocsResponse.
void write_resource_docs(json_writer& w, operation_table const& table, http::identity const& who);

} // namespace assay::api
