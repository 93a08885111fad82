#include "store/hid.hpp"

#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::store {

namespace {

std::recursive_mutex& hdf5_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

bool start_hdf5() {
  static const bool started = [] {
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5Lunregister(H5L_TYPE_EXTERNAL);  // a file that we read must not send us to others
    return true;
  }();
  return started;
}

/// Before main, so before MPI_Init: a parallel HDF5 that is first used after it has itself torn
/// down by MPI_Finalize, and crashes there when a file could not be closed (a full disk).
[[maybe_unused]] const bool kStarted = start_hdf5();

herr_t collect(unsigned, const H5E_error2_t* error, void* into) {
  if (error->desc != nullptr && error->desc[0] != '\0') {
    static_cast<std::vector<std::string>*>(into)->emplace_back(error->desc);
  }
  return 0;
}

/// HDF5 buries strerror() in a long line of internals; users need only that.
std::string system_reason(const std::string& text) {
  static constexpr std::string_view kMark = "error message = '";
  const auto start = text.find(kMark);
  if (start == std::string::npos) return {};
  const auto end = text.find('\'', start + kMark.size());
  return text.substr(start + kMark.size(), end - start - kMark.size());
}

}  // namespace

Hdf5Session::Hdf5Session() : lock_(hdf5_mutex()) {
  start_hdf5();
}

Hdf5Session::Hdf5Session(std::try_to_lock_t) : lock_(hdf5_mutex(), std::try_to_lock) {
  start_hdf5();
}

std::string hdf5_error_text() {
  std::vector<std::string> lines;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &collect, &lines);
  H5Eclear2(H5E_DEFAULT);
  if (lines.empty()) return "HDF5 gave no reason";
  for (const auto& line : lines) {
    if (auto reason = system_reason(line); !reason.empty()) return reason;
  }
  const std::string& cause = lines.front();
  const std::string& symptom = lines.back();
  return base::printable(cause == symptom ? cause : symptom + ": " + cause);
}

void throw_hdf5(std::string_view action, std::string_view object) {
  throw base::Error(base::Code::kIo,
                    fmt::format("cannot {} {}: {}", action, object, hdf5_error_text()));
}

Hid::Hid(hid_t id, Closer closer, std::string_view action, std::string_view object)
    : id_(check_h5(id, action, object)), closer_(closer) {}

Hid::Hid(Hid&& other) noexcept
    : id_(std::exchange(other.id_, -1)), closer_(std::exchange(other.closer_, nullptr)) {}

Hid& Hid::operator=(Hid&& other) noexcept {
  if (this != &other) {
    drop();
    id_ = std::exchange(other.id_, -1);
    closer_ = std::exchange(other.closer_, nullptr);
  }
  return *this;
}

Hid::~Hid() {
  drop();
}

void Hid::drop() noexcept {
  if (id_ >= 0 && closer_(id_) < 0) H5Eclear2(H5E_DEFAULT);
  id_ = -1;
}

void Hid::close(std::string_view object) {
  if (id_ < 0) return;
  check_h5(closer_(std::exchange(id_, -1)), "close", object);
}

}  // namespace tenfold::store
