// Open MPI's extensions need mpi.h before them.
// clang-format off
#include <mpi.h>
#include <mpi-ext.h>
// clang-format on
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/log.hpp"
#include "comm/communicator.hpp"

namespace tenfold::comm {

MpiEnvironment::MpiEnvironment(int* argc, char*** argv) {
  int provided = 0;
  MPI_Init_thread(argc, argv, MPI_THREAD_MULTIPLE, &provided);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
}

MpiEnvironment::~MpiEnvironment() {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized == 0) MPI_Finalize();
}

void abort_job(int code, std::string_view text) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  base::log_configure(rank, true,
                      base::LogLevel::kError);  // whichever rank it is, it must be heard
  base::log_line(base::LogLevel::kError, base::fatal_line(code, rank, host_name(), text));
  base::log_close();
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string mpi_description() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  std::string version(text.data(), static_cast<std::size_t>(length));
  version = version.substr(0, version.find(','));
#if defined(MPIX_CUDA_AWARE_SUPPORT)
  const bool cuda = MPIX_Query_cuda_support() == 1;
#else
  const bool cuda = false;
#endif
  return version + (cuda ? " (CUDA-aware)" : " (not CUDA-aware)");
}

}  // namespace tenfold::comm
