#pragma once

#include "core/result.hpp"
#include "http/api/client.hpp"
#include "tools/eval_file.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace assay::tools {

/// The catalog items that an evaluation file stands for.
struct uploaded {
    std::string eval_id;
    std::vector<std::string> scenario_ids; ///< in the order of the file
    std::size_t created = 0;               ///< items that were not there yet
};

/// Makes every item of `file` that the catalog does not hold yet with that name and that content,
/// and nothing twice.
///
/// Items of the same name and other content stay as they are: what earlier tests used keeps its
/// meaning.
///
/// @returns the server's refusal, with the item's name.
[[nodiscard]] result<uploaded> upload(api::api_client& to, eval_file const& file);

} // namespace assay::tools
