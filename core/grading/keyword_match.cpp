#include "core/grading/kinds.hpp"
#include "core/grading/text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace assay::grading {

namespace {

constexpr std::size_t keywords_max = 200;
constexpr std::size_t keyword_bytes_max = 1'024;

/// The keywords in a string that has `|` or `;` between them.
std::vector<std::string> split(std::string_view text)
{
    std::vector<std::string> keywords;
    while (true) {
        auto const end = text.find_first_of("|;");
        if (auto keyword = space_folded(text.substr(0, end)); !keyword.empty())
            keywords.push_back(std::move(keyword));
        if (end == std::string_view::npos)
            return keywords;
        text.remove_prefix(end + 1);
    }
}

/// Says what is wrong with a list of keywords; empty when nothing is.
std::string objection(std::vector<std::string> const& keywords)
{
    if (keywords.empty())
        return "holds no keyword";
    if (keywords.size() > keywords_max)
        return fmt::format("holds more than {} keywords", keywords_max);
    for (auto const& keyword : keywords) {
        if (keyword.size() > keyword_bytes_max)
            return fmt::format("holds a keyword of more than {} bytes", keyword_bytes_max);
    }
    return {};
}

/// Length of the longest proper border of each prefix of `word` (Knuth, Morris, Pratt 1977).
std::vector<std::size_t> borders_of(std::string_view word)
{
    std::vector<std::size_t> borders(word.size());
    std::size_t length = 0;
    for (std::size_t i = 1; i < word.size(); ++i) {
        while (length > 0 && word[i] != word[length])
            length = borders[length - 1];
        if (word[i] == word[length])
            ++length;
        borders[i] = length;
    }
    return borders;
}

/// Whether `word` stands in `text`. Every occurrence is looked at, in time linear in both: a
/// library's search starts anew after one that is no whole word, which a hostile answer makes
/// quadratic.
bool holds(std::string_view text, std::string_view word, bool whole_words)
{
    bool const at_start = whole_words && !border_after(word, 0);
    bool const at_end = whole_words && !border_before(word, word.size());
    auto const borders = borders_of(word);
    std::size_t matched = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        while (matched > 0 && text[i] != word[matched])
            matched = borders[matched - 1];
        if (text[i] == word[matched])
            ++matched;
        if (matched < word.size())
            continue;
        if ((!at_start || border_before(text, i + 1 - word.size())) &&
            (!at_end || border_after(text, i + 1)))
            return true;
        matched = borders[matched - 1];
    }
    return false;
}

class keyword_match final : public rules {
public:
    struct options {
        std::vector<std::string> keywords; ///< folded; empty: the expected text has them
        bool any;
        bool ignore_case;
        bool whole_words;
    };

    explicit keyword_match(options o) : options_(std::move(o)) {}

    grade_outcome grade(std::string_view answer, std::string_view expected) const override
    {
        if (!options_.keywords.empty())
            return grade_by(options_.keywords, answer);
        auto const keywords = split(expected);
        if (auto const wrong = objection(keywords); !wrong.empty())
            return cannot_grade("expected_invalid", "the expected text " + wrong);
        return grade_by(keywords, answer);
    }

private:
    graded grade_by(std::vector<std::string> const& keywords, std::string_view answer) const
    {
        auto const folded = space_folded(answer);
        auto const text = options_.ignore_case ? lower(folded) : folded;
        std::size_t found = 0;
        std::string missing;
        for (auto const& keyword : keywords) {
            if (holds(text, options_.ignore_case ? lower(keyword) : keyword, options_.whole_words))
                ++found;
            else if (missing.size() < 800)
                missing += fmt::format("{}{}", missing.empty() ? "" : ", ", quoted(keyword, 60));
        }
        if (options_.any ? found > 0 : found == keywords.size())
            return pass();
        auto const share = options_.any ? 0 : std::uint64_t{score_max} * found / keywords.size();
        return {static_cast<std::uint32_t>(share), false, "missing: " + missing};
    }

    options const options_;
};

std::vector<std::string> read_keywords(config_reader& config)
{
    auto const* given = config.any("keywords");
    if (given == nullptr)
        return {};
    std::vector<std::string> keywords;
    if (given->is_string()) {
        keywords = split(given->get_string());
    } else if (auto const listed = config.texts("keywords", keywords_max, keyword_bytes_max)) {
        for (auto const& keyword : *listed) {
            if (auto folded = space_folded(keyword); !folded.empty())
                keywords.push_back(std::move(folded));
        }
    } else {
        return {};
    }
    if (auto const wrong = objection(keywords); !wrong.empty())
        config.problem("keywords", wrong, "keywords");
    json::array kept;
    for (auto const& keyword : keywords)
        kept.emplace_back(keyword);
    config.keep("keywords", std::move(kept));
    return keywords;
}

} // namespace

std::shared_ptr<rules const> make_keyword_match(config_reader& config)
{
    keyword_match::options o;
    o.keywords = read_keywords(config);
    o.any = config.choice("match", {"all", "any"}, "all") == "any";
    o.ignore_case = config.boolean("ignore_case", true);
    o.whole_words = config.boolean("whole_words", true);
    return std::make_shared<keyword_match>(std::move(o));
}

} // namespace assay::grading
