// Answers that only computer algebra tells to be the same, and processes that do not do what they
// should.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base_folder.hpp"
#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/answers/symbolic_checker.hpp"

namespace tenfold::mcts_dpo {
namespace {

using base::Error;
using testing::HasSubstr;

/// One process for all that is answered; importing SymPy takes a second.
SymbolicChecker& shared() {
  static SymbolicChecker checker({.timeout = 60});
  return checker;
}

struct Case {
  const char* answer;
  const char* gold;
};

bool by_rules(const Case& one) {
  return equivalent(one.answer, one.gold);
}

bool by_algebra(const Case& one) {
  CompareOptions options;
  options.symbolic = &shared();
  return equivalent(one.answer, one.gold, options);
}

// Identities of mathematics; the rules in C++ know none of them.
TEST(Symbolic, KnowsWhatTheRulesDoNot) {
  const std::vector<Case> cases = {
      {R"(\sin 2x)", R"(2\sin x\cos x)"},
      {"sin(2x)", "2sin(x)cos(x)"},
      {R"(\cos^2 x)", R"(1-\sin^2 x)"},
      {R"(\sin^2(t)+\cos^2(t)+x)", "x+1"},
      {R"(\tan x)", R"(\frac{\sin x}{\cos x})"},
      {R"(\sin\frac{\pi}{6})", R"(\frac{1}{2})"},
      {R"(\arctan 1)", R"(\frac{\pi}{4})"},
      {R"(\cosh x)", R"(\frac{e^x+e^{-x}}{2})"},
      {R"(e^{2\ln x})", "x^2"},
      {R"(e^{\ln 2})", "2"},
      {R"(\exp(x)+1)", "1+e^x"},
      {R"(\ln(xy))", R"(\ln x+\ln y)"},
      {R"(\ln x^2)", R"(2\ln x)"},
      {R"(\log_2 8)", "3"},
      {R"(\log_{2}{x^2})", R"(2\log_2 x)"},
      {R"(\log 100)", R"(2\log 10)"},
      {R"(\frac{\ln 8}{\ln 2})", "3"},
      {"i^2", "-1"},
      {"(1+i)^2", "2i"},
      {R"(e^{i\pi})", "-1"},
      {"5!", "120"},
      {R"(\frac{(n+1)!}{n!})", "n+1"},
      {R"(\binom{5}{2})", "10"},
      {R"(\binom{n}{2})", R"(\frac{n(n-1)}{2})"},
      {"|x-1|", "|1-x|"},
      {"|x||y|", "|xy|"},
      {R"(\lfloor 2.5\rfloor)", "2"},
      {"x_1+x_2", "x_2+x_1"},
      {"2x+3 < 7", "4x < 8"},
      {"x > 2", "2 < x"},
      {R"(x \le 3)", R"(3 \ge x)"},
      {"x <= 3", R"(x \le 3)"},
      {"1 < x < 2", "2 > x > 1"},
      {"2y = 4x + 6", "y = 2x + 3"},
      {R"(y = \sin 2x)", R"(y = 2\sin x\cos x)"},
      // Inside of what the rules take apart.
      {R"((\sin\frac{\pi}{2}, 5!))", "(1, 120)"},
      {R"([\ln 1, \log_2 8))", "[0, 3)"},
      {R"(\{i^2, \cos 0\})", R"(\{1, -1\})"},
      {R"((-\infty, \log_2 4] \cup (5!, \infty))", R"((-\infty, 2] \cup (120, \infty))"},
  };
  for (const Case& one : cases) {
    EXPECT_FALSE(by_rules(one)) << one.answer << " | " << one.gold;
    EXPECT_TRUE(by_algebra(one)) << one.answer << " | " << one.gold;
  }
  EXPECT_EQ(shared().counts().unanswered, 0);
}

// What the rules know they need not ask; what is different stays so.
TEST(Symbolic, LeavesTheRestAsItIs) {
  for (const Case& one : std::vector<Case>{{"x^2-1", "(x-1)(x+1)"},
                                           {R"(\frac{x}{2})", "x/2"},
                                           {R"(\sqrt{12})", R"(2\sqrt{3})"},
                                           {R"(2\pi r)", R"(\pi \cdot 2r)"},
                                           {"[1, 2)", "[1,2)"}}) {
    const std::int64_t asked = shared().counts().asked;
    EXPECT_TRUE(by_algebra(one)) << one.answer;
    EXPECT_EQ(shared().counts().asked, asked);
  }
  const std::vector<Case> different = {
      {R"(\sin 2x)", R"(2\sin x)"},
      {"|x|", "x"},
      {"|x-1000|", "1000-x"},
      {R"(\lfloor x\rfloor)", "x"},
      {"x < 2", "x > 2"},
      {"x < 2", R"(x \le 2)"},
      {"-2x < 4", "x < -2"},
      {"x <= 5", "5"},
      {R"(\log x)", R"(\ln x)"},
      {"2y = 4x + 6", "y = 2x + 4"},
      // Equal to 30 digits (Ramanujan).
      {R"(e^{\pi\sqrt{163}})", "262537412640768744"},
      {R"(\frac{1}{x-x})", "1"},
      {R"(\sin^{-1} x)", R"(\arcsin x)"},
      {R"((\sin\frac{\pi}{2}, 5!))", "(120, 1)"},
      {"the answer", "x"},
  };
  for (const Case& one : different) EXPECT_FALSE(by_algebra(one)) << one.answer;
  EXPECT_FALSE(shared().same(R"(\pi)", "3.14159265358979"));  // near enough to the rules
  EXPECT_EQ(shared().counts().unanswered, 0);
}

// Answers are text of a language model: nothing of it is run, nothing of it grows.
TEST(Symbolic, HostileTexts) {
  const std::string touch = "/tmp/tenfold-symbolic-" + std::to_string(getpid());
  const std::string deep = std::string(200, '(') + "x" + std::string(200, ')');
  const std::vector<std::string> texts = {
      "__import__('os').system('touch " + touch + "')",
      "x.__class__",
      "lambda: x",
      "9**9**9**9",
      "9^{9^{9^9}}",
      "x^{10^9}",
      "(x+1)^{10000}",
      "100000!",
      "170!!!!",
      R"(\binom{10^9}{10^8})",
      R"(\frac{x}{0})",
      deep,
      std::string(500, '-') + "x",
      std::string(1U << 20U, 'x'),
      "{\"a\": \"x\"}\n{\"same\": true}",
      "x\"}\n",
      std::string("x\0y", 3),
      "x\xFF\xFE",
      "x+",
      ")(",
      "|||x",
      "!",
      R"(\sin)",
      R"(\frac)",
      "x_{",
  };
  for (const std::string& text : texts) {
    EXPECT_FALSE(shared().same(text, "2x")) << text.substr(0, 60);
    EXPECT_FALSE(shared().same("2x", text)) << text.substr(0, 60);
  }
  EXPECT_NE(access(touch.c_str(), F_OK), 0);
  EXPECT_TRUE(shared().same("2x", "x+x"));  // and it still answers
  EXPECT_EQ(shared().counts().unanswered, 0);
  EXPECT_EQ(shared().counts().starts, 1);
}

TEST(Symbolic, APairIsAskedOnce) {
  const SymbolicChecker::Counts before = shared().counts();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(shared().same("a+b+c", "c+b+a"));
    EXPECT_FALSE(shared().same("a+b+c", "c+b"));
  }
  EXPECT_EQ(shared().counts().asked, before.asked + 2);
  EXPECT_EQ(shared().counts().same, before.same + 1);
}

/// Workers that are shell scripts: "$0" is the script, "$1" the timeout.
class SymbolicProcess : public test::TemporaryFolder {
 protected:
  SymbolicOptions script(const std::string& text, double timeout = 60) const {
    return {.python = "/bin/sh", .worker = put("worker.sh", text), .timeout = timeout};
  }
  static std::string error_of(const std::function<void()>& body, base::Code code) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
};

// The first one says nothing to its first pair; whoever comes later says that all is the same.
TEST_F(SymbolicProcess, OneThatHangsIsReplaced) {
  SymbolicChecker checker(
      script("echo '{\"ready\": \"1\"}'\n"
             "read line\n"
             "[ -e \"$0.hung\" ] || { touch \"$0.hung\"; sleep 1000; }\n"
             "while echo '{\"same\": true}'; do read line || exit; done\n",
             0.3));
  EXPECT_FALSE(checker.same("x", "y"));
  EXPECT_EQ(checker.counts().unanswered, 1);
  EXPECT_FALSE(checker.same("x", "y"));  // kept: as long as the run lasts it is different
  EXPECT_TRUE(checker.same("y", "x"));
  EXPECT_TRUE(checker.same("x", "z"));
  EXPECT_EQ(checker.counts().asked, 3);
  EXPECT_EQ(checker.counts().unanswered, 1);
  EXPECT_EQ(checker.counts().starts, 2);
}

TEST_F(SymbolicProcess, OneThatDiesIsReplaced) {
  SymbolicChecker checker(
      script("echo '{\"ready\": \"1\"}'\nread line\necho '{\"same\": true}'\nread line\nexit 1\n"));
  for (int i = 0; i < 3; ++i) {
    const std::string other = "y" + std::to_string(i);
    EXPECT_TRUE(checker.same("x", other));
    EXPECT_FALSE(checker.same(other, "x"));
  }
  EXPECT_EQ(checker.counts().unanswered, 3);
  EXPECT_EQ(checker.counts().starts, 3);
}

TEST_F(SymbolicProcess, OneThatTalksNonsense) {
  for (const char* said :
       {"", "yes", "{\"same\": 1}", "[true]", "{}", "{\"failed\": \"MemoryError\"}"}) {
    SymbolicChecker checker(script(
        fmt::format("echo '{{\"ready\": \"1\"}}'\nread line\necho '{}'\nsleep 1000\n", said)));
    EXPECT_FALSE(checker.same("x", "y")) << said;
    EXPECT_EQ(checker.counts().unanswered, 1) << said;
  }
  SymbolicChecker endless(script("echo '{\"ready\": \"1\"}'\nread line\nexec yes | tr -d '\\n'\n"));
  EXPECT_FALSE(endless.same("x", "y"));
  EXPECT_EQ(endless.counts().unanswered, 1);
}

TEST_F(SymbolicProcess, OneThatNeverStartsEndsTheRun) {
  SymbolicChecker checker(script("exit 1\n"));
  EXPECT_FALSE(checker.same("x", "y"));
  EXPECT_FALSE(checker.same("x", "z"));
  EXPECT_THAT(error_of([&] { checker.same("y", "z"); }, base::Code::kIo),
              HasSubstr("3 times in a row"));
  EXPECT_EQ(checker.counts().unanswered, 2);
}

TEST_F(SymbolicProcess, EndsWithItsAsker) {
  {
    SymbolicChecker checker(
        script("echo $$ > \"$0.pid\"\necho '{\"ready\": \"1\"}'\n"
               "read line\necho '{\"same\": true}'\nsleep 1000\n"));
    EXPECT_TRUE(checker.same("x", "y"));
  }
  std::ifstream in(folder_ / "worker.sh.pid");
  pid_t process = 0;
  in >> process;
  ASSERT_GT(process, 0);
  EXPECT_EQ(kill(process, 0), -1);  // reaped, too
}

// A rank that is killed cannot kill its worker: the end of its input does.
TEST_F(SymbolicProcess, TheShippedWorkerLeavesWithItsInput) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const pid_t rank = fork();
  if (rank == 0) {
    SymbolicChecker checker({.timeout = 60});
    const char said = checker.same("2x", "x+x") ? '1' : '0';
    if (write(ends[1], &said, 1) == 1) pause();
    _exit(1);
  }
  char said = 0;
  ASSERT_EQ(read(ends[0], &said, 1), 1);
  EXPECT_EQ(said, '1');
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", rank));
  pid_t worker = 0;
  children >> worker;
  ASSERT_GT(worker, 0);
  // None of the rank's other descriptors is there.
  EXPECT_FALSE(std::filesystem::exists(fmt::format("/proc/{}/fd/{}", worker, ends[1])));
  const int watched = static_cast<int>(syscall(SYS_pidfd_open, worker, 0));
  ASSERT_GE(watched, 0);
  kill(rank, SIGKILL);
  ASSERT_EQ(waitpid(rank, nullptr, 0), rank);
  pollfd ended{watched, POLLIN, 0};
  EXPECT_EQ(poll(&ended, 1, 30'000), 1);
  for (const int each : {ends[0], ends[1], watched}) close(each);
}

TEST_F(SymbolicProcess, WhatIsMissingIsSaidBeforeTheRun) {
  shared().require();
  const SymbolicChecker none({.python = "/nowhere/python3"});
  EXPECT_THAT(error_of([&] { none.require(); }, base::Code::kUsage),
              testing::AllOf(HasSubstr("/nowhere/python3"), HasSubstr("TENFOLD_PYTHON")));
  const SymbolicChecker silent(script("exit 1\n"));
  EXPECT_THAT(error_of([&] { silent.require(); }, base::Code::kUsage), HasSubstr("did not answer"));
  const SymbolicChecker without(script("echo '{\"failed\": \"no package sympy\"}'\n"));
  EXPECT_THAT(error_of([&] { without.require(); }, base::Code::kUsage),
              HasSubstr("no package sympy"));
}

}  // namespace
}  // namespace tenfold::mcts_dpo
