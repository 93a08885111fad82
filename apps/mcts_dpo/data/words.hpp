// Words between white space, and lists of them for tokenizers that know whole words.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace tenfold::mcts_dpo {

inline std::vector<std::string_view> words_of(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; (begin = text.find_first_not_of(kSpace, begin)) < text.size();) {
    const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

/// Adds the words of texts (templates, with \n written out, too) that the list has not;
/// placeholders in braces are no words.
inline void add_words(std::vector<std::string>& list, const std::vector<std::string>& texts) {
  std::unordered_set<std::string> known(list.begin(), list.end());
  for (std::string text : texts) {
    for (std::size_t at; (at = text.find("\\n")) != std::string::npos;) text.replace(at, 2, " ");
    for (std::size_t at; (at = text.find('{')) != std::string::npos;) {
      const std::size_t end = std::min(text.find('}', at), text.size() - 1);
      text.replace(at, end - at + 1, " ");
    }
    for (const std::string_view word : words_of(text)) {
      if (known.emplace(word).second) list.emplace_back(word);
    }
  }
}

}  // namespace tenfold::mcts_dpo
