#include "dataset/tokenizer/normalizer.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"

namespace tenfold::dataset {

namespace {

// Every character below U+0300 is its own NFC, whatever stands beside it: no byte from 0xCC on.
bool may_change(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

std::string composed(std::string_view text) {
  if (!may_change(text)) return std::string(text);
  utf8proc_uint8_t* made = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &made,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owned(made, std::free);
  if (size < 0) {
    throw base::Error(base::Code::kData, fmt::format("NFC of a text of {} bytes: {}", text.size(),
                                                     utf8proc_errmsg(size)));
  }
  return {reinterpret_cast<const char*>(made), static_cast<std::size_t>(size)};
}

}  // namespace

std::string replace_all(std::string_view text, const Pattern& pattern, std::string_view content) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  std::size_t done = 0, from = 0, after = std::string_view::npos;
  while (const auto match = pattern.find(text, from, after)) {
    out += text.substr(done, match->begin - done);
    out += content;
    done = from = after = match->end;
  }
  out += text.substr(done);
  return out;
}

Normalizer::Normalizer(const JsonNode& root) {
  const std::optional<JsonNode> node = root.find("normalizer");
  if (node) add(*node);
}

void Normalizer::add(const JsonNode& node) {
  const std::string& type = node.type();
  if (type == "Sequence") {
    node.only({"type", "normalizers"});
    for (const JsonNode& element : node.at("normalizers").elements()) add(element);
  } else if (type == "Prepend") {
    node.only({"type", "prepend"});
    steps_.push_back({Step::Kind::kPrepend, node.at("prepend").text(), std::nullopt});
  } else if (type == "Replace") {
    node.only({"type", "pattern", "content"});
    steps_.push_back(
        {Step::Kind::kReplace, node.at("content").text(), Pattern(node.at("pattern"))});
  } else if (type == "NFC") {
    node.only({"type"});
    steps_.push_back({Step::Kind::kNfc, {}, std::nullopt});
  } else {
    node.refuse(fmt::format("type \"{}\" is not supported", base::printable(type)),
                "supported: Sequence, Prepend, Replace, NFC");
  }
}

std::string Normalizer::apply(std::string_view text, bool bare) const {
  std::string now(text);
  for (const Step& step : steps_) {
    switch (step.kind) {
      case Step::Kind::kPrepend:
        if (!now.empty() && !bare) now.insert(0, step.content);
        break;
      case Step::Kind::kReplace:
        now = replace_all(now, *step.pattern, step.content);
        break;
      case Step::Kind::kNfc:
        now = composed(now);
        break;
    }
  }
  return now;
}

}  // namespace tenfold::dataset
