// What a subcommand accepts, and what it was given.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace tenfold::tool {

struct Flag {
  std::string name;   ///< "lines" for --lines
  char letter = 0;    ///< 'n' for -n; 0: none
  std::string value;  ///< what it takes ("N"); "": a switch
  std::string help;
};

struct CommandLine {
  std::string name;
  std::string operands;  ///< "RUN", "[DIR]"
  std::size_t least = 0, most = 0;
  std::string summary;  ///< one line
  std::string details;
  std::vector<Flag> flags;
};

struct Arguments {
  std::vector<std::string> operands;
  std::map<std::string, std::string> flags;

  bool has(const std::string& flag) const { return flags.contains(flag); }
  /// The flag's value, fallback when it was not given. Throws Code::kUsage when it is not a whole
  /// number in [low, high].
  long whole(const std::string& flag, long fallback, long low, long high) const;
  /// As whole, any finite number.
  double real(const std::string& flag, double fallback, double low, double high) const;
  /// The flag's value as it was given, fallback when it was not.
  std::string text(const std::string& flag, const std::string& fallback) const;
};

/// Throws Code::kUsage naming the word that is wrong and the nearest flag.
Arguments parse_arguments(const CommandLine& line, const std::vector<std::string>& words);
/// What `tenfold NAME --help` prints.
std::string usage_text(const CommandLine& line);

}  // namespace tenfold::tool
