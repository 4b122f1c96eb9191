#include "tests/http/scripted_server.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace assay::test {

namespace {

/// One accepted connection, with or without TLS.
class accepted {
public:
    accepted(int fd, SSL_CTX* context) : fd_(fd)
    {
        if (!context)
            return;
        ssl_ = SSL_new(context);
        SSL_set_fd(ssl_, fd);
        usable_ = SSL_accept(ssl_) == 1;
    }

    accepted(accepted const&) = delete;

    ~accepted()
    {
        if (ssl_) {
            SSL_shutdown(ssl_);
            SSL_free(ssl_);
        }
        ::close(fd_);
    }

    [[nodiscard]] bool usable() const { return usable_; }

    /// Reads until one request is whole; "" when the other side closes or `ending` is set.
    std::string read_request(std::atomic<bool> const& ending)
    {
        std::string request;
        for (;;) {
            auto const head = request.find("\r\n\r\n");
            if (head != std::string::npos) {
                auto const field = request.find("Content-Length: ");
                auto const body = field < head ? std::stoul(request.substr(field + 16)) : 0;
                if (request.size() >= head + 4 + body)
                    return request;
            }
            pollfd ready{fd_, POLLIN, 0};
            if ((!ssl_ || SSL_pending(ssl_) == 0) && ::poll(&ready, 1, 20) == 0) {
                if (ending)
                    return {};
                continue;
            }
            std::array<char, 4096> bytes;
            auto const n = ssl_ ? SSL_read(ssl_, bytes.data(), bytes.size())
                                : static_cast<int>(::recv(fd_, bytes.data(), bytes.size(), 0));
            if (n <= 0)
                return {};
            request.append(bytes.data(), static_cast<std::size_t>(n));
        }
    }

    void write(std::string const& bytes)
    {
        if (ssl_)
            SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        else
            (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }

private:
    int fd_;
    SSL* ssl_ = nullptr;
    bool usable_ = true;
};

void extend(X509* cert, int nid, char const* value)
{
    auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

} // namespace

certificate::certificate(std::string const& names)
{
    static std::atomic<int> made{0};
    auto const stem = (std::filesystem::temp_directory_path() /
                       fmt::format("assay-cert-{}-{}", ::getpid(), made++))
                          .string();
    cert_file = stem + ".pem";
    key_file = stem + ".key";
    auto* const key = EVP_EC_gen("P-256");
    auto* const cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    auto* const name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<unsigned char const*>("assay test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    extend(cert, NID_basic_constraints, "critical,CA:TRUE");
    extend(cert, NID_subject_alt_name, names.c_str());
    X509_sign(cert, key, EVP_sha256());
    auto* file = std::fopen(cert_file.c_str(), "w");
    PEM_write_X509(file, cert);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

certificate::~certificate()
{
    std::filesystem::remove(cert_file);
    std::filesystem::remove(key_file);
}

scripted_server::scripted_server(std::vector<script> scripts, certificate const* tls)
    : listener_(::socket(AF_INET, SOCK_STREAM, 0))
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("test server cannot listen");
    port_ = ntohs(address.sin_port);
    if (tls) {
        auto* const context = SSL_CTX_new(TLS_server_method());
        context_ = context;
        SSL_CTX_use_certificate_file(context, tls->cert_file.c_str(), SSL_FILETYPE_PEM);
        SSL_CTX_use_PrivateKey_file(context, tls->key_file.c_str(), SSL_FILETYPE_PEM);
    }
    thread_ = std::jthread([this, all = std::move(scripts)] { serve(all); });
}

scripted_server::~scripted_server()
{
    ending_ = true;
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

std::string scripted_server::url(std::string const& path) const
{
    return fmt::format("{}://127.0.0.1:{}{}", context_ ? "https" : "http", port_, path);
}

std::vector<std::string> scripted_server::requests() const
{
    std::lock_guard const lock(mutex_);
    return requests_;
}

void scripted_server::serve(std::vector<script> const& scripts)
{
    std::vector<std::jthread> threads;
    for (auto const& replies : scripts) {
        pollfd ready{listener_, POLLIN, 0};
        while (::poll(&ready, 1, 20) == 0)
            if (ending_)
                return;
        int const fd = ::accept(listener_, nullptr, nullptr);
        threads.emplace_back([this, fd, &replies] {
            accepted client(fd, static_cast<SSL_CTX*>(context_));
            if (!client.usable())
                return;
            for (auto const& reply : replies) {
                auto request = client.read_request(ending_);
                if (request.empty())
                    return;
                {
                    std::lock_guard const lock(mutex_);
                    requests_.push_back(std::move(request));
                }
                while (reply == hang && !ending_)
                    std::this_thread::sleep_for(std::chrono::milliseconds{5});
                if (reply != hang)
                    client.write(reply);
            }
        });
    }
}

} // namespace assay::test
