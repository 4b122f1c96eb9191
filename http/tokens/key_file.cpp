#include "http/tokens/key_file.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace assay::tokens {

namespace {

constexpr std::size_t file_bytes_max = 256 * 1024;

result<key> parse_key(std::string const& text)
{
    if (text.find("-----BEGIN") != std::string::npos)
        return key::from_pem(text);
    auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object())
        return fail(errc::invalid, "neither PEM nor a JSON Web Key");
    auto& jwk = parsed->get_object();
    ASSAY_TRY(auto read, key::from_jwk(jwk));
    if (!read.id().empty() || read.algorithm() == algorithm::hs256)
        return read;
    jwk["kid"] = read.thumbprint();
    return key::from_jwk(jwk);
}

result<key> naming(std::string const& path, result<key> read)
{
    if (!read)
        return fail(errc::invalid, fmt::format("{}: {}", path, read.error().detail));
    return read;
}

} // namespace

result<std::string> read_text_file(std::string const& path)
{
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in.good() && !in.eof())
        return fail(errc::io, fmt::format("cannot read {}", path));
    if (text.size() > file_bytes_max)
        return fail(errc::invalid, fmt::format("{} is too large", path));
    return text;
}

result<key> read_secret_file(std::string const& path)
{
    ASSAY_TRY(auto text, read_text_file(path));
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.pop_back();
    return naming(path, key::from_secret(text));
}

result<key> read_key_file(std::string const& path)
{
    ASSAY_TRY(auto const text, read_text_file(path));
    return naming(path, parse_key(text));
}

} // namespace assay::tokens
