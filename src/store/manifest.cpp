#include "store/manifest.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/h5_file.hpp"

namespace tenfold::store {

namespace {

void write_file(const std::filesystem::path& path, const Manifest& manifest) {
  Hid file = create_file(path, H5F_ACC_TRUNC, serial_access(H5F_LIBVER_V18, false));
  write_schema(file.get());
  Hid group = create_group(file.get(), "manifest");
  for (const auto& [key, value] : manifest) write_long_text(group.get(), key, value);
  group.close("/manifest");
  file.close("the file");
}

}  // namespace

void write_manifest(const std::filesystem::path& path, const Manifest& manifest) {
  const Hdf5Session session;
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  try {
    with_path(temporary, [&] { write_file(temporary, manifest); });
    base::sync_path(temporary);
    std::error_code failure;
    std::filesystem::rename(temporary, path, failure);
    if (failure) {
      throw base::Error(base::Code::kIo,
                        fmt::format("cannot rename {} to {}: {}", temporary.string(), path.string(),
                                    failure.message()));
    }
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  const auto parent = path.parent_path();
  base::sync_path(parent.empty() ? "." : parent);
}

std::string hdf5_description() {
  const Hdf5Session session;
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  check_h5(H5get_libversion(&major, &minor, &release), "ask for", "HDF5's version");
#ifdef H5_HAVE_PARALLEL
  const char* kind = "parallel";
#else
  const char* kind = "serial";
#endif
  return fmt::format("{}.{}.{} ({})", major, minor, release, kind);
}

}  // namespace tenfold::store
