#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <vector>

#include "base/philox.hpp"
#include "mcts_dpo/answers/compare.hpp"
#include "mcts_dpo/answers/expression.hpp"
#include "mcts_dpo/answers/extract.hpp"
#include "mcts_dpo/answers/normalise.hpp"
#include "mcts_dpo/answers/vote.hpp"

namespace tenfold::mcts_dpo {
namespace {

constexpr Verdict kRight = Verdict::kRight, kWrong = Verdict::kWrong,
                  kUnparsable = Verdict::kUnparsable;

struct Case {
  std::string text, gold;
  Verdict verdict;
};

void check(const std::vector<Case>& cases, const CompareOptions& options = {}) {
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_name(judge(one.text, one.gold, options)), verdict_name(one.verdict))
        << "text: " << one.text.substr(0, 200) << "\ngold: " << one.gold.substr(0, 200);
  }
}

TEST(AnswersExtract, TheLastCueThenTheLastBoxThenTheLastNumber) {
  check({
      {"The answer is 1,234.", "1234", kRight},
      {"The answer is 1,234.", "1", kWrong},
      {"3 + 4 = 7\nThe answer is 7", "7", kRight},
      {"First the answer is 5. No, the answer is 7.", "7", kRight},
      {"First the answer is 5. No, the answer is 7.", "5", kWrong},
      {"So THE ANSWER IS: 12", "12", kRight},
      {"The answer is:\n\n42\n", "42", kRight},
      {"The answer is 5. There are 8 left over.", "5", kRight},
      {"The answer is $\\boxed{18}$ apples of 20", "18", kRight},
      {"We get \\boxed{3}, hence \\boxed{\\frac{1}{2}}.", "1/2", kRight},
      {"We get \\boxed{\\frac{3}{4}}", "0.75", kRight},
      {"so \\fbox{7} of 9", "7", kRight},
      {"so \\boxed 7 of 9", "7", kRight},
      {"The box \\boxed{\\{1,2\\}}", "\\{2,1\\}", kRight},
      {"He has 3 cats and 12 dogs", "12", kRight},
      {"5-3", "3", kRight},
      {"it is -3", "-3", kRight},
      {"in H2O there are no more", "2", kUnparsable},
      {"no number at all", "3", kUnparsable},
      {"", "3", kUnparsable},
      {"3 + 4 = 7\nThe answer is", "7", kUnparsable},
      {"3 + 4 = 7\nThe answer is .", "7", kUnparsable},
      {"\\boxed{\\frac{3}{4}", "3/4", kUnparsable},
      {"\\boxed{", "3", kUnparsable},
      {"The answer is \\frac{3}{4", "3/4", kUnparsable},
      {"The answer is (1, 2", "(1,2)", kUnparsable},
      {"The answers are 3", "3", kRight},  // no cue, but the last number
      {"The answer isn't 4 but 5", "5", kRight},
  });
}

TEST(AnswersCompare, Numbers) {
  const std::string ten_400 = "1" + std::string(400, '0');
  check({
      {"The answer is -0", "0", kRight},
      {"The answer is 3.0", "3", kRight},
      {"The answer is 3.", "3", kRight},
      {"The answer is +3", "3", kRight},
      {"The answer is .5", "0.5", kRight},
      {"The answer is 007", "7", kRight},
      {"The answer is 0.33333", "1/3", kRight},
      {"The answer is 0.33", "1/3", kWrong},
      {"The answer is 3.1416", "\\pi", kRight},
      {"The answer is 1.41421", "\\sqrt{2}", kRight},
      {"The answer is 20001", "20000", kWrong},
      {"The answer is 20000.5", "20000", kRight},  // within 1e-4, and no integer
      {"The answer is 1e3", "1000", kRight},
      {"The answer is 1.5 \\times 10^{3}", "1500", kRight},
      {"The answer is 2*10^-3", "0.002", kRight},
      {"The answer is " + ten_400, ten_400, kRight},
      {"The answer is 10^400", ten_400, kRight},
      {"The answer is 10^{401}", ten_400, kWrong},
      {"The answer is 1" + ten_400, ten_400, kWrong},
      {"The answer is 1e400", ten_400, kRight},
      {"The answer is 10^{10^{10}}", "10", kWrong},
      {"The answer is 9^9^9^9^9^9", "9", kWrong},
      {"The answer is 1e999999999999", "1", kWrong},
      {"The answer is 1/0", "0", kWrong},
      {"The answer is 1 1/2", "1.5", kRight},
      {"The answer is 1\\frac{1}{2}", "3/2", kRight},
      {"The answer is -2\\frac{3}{4}", "-2.75", kRight},
      {"The answer is 2\\frac{x}{3}", "\\frac{2x}{3}", kRight},
      {"The answer is 12%", "0.12", kWrong},
      {"The answer is 12%", "12", kRight},
      {"The answer is 12\\%", "12\\%", kRight},
      {"The answer is 3 4", "12", kWrong},
      {"The answer is 1,23", "123", kWrong},
      {"The answer is 1{,}234", "1,234", kRight},
      {"\\boxed{11,\\! 111,\\! 100}", "11111100", kRight},
      {"The answer is 1,000,000", "10^6", kRight},
      {"The answer is \\sqrt[3]{8}", "2", kRight},
      {"The answer is \\sqrt{16}/2", "2", kRight},
      {"The answer is 2^{-1}", "\\frac12", kRight},
      {"The answer is \xE2\x88\x92"
       "5",
       "-5", kRight},  // Unicode's minus
      {"The answer is \xC2\xBD", "0.5", kRight},
      {"The answer is 6 \xC3\xB7 2", "3", kRight},
  });
}

TEST(AnswersCompare, PercentLeniencyIsAnOption) {
  CompareOptions lenient;
  lenient.percent_leniency = true;
  check(
      {
          {"The answer is 12%", "0.12", kRight},
          {"The answer is 0.12", "12", kRight},
          {"The answer is 1200", "12", kRight},
          {"The answer is 0.12", "0.0012", kRight},
          {"The answer is 120", "12", kWrong},
      },
      lenient);
  CompareOptions loose;
  loose.integers_exact = false;
  check({{"The answer is 20001", "20000", kRight}, {"The answer is 20003", "20000", kWrong}},
        loose);
}

TEST(AnswersCompare, UnitsCurrencyAndPhrases) {
  check({
      {"The answer is 18 dollars", "18", kRight},
      {"The answer is $18", "18", kRight},
      {"The answer is $18.00", "18", kRight},
      {"The answer is \\$1,200", "1200", kRight},
      {"The answer is \xE2\x82\xAC"
       "5",
       "5", kRight},
      {"The answer is 5 \\text{ cm}", "5", kRight},
      {"The answer is 5 cm^2", "5", kRight},
      {"The answer is 5cm", "5 cm", kRight},
      {"The answer is 30^\\circ", "30", kRight},
      {"The answer is 30^{\\circ}", "30", kRight},
      {"The answer is 30 degrees", "30", kRight},
      {"The answer is 3/4 cup", "0.75", kRight},
      {"The answer is 60 miles/hour", "60", kRight},
      {"The answer is about 5 people", "5", kRight},
      {"The answer is **5**", "5", kRight},
      {"The answer is x = 5", "5", kRight},
      {"The answer is 2 + 3 = 5", "5", kRight},
      {"The answer is 5 apples and 3 pears", "3", kWrong},
      {"The answer is 5 apples and 3 pears", "5", kWrong},
      {"The answer is 5 or 6", "5", kWrong},
      {"The answer is 5x", "5", kWrong},
      {"The answer is 5xy", "5", kWrong},
      {"The answer is 5 m", "5", kRight},
      {"The answer is 5 x", "5", kWrong},
      {"The answer is Monday", "\\text{Monday}", kRight},
      {"The answer is monday.", "Monday", kRight},
      {"The answer is Tuesday", "Monday", kWrong},
      {"The answer is 10_2", "10_{2}", kRight},
      {"The answer is 10_3", "10_2", kWrong},
  });
}

TEST(AnswersCompare, LatexForms) {
  check({
      {"\\boxed{\\dfrac{3}{4}}", "\\frac34", kRight},
      {"\\boxed{\\tfrac 3 4}", "0.75", kRight},
      {"\\boxed{\\frac3{4}}", "3/4", kRight},
      {"\\boxed{-\\frac{3}{4}}", "\\frac{-3}{4}", kRight},
      {"\\boxed{\\frac{\\frac12}{3}}", "1/6", kRight},
      {"\\boxed{\\sqrt3}", "\\sqrt{3}", kRight},
      {"\\boxed{\\frac{\\sqrt3}{2}}", "\\frac{\\sqrt{3}}{2}", kRight},
      {"\\boxed{2\\sqrt{2}}", "\\sqrt{8}", kRight},
      {"\\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{\\sqrt{2}}{2}", kRight},
      {"\\boxed{\\frac{\\pi}{2}}", "\\pi/2", kRight},
      {"\\boxed{\\left(1, 2\\right)}", "(1,2)", kRight},
      {"\\boxed{x^{2}}", "x^2", kRight},
      {"\\boxed{3 \\cdot 4}", "12", kRight},
      {"\\boxed{\\mbox{(B)}}", "\\text{(B)}", kRight},
      {"\\boxed{11\\,\\text{m}}", "11", kRight},
      {"\\boxed{\\infty}", "\\infty", kRight},
      {"\\boxed{\\infty}", "5", kWrong},
  });
}

TEST(AnswersCompare, TuplesIntervalsSetsAndLists) {
  check({
      {"The answer is (1, 2)", "(1,2)", kRight},
      {"The answer is (1, 2)", "(2,1)", kWrong},
      {"The answer is (0.5, 2)", "(\\frac12, 2.0)", kRight},
      {"The answer is [1, 2)", "[1,2)", kRight},
      {"The answer is (1, 2)", "[1,2)", kWrong},
      {"The answer is (1, 2, 3)", "(1,2)", kWrong},
      {"The answer is \\{2, 1\\}", "\\{1,2\\}", kRight},
      {"The answer is \\{1, 1\\}", "\\{1,2\\}", kWrong},
      {"The answer is (1,2)", "\\{1,2\\}", kWrong},
      {"The answer is -2, 1", "1,-2", kRight},
      {"The answer is 1", "1,-2", kWrong},
      {"The answer is (-\\infty, 0) \\cup (1, \\infty)", "(-\\infty,0)\\cup(1,\\infty)", kRight},
      {"The answer is (1, \\infty)", "(-\\infty,0)\\cup(1,\\infty)", kWrong},
      {"The answer is x \\in [0, 1]", "[0,1]", kRight},
      {"The answer is (1,234)", "(1, 234)", kRight},
      {"The answer is (1,2),(3,4)", "(3,4),(1,2)", kRight},
      {"The answer is (1,2),(3,4)", "(3,4),(2,1)", kWrong},
      {"The answer is \\{1\\} \\cup \\{2\\}", "\\{1\\}\\cup\\{2.0\\}", kRight},
      {"The answer is x = 5 or x = -3", "-3, 5", kRight},
      {"The answer is 5 and -3", "5,-3", kRight},
      {"The answer is 5 and 3", "5,-3", kWrong},
      {"The answer is x = \\pm 2", "2, -2", kRight},
      {"The answer is -1, 3", "1 \\pm 2", kRight},
      {"The answer is 1, 3", "1 \\pm 2", kWrong},
      {"The answer is 3 \\pmod{5}", "3\\pmod 5", kWrong},
      {"The answer is x = 1, y = 2", "x=1,y=2.0", kRight},
      {"The answer is x = 1, y = 2", "x=2,y=1", kWrong},
      {"The answer is x = 1, y = 2", "2", kWrong},
      {"The answer is 5, which is prime", "5", kRight},
      {"The answer is \\ln 5", "5", kWrong},
      {"The answer is e^{\\ln 2}", "3", kWrong},
      {"The answer is x <= 5", "5", kWrong},
      {"The answer is x = 5", "5", kRight},
      {"The answer is \\begin{pmatrix} 1 & \\frac12 \\\\ 3 & 4 \\end{pmatrix}",
       "\\begin{bmatrix}1&0.5\\\\3&4\\end{bmatrix}", kRight},
      {"The answer is \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
       "\\begin{pmatrix}1&2\\\\3&5\\end{pmatrix}", kWrong},
      {"The answer is \\begin{pmatrix} 1 \\\\ 2 \\\\ 3 \\end{pmatrix}",
       "\\begin{pmatrix}1&2&3\\end{pmatrix}", kWrong},
      {"The answer is \\\\frac{1}{2}", "0.5", kRight},  // escaped twice
      {"The answer is ((1,2),(3,4))", "((1,2),(3,4.0))", kRight},
  });
}

TEST(AnswersCompare, IdentitiesOfExpressions) {
  check({
      {"The answer is 2x + 1", "1+2x", kRight},
      {"The answer is (x+1)^2", "x^2+2x+1", kRight},
      {"The answer is (x+1)(x-1)", "x^2 - 1", kRight},
      {"The answer is (x+1)^2", "x^2+2x+2", kWrong},
      {"The answer is \\frac{x^2-1}{x-1}", "x+1", kRight},
      {"The answer is \\frac{1}{x}+\\frac{1}{y}", "\\frac{x+y}{xy}", kRight},
      {"The answer is ab", "ba", kRight},
      {"The answer is \\sqrt{4x}", "2\\sqrt{x}", kRight},
      {"The answer is x", "y", kWrong},
      {"The answer is x", "X", kWrong},
      {"The answer is y = 2x + 1", "y=1+2x", kRight},
      {"The answer is 2x - y = -1", "y=2x+1", kRight},
      {"The answer is y = 2x + 1", "y=2x+2", kWrong},
      {"The answer is y = 5", "x = 5", kWrong},
      {"The answer is \\alpha+1", "1+\\alpha", kRight},
      {"The answer is \\sin x", "\\sin{x}", kWrong},  // functions: by their text alone
      {"The answer is \\sin x", "\\sin x", kRight},
  });
}

TEST(AnswersCompare, LongAndDeepInputEndsSoon) {
  const std::clock_t begin = std::clock();  // of this process: others may be busy
  std::string deep(3000, '('), nested, product = "(x+1)";
  for (int i = 0; i < 600; ++i) nested += "\\sqrt{";
  for (int i = 0; i < 600; ++i) product += "(x+1/7)";
  check({
      {"The answer is " + std::string(2U << 20, '7'), "7", kWrong},
      {"The answer is 5 " + std::string(2U << 20, ' '), "5", kUnparsable},  // out of reach
      {std::string(3U << 20, 'x') + " the answer is 5", "5", kRight},
      {"The answer is " + deep, "7", kUnparsable},
      {"The answer is " + nested, "7", kUnparsable},
      {"The answer is " + product, "7", kWrong},
      {"The answer is " + product, product, kRight},
  });
  EXPECT_FALSE(equivalent(std::string(2U << 20, '7'), "7"));
  EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 20);
}

TEST(AnswersCompare, RandomBytesNeverCrash) {
  const std::string alphabet = "0123456789.,-+*/^(){}[]\\ xye=%$";
  const std::vector<std::string> pieces = {"\\frac", "\\sqrt", "\\boxed", "\\text{", "answer is ",
                                           "\\pi",   "\\cup",  "\\left",  "{,}",     "\xC2"};
  int right = 0;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    base::Stream stream(1, base::Purpose::kTest, i, 0);
    std::string text, gold;
    for (std::string* one : {&text, &gold}) {
      for (std::uint64_t n = stream.below(20); n > 0; --n) {
        if (stream.below(4) == 0) {
          *one += pieces[stream.below(pieces.size())];
        } else {
          *one += alphabet[stream.below(alphabet.size())];
        }
      }
    }
    right += judge("The answer is " + text, gold) == kRight ? 1 : 0;
    // An answer is itself, unless nothing is left of it.
    if (!normalised_answer(text).empty()) {
      EXPECT_TRUE(equivalent(text, text)) << text;
    }
  }
  EXPECT_LT(right, 100);
}

TEST(AnswersExpression, ExactWhereRational) {
  const auto value = [](std::string_view text) { return evaluate(text, 0).value().value; };
  EXPECT_EQ(std::get<Rational>(value("1/3+1/6")), Rational(1, 2));
  EXPECT_EQ(std::get<Rational>(value("2^10-1")), Rational(1023));
  EXPECT_EQ(std::get<Rational>(value("-2^2")), Rational(-4));
  EXPECT_EQ(std::get<Rational>(value("\\sqrt{4/9}")), Rational(2, 3));
  EXPECT_EQ(std::get<Rational>(value("0.1+0.2")), Rational(3, 10));
  EXPECT_EQ(std::get<Rational>(value("6/2(1+2)")), Rational(9));
  EXPECT_DOUBLE_EQ(std::get<double>(value("\\sqrt{2}")), 1.4142135623730951);
  EXPECT_FALSE(evaluate("1/(2-2)", 0));
  EXPECT_FALSE(evaluate("\\sqrt{-1}", 0));
  EXPECT_FALSE(evaluate("2 3", 0));
  EXPECT_FALSE(evaluate("2+", 0));
  EXPECT_FALSE(evaluate("x 2", 0));
  EXPECT_FALSE(evaluate("", 0));
}

TEST(AnswersChoice, LettersAndGrades) {
  const std::vector<std::string> choices = {"a seed", "water", "the sun", "air"};
  struct ChoiceCase {
    std::string text;
    Verdict verdict;
    double graded;
  };
  const std::vector<ChoiceCase> cases = {
      {"Plants need it. The answer is (B)", kRight, 1},
      {"The answer is B", kRight, 1},
      {"The answer is B.", kRight, 1},
      {"The answer is: option B", kRight, 1},
      {"The answer is (B) water", kRight, 1},
      {"The answer is B) water", kRight, 1},
      {"The answer is **B**", kRight, 1},
      {"So \\boxed{B}", kRight, 1},
      {"So \\boxed{\\text{(B)}}", kRight, 1},
      {"The answer is (C)", kWrong, -1},
      {"The answer is (A) or (B)", kWrong, 0.45},
      {"The answer is A, B, C", kWrong, 0.3},
      {"The answer is (A) or (C)", kWrong, -1},
      {"The answer is water", kWrong, 0},
      {"The answer is Water.", kWrong, 0},
      {"The answer is air", kWrong, -1},
      {"The answer is A bird", kUnparsable, -1},
      {"The answer is (E)", kUnparsable, -1},
      {"The answer is BIRD", kUnparsable, -1},
      {"The answer is", kUnparsable, -1},
      {"I like option B", kUnparsable, -1},
      {"B 2", kUnparsable, -1},
      {"", kUnparsable, -1},
  };
  for (const ChoiceCase& one : cases) {
    const ChoiceGrade graded = grade_choice(one.text, choices, "B", true);
    EXPECT_EQ(verdict_name(graded.verdict), verdict_name(one.verdict)) << one.text;
    EXPECT_DOUBLE_EQ(graded.reward, one.graded) << one.text;
    const ChoiceGrade plain = grade_choice(one.text, choices, "B");
    EXPECT_EQ(plain.verdict, one.verdict) << one.text;
    EXPECT_EQ(plain.reward, one.verdict == kRight ? 1 : -1) << one.text;
  }
}

}  // namespace
TEST(Votes, AreOfWhatIsMeant) {
  Parties parties;
  const auto party = [&](std::string_view text) { return parties.of(voted_answer(text, {})); };
  EXPECT_EQ(party("The answer is 1/2"), 0U);
  EXPECT_EQ(party("The answer is 3"), 1U);
  EXPECT_EQ(party("The answer is 0.5"), 0U);
  EXPECT_EQ(party("so \\boxed{\\frac{1}{2}}"), 0U);
  EXPECT_EQ(party("The answer is 3.0"), 1U);
  EXPECT_EQ(party("The answer is 0.25"), 2U);
}

TEST(Votes, OfChoicesAreTheirLetters) {
  const std::vector<std::string> choices{"sand", "glass", "moss"};
  for (const char* const text :
       {"The answer is (C)", "The answer is C.", "The answer is (C) moss"}) {
    EXPECT_EQ(voted_answer(text, choices), "C") << text;
  }
  EXPECT_EQ(voted_answer("The answer is (A) or (B)", choices), "") << "two letters are no vote";
  EXPECT_EQ(voted_answer("it depends", choices), "");
  EXPECT_EQ(voted_answer("The answer is moss", choices), "moss");
}

}  // namespace tenfold::mcts_dpo
