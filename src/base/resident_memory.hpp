// What a process holds in memory, and what it has come to hold since.
#pragma once

namespace tenfold::base {

/// Bytes of this process that are resident now: of mapped files (programs, libraries, which grow as
/// they are used), and all else.
struct ResidentMemory {
  double files = 0, own = 0;
};
/// Zeros where the system does not say.
ResidentMemory resident_memory();
/// The most that this process has held at a time beyond what it had before, files left out.
double peak_growth_bytes(const ResidentMemory& before);

}  // namespace tenfold::base
