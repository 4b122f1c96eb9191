#include "core/grid_id.hpp"
#include "events/catalogue.hpp"
#include "events/merkle.hpp"
#include "events/record.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// A record is read or refused, whatever its bytes; what reads as an event is written back as bytes that read as the
/// same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace assay;
    std::string_view const bytes(reinterpret_cast<char const*>(data), size);

    // A record of the log.
    if (auto const parts = events::read_record(bytes)) {
        std::vector<std::string> const payloads(parts->payloads.begin(), parts->payloads.end());
        if (events::write_record(parts->entry, payloads, parts->answer) != bytes)
            std::abort();
    }
    (void)events::verify_record(0, bytes);
    if (auto const commit = events::read_commit(bytes)) {
        for (auto const& e : (*commit)->events) {
            if (e.head != &(*commit)->head)
                std::abort();
        }
    }

    // The payload of one event: the first byte chooses its type.
    if (size > 0) {
        auto const types = events::event_types();
        auto const type = types[data[0] % types.size()];
        if (auto const body = events::decode(type.name, type.version, bytes.substr(1))) {
            auto const written = events::encode(*body);
            auto const again = events::decode(type.name, type.version, written);
            if (!again || events::encode(*again) != written)
                std::abort();
        }
    }
    (void)events::merkle::frontier::from_bytes(bytes);
    return 0;
}
