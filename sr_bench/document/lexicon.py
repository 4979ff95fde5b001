"""Words that documents of the field use, as `spelling.compact` spells them."""

from typing import Final

from sr_bench.document.spelling import by_word, words

ROLES: Final = by_word(
    {
        "model": """model models modelname modelnames modelid method methods methodname expname
            experiment network networks networkname net name names arch architecture architectures
            algorithm algorithms algo backbone variant 模型 模型名 模型名称 模型结构 具体模型
            测试模型 方法 算法 算法名称 网络 网络名称 网络结构 骨干网络 名称 モデル モデル名 手法
            모델 모델명 modell modele modelo metodo methode модель модел метод""",
        "source": "source sources codesource 源码 模型来源",
        "dataset": """dataset datasets data testset testsets testdata testdataset evaldataset
            evaluationdataset benchmark benchmarks valset 数据集 测试集 验证集 评测数据集 测试数据
            データセット 데이터셋 datensatz jeudedonnees""",
        "scale": """scale scales upscale upscaling factor scalefactor upscalingfactor
            upscalefactor srscale magnification zoom 放大倍数 放大 倍数 倍率 放大因子 缩放倍数
            スケール""",
        "shape": """shape shapes shapechw shapehwc size sizes inputsize inputsizes inputshape
            inputshapes inputsshape imagesize imgsize inputresolution inputresolutionhxwxc
            resolution resolutions inputsizehw inputsizechw inputdim 输入shape sizepixels
            imgsizepixels cropsize testsize input inputs lrsize lrresolution 输入尺寸 输入大小
            输入分辨率 输入形状 分辨率 尺寸 图像尺寸 图片尺寸 尺寸像素 模型输入 输入""",
        "precision": """precision precisions dtype datatype datatypes quant quantization quantized
            quantisation 位宽 quantmode quantizationmode bits bitwidth numericprecision
            numberformat 精度 量化 量化精度 量化类型 量化方式 数据类型 量化模式 模型精度 推理精度
            prec""",
        "device": """device devices hardware gpu gputype npu platform chip chipset chipsets soc
            accelerator testplatform 芯片型号 测试平台 硬件平台 设备型号 gpu型号 设备 芯片 硬件
            平台 推理设备""",
        "runtime": """runtime targetruntime backend backends framework frameworks engine
            inferenceengine inferencebackend 推理框架 框架 后端 推理后端 运行时 推理引擎""",
        "metric": """metric metrics metricname measure measures indicator indicators criterion
            指标 项目 评价指标 评估指标 评测指标 度量""",
        "value": """value values result results 值 数值 结果 指标值 测试结果""",
        "remark": """no rank ranking 排名 index id num note notes remark remarks comment comments
            description details info link links url urls download downloads weight weights
            checkpoint checkpoints ckpt ckpts config configs configfile code file files filename
            modelfile onnx pretrained pretrainedmodel pretrainedmodels pretrain md5 sha256
            sha256sum hash commit version date publishdate releasedate published released year
            venue paper publication license licence author authors task tasks opset protocol
            script branch log logs demo status supported support category type compiled
            nv12compiled compiledmodel computeunit primarycomputeunit traindata trainingdata
            trainingset trainingsets traindataset trainset trainingdataset pretraineddataset epoch
            epochs iterations iters iter schedule lrschd lrschedule batchsize blocksize tilesize
            tile batch bs seed layers blocks channels optimizer loss lossfunction profile
            reference references ref postprocess preprocess tutorial example examples runmodel
            build implementation style targetmodel extradata pretrainmodel trainingresources
            gpuinfo profilehtml omzmodelname int8量化方式 gpu信息 备注 说明 链接 下载 下载链接
            版本 日期 配置 配置文件 权重 序号 编号 论文 代码 来源 任务 类型 类别 文件 模型文件
            模型下载 训练集 训练数据 训练轮数 批大小 模型权重 预训练模型 参考 作者 状态 是否支持
            支持 描述 简介 功能 介绍 量化方法 适用场景""",
    }
)
"""What a column holds, by its whole header."""

DATASETS: Final = words(
    """set bsd bsds b100 urban manga div dped general t91 test100 test1200 test2800 rain vid reds
    udm spmc spmcs vimeo vimeo90kt flickr df2k lsdir realsr drealsr realphoto60 realdrealsr
    realblur imagenet celeba celebamask celeb helen ffhq lfw lfpw wider widerface wflw coco mscoco
    lvis voc pascalvoc pascal cityscapes camvid ade kitti nyu nyuv nyudepth sidd dnd gopro hide
    kodak mcmaster cbsd classic5 live1 lol lolv fivek mit5k adobe5k uieb ruie lsui euvp sots
    reside nhhaze densehaze ohaze ihaze mnist cifar svhn market1501 dukemtmc msmt17 cuhk03 agedb
    cfpfp calfw cplfw ijb ijbb ijbc megaface mot davis youtubevos crowdhuman objects365 openimages
    icdar ctw1500 totaltext nuscenes dota visdrone squad glue mnli sst mmlu ceval gsm8k
    librispeech aishell kinetics ucf101 hmdb51 modelnet40 shapenet s3dis semantickitti middlebury
    sintel flyingchairs sceneflow places historical historicalgray sun hci ntire2018 l20
    widerperson mpii cofw aflw 300w ecssd duts iiit5k"""
)
"""Beginnings of datasets' names; digits, a year and two parts (``1k val``) may follow."""

NUMBERED: Final = words("set bsd bsds cbsd urban manga general rain vid udm sun div")
"""Those that are a dataset's only with digits behind: Set5, but not Set."""

PRECISION_REMARKS: Final = words(
    """baseline weight weights activation activations bias ptq qat qdq dynamic static only model
    engine quantized quantised quantization and with per tensor channel 模型 量化"""
) | {""}
"""Words behind a precision that make a label no name: ``INT8 weights + activations``."""

SR_DATASETS: Final = tuple(words("set5 set14 b100 bsd100 bsds100 urban100 manga109 div2k"))
"""On which papers of super-resolution print PSNR, and often don't say so."""

DATASET_PARTS: Final = words(
    """val valid validation test testing train training dev k 1k 2k 4k 21k hq v1 v2 l h easy
    medium hard mini tiny indoor outdoor minival testdev tests trainval set 12 07 2007 2012 2014
    2017 2015 验证集 测试集 数据集"""
)

BACKENDS: Final = by_word(
    {
        **{name: name for name in words("onnx keras paddle qnn snpe rknn coreml ascend")},
        "torch": "pytorch",
        "onnxruntime": "onnxrt ort",
        "tensorrt": "tensorrt trt",
        "tflite": "tflite litert",
        "tensorflow": "tensorflow tf",
        "emulator": "emulator emulated",
        "hardware": "hardware hw onchip ondevice 硬件 芯片",
    }
)
"""Words for what ran a model, besides the names of our backends."""

DEVICES: Final = words(
    """cpu gpu npu dsp tpu v100 a100 h100 h200 a10 a30 a40 l4 l40 l40s p100 p40 k80 t4 a800 h800
    titan titanx titanv titanxp titanrtx xeon hailo8 hailo8l hailo10h hailo15h orin xavier nano
    jetson rtx gtx geforce nvidia tesla intel amd apple iphone ipad pixel samsung galaxy
    snapdragon qualcomm raspberry vastai kunlun dimensity kirin exynos xiaomi rpi rpi4 rpi5 m1 m2
    va1 va10 va16 va1v va1a va1l ascend310 ascend910 rk3588 rk3399 edgetpu"""
)
DEVICE_ENDS: Final = words("ti super pro max ultra gen elite plus orin nano xavier core pi mobile")
"""Words that go on with a device's name, as numbers do."""

METRIC_WORDS: Final = words(
    """top acc accuracy map ap ar miou iou fiou fwiou mdice dice f1 fscore f1score hmean precision
    recall rouge bleu fid kid niqe brisque pi musiq clipiqa maniqa dists pieapp vif fsim vmaf nrqm
    nima topiq qalign ilniqe msssim wspsnr psnrb mssim erqa tof tlp warperror ergas sam rmse mse
    nme nmse auc eer far frr tar tpr fpr rank cmc cer wer mota motp idf1 hota idsw epe d1 absrel
    rel delta sqrel rmselog pck pckh oks mpjpe pampjpe mae mape mre sad grad conn lse fvd is
    inceptionscore mos uciqe uiqm uism uicm uiconm ciede deltae colorfulness loe vmafneg bdrate
    qps rps tps ttft tpot power energy watt watts pq sq rq ods ois perplexity ppl passrate em
    exactmatch mcc spearman pearson kappa bacc score nds mate amota hd95 asd ndcg mrr hitrate cos
    cosine cosinesimilarity similarity error err activations acts bitops flash 准确率 准确度
    精确率 召回率 平均精度 正确率 识别率 错误率 误差 功耗 精度 相似度 得分 分数 首字延迟 speedup
    加速 加速比 推理加速"""
)
"""Words that make a header one of a metric, though nothing measures it."""

CHANGES: Final = by_word(
    {
        "loss": """loss losses drop drops degradation decrease delta δ ∆ diff difference gap
            degrade 损失 损耗 精度损失 下降 精度下降 掉点 差值 差 差异""",
        "gain": "gain gains improvement increase 提升 增益",
    }
)
"""Words that make a value a difference from another."""

QUALIFIERS: Final = words(
    """training train compile compilation load loading build quantization conversion warmup
    preprocessing postprocessing preprocess postprocess e2e endtoend std stdev variance
    deviation spread relative min max minimum maximum median p50 p90 p95 p99 worst vgg vgg16
    squeezenet 训练 方差 标准差 最大 最小"""
)
"""Words that make a metric another one: the time of training is no latency."""

FILLERS: Final = words(
    """average averaged avg ave mean no per lowerisbetter higherisbetter smallerisbetter
    largerisbetter 越低越好 越高越好 越小越好 越大越好 推理 单帧 测试集 验证集 testset
    computational compute model models network official alex alexnet 单张 单图 每张 每帧 the a an
    on of for in at with and by to over vs value values score scores result results metric metrics
    total num number testing inference eval evaluation performance consumption set 模型 官方 网络
    dataset datasets 平均 平均值 值 指标 结果 上 的 和 与 在 总 大小 数据集"""
)
"""Words that say nothing beside a metric."""

COLOURS: Final = by_word(
    {
        "y": "y ychannel luma luminance ych onychannel y通道 亮度",
        "rgb": "rgb rgbchannel rgbchannels",
    }
)
"""Words that put a metric on other channels than its own."""

NOTHING: Final = frozenset(
    {"", *"-–—−/", "--", "---", "––", "——", "n/a", "na", "nan", "none", "null", "tbd", "oom", "无"}  # noqa: RUF001
)
"""What people type into a cell that has nothing to say, in lower case."""

ENGLISH: Final = by_word(
    {
        "accuracy": "精度 准确率 准确度 正确率 识别率",
        "precision": "精确率",
        "recall": "召回率",
        "error": "误差",
        "error_rate": "错误率",
        "ap": "平均精度",
        "throughput": "吞吐量 吞吐",
        "speed": "速度 推理速度",
        "speedup": "加速比 推理加速 加速",
        "power": "功耗",
        "loss": "损失 损耗",
        "similarity": "相似度",
        "training": "训练",
        "time": "时间 耗时",
    }
)
"""Names of metrics that nothing declares, so that they can be typed in options."""
