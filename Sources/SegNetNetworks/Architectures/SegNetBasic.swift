extension Architectures {
    /// SegNet-Basic: four 7x7 convolutions of 64 channels down, four up, and a 1x1 classifier.
    ///
    /// The small SegNet on which the paper compares decoders. Its decoder has no ReLU.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: Where the paper and the released networks differ; the defaults are the released networks'.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1511.00561, section 3.1; layer names as in the original's `segnet_basic_train.prototxt`.
    public static func segNetBasic(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(kernel: 7, isNormalized: true)
        let width = options.channels(64)
        let hasDropout = options.hasDropout(released: false)
        let samples = options.dropout == .sampled
        let decoderReLU = options.decoderReLU ?? false
        func decoder(_ name: String) -> [Layer] {
            decoderReLU ? make.convBNReLU(name, width) : make.convBN(name, width)
        }

        return Network("segnet-basic", input: options.input) {
            options.basicEncoder(make)

            make.unpool("upsample4", indices: "pool4", output: "upsample4")
            decoder("conv_decode4")
            if hasDropout { make.dropout("decdrop4", samplesAtTest: samples) }
            make.unpool("upsample3", indices: "pool3", output: "upsample3")
            decoder("conv_decode3")
            if hasDropout { make.dropout("decdrop3", samplesAtTest: samples) }
            make.unpool("upsample2", indices: "pool2", output: "upsample2")
            decoder("conv_decode2")
            make.unpool("upsample1", indices: "pool1", output: "upsample1")
            decoder("conv_decode1")

            make.conv("conv_classifier", classes, kernel: 1)
        }
    }
}

extension ArchitectureOptions {
    /// The encoder of SegNet-Basic and of all decoder variants, from the picture to `pool4`.
    func basicEncoder(_ make: LayerFactory) -> [Layer] {
        let width = channels(64)
        let samples = dropout == .sampled
        var layers = normalizationLayers(released: .lrn)
        for stage in 1...4 {
            layers += make.convBNReLU("conv\(stage)", width)
            layers.append(make.maxPool("pool\(stage)"))
            if stage >= 3, hasDropout(released: false) {
                layers.append(make.dropout("encdrop\(stage)", samplesAtTest: samples))
            }
        }
        return layers
    }
}
