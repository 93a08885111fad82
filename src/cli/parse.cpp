// The only file that knows Boost.Program_options.
#include <algorithm>
#include <boost/program_options.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/partners.hpp"
#include "cli/sources.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

namespace po = boost::program_options;

namespace {

struct Line {
  std::vector<ResolvedValue> said;
  std::string config, shell;
  std::string print;  ///< "print-config", "version", a listing, or ""
};

/// The topic of --help when it is asked for; it wins over everything else on the line.
std::optional<std::string> help_topic(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word.rfind("--help=", 0) == 0) return word.substr(7);
    if (word != "-h" && word != "--help") continue;
    const bool topic = i + 1 < arguments.size() && arguments[i + 1].rfind('-', 0) != 0;
    return topic ? arguments[i + 1] : "";
  }
  return std::nullopt;
}

void refuse_missing_value(const std::vector<std::string>& arguments, std::size_t i) {
  const bool last = i + 1 == arguments.size();
  if (!last && arguments[i + 1].rfind("--", 0) != 0) return;
  refuse(last ? fmt::format("{} needs a value", arguments[i])
              : fmt::format("{} needs a value before {}", arguments[i], shown(arguments[i + 1])),
         fmt::format("Write {}=VALUE when the value begins with --", arguments[i]));
}

// A bare --flag and --no-flag become --flag=true and --flag=false, and a value is never mistaken
// for an option or the other way round (Boost takes `--task --typo` as the task "--typo").
std::vector<std::string> normalise(const std::vector<std::string>& arguments, const Names& names) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    const std::string name = word.rfind("--", 0) == 0 ? word.substr(2) : "";
    const Option* option = names.find(name);
    const Option* off = name.rfind("no-", 0) == 0 ? names.find(name.substr(3)) : nullptr;
    if (option != nullptr && option->type == ValueType::kBool) {
      const bool value = i + 1 < arguments.size() && to_bool(arguments[i + 1]).has_value();
      out.push_back(word + "=" + (value ? arguments[++i] : "true"));
    } else if (option == nullptr && off != nullptr && off->type == ValueType::kBool) {
      out.push_back("--" + off->key + "=false");
    } else if (names.takes_value(name)) {
      refuse_missing_value(arguments, i);
      out.push_back(word);
      out.push_back(arguments[++i]);
    } else {
      out.push_back(word);
    }
  }
  return out;
}

po::options_description describe(const Names& names) {
  po::options_description description;
  for (const std::string& flag : names.flags()) {
    if (!names.takes_value(flag) && names.key_of(flag).empty()) {
      description.add_options()(flag.c_str(), "");
    } else {
      description.add_options()(flag.c_str(), po::value<std::string>());
    }
  }
  return description;
}

void refuse_stray(const std::string& word, const Names& names) {
  const std::string near = suggestion(word, names.flags(), "--");
  refuse(fmt::format("stray word '{}'", shown(word)),
         near.rfind("Did", 0) == 0 ? near : "Options begin with --; see --help");
}

void take(const po::option& option, const Names& names, Line& line) {
  const std::string value = option.value.empty() ? "" : option.value.front();
  if (option.string_key.empty()) refuse_stray(value, names);
  const std::string key = names.key_of(option.string_key);
  if (option.string_key == "config") {
    if (!line.config.empty()) refuse("--config is given twice", "Put both into one file");
    if (value.empty()) refuse("--config needs a file");
    line.config = value;
  } else if (key.empty()) {
    line.print = option.string_key;
    if (option.string_key == "completion") line.shell = value;
  } else {
    for (const ResolvedValue& earlier : line.said) {
      if (earlier.key != key) continue;
      refuse(fmt::format("--{} is given twice: '{}' and '{}'", option.string_key,
                         shown(earlier.value), shown(value)),
             "Remove one of them");
    }
    line.said.push_back({key, value, "command line"});
  }
}

Line read_line(const std::vector<std::string>& arguments, const Names& names) {
  const po::options_description description = describe(names);
  namespace style = po::command_line_style;
  // Without short options, values may begin with a dash (--sigma -1).
  const int how = style::unix_style & ~style::allow_guessing & ~style::allow_short;
  Line line;
  try {
    const auto parsed =
        po::command_line_parser(normalise(arguments, names)).options(description).style(how).run();
    for (const po::option& each : parsed.options) take(each, names, line);
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    name.erase(std::min(name.find('='), name.size()));  // Boost names --typo=3 whole
    refuse(fmt::format("unknown option --{}", shown(name)), suggestion(name, names.flags(), "--"));
  } catch (const po::error& error) {
    refuse(shown(error.what()));
  }
  return line;
}

}  // namespace

Outcome OptionTable::parse(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& environment) const {
  std::vector<std::string> listings;
  for (const Listing& each : listings_) listings.push_back(each.flag);
  const Names names(options_, !presets_.empty(), listings);

  Outcome outcome;
  outcome.kind = Outcome::Kind::kPrintAndExit;
  if (const auto topic = help_topic(arguments)) {
    outcome.text = help_text(*topic);
    return outcome;
  }
  Line line = read_line(arguments, names);
  if (line.print == "version") outcome.text = version_text_;
  if (line.print == "print-options") outcome.text = json_text();
  if (line.print == "print-man") outcome.text = man_page();
  if (line.print == "completion") outcome.text = completion(line.shell);
  for (const Listing& each : listings_) {
    if (line.print == each.flag) outcome.text = each.text();
  }
  if (!line.print.empty() && line.print != "print-config") return outcome;

  std::vector<ResolvedValue> said = std::move(line.said);
  for (ResolvedValue& each : read_environment(environment, names)) said.push_back(std::move(each));
  if (!line.config.empty()) {
    for (ResolvedValue& each : read_config(line.config, names)) said.push_back(std::move(each));
  }
  std::vector<std::string> said_keys;
  said_keys.reserve(said.size());
  for (const ResolvedValue& each : said) said_keys.push_back(each.key);
  outcome.resolved = resolve(std::move(said));
  leave_out_idle_presets(options_, outcome.resolved);
  refuse_without_partner(options_, outcome.resolved, said_keys);
  if (line.print == "print-config") {
    outcome.text = config_text(outcome.resolved);
  } else {
    outcome.kind = Outcome::Kind::kRun;
  }
  return outcome;
}

}  // namespace tenfold::cli
