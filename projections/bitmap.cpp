#include "projections/bitmap.hpp"

#include <roaring/roaring.h>

#include <new>

namespace assay::projections {

void bitmap::deleter::operator()(roaring_bitmap_s* b) const
{
    roaring_bitmap_free(b);
}

bitmap::bitmap(roaring_bitmap_s* owned) : set_(owned)
{
    if (!set_)
        throw std::bad_alloc();
}

bitmap::bitmap() : bitmap(roaring_bitmap_create()) {}

bitmap::bitmap(bitmap const& other) : bitmap(roaring_bitmap_copy(other.set_.get())) {}

bitmap& bitmap::operator=(bitmap const& other)
{
    if (this != &other)
        *this = bitmap(other);
    return *this;
}

bitmap::~bitmap() = default;

result<bitmap> bitmap::from_bytes(std::string_view bytes)
{
    auto* set = roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
    if (!set)
        return fail(errc::corrupt, "a stored bitmap cannot be read");
    return bitmap(set);
}

bitmap bitmap::range(std::uint64_t first, std::uint64_t last)
{
    bitmap out;
    if (first < last)
        roaring_bitmap_add_range(out.set_.get(), first, last);
    return out;
}

std::string bitmap::bytes() const
{
    auto* set = set_.get();
    roaring_bitmap_run_optimize(set);
    std::string out(roaring_bitmap_portable_size_in_bytes(set), '\0');
    roaring_bitmap_portable_serialize(set, out.data());
    return out;
}

void bitmap::add(std::uint32_t v)
{
    roaring_bitmap_add(set_.get(), v);
}

void bitmap::remove(std::uint32_t v)
{
    roaring_bitmap_remove(set_.get(), v);
}

bool bitmap::contains(std::uint32_t v) const
{
    return roaring_bitmap_contains(set_.get(), v);
}

bool bitmap::empty() const
{
    return roaring_bitmap_is_empty(set_.get());
}

std::uint64_t bitmap::size() const
{
    return roaring_bitmap_get_cardinality(set_.get());
}

bitmap& bitmap::operator|=(bitmap const& other)
{
    roaring_bitmap_or_inplace(set_.get(), other.set_.get());
    return *this;
}

bitmap& bitmap::operator&=(bitmap const& other)
{
    roaring_bitmap_and_inplace(set_.get(), other.set_.get());
    return *this;
}

bitmap& bitmap::operator-=(bitmap const& other)
{
    roaring_bitmap_andnot_inplace(set_.get(), other.set_.get());
    return *this;
}

std::uint64_t bitmap::common(bitmap const& other) const
{
    return roaring_bitmap_and_cardinality(set_.get(), other.set_.get());
}

std::vector<std::uint32_t> bitmap::newest(std::uint64_t offset, std::uint64_t limit) const
{
    std::vector<std::uint32_t> out;
    auto const total = size();
    for (auto i = offset; i < total && out.size() < limit; ++i) {
        std::uint32_t v = 0;
        roaring_bitmap_select(set_.get(), static_cast<std::uint32_t>(total - 1 - i), &v);
        out.push_back(v);
    }
    return out;
}

std::vector<std::uint32_t> bitmap::numbers() const
{
    std::vector<std::uint32_t> out(size());
    roaring_bitmap_to_uint32_array(set_.get(), out.data());
    return out;
}

} // namespace assay::projections
