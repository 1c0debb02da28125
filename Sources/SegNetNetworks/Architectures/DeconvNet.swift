extension Architectures {
    /// DeconvNet: VGG16 with its fully connected layers down, and their mirror image up: unpooling by the encoder's indices, and transposed
    /// convolutions.
    ///
    /// Batch normalisation and a ReLU follow every convolution except the last. The width drops in the last convolution of a stage.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are the released net; the paper ran it with a `fullyConnectedWidth` of 1024.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 193: `pool5` has to be
    ///   at least as large as the 7x7 window of `fc6`.
    ///
    /// Source: arXiv 1505.04366 and the authors' `DeconvNet_inference_deploy.prototxt`, whose layer names these are.
    public static func deconvNet(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(isNormalized: true)
        let widths = [64, 128, 256, 512, 512].map(options.channels)
        let wide = options.channels(options.fullyConnectedWidth ?? 4096)
        let hasDropout = options.hasDropout(released: false)
        let samples = options.dropout == .sampled

        func down(_ stage: Int) -> [Layer] {
            var layers: [Layer] = []
            for number in 1...(stage < 3 ? 2 : 3) {
                let conv = make.conv("conv\(stage)_\(number)", widths[stage - 1])
                layers += make.normalized(conv, as: "bn\(stage)_\(number)")
                layers.append(make.relu("relu\(stage)_\(number)"))
            }
            return layers + [make.maxPool("pool\(stage)")]
        }
        func fullyConnected(_ number: Int, _ window: Window) -> [Layer] {
            let layers =
                make.normalized(make.conv("fc\(number)", wide, window: window), as: "bnfc\(number)")
                + [make.relu("relu\(number)")]
            return hasDropout ? layers + [make.dropout("drop\(number)", samplesAtTest: samples)] : layers
        }
        func up(_ stage: Int) -> [Layer] {
            var layers = [make.unpool("unpool\(stage)", indices: "pool\(stage)", output: "unpool\(stage)")]
            let count = stage < 3 ? 2 : 3
            for number in 1...count {
                let width = number == count && stage > 1 ? widths[stage - 2] : widths[stage - 1]
                let deconv = make.deconv(
                    "deconv\(stage)_\(number)",
                    width,
                    Window(3, padding: 1),
                    hasBias: make.hasBias
                )
                layers += make.normalized(deconv, as: "debn\(stage)_\(number)")
                layers.append(make.relu("derelu\(stage)_\(number)"))
            }
            return layers
        }

        return Network("deconvnet", input: options.input) {
            down(1)
            down(2)
            down(3)
            down(4)
            down(5)
            fullyConnected(6, Window(7))
            fullyConnected(7, Window(1))
            make.normalized(
                make.deconv("fc6-deconv", widths[4], Window(7), hasBias: make.hasBias),
                as: "fc6-deconv-bn"
            )
            make.relu("fc6-deconv-relu")
            up(5)
            up(4)
            up(3)
            up(2)
            up(1)
            Layer(
                "seg-score-voc",
                outputs: ["seg-score"],
                .convolution(Convolution(outputChannels: classes, window: Window(1), hasBias: options.convolutionBias))
            )
        }
    }
}
