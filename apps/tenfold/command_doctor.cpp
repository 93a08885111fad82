#include <algorithm>
#include <cstdio>

#include "tenfold/commands.hpp"
#include "tenfold/machine_checks.hpp"
#include "tenfold/text_table.hpp"

namespace tenfold::tool {

namespace {

using Kind = Finding::Kind;

std::vector<Finding> all_findings() {
  std::vector<Finding> findings;
  const auto checkout = find_checkout();
  if (!checkout.empty()) {
    for (auto& each : check_packages(checkout)) findings.push_back(std::move(each));
    for (auto& each : check_python(checkout)) findings.push_back(std::move(each));
  } else {
    findings.push_back(
        {Kind::kGood, "checkout", "none: an installed program; packages not looked for", ""});
  }
  for (auto* check : {&check_mpi, &check_hdf5, &check_rendering, &check_shared_memory, &check_locks,
                      &check_cores}) {
    findings.push_back(check());
  }
  return findings;
}

base::Code run_doctor(const Arguments& /*arguments*/) {
  const std::vector<Finding> findings = all_findings();
  std::size_t missing = 0;
  for (const Finding& each : findings) {
    const char* mark = each.kind == Kind::kGood       ? "ok      "
                       : each.kind == Kind::kOptional ? "optional"
                                                      : "MISSING ";
    std::printf("%s  %s  %s\n", mark, pad(each.subject, 14).c_str(), each.what.c_str());
    if (!each.remedy.empty())
      std::printf("          %s  -> %s\n", pad("", 14).c_str(), each.remedy.c_str());
    missing += each.kind == Kind::kMissing ? 1 : 0;
  }
  if (missing == 0) {
    std::printf("everything that is needed is here\n");
    return base::Code::kOk;
  }
  std::fflush(stdout);
  std::fprintf(stderr, "tenfold: error[4]: %zu needed %s missing; the remedies are named above\n",
               missing, missing == 1 ? "thing is" : "things are");
  return base::Code::kIo;
}

}  // namespace

Command doctor_command() {
  return {{"doctor",
           "",
           0,
           0,
           "what this machine lacks, and how to get it",
           "Checks the packages of jobs/packages.txt, the Python environment, that mpirun starts\n"
           "ranks, parallel HDF5, headless rendering, shared memory and file locks. Exit code 4\n"
           "when something needed is missing.",
           {}},
          &run_doctor};
}

}  // namespace tenfold::tool
