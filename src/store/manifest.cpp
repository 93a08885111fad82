#include "store/manifest.hpp"

#include <fmt/format.h>

#include "store/h5_table.hpp"

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
  replace_file(path,
               [&](const std::filesystem::path& temporary) { write_file(temporary, manifest); });
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
