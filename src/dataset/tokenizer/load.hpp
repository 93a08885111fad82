// From the files of a tokenizer to the object: what load_tokenizer and the built-in ones share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataset/tokenizer/json_node.hpp"
#include "dataset/tokenizer/tokenizer.hpp"

namespace tenfold::dataset {

/// From the content of a tokenizer.json; its model decides the kind. Throws Code::kData.
std::unique_ptr<Tokenizer> read_tokenizer_json(const std::string& text, const std::string& file);

/// Sets roles and files of a tokenizer just made.
class TokenizerLoader {
 public:
  static void finish(Tokenizer& tokenizer, TokenRoles roles, std::vector<TokenizerFile> files);
};

}  // namespace tenfold::dataset
