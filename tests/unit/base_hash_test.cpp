#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::base {
namespace {

using ::testing::HasSubstr;

class Hash : public test::TemporaryFolder {};

std::uint64_t xxh64_text(std::string_view text, std::uint64_t seed = 0) {
  return xxh64(std::as_bytes(std::span(text.data(), text.size())), seed);
}

// The values that the xxHash reference program (xxhsum -H64) prints.
TEST(Xxh64, GivesTheKnownAnswers) {
  EXPECT_EQ(xxh64_text(""), 0xef46db3751d8e999U);
  EXPECT_EQ(xxh64_text("a"), 0xd24ec4f1a98c6e5bU);
  EXPECT_EQ(xxh64_text("abc"), 0x44bc2cf5ad770999U);
  EXPECT_NE(xxh64_text("abc", 1), xxh64_text("abc"));
}

TEST(Xxh64, OfValuesIsThatOfTheirBytes) {
  const std::array<std::uint32_t, 2> values{0x64636261, 0x68676665};  // "abcdefgh", little endian
  EXPECT_EQ(xxh64_of(std::span<const std::uint32_t>(values)), xxh64_text("abcdefgh"));
}

// FIPS 180-2, appendix B.
TEST(Sha256, GivesTheKnownAnswers) {
  EXPECT_EQ(sha256_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_F(Hash, OfAFileLongerThanOneReadIsThatOfItsText) {
  std::string text((1U << 20) + 12345, '\0');
  std::iota(text.begin(), text.end(), 'a');
  EXPECT_EQ(sha256_file(put("long", text)), sha256_text(text));
  EXPECT_EQ(sha256_file(put("empty", "")), sha256_text(""));
}

TEST_F(Hash, OfWhatCannotBeReadIsAnIoError) {
  for (const auto& [path, reason] :
       {std::pair{folder_ / "missing", "No such file"}, std::pair{folder_, "Is a directory"}}) {
    try {
      sha256_file(path);
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIo);
      EXPECT_THAT(error.message(), HasSubstr(path.string()));
      EXPECT_THAT(error.message(), HasSubstr(reason));
    }
  }
}

TEST(Hex64, HasSixteenDigits) {
  EXPECT_EQ(hex64(0), "0000000000000000");
  EXPECT_EQ(hex64(0xef46db3751d8e999U), "ef46db3751d8e999");
}

}  // namespace
}  // namespace tenfold::base
