#pragma once

#include "http/api/catalog_kinds.hpp"
#include "http/api/route.hpp"

/// The five operations of one kind of catalog item.
namespace assay::api {

[[nodiscard]] result<std::string> get_item(services const& s, kind_spec const& spec,
                                           incoming const& in);
[[nodiscard]] result<std::string> search_items(services const& s, kind_spec const& spec,
                                               incoming const& in);

/// Each item of the request is a commit of its own; the answer says of each what became of it.
void create_items(services const& s, kind_spec const& spec, incoming in, reply respond);
void update_items(services const& s, kind_spec const& spec, incoming in, reply respond);
void delete_items(services const& s, kind_spec const& spec, incoming in, reply respond);

} // namespace assay::api
