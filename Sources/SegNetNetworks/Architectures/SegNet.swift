extension Architectures {
    /// SegNet: the thirteen convolutions of VGG16 down, thirteen up, joined by pooling indices alone.
    ///
    /// Down, each stage ends in a 2x2 max pooling that keeps where each maximum stood. Up, each stage begins by putting its values
    /// back to just those places and lets convolutions fill the gaps. The last convolution gives one score map per class.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: Where the paper and the released networks differ; the defaults are the released networks'.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1: a pooling rounds
    ///   sizes up, its unpooling returns to the exact size.
    ///
    /// Source: arXiv 1511.00561, section 3 and figure 2; layer names as in the original's `segnet_train.prototxt`.
    public static func segNet(classes: Int, options: ArchitectureOptions = ArchitectureOptions()) -> Network {
        let make = options.factory(isNormalized: true)
        let (w64, w128) = (options.channels(64), options.channels(128))
        let (w256, w512) = (options.channels(256), options.channels(512))
        let hasDropout = options.hasDropout(released: false)
        let samples = options.dropout == .sampled
        let decoderReLU = options.decoderReLU ?? true
        func decoder(_ name: String, _ channels: Int) -> [Layer] {
            decoderReLU ? make.convBNReLU(name, channels) : make.convBN(name, channels)
        }

        return Network("segnet", input: options.input) {
            options.normalizationLayers(released: .none)

            make.convBNReLU("conv1_1", w64)
            make.convBNReLU("conv1_2", w64)
            make.maxPool("pool1")

            make.convBNReLU("conv2_1", w128)
            make.convBNReLU("conv2_2", w128)
            make.maxPool("pool2")

            make.convBNReLU("conv3_1", w256)
            make.convBNReLU("conv3_2", w256)
            make.convBNReLU("conv3_3", w256)
            make.maxPool("pool3")
            if hasDropout { make.dropout("encdrop3", samplesAtTest: samples) }

            make.convBNReLU("conv4_1", w512)
            make.convBNReLU("conv4_2", w512)
            make.convBNReLU("conv4_3", w512)
            make.maxPool("pool4")
            if hasDropout { make.dropout("encdrop4", samplesAtTest: samples) }

            make.convBNReLU("conv5_1", w512)
            make.convBNReLU("conv5_2", w512)
            make.convBNReLU("conv5_3", w512)
            make.maxPool("pool5")
            if hasDropout { make.dropout("encdrop5", samplesAtTest: samples) }

            make.unpool("upsample5", indices: "pool5", output: "pool5_D")
            decoder("conv5_3_D", w512)
            decoder("conv5_2_D", w512)
            decoder("conv5_1_D", w512)
            if hasDropout { make.dropout("decdrop5", samplesAtTest: samples) }

            make.unpool("upsample4", indices: "pool4", output: "pool4_D")
            decoder("conv4_3_D", w512)
            decoder("conv4_2_D", w512)
            decoder("conv4_1_D", w256)
            if hasDropout { make.dropout("decdrop4", samplesAtTest: samples) }

            make.unpool("upsample3", indices: "pool3", output: "pool3_D")
            decoder("conv3_3_D", w256)
            decoder("conv3_2_D", w256)
            decoder("conv3_1_D", w128)
            if hasDropout { make.dropout("decdrop3", samplesAtTest: samples) }

            make.unpool("upsample2", indices: "pool2", output: "pool2_D")
            decoder("conv2_2_D", w128)
            decoder("conv2_1_D", w64)

            make.unpool("upsample1", indices: "pool1", output: "pool1_D")
            decoder("conv1_2_D", w64)
            if options.extraClassifier {
                decoder("conv1_1_D", w64)
                make.conv("classifier", classes)
            } else {
                make.conv("conv1_1_D", classes)
            }
        }
    }
}
