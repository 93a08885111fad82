// Numbers that a task of its own kind has: "cells=5,apples=3".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tenfold::env {

/// One number that a user may set.
struct Setting {
  std::string name;  ///< "loop-prob"
  double value;      ///< unless said otherwise
  double low, high;  ///< closed range
  bool whole;        ///< takes whole numbers alone
  std::string help;
};

/// Values by name.
class Settings {
 public:
  Settings() = default;
  /// What known says, changed by text ("name=value,name=value", or empty). Throws Code::kUsage for
  /// a task without this setting (nearest name, list), a value that is no number or out of range, a
  /// name that comes twice.
  Settings(const std::string& task, const std::vector<Setting>& known, const std::string& text);
  /// Throws Code::kBug for an unknown name.
  double real(const std::string& name) const;
  std::int64_t whole(const std::string& name) const;

 private:
  std::map<std::string, double> values_;
};

}  // namespace tenfold::env
