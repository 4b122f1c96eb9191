#pragma once

#include "http/api/attachment.hpp"
#include "http/api/route.hpp"
#include "projections/files.hpp"

namespace assay::api {

/// A file as it can be sent: its chunks are read one after the other, as the client takes them.
[[nodiscard]] attachment stored_attachment(services const& s, uuid const& workspace,
                                           event::file_stored file);

} // namespace assay::api
