#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "nn/huggingface/safetensors_folder.hpp"
#include "unit/base_folder.hpp"

namespace tenfold::nn {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The message and hint of the Code::kData error that the call must throw.
template <class Call>
std::string data_error(const Call& call) {
  try {
    call();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kData) << error.what();
    return error.message() + " | " + error.hint();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string file_of(const std::string& json, const std::string& data) {
  std::string bytes(8, '\0');
  const std::uint64_t length = json.size();
  std::memcpy(bytes.data(), &length, 8);
  return bytes + json + data;
}

class Safetensors : public test::TemporaryFolder {
 protected:
  std::string refusal(const std::string& json, std::size_t data_bytes) const {
    const fs::path path = put("bad.safetensors", file_of(json, std::string(data_bytes, 'x')));
    const std::string message = data_error([&] { SafetensorsFile{path}; });
    EXPECT_THAT(message, HasSubstr(path.string()));
    return message;
  }
};

TEST_F(Safetensors, ReadsWhatTheFormatSays) {
  // Written down by hand from the format's description.
  const std::string json =
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2,1],"data_offsets":[4,8]},)"
      R"("none":{"dtype":"F64","shape":[3,0],"data_offsets":[4,4]},)"
      R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )";
  const SafetensorsFile file(
      put("good.safetensors", file_of(json, std::string("\0\0\x80\x3f\x01\0\xff\xff", 8))));
  ASSERT_EQ(file.header().tensors.size(), 3U);
  EXPECT_THAT(file.header().metadata,
              ElementsAre(std::pair<std::string, std::string>("format", "pt")));
  float number = 0;
  ASSERT_EQ(file.bytes(*file.find("a")).size(), 4U);
  std::memcpy(&number, file.bytes(*file.find("a")).data(), 4);
  EXPECT_EQ(number, 1.0F);
  EXPECT_THAT(file.find("b")->shape, ElementsAre(2, 1));
  EXPECT_EQ(file.bytes(*file.find("b"))[2], std::byte{0xFF});
  EXPECT_THAT(file.find("none")->shape, ElementsAre(3, 0));
  EXPECT_EQ(file.find("c"), nullptr);
}

TEST_F(Safetensors, RefusesWrongLengths) {
  const auto opened = [&](const std::string& bytes) {
    return data_error([&] { SafetensorsFile{put("bad.safetensors", bytes)}; });
  };
  EXPECT_THAT(opened(""), HasSubstr("too few"));
  EXPECT_THAT(opened("1234567"), HasSubstr("too few"));
  EXPECT_THAT(opened(std::string(8, '\0')), HasSubstr("does not begin with '{'"));
  EXPECT_THAT(opened(std::string(8, '\xff')), HasSubstr("100 MB"));
  EXPECT_THAT(opened(std::string("\x03\0\0\0\0\0\0\0{}", 10)), HasSubstr("the file holds"));
  EXPECT_THAT(opened(std::string("\x00\xe1\xf5\x05\0\0\0\0{}", 10)), HasSubstr("the file holds"));
  EXPECT_THAT(opened(std::string("\x01\xe1\xf5\x05\0\0\0\0{}", 10)), HasSubstr("100 MB"));
  EXPECT_THROW(SafetensorsFile{folder_ / "nowhere"}, base::Error);
  EXPECT_THROW(SafetensorsFile{folder_}, base::Error);
  EXPECT_NO_THROW(SafetensorsFile{put("empty.safetensors", file_of("{}", ""))});
}

TEST_F(Safetensors, RefusesWhatIsNoHeader) {
  EXPECT_THAT(refusal("[]", 0), HasSubstr("does not begin"));
  EXPECT_THAT(refusal(" {}", 0), HasSubstr("does not begin"));
  EXPECT_THAT(refusal("{", 0), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{}}", 0), HasSubstr("not JSON"));
  EXPECT_THAT(refusal("{\"a\xff\":{}}", 0), HasSubstr("not JSON in UTF-8"));
  EXPECT_THAT(refusal(R"({"a":1})", 0), HasSubstr("a number where none belongs"));
  EXPECT_THAT(refusal(R"({"a":null})", 0), HasSubstr("null"));
  EXPECT_THAT(refusal(R"({"a":[]})", 0), HasSubstr("a list"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":1}})", 0), HasSubstr("a number"));
  EXPECT_THAT(refusal(R"({"__metadata__":{"a":{}}})", 0), HasSubstr("an object"));
  EXPECT_THAT(refusal("{\"a\":" + std::string(1'000'000, '['), 0), HasSubstr("a list"));
}

TEST_F(Safetensors, RefusesWrongTensors) {
  const auto tensor = [](const std::string& inside) { return R"({"a":{)" + inside + "}}"; };
  EXPECT_THAT(refusal(tensor(R"("shape":[1],"data_offsets":[0,4])"), 4), HasSubstr("no dtype"));
  EXPECT_THAT(refusal(tensor(R"("dtype":"F32","data_offsets":[0,4])"), 4), HasSubstr("no shape"));
  EXPECT_THAT(refusal(tensor(R"("dtype":"F32","shape":[1])"), 4), HasSubstr("no data_offsets"));
  const auto whole = [&](const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
    return tensor(R"("dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets);
  };
  EXPECT_THAT(refusal(whole(R"("F31")", "[1]", "[0,4]"), 4), HasSubstr("unknown dtype 'F31'"));
  EXPECT_THAT(refusal(whole("4", "[1]", "[0,4]"), 4), HasSubstr("a number"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[-1]", "[0,4]"), 4), HasSubstr("negative"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[1.0]", "[0,4]"), 4), HasSubstr("no whole number"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[2]", "[0,4]"), 4), HasSubstr("needs 8 bytes"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[1]", "[4,0]"), 4), HasSubstr("[begin, end]"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[1]", "[0]"), 4), HasSubstr("[begin, end]"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[1]", "[0,4,8]"), 4), HasSubstr("too many"));
  EXPECT_THAT(refusal(whole(R"("F32")", "[4611686018427387904]", "[0,0]"), 0),
              HasSubstr("64 bits"));
  EXPECT_THAT(refusal(whole(R"("U8")", "[4294967296,4294967296]", "[0,0]"), 0),
              HasSubstr("64 bits"));
  EXPECT_THAT(refusal(whole(R"("U8")", "[18446744073709551615,0]", "[0,0]"), 0),
              HasSubstr("64 bits"));
  EXPECT_THAT(refusal(whole(R"("U8")", "[18446744073709551616]", "[0,0]"), 0),
              HasSubstr("no whole number"));
  std::string many = "[1";
  for (int i = 0; i < 40; ++i) many += ",1";
  EXPECT_THAT(refusal(whole(R"("U8")", many + "]", "[0,1]"), 1), HasSubstr("too many"));
  EXPECT_THAT(refusal(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1],"more":"x")"), 1),
              HasSubstr("unknown field 'more'"));
  EXPECT_THAT(refusal(tensor(R"("dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1])"), 1),
              HasSubstr("'dtype' is given twice"));
}

TEST_F(Safetensors, RangesTileTheDataExactly) {
  const auto two = [&](const std::string& a, const std::string& b, const std::string& name = "b") {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a + R"(},")" + name +
           R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
  };
  EXPECT_NO_THROW(
      SafetensorsFile{put("good.safetensors", file_of(two("[4,8]", "[0,4]"), "12345678"))});
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]", "a"), 8), HasSubstr("'a' is given twice"));
  EXPECT_THAT(refusal(two("[0,4]", "[2,6]"), 6), HasSubstr("inside another one"));
  EXPECT_THAT(refusal(two("[0,4]", "[0,4]"), 4), HasSubstr("inside another one"));
  EXPECT_THAT(refusal(two("[0,4]", "[5,9]"), 9), HasSubstr("but byte 4 is nobody's"));
  EXPECT_THAT(refusal(two("[1,5]", "[5,9]"), 9), HasSubstr("but byte 0 is nobody's"));
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]"), 9), HasSubstr("take 8 bytes, the file holds 9"));
  EXPECT_THAT(refusal(two("[0,4]", "[4,8]"), 7), HasSubstr("take 8 bytes, the file holds 7"));
}

// Flips and cuts of a good file: refused, or tensors that lie within it and fill it.
TEST_F(Safetensors, SurvivesFlippedBytes) {
  std::vector<std::byte> data(40);
  write_safetensors(
      folder_ / "good.safetensors",
      {stored_copy("model.weight", StoredType::kF32, {2, 3}, std::span(data).first(24)),
       stored_copy("model.bias", StoredType::kBF16, {4}, std::span(data).first(8)),
       stored_copy("step", StoredType::kI64, {}, std::span(data).first(8)),
       stored_copy("none", StoredType::kU8, {0, 5}, {})},
      {{"format", "pt"}});
  std::string good(fs::file_size(folder_ / "good.safetensors"), '\0');
  std::ifstream(folder_ / "good.safetensors", std::ios::binary)
      .read(good.data(), static_cast<std::streamsize>(good.size()));
  const std::uint64_t header = good.size() - 40;
  base::Stream draws(11, base::Purpose::kTest, 0, 0);
  int refused = 0, accepted = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes = good;
    for (std::uint64_t flips = 1 + draws.below(3); flips > 0; --flips) {
      const std::uint64_t place = draws.below(round % 2 == 0 ? header : bytes.size());
      bytes[place] = static_cast<char>(draws.below(256));
    }
    if (round % 16 == 0) bytes.resize(draws.below(bytes.size()));
    // A new file: one that is written over goes to the disk at once.
    fs::remove(folder_ / "flipped.safetensors");
    const fs::path path = put("flipped.safetensors", bytes);
    try {
      const SafetensorsFile file(path);
      std::uint64_t filled = 0;
      for (const StoredTensor& tensor : file.header().tensors) {
        std::uint64_t size = element_bytes(tensor.type);
        for (const std::int64_t extent : tensor.shape) size *= static_cast<std::uint64_t>(extent);
        const auto inside = file.bytes(tensor);
        ASSERT_EQ(inside.size(), size);
        std::uint64_t sum = 0;
        for (const std::byte byte : inside) sum += static_cast<std::uint64_t>(byte);
        filled += size + 0 * sum;
      }
      std::uint64_t length = 0;
      std::memcpy(&length, bytes.data(), 8);
      ASSERT_EQ(8 + length + filled, bytes.size());
      ++accepted;
    } catch (const base::Error& error) {
      ASSERT_EQ(error.code(), base::Code::kData) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 1000);
}

TEST_F(Safetensors, WritesInPiecesAndLeavesNothingHalf) {
  // More than one piece of the writer, so that later pieces begin where they should.
  constexpr std::int64_t kCount = 3'000'000;
  TensorToStore counted{"counted", StoredType::kU32, {kCount}, {}};
  counted.fill = [](std::int64_t first, std::span<std::byte> bytes) {
    for (std::size_t i = 0; i < bytes.size() / 4; ++i) {
      const auto value = static_cast<std::uint32_t>(first + static_cast<std::int64_t>(i));
      std::memcpy(&bytes[4 * i], &value, 4);
    }
  };
  write_safetensors(folder_ / "counted.safetensors", {counted});
  const SafetensorsFile file(folder_ / "counted.safetensors");
  const auto bytes = file.bytes(*file.find("counted"));
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    std::uint32_t value = 0;
    std::memcpy(&value, &bytes[static_cast<std::size_t>(4 * i)], 4);
    wrong += value != static_cast<std::uint32_t>(i);
  }
  EXPECT_EQ(wrong, 0);
  counted.fill = [](std::int64_t first, std::span<std::byte>) {
    if (first > 0) throw std::runtime_error("interrupted");
  };
  EXPECT_THROW(write_safetensors(folder_ / "half.safetensors", {counted}), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder_ / "half.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "half.safetensors.tmp"));
}

class Shards : public Safetensors {
 protected:
  // a and b in one shard, c in another.
  void write_three() const {
    static const std::vector<std::byte> data(8);
    std::vector<TensorToStore> three;
    for (const char* name : {"a", "b", "c"}) {
      three.push_back(stored_copy(name, StoredType::kF32, {2}, data));
    }
    write_safetensors_folder(folder_, three, 16);
  }
  std::string refusal_of(const std::string& weight_map) const {
    put("model.safetensors.index.json", R"({"weight_map":)" + weight_map + "}");
    return data_error([&] { SafetensorsFolder{folder_}; });
  }
};

TEST_F(Shards, AreFoundByTheirIndex) {
  write_three();
  const SafetensorsFolder whole(folder_);
  EXPECT_THAT(whole.names(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(whole.find("b").file->path().filename(), "model-00001-of-00002.safetensors");
  EXPECT_EQ(whole.find("c").file->path().filename(), "model-00002-of-00002.safetensors");
  EXPECT_EQ(whole.find("d").tensor, nullptr);
}

TEST_F(Shards, AreRefusedWhereIndexAndFilesDisagree) {
  write_three();
  const std::string one = "model-00001-of-00002.safetensors";
  const std::string two = "model-00002-of-00002.safetensors";
  const auto map = [](const std::string& a, const std::string& b, const std::string& c) {
    return R"({"a":")" + a + R"(","b":")" + b + R"(","c":")" + c + "\"}";
  };
  EXPECT_THAT(refusal_of(map(one, one, "../" + two)), HasSubstr("file of the same folder"));
  EXPECT_THAT(refusal_of(map(one, one, "/etc/passwd")), HasSubstr("file of the same folder"));
  EXPECT_THAT(refusal_of(map(one, one, "..")), HasSubstr("file of the same folder"));
  EXPECT_THAT(refusal_of(map(one, one, "")), HasSubstr("file of the same folder"));
  EXPECT_THAT(refusal_of(R"({"a":7})"), HasSubstr("file of the same folder"));
  EXPECT_THAT(refusal_of("{}"), HasSubstr("names no tensors"));
  EXPECT_THAT(refusal_of("[]"), HasSubstr("must be an object"));
  EXPECT_THAT(refusal_of(R"({"a":")" + one + R"(","a":")" + one + "\"}"), HasSubstr("given twice"));
  EXPECT_THAT(refusal_of(map(one, one, "model-3.safetensors")),
              HasSubstr("shards are missing: model-3.safetensors"));
  EXPECT_THAT(refusal_of(map(one, two, two)),
              AllOf(HasSubstr(one), HasSubstr("places elsewhere or does not name: b")));
  EXPECT_THAT(refusal_of(R"({"a":")" + one + R"(","b":")" + one + R"(","d":")" + one +
                         R"(","c":")" + two + "\"}"),
              AllOf(HasSubstr(one), HasSubstr("lacks"), HasSubstr(": d")));
  EXPECT_THAT(refusal_of(R"({"a":")" + one + R"(","c":")" + two + "\"}"),
              AllOf(HasSubstr(one), HasSubstr("does not name: b")));
  EXPECT_THAT(refusal_of(R"({"a":")" + one + R"(","b":")" + one + "\"}"),
              HasSubstr("that it does not name: " + two));
}

TEST_F(Shards, AreSaidToBeMissing) {
  EXPECT_THAT(data_error([&] { SafetensorsFolder{folder_}; }), HasSubstr("found: nothing"));
  put("pytorch_model.bin", "");
  EXPECT_THAT(data_error([&] { SafetensorsFolder{folder_}; }),
              AllOf(HasSubstr("found: pytorch_model.bin"), HasSubstr("save_pretrained")));
}

// All halves, by the definition of IEEE 754's binary16 and of its upper 16 bits of binary32.
TEST(StoredNumbers, WidenAndNarrowExactly) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto stored = static_cast<std::uint16_t>(bits);
    const auto bytes = std::as_bytes(std::span(&stored, 1));
    const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
    const int exponent = static_cast<int>(bits >> 10U & 31U);
    const int mantissa = static_cast<int>(bits & 1023U);
    double expected = exponent == 0 ? sign * std::ldexp(mantissa, -24)
                                    : sign * std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) expected = mantissa == 0 ? sign * HUGE_VAL : NAN;
    float half = 0, brain = 0;
    widen(StoredType::kF16, bytes, std::span(&half, 1));
    widen(StoredType::kBF16, bytes, std::span(&brain, 1));
    std::uint16_t again = 0;
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(half));
    } else {
      ASSERT_EQ(static_cast<double>(half), expected);
      ASSERT_EQ(std::signbit(half), sign < 0);
      narrow(StoredType::kF16, std::span(&half, 1), std::as_writable_bytes(std::span(&again, 1)));
      ASSERT_EQ(again, stored);
    }
    ASSERT_EQ(std::bit_cast<std::uint32_t>(brain), bits << 16U);
    narrow(StoredType::kBF16, std::span(&brain, 1), std::as_writable_bytes(std::span(&again, 1)));
    if (!std::isnan(brain)) {
      ASSERT_EQ(again, stored);
    }
  }
}

TEST(StoredNumbers, RoundToNearestEven) {
  const auto rounded = [](StoredType type, float value) {
    std::uint16_t stored = 0;
    float result = 0;
    narrow(type, std::span(&value, 1), std::as_writable_bytes(std::span(&stored, 1)));
    widen(type, std::as_bytes(std::span(&stored, 1)), std::span(&result, 1));
    return result;
  };
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> halves{{1 + 0x1p-11F, 1},
                                                    {1 + 0x1.8p-10F, 1 + 0x1p-9F},
                                                    {65519, 65504},
                                                    {65520, kInfinity},
                                                    {-1e30F, -kInfinity},
                                                    {0x1p-25F, 0},
                                                    {0x1.000002p-25F, 0x1p-24F},
                                                    {0x1.8p-24F, 0x1p-23F},
                                                    {0x1.ff8p-15F, 0x1.ff8p-15F},
                                                    {0x1.fffp-15F, 0x1p-14F},
                                                    {1e-40F, 0}};
  for (const auto& [value, expected] : halves) {
    EXPECT_EQ(rounded(StoredType::kF16, value), expected) << value;
  }
  const std::vector<std::pair<float, float>> brains{
      {1 + 0x1p-8F, 1}, {1 + 0x1.8p-7F, 1 + 0x1p-6F}, {0x1.fffffep127F, kInfinity}};
  for (const auto& [value, expected] : brains) {
    EXPECT_EQ(rounded(StoredType::kBF16, value), expected) << value;
  }
  // A NaN whose upper bits alone would be an infinity.
  const float nan = std::bit_cast<float>(0x7F800001U);
  EXPECT_TRUE(std::isnan(rounded(StoredType::kBF16, nan)));
  EXPECT_TRUE(std::isnan(rounded(StoredType::kF16, nan)));
}

}  // namespace
}  // namespace tenfold::nn
