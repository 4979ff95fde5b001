from sr_bench.draft.choices import Protocol, draft_protocol
from sr_bench.draft.found import OPEN, Found, Origin

SHAPE = (96, 64)


def found(origin: Origin, **choices: object) -> tuple[Found, ...]:
    return tuple(Found(k, v, f"{origin.name.lower()}:1", origin) for k, v in choices.items())


def doubts(protocol: Protocol) -> str:
    return "\n".join(protocol.doubts)


def test_the_document_is_asked_first_and_what_says_otherwise_is_named():
    said = (
        *found(Origin.INFERENCE, rounding="none", gt_resize="cv2_linear"),
        *found(Origin.EVALUATION, rounding="round", gt_resize="cv2_area"),
        *found(Origin.DOCUMENT, rounding="truncate", lr_resize="cv2_area"),
    )
    protocol = draft_protocol(said, SHAPE, native=False)

    assert protocol.table() == {
        "lr_resize": "cv2_area",
        "input_shape": [96, 64],
        "gt_resize": "cv2_area",
        "rounding": "truncate",
    }
    assert (
        "rounding = truncate, by document:1; but evaluation:1 says round; inference:1 says none"
        in (doubts(protocol))
    )


def test_the_script_that_printed_the_numbers_is_asked_before_all_others():
    said = (
        *found(Origin.INFERENCE, clip=True),
        *found(Origin.DOCUMENT, clip=False, lr_resize="cv2_area"),
        *found(Origin.DEVICE, lr_resize="cv2_linear"),
    )
    protocol = draft_protocol(said, SHAPE, native=False, first=Origin.INFERENCE)

    assert (protocol.table()["clip"], protocol.table()["lr_resize"]) == (True, "cv2_linear")


def test_the_shape_that_the_table_prints_stands_before_that_of_files():
    said = found(Origin.BUILD, input_shape=(768, 1024), lr_resize="cv2_area")
    protocol = draft_protocol(said, SHAPE, native=False)

    assert protocol.table()["input_shape"] == [96, 64]
    assert "input_shape = (96, 64), by the table's Shape; but build:1 says (768, 1024)" in doubts(
        protocol
    )


def test_images_of_their_own_sizes_are_not_resized():
    said = found(Origin.DOCUMENT, lr_resize="cv2_area", gt_resize="cv2_area", clip=True)

    assert draft_protocol(said, None, native=True).table() == {"clip": True}


def test_what_is_missing_for_a_protocol_is_taken_and_doubted():
    protocol = draft_protocol(found(Origin.BUILD, input_shape=SHAPE), None, native=False)

    assert protocol.table()["lr_resize"] == protocol.table()["gt_resize"] == "cv2_linear"
    assert "by which rule LR is resized" in doubts(protocol)
    assert "how the ground truth is resized" in doubts(protocol)


def test_a_resize_to_no_known_size_is_left_out():
    protocol = draft_protocol(found(Origin.DOCUMENT, lr_resize="cv2_area"), None, native=False)

    assert protocol.table() == {}
    assert "nothing says to what size" in doubts(protocol)


def test_rounding_without_a_clip_is_no_protocol():
    said = found(Origin.DOCUMENT, clip=False, rounding="round")

    assert draft_protocol(said, None, native=False).table() == {"clip": False, "rounding": "none"}


def test_lr_of_the_ground_truths_folder_is_made_from_it():
    said = (
        *found(Origin.INFERENCE, lr_folder="/a/faces/img", hr_folder="/b/faces/img/"),
        *found(Origin.DOCUMENT, lr_resize="pil_bicubic"),
    )
    protocol = draft_protocol(said, SHAPE, native=False)

    assert protocol.table()["lr_from"] == "hr"
    assert "made from the HR image" in doubts(protocol)


def test_lr_of_a_size_that_its_folder_names_is_made_and_what_resizes_it_later_is_idle():
    said = (
        *found(Origin.INFERENCE, lr_folder="/x/SET_LR_128", gt_resize="cv2_linear"),
        *found(Origin.DOCUMENT, lr_resize="cv2_area"),
        *found(Origin.DEVICE, lr_resize="cv2_linear"),
    )
    protocol = draft_protocol(said, (128, 128), native=False)

    assert protocol.table() == {
        "lr_from": "hr",
        "lr_resize": "cv2_area",
        "input_shape": [128, 128],
        "gt_resize": "cv2_area",
    }


def test_what_no_key_says_is_told_once_with_its_places():
    said = (*found(Origin.BUILD, **{OPEN: "look"}), *found(Origin.DEVICE, **{OPEN: "look"}))

    assert draft_protocol(said, None, native=False).doubts == ("look (build:1, device:1)",)


def test_an_installed_protocol_of_the_same_choices_is_named():
    said = found(
        Origin.DOCUMENT, lr_resize="cv2_area", gt_resize="cv2_area", clip=True, rounding="round"
    )
    protocol = draft_protocol(said, (128, 128), native=False)

    assert protocol.same_as("esrgan") == "esrgan_seed"
    assert protocol.same_as("nothing") == ""
