// What SentencePiece's library does not tell about its models, read from the file itself.
#pragma once

#include <string>
#include <string_view>

namespace tenfold::dataset {

/// Settings of a serialized ModelProto (protobuf), with its defaults.
struct SentencePieceSettings {
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
  bool whitespace_as_suffix = false;
  bool denormalizes = false;
  std::string unknown_surface = " \u2047 ";
};

/// Throws Code::kData naming the file when it is not a ModelProto.
SentencePieceSettings read_settings(std::string_view model, const std::string& file);

}  // namespace tenfold::dataset
