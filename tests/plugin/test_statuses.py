"""Each status ends its item as pytest's users expect, and says what to do."""

GAP = """
[[model.known_gap]]
metric = "psnr"
precision = "fp32"
reason = "the rows are swapped"
"""


def test_a_zoo_whose_numbers_are_true_passes(run):
    result = run("-v")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*card.toml::tiny_x2-fp32-3x1000x1000-flops PASSED*",
            "*card.toml::tiny_x2-fp32-params PASSED*",
            "*card.toml::tiny_x2-fp32-pair_x2-psnr PASSED*",
            "*card.toml::tiny_x2-vacc-fp16-pair_x2-psnr SKIPPED*",
        ]
    )


def test_a_number_that_differs_fails_with_all_that_is_needed(run, zoo):
    zoo.write_table(psnr=f"{zoo.psnr + 1:.3f}")
    result = run("-k", "fp32 and psnr")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(
        [
            "my_zoo/tiny/README.md:5:*: tiny_x2 fp32 PSNR on pair_x2",
            "verdict    differs: differs from the document",
            f"claimed    {zoo.psnr + 1:.3f} dB",
            f"measured   {zoo.psnr:.5f} dB  (delta -*.* dB)",
            "tolerance  0.0005 dB; the smallest that passes is *",
            "protocol   native_rgb, 2 images, onnxruntime (cpu)",
            "rerun      pytest my_zoo/tiny/card.toml::tiny_x2-fp32-pair_x2-psnr --backend=onnx*",
        ]
    )


def test_the_failure_text_is_short(run, zoo):
    zoo.write_table(psnr=f"{zoo.psnr - 1:.3f}")
    lines = run("-k", "fp32 and psnr", "--no-header").stdout.lines
    start = next(i for i, line in enumerate(lines) if "README.md:5:" in line)
    end = next(i for i, line in enumerate(lines) if line.startswith("rerun"))
    assert end - start + 1 < 12


def test_a_better_number_is_stale_and_shows_the_edit(run, zoo):
    zoo.write_table(psnr=f"{zoo.psnr - 1:.3f}")
    result = run("-k", "fp32 and psnr")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(
        [
            "verdict    better: *stale*",
            f"edit       my_zoo/tiny/README.md:5:*: {zoo.psnr - 1:.3f} -> {zoo.psnr:.3f}",
        ]
    )


def test_allow_better_lets_it_pass_but_not_a_worse_one(run, zoo):
    zoo.write_table(psnr=f"{zoo.psnr - 1:.3f}", ssim=f"{zoo.ssim + 0.1:.4f}")
    run("-k", "fp32", "--sr-allow-better").assert_outcomes(passed=3, failed=1, deselected=1)


def test_a_known_gap_is_expected_to_fail(run, zoo):
    zoo.write_card(GAP)
    zoo.write_table(psnr="99.000")
    result = run("-rx", "-k", "fp32 and psnr")
    result.assert_outcomes(xfailed=1, deselected=4)
    result.stdout.fnmatch_lines(["*the rows are swapped*"])


def test_a_gap_that_closed_fails(run, zoo):
    zoo.write_card(GAP)
    result = run("-k", "fp32 and psnr")
    result.assert_outcomes(failed=1, deselected=4)
    result.stdout.fnmatch_lines(["*remove the known gap from the card (the rows are swapped)*"])


def test_a_requested_precision_without_a_claim_is_new(run):
    result = run("--sr-precision=fp16")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["tiny_x2*fp16*psnr on pair_x2*new*"])


def test_a_limited_run_is_shown_and_never_judged(run, zoo):
    zoo.write_table(psnr="99.000")
    result = run("-rs", "-k", "fp32 and psnr", "--sr-limit=1")
    result.assert_outcomes(skipped=1, deselected=4)
    result.stdout.fnmatch_lines(["*measured on 1 of 2 images*"])
    assert result.ret == 0


def test_absent_images_skip_and_say_what_to_do(pytester, zoo):
    result = pytester.runpytest_inprocess("my_zoo", "-rs")
    result.assert_outcomes(passed=2, skipped=3)
    result.stdout.fnmatch_lines(["*put them beside *pair/dataset.toml*"])


def test_a_session_that_measured_nothing_did_not_pass(pytester, zoo):
    result = pytester.runpytest_inprocess("my_zoo", "-k", "psnr")
    result.assert_outcomes(skipped=2, deselected=3)
    assert result.ret == 5
    result.stdout.fnmatch_lines(["*Nothing was measured*"])


def test_a_device_claim_is_never_judged_by_an_emulated_number(run, zoo):
    zoo.write_table(psnr="99.000")
    result = run("-rs", "--backend=vacc", "-k", "fp16")
    result.assert_outcomes(skipped=1, deselected=4)
    result.stdout.fnmatch_lines(["*backend vacc: EMULATED by*", "*99.000*not_run (emulated)*"])
    record = zoo.records()["tiny_x2-vacc-fp16-pair_x2-psnr"]
    assert record["device"] == "emulated"
    assert abs(record["verdict"]["measured"] - zoo.psnr) < 0.01


def test_a_row_of_the_emulation_is_judged(run, zoo):
    text = (zoo.suite / "README.md").read_text().replace("vacc fp16", "vacc-emulated fp16")
    (zoo.suite / "README.md").write_text(text)
    run("--backend=vacc", "-k", "fp16").assert_outcomes(passed=1, deselected=4)
    run("--backend=onnxruntime", "-k", "fp16").assert_outcomes(skipped=1, deselected=4)
