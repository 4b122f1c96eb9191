#include "tools/interruption.hpp"

#include <csignal>

namespace assay::tools {

namespace {

std::sig_atomic_t volatile asked_to_stop = 0;

extern "C" void note_signal(int signal)
{
    asked_to_stop = 1;
    // The second one ends the process as if nobody had listened.
    std::signal(signal, SIG_DFL);
}

} // namespace

interruption::interruption()
{
    asked_to_stop = 0;
    std::signal(SIGINT, note_signal);
    std::signal(SIGTERM, note_signal);
}

interruption::~interruption()
{
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

bool interruption::asked()
{
    return asked_to_stop != 0;
}

} // namespace assay::tools
