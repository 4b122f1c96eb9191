#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace assay::test {

/// A certificate signed by itself; made anew each time.
struct certificate {
    explicit certificate(std::string const& names = "DNS:localhost,IP:127.0.0.1");
    ~certificate();
    certificate(certificate const&) = delete;

    std::string cert_file; ///< PEM; removed at the end
    std::string key_file;
};

/// A server that misbehaves exactly as told: the n-th connection gets the n-th script, whose
/// replies are sent one for each request read. A connection is closed after its last reply.
class scripted_server {
public:
    using script = std::vector<std::string>;

    /// Sent in place of a reply: nothing, and the connection stays open until the server ends.
    static constexpr char const* hang = "<hang>";

    /// @param tls speak TLS with this certificate.
    explicit scripted_server(std::vector<script> scripts, certificate const* tls = nullptr);
    ~scripted_server();

    [[nodiscard]] std::uint16_t port() const { return port_; }

    [[nodiscard]] std::string url(std::string const& path = "/") const;

    /// The requests read so far, heads and bodies.
    [[nodiscard]] std::vector<std::string> requests() const;

private:
    void serve(std::vector<script> const& scripts);

    int listener_ = -1;
    std::uint16_t port_ = 0;
    void* context_ = nullptr;
    std::atomic<bool> ending_{false};
    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::vector<std::string> requests_;
    std::jthread thread_;
};

} // namespace assay::test
