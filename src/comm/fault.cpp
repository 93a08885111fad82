#include "comm/fault.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::comm {

using base::Code;
using base::Error;

namespace {

const std::vector<std::string_view> kPoints{
    "ckpt.before_create", "ckpt.after_write",  "ckpt.after_close",   "ckpt.after_sync",
    "ckpt.after_digest",  "ckpt.after_rename", "ckpt.before_commit", "ckpt.after_commit",
    "ckpt.before_prune",  "ckpt.after_prune",  "loop.step",          "loop.after_update",
    "reduce.gradient",    "metrics.flush",     "actor.rollout",      "actor.gradient"};
constexpr std::array<std::string_view, 7> kKinds{"kill",  "hang", "enospc", "eio",
                                                 "short", "nan",  "slow"};

struct Fault {
  std::string kind, point;
  std::int64_t passages = 1;
};
// Set once at start-up from the environment; nothing else in the process may change it.
std::optional<Fault> armed;
std::atomic<std::int64_t> left{
    0};  // passages until it happens; checkpoints pass from a thread of theirs

[[noreturn]] void malformed(std::string_view text, std::string_view why) {
  throw Error(Code::kUsage, fmt::format("TENFOLD_FAULT: '{}': {}", base::printable(text), why),
              "The form is kind:rank=R:at=POINT:n=K, e.g. kill:rank=1:at=loop.step:n=20");
}

std::int64_t number(std::string_view text, std::string_view word) {
  std::int64_t value = -1;
  try {
    std::size_t used = 0;
    value = std::stoll(std::string(word), &used);
    if (used != word.size()) value = -1;
  } catch (const std::exception&) {
    value = -1;
  }
  if (value < 0) malformed(text, fmt::format("'{}' is not a count", base::printable(word)));
  return value;
}

bool passes(std::string_view point) {
  return armed->point == point && left.fetch_sub(1) == 1;
}

}  // namespace

const std::vector<std::string_view>& fault_points() {
  return kPoints;
}

void configure_faults(int rank) {
  armed.reset();
  const char* text = std::getenv("TENFOLD_FAULT");
  if (text == nullptr || *text == '\0') return;
  Fault fault;
  std::int64_t wanted_rank = 0;
  const std::vector<std::string> parts = base::split(text, ':');
  fault.kind = parts.front();
  if (std::find(kKinds.begin(), kKinds.end(), fault.kind) == kKinds.end()) {
    malformed(text, "the kind is none of kill, hang, enospc, eio, short, nan, slow");
  }
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals == std::string::npos) {
      malformed(text, fmt::format("'{}' has no '='", base::printable(parts[i])));
    }
    const std::string key = parts[i].substr(0, equals), value = parts[i].substr(equals + 1);
    if (key == "rank") {
      wanted_rank = number(text, value);
    } else if (key == "n") {
      fault.passages = number(text, value);
      if (fault.passages == 0) malformed(text, "passages are counted from 1, not '0'");
    } else if (key == "at") {
      fault.point = value;
    } else {
      malformed(text, fmt::format("unknown key '{}'", base::printable(key)));
    }
  }
  if (std::find(kPoints.begin(), kPoints.end(), fault.point) == kPoints.end()) {
    malformed(text, fmt::format("no point is called '{}'", base::printable(fault.point)));
  }
  left = fault.passages;
  if (wanted_rank == rank) armed = fault;
}

void fault_point(std::string_view point) {
  if (!armed || armed->kind == "nan" || armed->kind == "short" || !passes(point)) return;
  if (armed->kind == "kill") ::kill(::getpid(), SIGKILL);
  if (armed->kind == "hang") {
    for (;;) ::pause();
  }
  if (armed->kind == "slow") ::sleep(2);
  if (armed->kind == "enospc") {
    throw Error(Code::kIo, fmt::format("{}: {}", point, std::strerror(ENOSPC)));
  }
  if (armed->kind == "eio")
    throw Error(Code::kIo, fmt::format("{}: {}", point, std::strerror(EIO)));
}

bool fault_here(std::string_view kind, std::string_view point) {
  return armed && armed->kind == kind && passes(point);
}

}  // namespace tenfold::comm
