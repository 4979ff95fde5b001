from pathlib import Path

import pytest

from sr_bench.draft.found import OPEN, Origin
from sr_bench.draft.operations import INPUT, OUTPUT
from sr_bench.draft.scripts import NORMALISED, read_script


def said(code: str, choice: str, **kwargs: str) -> list[object]:
    found = read_script(code, "eval.py", Origin.EVALUATION, **kwargs)
    return [each.value for each in found if each.choice == choice]


@pytest.mark.parametrize(
    ("code", "white", "clip", "rounding"),
    [
        ("output = np.clip(output * 255, 0, 255)", [1.0], True, "none"),
        ("output = np.clip(output, 0, 255)", [255.0], True, "none"),
        ("output = np.squeeze(heatmap)[[2, 1, 0], :, :]", [255.0], False, "none"),
        ("sr = (sr.clamp(0, 1) * 255.0).round()", [1.0], True, "round"),
        ("sr = sr.clamp_(0, 1)\nsr = np.uint8(sr * 255)", [1.0], True, "truncate"),
        ("pred = np.clip(pred, 0, 1) * 255\npred = pred.astype('uint8')", [1.0], True, "truncate"),
        ("out = np.rint(255 * np.clip(out, 0, 1)).astype(np.uint8)", [1.0], True, "round"),
        ("output = np.clip(output * 0.5 + 0.5, 0, 1) * 255.0", [], True, "none"),
        ("output = np.clip((output + 1) * 127.5, 0, 255)", [], True, "none"),
    ],
)
def test_the_way_from_output_to_levels_is_followed(code, white, clip, rounding):
    assert said(code, "value_range") == white
    assert said(code, "clip") == [clip]
    assert said(code, "rounding") == [rounding]
    assert (NORMALISED in said(code, OPEN)) is not bool(white)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("image_gt = cv2.resize(image_gt, size, interpolation=cv2.INTER_AREA)", "cv2_area"),
        ("image_gt = cv2.resize(image_gt, size)  # , interpolation=cv2.INTER_AREA", "cv2_linear"),
        ("gt = cv2.resize(cv2.imread(path), size, None, 0, 0, cv2.INTER_CUBIC)", "cv2_cubic"),
        ("image_hr = image_hr.resize(size, Image.BICUBIC)", "pil_bicubic"),
        ("label = label.resize(size)", "pil_bicubic"),
    ],
)
def test_the_resize_of_the_ground_truth_is_told_by_the_name_of_the_image(code, rule):
    assert said(code, "gt_resize") == [rule]


def test_what_is_resized_but_no_ground_truth_says_nothing_of_it():
    assert said("chroma = cv2.resize(chroma, size)", "gt_resize") == []


def test_a_function_of_the_file_is_read_where_an_image_is_given_to_it():
    code = "def back(x):\n    return np.clip((x + 1) * 127.5, 0, 255)\noutput = back(result)"

    assert said(code, OPEN) == [NORMALISED]
    assert said(code, "clip") == [True]


def test_the_arithmetic_of_metrics_is_no_part_of_the_protocol():
    metric = "def psnr(output, gt):\n    output = output / 7\n    return gt[5:-5, 5:-5].mean()\n"

    assert said(metric + "output = np.clip(output, 0, 255)\npsnr(output, gt)", "border") == []
    assert said(metric + "output = np.clip(output, 0, 255)", "value_range") == [255.0]


@pytest.mark.parametrize(
    ("code", "border"),
    [
        ("score = psnr(output, gt, shave_border=4)", 4),
        ("score = psnr(output, gt, crop_border=args.scale)", "scale"),
        ("gt = gt[scale:-scale, scale:-scale]", "scale"),
        ("gt = gt[6:-6, 6:-6, :]", 6),
    ],
)
def test_the_border_is_what_calls_and_slices_take_off(code, border):
    assert said(code, "border") == [border]


def test_a_mean_of_one_image_is_told_from_the_mean_of_a_list():
    call = "one_ssim = calculate_ssim(gt, output)\nssim_list.append(one_ssim)\n"

    assert said(call + "print(np.mean(ssim_list))", "ssim_aggregation") == ["mean"]
    assert said(call + "print(np.mean(one_ssim))", "ssim_aggregation") == ["last_image"]


@pytest.mark.parametrize(
    ("options", "window"),
    [
        ("", "uniform7"),
        (", use_sample_covariance=False", "uniform7_population"),
        (", gaussian_weights=True", "gaussian_sample"),
        (", gaussian_weights=True, sigma=1.5, use_sample_covariance=False", "gaussian"),
    ],
)
def test_the_window_of_scikit_images_ssim_is_found(options: str, window: str):
    for name in ("compare_ssim", "structural_similarity"):
        assert said(f"ssim = {name}(gt, output{options})", "ssim_window") == [window]


def test_luma_is_found_in_the_input_the_output_and_the_ground_truth():
    truth = "gt = cv2.cvtColor(gt, cv2.COLOR_BGR2YCrCb)"
    given = "def _run(self, image):\n    image = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)"

    assert said(truth, "colour") == ["y_full"]
    assert said("gt = rgb2ycbcr(gt)", "colour") == ["y_float"]
    assert "takes Y alone" in str(said(given, OPEN))
    assert "gives Y alone" in str(said("sr = ycbcr2rgb(merge(sr, chroma))", OPEN))
    assert said("gt = cv2.cvtColor(gt, cv2.COLOR_BGR2RGB)", "colour") == []


@pytest.mark.parametrize(
    ("code", "white"),
    [
        ("image = cv2.imread(path) / 255.", [1.0]),
        ("image = cv2.imread(path)\nimage /= 255.0", [1.0]),
        ("def load(path):\n    return cv2.resize(cv2.imread(path), size)", [255.0]),
        ("image = (image - 127.5) / 127.5", []),
        ("t = Compose([ToTensor(), Normalize(mean=[0.5], std=[0.5])])", []),
        ("t = [ToTensor(), Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]", []),
    ],
)
def test_a_documents_code_before_the_network_shows_what_it_takes(code, white):
    found = read_script(code, "README.md", Origin.DOCUMENT, role=INPUT)

    assert [each.value for each in found if each.choice == "value_range"] == white


def test_several_resizes_of_the_input_are_left_to_a_person():
    code = "image = cv2.resize(image, (16, 16))\nimage = cv2.resize(image, (128, 128))"

    assert "several steps" in str(said(code, OPEN, role=INPUT))


def test_folders_sizes_and_scales_come_from_options_and_names():
    code = (
        'p.add_argument("--gt_dir", type=str, default="/x/Set5/HR")\n'
        'p.add_argument("--lr_image_dir", default="/x/Set5/LR")\n'
        'p.add_argument("--input_shape", default=[678, 1024])\n'
        'name = name.replace("x4", "").replace("LR", "HR")\n'
    )

    assert said(code, "hr_folder") == ["/x/Set5/HR"]
    assert said(code, "lr_folder") == ["/x/Set5/LR"]
    assert said(code, "input_shape") == [(678, 1024)]
    assert said(code, "scale") == [4]


def test_results_that_authors_noted_are_found_with_their_line():
    code = 'x = 1\n"""\nint8: mean psnr: 32.9174, mean ssim: 0.77\n"""\n'
    noted = [f for f in read_script(code, "e.py", Origin.INFERENCE) if f.choice == "noted_psnr"]

    assert [(each.value, each.where) for each in noted] == [("32.9174", "e.py:3")]


def test_the_place_counts_from_the_start_of_the_file_that_holds_the_code():
    found = read_script("\noutput = np.clip(output, 0, 1)", "README.md", Origin.DOCUMENT, first=40)

    assert {each.where for each in found} == {"README.md:42"}


def test_nothing_of_a_script_is_run(tmp_path: Path):
    touched = tmp_path / "touched"
    code = f"import pathlib\npathlib.Path({str(touched)!r}).touch()\noutput = output * 255"

    assert said(code, "value_range") == [1.0]
    assert not touched.exists()


@pytest.mark.parametrize(
    "code",
    [
        "output = (",
        "print 'python 2'",
        "\0",
        "x = " + "(" * 5000 + "1" + ")" * 5000,
        "output = " + "+".join(["output"] * 20_000),
        "def a(x):\n    return a(a(x))\noutput = a(a(output))",
        "".join(f"def f{i}(x):\n    return f{i + 1}(f{i + 1}(x))\n" for i in range(60))
        + "output = f0(output)",
        "image_gt = " + "cv2.resize(" * 80 + "x" + ")" * 80,
    ],
)
def test_code_that_is_broken_or_made_to_take_for_ever_is_survived(code):
    assert isinstance(read_script(code, "e.py", Origin.EVALUATION, role=OUTPUT), tuple)
