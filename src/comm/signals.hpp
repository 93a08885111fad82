// Requests to stop: signals become sticky bits, which the loop ORs across ranks.
#pragma once

#include <cstdint>

namespace tenfold::comm {

/// Bits of stop_bits().
enum StopBit : std::uint32_t {
  kStopInterrupt = 1U << 0,    ///< SIGINT
  kStopTerminate = 1U << 1,    ///< SIGTERM
  kStopUser2 = 1U << 2,        ///< SIGUSR2: Slurm's warning ahead of the time limit
  kCheckpointUser1 = 1U << 3,  ///< SIGUSR1: write a checkpoint and go on
};

/// Installs handlers for INT, TERM, USR1, USR2. A second SIGINT leaves at once with 130.
void install_signal_handlers();
/// Sticky until clear_stop_bits. Async-signal-safe on the handlers' side.
std::uint32_t stop_bits();
void clear_stop_bits(std::uint32_t bits);
/// Sets bits from the program itself (tests).
void raise_stop_bits(std::uint32_t bits);

}  // namespace tenfold::comm
