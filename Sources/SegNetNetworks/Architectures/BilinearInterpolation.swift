extension Architectures {
    /// Bilinear-Interpolation: SegNet-Basic's encoder, a 1x1 convolution to K maps, and bilinear upsampling that learns nothing.
    ///
    /// Four doublings, each a 4x4 transposed convolution of one map at a time; the last row and column are cut off where the encoder's map
    /// was odd.
    ///
    /// - Parameters:
    ///   - classes: The number of classes K, at least 1.
    ///   - options: The defaults are those of the released SegNet-Basic's encoder.
    /// - Returns: A network from images [1, C, H, W] to scores [1, K, H, W], for any height and width of at least 1.
    ///
    /// Source: arXiv 1511.00561, section 3.1 and table 1. Four doublings in place of one enlargement by 16 are our reading.
    public static func bilinearInterpolation(
        classes: Int,
        options: ArchitectureOptions = ArchitectureOptions()
    ) -> Network {
        let make = options.factory(kernel: 7, isNormalized: true)
        func up(_ stage: Int) -> [Layer] {
            let target = stage == 1 ? options.input.name : "pool\(stage - 1)"
            let window = Window(4, stride: 2, padding: 1)
            return [
                make.deconv("upscore\(stage)", classes, window, groups: classes, hasBias: false),
                make.crop("upscore\(stage)c", "upscore\(stage)", to: target),
            ]
        }

        return Network("bilinear-interpolation", input: options.input) {
            options.basicEncoder(make)
            make.conv("score_pool4", classes, kernel: 1)
            up(4)
            up(3)
            up(2)
            up(1)
        }
    }
}
