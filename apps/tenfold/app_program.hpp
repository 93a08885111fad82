// The programs of the application that made a run.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace tenfold::tool {

/// "ddpg", from a manifest. It becomes a program that is started, so Code::kData for anything but a
/// plain name.
std::string app_of(const std::map<std::string, std::string>& manifest);
/// The program beside this tool; its name alone (for PATH) when it is not there.
std::filesystem::path program_beside(const std::string& name);

}  // namespace tenfold::tool
