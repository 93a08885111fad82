#include "env/mujoco_guard.hpp"

#include <mujoco/mujoco.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <mutex>

#include "base/error.hpp"
#include "base/log.hpp"

namespace tenfold::env {

namespace {

thread_local std::jmp_buf* landing = nullptr;
thread_local std::array<char, sizeof(mjLogMessage::subject)> error_text{};

extern "C" void on_mujoco_message(const mjLogMessage* message) {
  if (message->level != mjLOG_ERROR) {
    base::log_debug("MuJoCo: {}", message->subject);
    return;
  }
  if (landing == nullptr) {  // MuJoCo ends the process after this line
    base::log_line(base::LogLevel::kError, message->subject);
    return;
  }
  std::snprintf(error_text.data(), error_text.size(), "%s", message->subject);
  std::longjmp(*landing, 1);
}

// Puts the outer landing back however a guarded call ends.
class LandingScope {
 public:
  explicit LandingScope(std::jmp_buf* inner) : outer_(landing) { landing = inner; }
  ~LandingScope() { landing = outer_; }
  LandingScope(const LandingScope&) = delete;
  LandingScope& operator=(const LandingScope&) = delete;

 private:
  std::jmp_buf* outer_;
};

// True when the body ran to its end. Alone in its function so that no local outlives the jump.
bool run_to_end(void (*body)(void*), void* argument) {
  std::jmp_buf here;
  const LandingScope scope(&here);
  if (setjmp(here) != 0) return false;
  body(argument);
  return true;
}

}  // namespace

void route_mujoco_messages() {
  static std::once_flag once;
  std::call_once(once, [] { mju_setLogHandler(on_mujoco_message); });
}

void guard_mujoco(std::string_view what, void (*body)(void*), void* argument) {
  if (run_to_end(body, argument)) return;
  throw base::Error(base::Code::kData, fmt::format("{}: MuJoCo: {}", what, error_text.data()));
}

}  // namespace tenfold::env
