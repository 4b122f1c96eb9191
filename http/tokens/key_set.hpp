#pragma once

#include "http/tokens/key.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace assay::tokens {

/// Keys that tokens are checked with. Immutable once shared.
class key_set {
public:
    /// More than these in one document are refused.
    static constexpr std::size_t keys_max = 100;

    /// Reads a JWK Set (RFC 7517 §5). Keys that this server cannot use are passed over, as §5 asks.
    ///
    /// @param secrets  whether secrets (`oct`) count: not in a document that others can read
    /// @returns errc::invalid for what is no key set, and for two usable keys of one id and
    ///          algorithm.
    [[nodiscard]] static result<key_set> read(std::string_view document, bool secrets);

    /// errc::invalid if a key of the same id and algorithm is there.
    [[nodiscard]] result<void> add(key added);

    /// The one key that a header means: of that algorithm and that id. A header without an id means
    /// the only key of its algorithm, and a key without an id is meant by every id.
    [[nodiscard]] key const* find(algorithm alg, std::optional<std::string_view> id) const;

    [[nodiscard]] std::size_t size() const { return keys_.size(); }

    /// Keys of the document that were passed over.
    [[nodiscard]] std::size_t skipped() const { return skipped_; }

private:
    std::vector<key> keys_;
    std::size_t skipped_ = 0;
};

} // namespace assay::tokens
