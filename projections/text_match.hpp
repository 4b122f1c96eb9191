#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace assay::projections {

/// Finds a part of a name regardless of case. Only ASCII letters have a case here; all other bytes
/// must be equal.
class text_match {
public:
    explicit text_match(std::string_view part) : part_(part)
    {
        std::transform(part_.begin(), part_.end(), part_.begin(), lower);
    }

    /// An empty part is in every name.
    [[nodiscard]] bool in(std::string_view name) const
    {
        return std::search(name.begin(), name.end(), part_.begin(), part_.end(),
                           [](char a, char b) { return lower(a) == b; }) != name.end() ||
               part_.empty();
    }

    [[nodiscard]] bool empty() const { return part_.empty(); }

private:
    static char lower(char c)
    {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }

    std::string part_;
};

} // namespace assay::projections
