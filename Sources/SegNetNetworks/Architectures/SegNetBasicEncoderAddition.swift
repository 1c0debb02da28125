extension Architectures {
    /// SegNet-Basic-EncoderAddition: SegNet-Basic whose decoders 4, 3 and 2 add the encoder's pooled maps of their size to their output.
    ///
    /// With encoder maps of zero it is SegNet-Basic. It takes 64 times SegNet-Basic's memory for what the encoder hands over.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are those of the released SegNet-Basic.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1511.00561, section 3.1 and table 1. Which maps are added is our reading: those after pooling, as in figure 3.
    public static func segNetBasicEncoderAddition(
        classes: Int,
        options: ArchitectureOptions = ArchitectureOptions()
    ) -> Network {
        let make = options.factory(kernel: 7, isNormalized: true)
        let width = options.channels(64)
        func decoder(_ name: String) -> [Layer] {
            options.decoderReLU ?? false ? make.convBNReLU(name, width) : make.convBN(name, width)
        }

        return Network("segnet-basic-encoder-addition", input: options.input) {
            options.basicEncoder(make)

            make.unpool("upsample4", indices: "pool4", output: "upsample4")
            decoder("conv_decode4")
            make.add("add4", "conv_decode4", "pool3")
            make.unpool("upsample3", indices: "pool3", output: "upsample3")
            decoder("conv_decode3")
            make.add("add3", "conv_decode3", "pool2")
            make.unpool("upsample2", indices: "pool2", output: "upsample2")
            decoder("conv_decode2")
            make.add("add2", "conv_decode2", "pool1")
            make.unpool("upsample1", indices: "pool1", output: "upsample1")
            decoder("conv_decode1")

            make.conv("conv_classifier", classes, kernel: 1)
        }
    }
}
