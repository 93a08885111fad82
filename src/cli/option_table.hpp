// The one option table: what an application can be told, from which the parser, config files,
// environment variables, --help, --print-config, completion and the manifest are all made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenfold::cli {

enum class ValueType { kBool, kInteger, kReal, kText, kIntegerList };

/// What an option needs beside it to mean anything: another option whose value is one of words, or,
/// without words, any but the empty one.
struct Partner {
  std::string key;
  std::vector<std::string> words;
};

/// One option. Filled through OptionTable::add and the chained setters.
struct Option {
  std::string key;    ///< "train.batch": the name in files and in the manifest
  std::string alias;  ///< short flag: "batch" for --batch; the part after the dot unless set
  std::string group;  ///< the part before the dot
  ValueType type = ValueType::kText;
  std::string default_text;
  std::string help;  ///< one line
  std::string unit;
  std::vector<std::string> choices;
  std::optional<double> low, high;
  bool low_open = false, high_open = false;  ///< true: the bound itself is refused
  bool common = false;                       ///< shown in plain --help
  bool affects_results =
      true;                 ///< false: may differ between a run and its resumption (paths, logging)
  bool one_a_seed = false;  ///< a folder to write: of several seeds each has its own below it
  std::optional<Partner> partner;
  std::function<void(const std::string&)> assign;  ///< throws Code::kUsage
  /// Further check of the text; returns what is wrong, or "" when fine.
  std::function<std::string(const std::string&)> validate;
};

class OptionBuilder {
 public:
  OptionBuilder(class OptionTable& table, std::size_t index) : table_(&table), index_(index) {}
  OptionBuilder& alias(std::string flag);
  OptionBuilder& unit(std::string unit);
  /// Closed range [low, high]; nan and infinities are always refused.
  OptionBuilder& range(double low, double high);
  /// Bounds that the value must stay strictly inside of, where set.
  OptionBuilder& above(double low);
  OptionBuilder& below(double high);
  OptionBuilder& at_least(double low);
  OptionBuilder& at_most(double high);
  OptionBuilder& choices(std::vector<std::string> words);
  OptionBuilder& common();
  OptionBuilder& not_a_result();
  OptionBuilder& one_a_seed();
  /// The user who gives it another value than its default without the partner is refused (parse).
  OptionBuilder& only_with(std::string key, std::vector<std::string> words = {});
  OptionBuilder& check(std::function<std::string(const std::string&)> validate);

 private:
  Option& option();
  class OptionTable* table_;
  std::size_t index_;
};

struct PresetValue {
  std::string key;
  std::string value;
  std::string source;  ///< where the value comes from: "paper, section 7"
};
struct Preset {
  std::string name;
  std::string summary;
  std::vector<PresetValue> values;
};

/// Where a value came from, strongest first: command line, environment, config file, preset,
/// default.
struct ResolvedValue {
  std::string key, value, origin;
};
using Resolved = std::vector<ResolvedValue>;  ///< in table order, every option once

/// What the user asked for besides a run. The text is complete and ends in a newline.
struct Outcome {
  enum class Kind { kRun, kPrintAndExit } kind = Kind::kRun;
  std::string text;
  Resolved resolved;
};

class OptionTable {
 public:
  OptionTable(std::string program, std::string summary);

  void group(std::string name, std::string title);  ///< order of calls = order in --help all
  /// The target's present value is the default. Keys are "group.name"; duplicates are Code::kBug.
  OptionBuilder add(std::string key, bool* target, std::string help);
  OptionBuilder add(std::string key, std::int64_t* target, std::string help);
  OptionBuilder add(std::string key, double* target, std::string help);
  OptionBuilder add(std::string key, std::string* target, std::string help);
  OptionBuilder add(std::string key, std::vector<std::int64_t>* target, std::string help);
  void preset(Preset preset);
  /// A flag such as --list-tasks: prints the text and leaves with 0.
  void listing(std::string flag, std::string help, std::function<std::string()> text);

  /// Parses `--key value`, `--key=value`, `--flag`, `--no-flag`; then TENFOLD_GROUP__NAME variables
  /// (dashes as underscores) of environment ("NAME=value" strings); then the file of --config
  /// ([group] sections, or group.name = value; "quoted" where blanks or # matter); then --preset,
  /// which the environment and the file can name too, as run.preset. Handles --help [all|GROUP],
  /// --print-config, --version, --print-options (JSON of the table, for tools), --print-man and
  /// --completion bash|zsh.
  /// Throws Code::kUsage with option, value, range, origin and the nearest known name.
  /// Touches no target: see apply.
  Outcome parse(const std::vector<std::string>& arguments,
                const std::vector<std::string>& environment) const;

  /// Sets every target. Any rank can apply what another rank parsed.
  void apply(const Resolved& resolved) const;

  /// Values for every option from what was said, strongest first; checks them all.
  Resolved resolve(std::vector<ResolvedValue> said_first_wins) const;

  const std::vector<Option>& options() const { return options_; }
  const std::vector<Preset>& presets() const { return presets_; }
  const std::string& program() const { return program_; }
  const std::string& summary() const { return summary_; }
  void set_version_text(std::string text) { version_text_ = std::move(text); }

  std::string help_text(
      const std::string& topic) const;  ///< "", "all", "preset" or a group; 80 columns
  std::string config_text(
      const Resolved& resolved) const;  ///< a valid config file with origins as comments
  std::string completion(const std::string& shell) const;  ///< "bash" or "zsh"
  std::string json_text() const;                           ///< the table for tools
  std::string man_page() const;                            ///< groff, section 1

 private:
  friend class OptionBuilder;
  OptionBuilder add_option(std::string key, ValueType type, std::string default_text,
                           std::string help, std::function<void(const std::string&)> assign);
  std::string footer(bool everything) const;
  struct Listing {
    std::string flag, help;
    std::function<std::string()> text;
  };
  std::string program_, summary_, version_text_;
  std::vector<std::pair<std::string, std::string>> groups_;
  std::vector<Option> options_;
  std::vector<Preset> presets_;
  std::vector<Listing> listings_;
};

/// Text form of a resolved table, for broadcasting ("key\tvalue\torigin" lines, escaped) and back.
std::string encode(const Resolved& resolved);
Resolved decode(std::string_view text);

/// "90", "90s", "15m", "2h", "01:30:00" in seconds; nullopt when it is none of them.
std::optional<double> parse_duration(std::string_view text);

}  // namespace tenfold::cli
