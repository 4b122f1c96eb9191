#pragma once

#include "core/json.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::api {

/// Writes a JSON text piece by piece into a string: an answer with thousands of rows needs no tree
/// of values.
///
/// Members come out in the order of the calls; the caller closes what it opens. A text may be
/// written in parts: `rest` goes on in another string.
class json_writer {
public:
    explicit json_writer(std::string& out) : out_(&out) {}

    /// What follows is appended to `out`.
    void rest(std::string& out) { out_ = &out; }

    json_writer& begin_object() { return open('{'); }

    json_writer& end_object() { return close('}'); }

    json_writer& begin_array() { return open('['); }

    json_writer& end_array() { return close(']'); }

    /// The name of the member whose value comes next. Names are our own: nothing in them needs
    /// escaping.
    json_writer& name(std::string_view n)
    {
        comma();
        out_->append("\"").append(n).append("\":");
        after_value_ = false;
        return *this;
    }

    template <class T>
    json_writer& value(T const& v)
    {
        comma();
        write(v);
        after_value_ = true;
        return *this;
    }

    template <class T>
    json_writer& member(std::string_view n, T const& v)
    {
        return name(n).value(v);
    }

    json_writer& null(std::string_view n) { return member(n, nullptr); }

private:
    json_writer& open(char c)
    {
        comma();
        out_->push_back(c);
        after_value_ = false;
        return *this;
    }

    json_writer& close(char c)
    {
        out_->push_back(c);
        after_value_ = true;
        return *this;
    }

    void comma()
    {
        if (after_value_)
            out_->push_back(',');
    }

    void write(std::nullptr_t) { out_->append("null"); }

    void write(bool v) { out_->append(v ? "true" : "false"); }

    template <std::integral T>
    void write(T v)
    {
        char digits[24];
        out_->append(digits, std::to_chars(digits, digits + sizeof digits, v).ptr);
    }

    void write(double v) { json::append_number(v, *out_); }

    void write(char const* v) { json::append_string(v, *out_); }

    void write(std::string_view v) { json::append_string(v, *out_); }

    void write(std::string const& v) { json::append_string(v, *out_); }

    void write(uuid const& v) { out_->append("\"").append(v.text()).append("\""); }

    void write(instant const& v) { out_->append("\"").append(v.text()).append("\""); }

    void write(json::value const& v) { json::append_canonical(v, *out_); }

    void write(json::array const& v) { json::append_canonical(v, *out_); }

    void write(json::object const& v) { json::append_canonical(v, *out_); }

    template <class T>
    void write(std::optional<T> const& v)
    {
        if (v)
            write(*v);
        else
            out_->append("null");
    }

    template <class T>
    void write(std::vector<T> const& v)
    {
        out_->push_back('[');
        for (std::size_t i = 0; i < v.size(); ++i) {
            if (i > 0)
                out_->push_back(',');
            write(v[i]);
        }
        out_->push_back(']');
    }

    std::string* out_;
    bool after_value_ = false;
};

} // namespace assay::api
