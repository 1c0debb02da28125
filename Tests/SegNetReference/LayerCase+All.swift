import SegNetNetworks

extension LayerCase {
    /// Every case.
    package static let all = trained + run + alone

    /// Networks that learn.
    package static let trained: [LayerCase] = [
        LayerCase("3x3 convolutions", [conv("a", 20), relu("r"), conv("b", 5)]),
        LayerCase("7x7 convolutions", [conv("a", 18, Window(7, padding: 3)), conv("b", 5, Window(7, padding: 3))]),
        LayerCase(
            "5x5 and 1x1",
            [conv("a", 16, Window(5, padding: 2)), conv("b", 34, Window(1)), conv("c", 4, Window(5, padding: 2))]
        ),
        LayerCase("no padding, even window", [conv("a", 16, Window(4)), conv("b", 4, Window(2, padding: 1))]),
        LayerCase("stride 2", [conv("a", 17), conv("b", 16, Window(3, stride: 2, padding: 1)), conv("c", 4)]),
        LayerCase("dilation 2", [conv("a", 16), conv("b", 18, Window(3, padding: 2, dilation: 2)), conv("c", 4)]),
        LayerCase("groups that fill blocks", [conv("a", 32), conv("b", 32, groups: 2), conv("c", 4)]),
        LayerCase("groups that do not", [conv("a", 12), conv("b", 12, groups: 3), conv("c", 4)]),
        LayerCase(
            "one channel each",
            [conv("a", 20), conv("b", 20, Window(7, padding: 3), groups: 20), conv("c", 4)]
        ),
        LayerCase(
            "one channel each, stride 2",
            [conv("a", 16), conv("b", 16, Window(3, stride: 2, padding: 1), groups: 16), conv("c", 4)]
        ),
        LayerCase(
            "transposed convolution",
            [
                conv("a", 17),
                Layer(
                    "t",
                    .transposedConvolution(
                        TransposedConvolution(outputChannels: 18, window: Window(4, stride: 2, padding: 1))
                    )
                ),
                conv("c", 4),
            ]
        ),
        LayerCase("batch statistics", [conv("a", 20), bn("n"), relu("r"), conv("b", 18), bn("m"), conv("c", 4)]),
        LayerCase("stored statistics", [conv("a", 20), bn("n", .kept), relu("r"), conv("b", 4)]),
        LayerCase("folded statistics", [conv("a", 20), bn("n", .folded), relu("r"), conv("b", 4)]),
        LayerCase(
            "pooling and unpooling",
            [
                conv("a", 20), bn("n"), relu("r"), pool("p"), conv("b", 18), bn("m"), relu("s"), pool("q"),
                conv("d", 18), unpool("v", "q", from: "d"), conv("e", 20), bn("o"), unpool("u", "p", from: "o"),
                conv("c", 4),
            ]
        ),
        LayerCase(
            "7x7, pooling without normalisation",
            [
                conv("a", 16, Window(7, padding: 3)), relu("r"), pool("p"), conv("b", 16, Window(7, padding: 3)),
                unpool("u", "p", from: "b"), conv("c", 4, Window(7, padding: 3)),
            ]
        ),
        LayerCase(
            "pooling alone, unpooling that nobody fuses",
            [conv("a", 16), pool("p"), unpool("u", "p", from: "p"), relu("r"), conv("c", 4)]
        ),
        LayerCase(
            "overlapping pooling",
            [
                conv("a", 17),
                Layer("p", .maxPooling(MaxPooling(window: Window(3, stride: 2, padding: 1), givesIndices: false))),
                conv("c", 4),
            ]
        ),
        LayerCase(
            "local response normalisation",
            [
                conv("a", 18),
                Layer(
                    "l",
                    .localResponseNormalization(LocalResponseNormalization(size: 5, alpha: 0.5, beta: 0.75, k: 1))
                ),
                conv("c", 4),
            ]
        ),
        LayerCase(
            "sums and joins",
            [
                conv("a", 18), conv("b", 18), Layer("sum", inputs: ["a", "b", "a"], .addition(Addition())), relu("r"),
                conv("d", 7), Layer("join", inputs: ["d", "sum"], .concatenation(Concatenation())), conv("c", 4),
            ]
        ),
        LayerCase(
            "crop and bilinear",
            [
                conv("a", 18), Layer("up", .bilinearUpsampling(BilinearUpsampling(factor: 2))),
                Layer("cut", inputs: ["up", "a"], .crop(Crop(top: 3, left: 2))), conv("c", 4),
            ]
        ),
        LayerCase(
            "normalised picture",
            [
                Layer("l", .localResponseNormalization(LocalResponseNormalization(alpha: 0.1))), conv("a", 16), bn("n"),
                relu("r"),
                conv("c", 4),
            ]
        ),
        LayerCase("ELU", [conv("a", 18), Layer("e", .elu(ELU(alpha: 0.7))), conv("c", 4)]),
        LayerCase(
            "average pooling",
            [
                conv("a", 18),
                Layer("p", .averagePooling(AveragePooling(window: Window(3, stride: 2, padding: 1)))), conv("c", 4),
            ]
        ),
        LayerCase(
            "average pooling that rounds up",
            [conv("a", 5), Layer("p", .averagePooling(AveragePooling(window: Window(2, stride: 2)))), conv("c", 4)]
        ),
        LayerCase(
            "the mean of a map",
            [conv("a", 18), Layer("p", .averagePooling(AveragePooling(window: nil))), conv("c", 4, Window(1))]
        ),
        LayerCase("scale", [conv("a", 18), Layer("s", .scale(Scale())), relu("r"), conv("c", 4)]),
        LayerCase(
            "scale and shift of a picture",
            [
                Layer("s", .scale(Scale(hasShift: true))), conv("a", 18), pool("p"),
                Layer("t", .scale(Scale(hasShift: true))),
            ]
        ),
        LayerCase("resize by a factor", [conv("a", 18), Layer("z", .resize(Resize(to: .factor(3)))), conv("c", 4)]),
        LayerCase(
            "resize to a size",
            [conv("a", 5), Layer("z", .resize(Resize(to: .size(height: 7, width: 16)))), conv("c", 4)]
        ),
        LayerCase(
            "every second row and column",
            [conv("a", 18), Layer("z", .resize(Resize(to: .shrunk(by: 2)))), conv("c", 4)]
        ),
        LayerCase(
            "resize without margins",
            [conv("a", 5), Layer("z", .resize(Resize(to: .factor(2), cut: .init(begin: 1, end: 3)))), conv("c", 4)]
        ),
        LayerCase(
            "weighted sum",
            [
                conv("a", 18), conv("b", 18),
                Layer("sum", inputs: ["a", "b"], .addition(Addition(coefficients: [0.5, -2]))), relu("r"), conv("c", 4),
            ]
        ),
        LayerCase(
            "resize to another map's size",
            [
                conv("a", 18), conv("b", 17, Window(3, stride: 2, padding: 1)),
                Layer("z", inputs: ["b", "a"], .resize(Resize(to: .reference))), conv("c", 4),
            ]
        ),
        LayerCase(
            "padded picture",
            [Layer("p", .padding(Padding(multiple: 8))), conv("a", 18), relu("r"), conv("c", 4)]
        ),
        LayerCase(
            "padded map",
            [
                conv("a", 18), Layer("p", .padding(Padding(multiple: 4))), conv("b", 17),
                Layer("cut", inputs: ["b", "a"], .crop(Crop())), conv("c", 4),
            ]
        ),
        LayerCase("twenty input channels", channels: 20, [conv("a", 18), relu("r"), conv("c", 4)]),
        LayerCase(
            "one row",
            size: (1, 13),
            [conv("a", 16), bn("n"), relu("r"), pool("p"), unpool("u", "p", from: "p"), conv("c", 4)]
        ),
    ]

    /// Windows, groups and neighbours that plans treat apart.
    package static let run: [LayerCase] = [
        LayerCase(
            "strided",
            size: (12, 15),
            [
                base,
                conv("out", 20, Window(3, stride: 2, padding: 1)),
            ]
        ),
        LayerCase(
            "dilated",
            size: (12, 15),
            [
                base,
                conv("out", 20, Window(3, padding: 2, dilation: 2)),
            ]
        ),
        LayerCase(
            "oblong",
            size: (12, 15),
            [
                base,
                conv("out", 33, Window(height: 2, width: 5, strideY: 3, strideX: 1, paddingY: 0, paddingX: 2)),
            ]
        ),
        LayerCase(
            "pointwise",
            size: (12, 15),
            channels: 20,
            [
                conv("out", 17, Window(1))
            ]
        ),
        LayerCase(
            "valid",
            size: (12, 15),
            channels: 5,
            [
                base,
                conv("out", 16, Window(3)),
            ]
        ),
        LayerCase(
            "groups",
            size: (12, 15),
            channels: 1,
            [
                conv("b", 32, Window(3, padding: 1)),
                conv("out", 64, Window(3, padding: 1), groups: 2),
            ]
        ),
        LayerCase(
            "odd groups",
            size: (12, 15),
            [
                base,
                conv("out", 12, Window(3, padding: 1), groups: 3),
            ]
        ),
        LayerCase(
            "depthwise",
            size: (12, 15),
            [
                base,
                conv("out", 24, Window(7, padding: 3), groups: 24),
            ]
        ),
        LayerCase(
            "deconvolution",
            size: (12, 15),
            [
                base,
                deconv("out", 11, Window(4, stride: 2, padding: 1)),
            ]
        ),
        LayerCase(
            "deconvolution 8 by 2",
            size: (12, 15),
            [
                base,
                deconv("out", 11, Window(8, stride: 2, padding: 3)),
            ]
        ),
        LayerCase(
            "deconvolution with holes",
            size: (12, 15),
            [
                base,
                deconv("out", 18, Window(2, stride: 3)),
            ]
        ),
        LayerCase(
            "dilated deconvolution",
            size: (12, 15),
            [
                base,
                deconv("out", 18, Window(3, stride: 2, padding: 1, dilation: 3)),
            ]
        ),
        LayerCase(
            "grouped deconvolution",
            size: (12, 15),
            [
                base,
                deconv("out", 24, Window(4, stride: 2, padding: 1), groups: 24),
            ]
        ),
        LayerCase(
            "overlapping pooling",
            size: (12, 15),
            [
                base,
                Layer(
                    "pool",
                    .maxPooling(MaxPooling(window: Window(3, stride: 2, padding: 1), givesIndices: false))
                ),
                Layer("out", outputs: [], .relu(ReLU())),
            ]
        ),
        LayerCase(
            "wide normalisation",
            size: (12, 15),
            [
                base,
                Layer(
                    "out",
                    .localResponseNormalization(LocalResponseNormalization(size: 5, alpha: 1e-3, beta: 0.6, k: 2))
                ),
            ]
        ),
        LayerCase(
            "normalisation of a deep input",
            size: (12, 15),
            channels: 264,
            [
                Layer("out", .localResponseNormalization(LocalResponseNormalization(alpha: 1e-3)))
            ]
        ),
        LayerCase(
            "normalisation of an input's first channels",
            size: (12, 15),
            channels: 5,
            [
                Layer("norm", .localResponseNormalization(LocalResponseNormalization(alpha: 1e-3, channels: 3))),
                conv("out", 16, Window(3, padding: 1)),
            ]
        ),
        LayerCase(
            "contrast of a deep input",
            size: (12, 15),
            channels: 20,
            [
                Layer("norm", .localContrastNormalization(LocalContrastNormalization())),
                Layer("lrn", .localResponseNormalization(LocalResponseNormalization())),
                conv("out", 16, Window(3, padding: 1)),
            ]
        ),
        LayerCase(
            "pooled twice",
            size: (12, 15),
            [
                base,
                Layer("pool1", outputs: ["pool1", "mask1"], .maxPooling(MaxPooling())),
                Layer("pool2", outputs: ["pool2", "mask2"], .maxPooling(MaxPooling())),
                Layer("up2", inputs: ["mask2"], .unpooling(Unpooling())),
                Layer("up1", inputs: ["mask1"], .unpooling(Unpooling())),
                conv("out", 7, Window(3, padding: 1)),
            ]
        ),
        LayerCase(
            "contrast",
            size: (12, 15),
            [
                Layer("norm", .localContrastNormalization(LocalContrastNormalization())),
                conv("out", 16, Window(3, padding: 1)),
            ]
        ),
        LayerCase(
            "picture through",
            size: (12, 15),
            [
                Layer("pool", .maxPooling(MaxPooling(givesIndices: false))),
                Layer("up", .bilinearUpsampling(BilinearUpsampling(factor: 3))),
                Layer("out", .softmax(Softmax())),
            ]
        ),
        LayerCase(
            "pooled picture",
            size: (12, 15),
            [
                Layer("pool", outputs: ["pool", "mask"], .maxPooling(MaxPooling())),
                Layer("out", inputs: ["mask"], .unpooling(Unpooling())),
            ]
        ),
        LayerCase(
            "kept statistics",
            size: (12, 15),
            [
                base,
                Layer("bn", outputs: [], .batchNormalization(BatchNormalization(statistics: .kept, epsilon: 1e-5))),
                Layer("relu", outputs: [], .relu(ReLU())),
                Layer("bn2", outputs: [], .batchNormalization(BatchNormalization())),
                Layer("out", outputs: [], .relu(ReLU())),
            ]
        ),
        LayerCase(
            "skip",
            size: (12, 15),
            [
                base,
                conv("a", 40, Window(3, padding: 1)),
                conv("b", 40, Window(1)),
                Layer("sum", inputs: ["a", "b"], .addition(Addition())),
                Layer("relu", outputs: [], .relu(ReLU())),
                Layer("joined", inputs: ["base", "sum", "a"], .concatenation(Concatenation())),
                conv("small", 5, Window(3)),
                Layer("out", inputs: ["joined", "small"], .crop(Crop(top: 1, left: 1))),
            ]
        ),
        LayerCase(
            "composed",
            size: (12, 15),
            [
                base,
                Layer("bn0", outputs: [], .batchNormalization(BatchNormalization())),
                conv("wide", 64, Window(7, padding: 3)),
                Layer("bn", outputs: [], .batchNormalization(BatchNormalization())),
                conv("out", 6, Window(1)),
            ]
        ),
        LayerCase(
            "unpooled by a stride",
            size: (12, 15),
            [
                base,
                Layer("pool", outputs: ["pool", "mask"], .maxPooling(MaxPooling())),
                Layer("up", inputs: ["mask"], .unpooling(Unpooling())),
                conv("out", 16, Window(3, stride: 2, padding: 0)),
            ]
        ),
    ]

    /// One layer, or two, of each other kind.
    package static let alone: [LayerCase] = [
        LayerCase(
            "LRN",
            size: (9, 7),
            channels: 4,
            [Layer("y", .localResponseNormalization(.init(size: 3, alpha: 0.5, beta: 0.75, k: 2)))]
        ),
        LayerCase("LCN", size: (9, 7), channels: 4, [Layer("y", .localContrastNormalization(.init()))]),
        LayerCase("softmax", size: (9, 7), channels: 4, [Layer("y", .softmax(Softmax()))]),
        LayerCase("argmax", size: (9, 7), channels: 4, [Layer("y", .argmax(Argmax()))]),
        LayerCase("bilinear", size: (9, 7), channels: 4, [Layer("y", .bilinearUpsampling(.init(factor: 4)))]),
        LayerCase(
            "kept statistics",
            size: (9, 7),
            channels: 4,
            [Layer("y", .batchNormalization(.init(statistics: .kept, epsilon: 0.1)))]
        ),
        LayerCase(
            "kept statistics behind a convolution",
            size: (9, 7),
            channels: 4,
            [
                Layer("c", .convolution(.init(outputChannels: 4, window: Window(3), hasBias: false))),
                Layer("y", .batchNormalization(.init(statistics: .kept))),
            ]
        ),
        LayerCase(
            "strided, dilated groups",
            size: (9, 7),
            channels: 4,
            [
                Layer(
                    "y",
                    .convolution(
                        .init(
                            outputChannels: 6,
                            window: Window(height: 3, width: 2, strideY: 2, paddingX: 1, dilationY: 2),
                            groups: 2
                        )
                    )
                )
            ]
        ),
        LayerCase(
            "transposed",
            size: (9, 7),
            channels: 4,
            [
                Layer(
                    "y",
                    .transposedConvolution(
                        .init(outputChannels: 4, window: Window(4, stride: 2, padding: 1), groups: 2)
                    )
                )
            ]
        ),
        LayerCase(
            "overlapping pooling",
            size: (9, 7),
            channels: 4,
            [Layer("y", .maxPooling(.init(window: Window(3, stride: 2), givesIndices: false)))]
        ),
        LayerCase(
            "padded pooling",
            size: (9, 7),
            channels: 4,
            [Layer("y", .maxPooling(.init(window: Window(3, stride: 2, padding: 1), givesIndices: false)))]
        ),
        LayerCase(
            "sum, concatenation and crop",
            size: (9, 7),
            channels: 4,
            [
                Layer("up", .bilinearUpsampling(.init(factor: 2))),
                Layer("crop", inputs: ["up", "data"], .crop(Crop(top: 1, left: 2))),
                Layer("sum", inputs: ["crop", "data", "crop"], .addition(Addition())),
                Layer("y", inputs: ["sum", "data"], .concatenation(Concatenation())),
            ]
        ),
        LayerCase(
            "dropout, which is idle",
            size: (9, 7),
            channels: 4,
            [Layer("y", outputs: ["data"], .dropout(Dropout(ratio: 0.5, samplesAtTest: true)))]
        ),
    ]
}
