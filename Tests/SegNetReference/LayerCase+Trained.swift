import SegNetNetworks

extension LayerCase {
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
        LayerCase(
            "dilation 2 by 3, odd padding",
            size: (14, 19),
            [
                conv("a", 16),
                conv(
                    "b",
                    18,
                    Window(
                        height: 3,
                        width: 3,
                        strideY: 1,
                        strideX: 1,
                        paddingY: 1,
                        paddingX: 3,
                        dilationY: 2,
                        dilationX: 3
                    )
                ),
                conv("c", 4),
            ]
        ),
        LayerCase(
            "dilation that leaves phases of few pixels",
            [conv("a", 16), conv("b", 18, Window(3, padding: 6, dilation: 6)), conv("c", 4)]
        ),
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
            "resize by a ratio",
            [conv("a", 5), Layer("z", .resize(Resize(to: .ratio(shrink: 2, zoom: 3)))), conv("c", 4)]
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
}
