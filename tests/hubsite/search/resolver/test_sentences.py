from hubsite.search.resolver.sentences import did_you_mean, listing


def test_a_long_list_is_cut_and_says_so() -> None:
    assert listing(["a", "", "b"]) == "a, b"
    assert listing(str(number) for number in range(13)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 3 more"
    assert listing([]) == ""


def test_close_spellings_are_offered() -> None:
    assert did_you_mean("Sentimnt", {"sentiment", "nli"}) == " Did you mean sentiment?"
    assert did_you_mean("xyzzy", {"sentiment", "nli"}) == ""
