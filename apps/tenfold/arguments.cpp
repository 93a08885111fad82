#include "tenfold/arguments.hpp"

#include <boost/program_options.hpp>
#include <charconv>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::tool {

namespace po = boost::program_options;
using base::Code;
using base::Error;

namespace {

constexpr const char* kOperands = "operands";

po::options_description describe(const CommandLine& line) {
  po::options_description table;
  for (const Flag& flag : line.flags) {
    const std::string names = flag.letter != 0 ? flag.name + "," + flag.letter : flag.name;
    if (flag.value.empty()) {
      table.add_options()(names.c_str(), "");
    } else {
      table.add_options()(names.c_str(), po::value<std::string>(), "");
    }
  }
  table.add_options()(kOperands, po::value<std::vector<std::string>>(), "");
  return table;
}

[[noreturn]] void refuse(const CommandLine& line, const std::string& what,
                         const std::string& hint) {
  throw Error(Code::kUsage, fmt::format("{}: {}", line.name, what),
              hint.empty() ? fmt::format("See `tenfold {} --help`", line.name) : hint);
}

[[noreturn]] void refuse_unknown(const CommandLine& line, const std::string& word) {
  std::vector<std::string> names;
  for (const Flag& flag : line.flags) names.push_back("--" + flag.name);
  const std::string near = base::nearest(word, names);
  refuse(line, fmt::format("there is no option '{}'", base::printable(word)),
         near.empty() ? "" : fmt::format("Did you mean {}?", near));
}

}  // namespace

long Arguments::whole(const std::string& flag, long fallback, long low, long high) const {
  const auto found = flags.find(flag);
  if (found == flags.end()) return fallback;
  const std::string& text = found->second;
  long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    throw Error(Code::kUsage, fmt::format("--{}: '{}' is not a whole number from {} to {}", flag,
                                          base::printable(text), low, high));
  }
  return value;
}

double Arguments::real(const std::string& flag, double fallback, double low, double high) const {
  const auto found = flags.find(flag);
  if (found == flags.end()) return fallback;
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Written so that a NaN fails, too.
  if (error != std::errc() || end != text.data() + text.size() ||
      !(value >= low && value <= high)) {
    throw Error(Code::kUsage, fmt::format("--{}: '{}' is not a number from {:g} to {:g}", flag,
                                          base::printable(text), low, high));
  }
  return value;
}

std::string Arguments::text(const std::string& flag, const std::string& fallback) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? fallback : found->second;
}

Arguments parse_arguments(const CommandLine& line, const std::vector<std::string>& words) {
  const po::options_description table = describe(line);
  po::positional_options_description positional;
  positional.add(kOperands, -1);
  po::variables_map values;
  try {
    // Without guessing: a mistyped flag must not silently become another one.
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(
        po::command_line_parser(words).options(table).positional(positional).style(style).run(),
        values);
  } catch (const po::unknown_option& error) {
    refuse_unknown(line, error.get_option_name());
  } catch (const po::error& error) {
    refuse(line, base::printable(error.what()), "");
  }
  Arguments arguments;
  for (const auto& [name, value] : values) {
    if (name == kOperands) {
      arguments.operands = value.as<std::vector<std::string>>();
    } else {
      const auto* text = boost::any_cast<std::string>(&value.value());
      arguments.flags[name] = text != nullptr ? *text : "";
    }
  }
  const std::size_t count = arguments.operands.size();
  if (count < line.least) refuse(line, fmt::format("{} is missing", line.operands), "");
  if (count > line.most) {
    refuse(line,
           fmt::format("'{}' is one argument too many",
                       base::printable(arguments.operands[line.most])),
           "");
  }
  return arguments;
}

std::string usage_text(const CommandLine& line) {
  std::string text = fmt::format("usage: tenfold {}{}{}{}\n\n{}\n", line.name,
                                 line.flags.empty() ? "" : " [options]",
                                 line.operands.empty() ? "" : " ", line.operands, line.summary);
  if (!line.details.empty()) text += "\n" + line.details + "\n";
  if (!line.flags.empty()) text += "\noptions:\n";
  for (const Flag& flag : line.flags) {
    const std::string letter = flag.letter != 0 ? fmt::format("-{}, ", flag.letter) : "    ";
    const std::string name = flag.name + (flag.value.empty() ? "" : " " + flag.value);
    text += fmt::format("  {}--{:<14} {}\n", letter, name, flag.help);
  }
  return text;
}

}  // namespace tenfold::tool
