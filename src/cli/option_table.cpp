#include "cli/option_table.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/value.hpp"

namespace tenfold::cli {

OptionTable::OptionTable(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

void OptionTable::group(std::string name, std::string title) {
  groups_.emplace_back(std::move(name), std::move(title));
}

OptionBuilder OptionTable::add_option(std::string key, ValueType type, std::string default_text,
                                      std::string help,
                                      std::function<void(const std::string&)> assign) {
  const std::size_t dot = key.find('.');
  base::require(dot != std::string::npos, fmt::format("option key '{}' has no group", key));
  base::require(std::none_of(options_.begin(), options_.end(),
                             [&](const Option& each) { return each.key == key; }),
                fmt::format("option '{}' declared twice", key));
  Option option;
  option.group = key.substr(0, dot);
  option.alias = key.substr(dot + 1);
  option.key = std::move(key);
  option.type = type;
  option.default_text = std::move(default_text);
  option.help = std::move(help);
  option.assign = std::move(assign);
  options_.push_back(std::move(option));
  return {*this, options_.size() - 1};
}

OptionBuilder OptionTable::add(std::string key, bool* target, std::string help) {
  return add_option(std::move(key), ValueType::kBool, *target ? "true" : "false", std::move(help),
                    [target](const std::string& text) { *target = to_bool(text).value(); });
}
OptionBuilder OptionTable::add(std::string key, std::int64_t* target, std::string help) {
  return add_option(std::move(key), ValueType::kInteger, std::to_string(*target), std::move(help),
                    [target](const std::string& text) { *target = to_integer(text).value(); });
}
OptionBuilder OptionTable::add(std::string key, double* target, std::string help) {
  return add_option(std::move(key), ValueType::kReal, from_real(*target), std::move(help),
                    [target](const std::string& text) { *target = to_real(text).value(); });
}
OptionBuilder OptionTable::add(std::string key, std::string* target, std::string help) {
  return add_option(std::move(key), ValueType::kText, *target, std::move(help),
                    [target](const std::string& text) { *target = text; });
}
OptionBuilder OptionTable::add(std::string key, std::vector<std::int64_t>* target,
                               std::string help) {
  return add_option(std::move(key), ValueType::kIntegerList, from_list(*target), std::move(help),
                    [target](const std::string& text) { *target = to_list(text).value(); });
}

void OptionTable::preset(Preset preset) {
  presets_.push_back(std::move(preset));
}

void OptionTable::listing(std::string flag, std::string help, std::function<std::string()> text) {
  listings_.push_back({std::move(flag), std::move(help), std::move(text)});
}

void OptionTable::apply(const Resolved& resolved) const {
  for (const ResolvedValue& each : resolved) {
    for (const Option& option : options_) {
      if (option.key == each.key) option.assign(each.value);
    }
  }
}

namespace {

std::string escape(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\\')
      safe += "\\\\";
    else if (c == '\t')
      safe += "\\t";
    else if (c == '\n')
      safe += "\\n";
    else
      safe += c;
  }
  return safe;
}

std::string unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    ++i;
    plain += text[i] == 't' ? '\t' : text[i] == 'n' ? '\n' : text[i];
  }
  return plain;
}

}  // namespace

std::string encode(const Resolved& resolved) {
  std::string text;
  for (const ResolvedValue& each : resolved) {
    text += escape(each.key) + '\t' + escape(each.value) + '\t' + escape(each.origin) + '\n';
  }
  return text;
}

Resolved decode(std::string_view text) {
  Resolved resolved;
  for (const std::string& line : base::split(text, '\n')) {
    if (line.empty()) continue;
    const std::vector<std::string> parts = base::split(line, '\t');
    base::require(parts.size() == 3, "malformed resolved options");
    resolved.push_back({unescape(parts[0]), unescape(parts[1]), unescape(parts[2])});
  }
  return resolved;
}

}  // namespace tenfold::cli
