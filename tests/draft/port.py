"""A ported network as an accelerator's zoo lays it out, small: a table, and the files beside it."""

import json
from pathlib import Path

README = """# TinySR

### pre-processing

```python
def load(path, shape=[1, 3, 96, 64]):
    picture = cv2.imread(path)
    picture = cv2.resize(picture, shape[2:], interpolation=cv2.INTER_AREA)
    return picture[:, :, [2, 1, 0]] / 255.0
```

### post-processing

```python
output = np.clip(output, 0, 1)
output = (output * 255).round().astype(np.uint8)
```

## Results

| Models | Flops(G) | Params(M) | PSNR(dB) | SSIM | Shape |
| :---: | :---: | :---: | :---: | :---: | :---: |
| TinySR_x2 | 1.250 | 0.011 | 31.482 | 0.903 | 3x96x64 |
| TinySR_x2 **vacc int8 percentile** | - | - | 30.117 | 0.881 | 3x96x64 |

### Datasets
[DIV2K](https://example.org) has 100 images for validation.
"""

BUILD = """
frontend:
  shape:
    input: [1, 3, 96, 64]
backend:
  dtype: int8
  quantize:
    calibrate_mode: kl_divergence
dataset:
  path: /data/DIV2K_train/X2
  sampler:
    get_data_num: 20
  process_ops:
    - type: DecodeImage
    - type: Resize
      size: [96, 64]
    - type: Normalize
      norm_type: null
"""

DEVICE = {
    "OpConfig": {
        "OimageHeight": 96,
        "OimageWidth": 64,
        "Mean": [0.0, 0.0, 0.0],
        "Std": [1.0, 1.0, 1.0],
        "NormaType": "DIV255_MINUSMEAN_DIVSTD",
        "ColorCvtCode": "NO_CHANGE",
        "ResizeType": "BILINEAR_CV",
    }
}

SCORE = '''
parser.add_argument("--gt_dir", default="/data/DIV2K/DIV2K_valid_HR")
parser.add_argument("--lr_image_dir", default="/data/DIV2K/DIV2K_valid_LR_bicubic/X2")
for name, result in results:
    # output = np.clip(result * 255, 0, 255)
    {output}
    image_gt = cv2.imread(os.path.join(args.gt_dir, name.replace("x2", "")))
    image_gt = {truth}
    scores.append(calculate_psnr(image_gt, output))
"""
{notes}
"""
'''
ROUNDED = "output = (np.clip(result, 0, 1) * 255).round()"
FLOAT = "output = np.clip(result * 255, 0, 255)"
AREA = "cv2.resize(image_gt, size, interpolation=cv2.INTER_AREA)"
LINEAR = "cv2.resize(image_gt, size)  # , interpolation=cv2.INTER_AREA"


def score(output: str, truth: str, notes: str = "") -> str:
    """Return a script that scores."""
    return SCORE.format(output=output, truth=truth, notes=notes)


def make_port(folder: Path, *, readme: str = README, **scripts: str) -> Path:
    """Write the port to `folder`; its scripts are called by the keywords. Return the document."""
    files = {
        "README.md": readme,
        "build_in/build/official_tinysr.yaml": BUILD,
        "build_in/vdsp_params/official-tinysr-vdsp_params.json": json.dumps(DEVICE, indent=1),
        "build_in/vdsp_params/vamp_eval.py": scripts.get("vamp", score(ROUNDED, AREA)),
        "build_in/vsx/python/vsx_inference.py": scripts.get("vsx", score(FLOAT, LINEAR)),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "README.md"
