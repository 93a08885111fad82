#include "tenfold/app_program.hpp"

#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace tenfold::tool {

namespace fs = std::filesystem;

std::string app_of(const std::map<std::string, std::string>& manifest) {
  const auto found = manifest.find("app");
  std::string app = found == manifest.end() ? std::string() : found->second;
  const bool plain =
      !app.empty() &&
      app.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  if (!plain) {
    throw base::Error(base::Code::kData, fmt::format("the manifest names no application but '{}'",
                                                     base::printable(app)));
  }
  return app;
}

fs::path program_beside(const std::string& name) {
  const fs::path beside = base::executable_path().parent_path() / name;
  std::error_code ignored;
  return fs::is_regular_file(beside, ignored) ? beside : fs::path(name);
}

}  // namespace tenfold::tool
