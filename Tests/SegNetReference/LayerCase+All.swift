import SegNetNetworks

extension LayerCase {
    /// Every case.
    package static let all = trained + run + alone

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
