// Every name that an option answers to, and how a wrong one is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/option_table.hpp"

namespace tenfold::cli {

/// The names of one table. Two options that answer to the same name are Code::kBug.
class Names {
 public:
  Names(const std::vector<Option>& options, bool presets, const std::vector<std::string>& listings);

  const Option* find(std::string_view flag_or_key) const;  ///< nullptr when there is none
  /// The key of a flag or key; "run.preset" for --preset; "" when unknown or no value's name.
  std::string key_of(std::string_view flag_or_key) const;
  /// What follows "--": flags, keys and the table's own (help, config, ...).
  const std::vector<std::string>& flags() const { return flags_; }
  const std::vector<std::string>& keys() const { return keys_; }  ///< what files may set
  bool takes_value(std::string_view flag_or_key) const;

 private:
  const std::vector<Option>& options_;
  std::vector<std::string> flags_, keys_;
};

/// Throws Code::kUsage.
[[noreturn]] void refuse(std::string message, std::string hint = "See --help all");
/// Input as it may be echoed: control bytes escaped, long texts cut.
std::string shown(std::string_view text);
/// "Did you mean --batch?", or where to look when no known name is near.
std::string suggestion(std::string_view word, std::span<const std::string> known,
                       std::string_view dashes = "");

}  // namespace tenfold::cli
