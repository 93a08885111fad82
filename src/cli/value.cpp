#include "cli/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace tenfold::cli {

namespace {

template <class T>
std::optional<T> whole(const std::string& text) {
  const bool plus =
      text.size() > 1 && text[0] == '+' && text[1] != '-';  // from_chars knows no plus
  const char* begin = text.data() + (plus ? 1 : 0);
  T value{};
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string plain(double value) {
  if (std::abs(value) < 1e15 && value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

std::string bounds(const Option& option) {
  if (option.low && option.high) {
    if (!option.low_open && !option.high_open) {
      return fmt::format(" from {} to {}", plain(*option.low), plain(*option.high));
    }
    return fmt::format(" in {}{}, {}{}", option.low_open ? "(" : "[", plain(*option.low),
                       plain(*option.high), option.high_open ? ")" : "]");
  }
  if (option.low)
    return fmt::format(" {} {}", option.low_open ? "above" : "of at least", plain(*option.low));
  if (option.high)
    return fmt::format(" {} {}", option.high_open ? "below" : "of at most", plain(*option.high));
  return "";
}

bool outside(const Option& option, double value) {
  return (option.low && (value < *option.low || (option.low_open && value == *option.low))) ||
         (option.high && (value > *option.high || (option.high_open && value == *option.high)));
}

bool in_domain(const Option& option, const std::string& text) {
  switch (option.type) {
    case ValueType::kBool:
      return to_bool(text).has_value();
    case ValueType::kInteger: {
      const auto value = to_integer(text);
      return value && !outside(option, static_cast<double>(*value));
    }
    case ValueType::kReal: {
      const auto value = to_real(text);
      return value && !outside(option, *value);
    }
    case ValueType::kIntegerList: {
      const auto values = to_list(text);
      return values && std::none_of(values->begin(), values->end(), [&](std::int64_t each) {
               return outside(option, static_cast<double>(each));
             });
    }
    case ValueType::kText:
      return option.choices.empty() ||
             std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end();
  }
  return false;
}

}  // namespace

std::optional<bool> to_bool(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::optional<std::int64_t> to_integer(const std::string& text) {
  return whole<std::int64_t>(text);
}

std::optional<double> to_real(const std::string& text) {
  const auto value = whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::vector<std::int64_t>> to_list(const std::string& text) {
  std::vector<std::int64_t> values;
  for (const std::string& part : base::split(text, text.find(',') == text.npos ? 'x' : ',')) {
    const auto value = to_integer(part);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::string from_real(double value) {
  return fmt::format("{}", value);
}

std::string from_list(const std::vector<std::int64_t>& values) {
  std::vector<std::string> parts;
  parts.reserve(values.size());
  for (const std::int64_t value : values) parts.push_back(std::to_string(value));
  return base::join(parts, "x");
}

std::string describe_domain(const Option& option) {
  std::string text;
  switch (option.type) {
    case ValueType::kBool:
      text = "true or false";
      break;
    case ValueType::kInteger:
      text = "an integer" + bounds(option);
      break;
    case ValueType::kReal:
      text = "a finite number" + bounds(option);
      break;
    case ValueType::kIntegerList:
      text = "a list of integers" + bounds(option) + ", as in 400x300";
      break;
    case ValueType::kText:
      text = option.choices.empty() ? "a text" : "one of " + base::join(option.choices, ", ");
      break;
  }
  return option.unit.empty() ? text : text + " (" + option.unit + ")";
}

std::string find_fault(const Option& option, const std::string& text) {
  if (!in_domain(option, text)) {
    std::string fault = "is not " + describe_domain(option);
    const std::string near = base::nearest(text, option.choices);
    return near.empty() ? fault : fault + fmt::format("; did you mean '{}'?", near);
  }
  return option.validate ? option.validate(text) : "";
}

}  // namespace tenfold::cli
