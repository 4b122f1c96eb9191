#include "http/api/attempt_limit.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace std::chrono_literals;

TEST_CASE("attempt limit: a host's failures are counted whatever port they come from", "[http]")
{
    api::attempt_limit limit({.burst = 3, .per_second = 2, .hosts_max = 10});
    http::steady_time const now{};
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(limit.failed_too_often("10.0.0.1:" + std::to_string(1000 + i), now));
    CHECK(limit.failed_too_often("10.0.0.1:2000", now));
    CHECK_FALSE(limit.failed_too_often("10.0.0.2:2000", now));
    CHECK_FALSE(limit.failed_too_often("[::1]:2000", now));

    CHECK(limit.failed_too_often("10.0.0.1:1", now + 400ms));
    CHECK_FALSE(limit.failed_too_often("10.0.0.1:1", now + 900ms));
    CHECK(limit.failed_too_often("10.0.0.1:1", now + 900ms));
    // A long quiet time forgives no more than the first failures.
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(limit.failed_too_often("10.0.0.1:1", now + 1h));
    CHECK(limit.failed_too_often("10.0.0.1:1", now + 1h));
}

TEST_CASE("attempt limit: many hosts cannot fill the memory, nor free one that is known", "[http]")
{
    api::attempt_limit limit({.burst = 1, .per_second = 0, .hosts_max = 2});
    http::steady_time const now{};
    CHECK_FALSE(limit.failed_too_often("a:1", now));
    CHECK_FALSE(limit.failed_too_often("b:1", now));
    CHECK(limit.failed_too_often("a:1", now));
    CHECK_FALSE(limit.failed_too_often("c:1", now)); // all are forgotten
    CHECK_FALSE(limit.failed_too_often("a:1", now));
}
