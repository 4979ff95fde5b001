"""A damaged zoo gets one clear error, and the session does not pass."""

import pytest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('row = "Tiny"', 'row = "Tinny"', "*no row 'Tinny'*its rows are: 'Tiny'*"),
        (
            "scale = 2",
            "scale = 2\nscal = 3",
            "*model[[]0].scal: unknown key; did you mean 'scale'*",
        ),
        (
            '"native_rgb"',
            '"native_rbg"',
            "*unknown protocol 'native_rbg'; did you mean 'native_rgb'*",
        ),
        ("schema = 1", "schema = 2", "*schema*"),
        ("[[model]]", "[[model]", "*not valid TOML*"),
    ],
)
def test_a_faulty_card_stops_the_session(run, zoo, old: str, new: str, message: str):
    card = zoo.suite / "card.toml"
    card.write_text(card.read_text().replace(old, new))
    result = run()
    assert result.ret == 2
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_table_that_lost_a_column_is_named_by_line(run, zoo):
    readme = zoo.suite / "README.md"
    readme.write_text(readme.read_text().replace("|  3x1000x1000 |", "|"))
    result = run()
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*no row 'Tiny'*", "*README.md:5: *the row lost a column*"])


def test_a_number_that_nothing_reads_stops_the_session_unless_the_card_ignores_it(run, zoo):
    readme, card = zoo.suite / "README.md", zoo.suite / "card.toml"
    readme.write_text(readme.read_text() + "\n| Method | Set5 |\n|-|-|\n| Tiny | 99.9 |\n")
    result = run()
    assert result.ret == 2
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*README.md: 6 numbers: 5 read, 1 unread, 0 ignored*", "*'99.9'*"])
    ignore = 'ignore_tables = { "method | set5" = "w" }\n'
    card.write_text(card.read_text().replace("[[model]]", f"{ignore}[[model]]"))
    result = run()
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["1 number of *README.md not read: *card.toml ignores them"])


def test_a_missing_readme_is_named(run, zoo):
    (zoo.suite / "README.md").unlink()
    result = run()
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*README.md*"])


def test_a_corrupt_image_fails_its_metrics_by_name(run, zoo):
    (zoo.data / "HR" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    result = run()
    result.assert_outcomes(passed=2, failed=2, skipped=1)
    result.stdout.fnmatch_lines(["*b.png*"])


def test_a_missing_and_an_extra_image_are_named(run, zoo):
    (zoo.data / "LR" / "b.png").rename(zoo.data / "LR" / "c.png")
    result = run()
    result.assert_outcomes(passed=2, failed=2, skipped=1)
    result.stdout.fnmatch_lines(["*b.png*"])


def test_a_broken_onnx_file_is_an_error_and_an_absent_one_skips(run, zoo):
    (zoo.suite / "tiny.onnx").write_bytes(b"not an onnx file")
    run().assert_outcomes(failed=4, skipped=1)
    (zoo.suite / "tiny.onnx").unlink()
    result = run("-rs")
    result.assert_outcomes(skipped=5)
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*tiny.onnx*"])
