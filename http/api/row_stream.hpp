#pragma once

#include "http/api/json_writer.hpp"
#include "http/server/response.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace assay::api {

/// A long JSON text made of parts that are written one after the other, each called with 0 ...
/// count - 1: what is sent while the rest is still to be written.
class row_stream {
public:
    using part_function = std::function<void(json_writer&, std::size_t)>;

    void once(std::function<void(json_writer&)> write)
    {
        each(1, [write = std::move(write)](json_writer& w, std::size_t) { write(w); });
    }

    void each(std::size_t count, part_function write)
    {
        parts_.push_back({count, std::move(write)});
    }

    /// Appends about `bytes` more. @returns whether more follows.
    bool next(std::string& out, std::size_t bytes)
    {
        writer_.rest(out);
        auto const enough = out.size() + bytes;
        while (part_ < parts_.size() && out.size() < enough) {
            auto const& p = parts_[part_];
            if (index_ < p.count) {
                p.write(writer_, index_++);
            } else {
                ++part_;
                index_ = 0;
            }
        }
        return part_ < parts_.size();
    }

private:
    struct part {
        std::size_t count;
        part_function write;
    };

    std::string first_;
    json_writer writer_{first_};
    std::vector<part> parts_;
    std::size_t part_ = 0;
    std::size_t index_ = 0;
};

/// The whole text as one body, or, if it is `long_one`, piece by piece at the client's pace.
[[nodiscard]] inline http::response respond_with(std::shared_ptr<row_stream> rows, bool long_one)
{
    constexpr std::size_t piece_bytes = 64 * 1024;
    if (!long_one) {
        std::string body;
        while (rows->next(body, piece_bytes)) {
        }
        return http::json_text(200, std::move(body));
    }
    http::response out;
    out.body = http::body_source([rows = std::move(rows)](std::string& into) -> result<bool> {
        return rows->next(into, piece_bytes);
    });
    return out;
}

} // namespace assay::api
