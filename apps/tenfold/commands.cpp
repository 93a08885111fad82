#include "tenfold/commands.hpp"

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"

namespace tenfold::tool {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      ls_command(),     show_command(),       tail_command(),  inspect_command(),
      verify_command(), diff_command(),       rerun_command(), simulate_command(),
      doctor_command(), completion_command(), man_command(),   help_command()};
  return all;
}

base::Code run_command(const std::vector<std::string>& words) {
  std::string name = words.empty() ? "help" : words.front();
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version") {
    std::printf("tenfold %s\n", TENFOLD_VERSION);
    return base::Code::kOk;
  }
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& each) { return each.line.name == name; });
  if (found == commands().end()) {
    std::vector<std::string> names;
    for (const Command& each : commands()) names.push_back(each.line.name);
    // A word of two letters is near to any other: an unknown flag gets the list.
    const std::string near = name.starts_with('-') ? "" : base::nearest(name, names);
    throw base::Error(
        base::Code::kUsage, fmt::format("there is no command '{}'", base::printable(name)),
        near.empty() ? "Commands: " + base::join(names, ", ")
                     : fmt::format("Did you mean '{}'? `tenfold help` lists all", near));
  }
  const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (std::any_of(rest.begin(), rest.end(),
                  [](const std::string& word) { return word == "--help" || word == "-h"; })) {
    std::fputs(usage_text(found->line).c_str(), stdout);
    return base::Code::kOk;
  }
  return found->run(parse_arguments(found->line, rest));
}

void print_warnings(const std::vector<std::string>& warnings) {
  std::fflush(stdout);
  for (const std::string& text : warnings) {
    std::fprintf(stderr, "tenfold: warning: %s\n", base::printable(text).c_str());
  }
}

}  // namespace tenfold::tool
