#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct roaring_bitmap_s;

namespace assay::projections {

/// A set of 32-bit numbers as a roaring bitmap (Lemire et al. 2018, arXiv 1709.07821). Copies are
/// deep.
class bitmap {
public:
    bitmap();
    bitmap(bitmap const& other);
    bitmap(bitmap&&) noexcept = default;
    bitmap& operator=(bitmap const& other);
    bitmap& operator=(bitmap&&) noexcept = default;
    ~bitmap();

    /// Reads what `bytes` wrote. @returns errc::corrupt for anything else.
    [[nodiscard]] static result<bitmap> from_bytes(std::string_view bytes);

    /// The set [first, last).
    [[nodiscard]] static bitmap range(std::uint64_t first, std::uint64_t last);

    /// The portable serialised form. It follows from the order of changes, not from the set alone:
    /// equal histories give equal bytes.
    [[nodiscard]] std::string bytes() const;

    void add(std::uint32_t v);
    void remove(std::uint32_t v);
    [[nodiscard]] bool contains(std::uint32_t v) const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] std::uint64_t size() const;

    bitmap& operator|=(bitmap const& other);
    bitmap& operator&=(bitmap const& other);
    bitmap& operator-=(bitmap const& other);

    /// How many numbers both hold, without building the intersection.
    [[nodiscard]] std::uint64_t common(bitmap const& other) const;

    /// Up to `limit` numbers from the greatest downwards, after passing over `offset` of them.
    [[nodiscard]] std::vector<std::uint32_t> newest(std::uint64_t offset,
                                                    std::uint64_t limit) const;

    /// Every number, ascending.
    [[nodiscard]] std::vector<std::uint32_t> numbers() const;

private:
    struct deleter {
        void operator()(roaring_bitmap_s* b) const;
    };

    explicit bitmap(roaring_bitmap_s* owned);

    std::unique_ptr<roaring_bitmap_s, deleter> set_;
};

} // namespace assay::projections
