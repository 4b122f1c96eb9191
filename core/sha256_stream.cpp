#include "core/sha256_stream.hpp"

#include <openssl/evp.h>

namespace assay {

struct sha256_stream::state {
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    state() { begin(); }

    state(state const&) = delete;
    state& operator=(state const&) = delete;

    ~state() { EVP_MD_CTX_free(context); }

    void begin() const { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) {}

sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;
sha256_stream& sha256_stream::operator=(sha256_stream&&) noexcept = default;
sha256_stream::~sha256_stream() = default;

void sha256_stream::add(std::string_view bytes)
{
    EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

digest sha256_stream::finish()
{
    digest out;
    EVP_DigestFinal_ex(state_->context, out.bytes.data(), nullptr);
    state_->begin();
    return out;
}

} // namespace assay
