extension Architectures {
    /// SegNet-Basic-SingleChannelDecoder: SegNet-Basic whose decoder filters see only the map that they write.
    ///
    /// Its depthwise convolutions are SegNet-Basic's with zeros off the diagonal: 0.63 million parameters in place of 1.42.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are those of the released SegNet-Basic.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1511.00561, section 3.1 and table 1.
    public static func segNetBasicSingleChannelDecoder(
        classes: Int,
        options: ArchitectureOptions = ArchitectureOptions()
    ) -> Network {
        let make = options.factory(kernel: 7, isNormalized: true)
        let width = options.channels(64)
        func decoder(_ stage: Int) -> [Layer] {
            let window = Window(7, padding: 3)
            let layers = make.normalized(make.conv("conv_decode\(stage)", width, window: window, groups: width))
            return options.decoderReLU ?? false ? layers + [make.relu("relu_decode\(stage)")] : layers
        }

        return Network("segnet-basic-single-channel-decoder", input: options.input) {
            options.basicEncoder(make)

            make.unpool("upsample4", indices: "pool4", output: "upsample4")
            decoder(4)
            make.unpool("upsample3", indices: "pool3", output: "upsample3")
            decoder(3)
            make.unpool("upsample2", indices: "pool2", output: "upsample2")
            decoder(2)
            make.unpool("upsample1", indices: "pool1", output: "upsample1")
            decoder(1)

            make.conv("conv_classifier", classes, kernel: 1)
        }
    }
}
