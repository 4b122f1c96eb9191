#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>

/// OpenSSL's handles with owners. Private to http/tokens.
namespace assay::tokens::openssl {

template <auto Free>
struct free_with {
    template <class T>
    void operator()(T* handle) const
    {
        Free(handle);
    }
};

using pkey = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY_free>>;
using pkey_context = std::unique_ptr<EVP_PKEY_CTX, free_with<EVP_PKEY_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, free_with<EVP_MD_CTX_free>>;
using number = std::unique_ptr<BIGNUM, free_with<BN_clear_free>>;
using signature = std::unique_ptr<ECDSA_SIG, free_with<ECDSA_SIG_free>>;
using memory = std::unique_ptr<BIO, free_with<BIO_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, free_with<OSSL_PARAM_free>>;
using builder = std::unique_ptr<OSSL_PARAM_BLD, free_with<OSSL_PARAM_BLD_free>>;

} // namespace assay::tokens::openssl
