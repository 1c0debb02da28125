extension Architectures {
    /// FCN-Basic and its variants: SegNet-Basic's encoder with a decoder in the manner of FCN.
    ///
    /// Up, each stage doubles the map by a learnt 8x8 transposed convolution of stride 2 and adds the encoder's pooled map of the new size.
    /// Maps are reduced to K channels by 1x1 convolutions before that, or kept in full and classified at the end. The kernels start as
    /// bilinear interpolation with a gain of 1. The decoder has no other filters and no batch normalisation, because it handles scores.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are those of the released SegNet-Basic's encoder.
    ///   - adds: Whether the encoder's maps are added; without, this is "NoAddition".
    ///   - reduces: Whether maps are reduced to K channels first; without, this is "NoDimReduction".
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1511.00561, section 3.1, figure 3 and table 1. Stride 2 with padding 3, and the last row and column cut off where the
    /// encoder's map was odd, are our reading; the authors released no code.
    public static func fcnBasic(
        classes: Int,
        options: ArchitectureOptions = ArchitectureOptions(),
        adds: Bool = true,
        reduces: Bool = true
    ) -> Network {
        let make = options.factory(kernel: 7, isNormalized: true)
        let channels = reduces ? classes : options.channels(64)
        let window = Window(8, stride: 2, padding: 3)
        let name = "fcn-basic" + (adds ? "" : "-no-addition") + (reduces ? "" : "-no-dim-reduction")
        func reduced(_ pool: String) -> [Layer] {
            guard reduces else { return [] }
            var layer = make.conv("score_\(pool)", classes, kernel: 1)
            layer.inputs = [pool]
            return [layer]
        }
        /// From the size of a pooling's output to that of its input.
        func up(_ stage: Int) -> [Layer] {
            let target = stage == 1 ? options.input.name : "pool\(stage - 1)"
            let doubled = make.deconv("upscore\(stage)", channels, window, hasBias: false)
            let cut = make.crop("upscore\(stage)c", "upscore\(stage)", to: target)
            guard adds, stage > 1 else { return [doubled, cut] }
            let encoder = reduces ? "score_\(target)" : target
            return [doubled, cut] + reduced(target) + [make.add("fuse\(stage)", cut.outputs[0], encoder)]
        }

        return Network(name, input: options.input) {
            options.basicEncoder(make)
            reduced("pool4")
            up(4)
            up(3)
            up(2)
            up(1)
            if !reduces { make.conv("conv_classifier", classes, kernel: 1) }
        }
    }
}
