#pragma once

#include "core/hash.hpp"

#include <memory>
#include <string_view>

namespace assay {

/// SHA-256 of bytes that come piece by piece (FIPS 180-4).
class sha256_stream {
public:
    sha256_stream();
    sha256_stream(sha256_stream&&) noexcept;
    sha256_stream& operator=(sha256_stream&&) noexcept;
    ~sha256_stream();

    void add(std::string_view bytes);

    /// The digest of everything added; afterwards it begins anew.
    [[nodiscard]] digest finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace assay
