#include "http/api/catalog.hpp"

#include "http/api/routes.hpp"

#include <fmt/format.h>

namespace assay::api {

namespace {

/// A bulk create holds the texts of thousands of scenarios.
constexpr std::size_t bulk_bytes_max = 64 << 20;

using write_function = void (*)(services const&, kind_spec const&, incoming, reply);
using read_function = result<std::string> (*)(services const&, kind_spec const&, incoming const&);

struct names {
    std::string name;
    std::string path;
};

/// Routes copy their names, so these need not outlive the call.
names names_of(kind_spec const& spec, std::string_view op)
{
    return {fmt::format("{}.{}", spec.name, op), fmt::format("/{}/{}", spec.name, op)};
}

void add_write(http::router& to, services const& s, kind_spec const& spec, std::string_view op,
               write_function serve)
{
    auto const n = names_of(spec, op);
    add_slow_command(
        to, s,
        {.name = n.name,
         .path = n.path,
         .permission = {std::string(spec.name), std::string(op)},
         .tags = spec.plural,
         .body_bytes_max = bulk_bytes_max},
        [s, &spec, serve](incoming in, reply r) { serve(s, spec, std::move(in), std::move(r)); });
}

void add_read(http::router& to, services const& s, kind_spec const& spec, std::string_view op,
              read_function serve)
{
    auto const n = names_of(spec, op);
    add_query(to, s,
              {.name = n.name,
               .path = n.path,
               .permission = {std::string(spec.name), std::string(op)},
               .tags = spec.plural},
              [s, &spec, serve](incoming const& in) { return serve(s, spec, in); });
}

} // namespace

void add_catalog(http::router& to, services const& s)
{
    for (auto const& spec : kinds()) {
        add_write(to, s, spec, "create", create_items);
        add_read(to, s, spec, "get", get_item);
        add_read(to, s, spec, "search", search_items);
        add_write(to, s, spec, "update", update_items);
        add_write(to, s, spec, "delete", delete_items);
    }
}

} // namespace assay::api
